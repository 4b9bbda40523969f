"""What the claims share: a finding, and the verdict that its interval gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from syn2real.config.needs import POSITION
from syn2real.laws.columns import differing
from syn2real.laws.intervals import Estimate, rank_correlation
from syn2real.laws.posteriors import DESCRIBED, NO_LAW, NO_NOISE, NOTHING_FALLS, TOO_FEW, CurveDraws

AGREES, DISAGREES, UNDECIDED = "agrees", "disagrees", "cannot tell"
SHOWN = 6
"""Names that a list shows at most."""
PAIR = ("ptask", "ftask")
NAMED = (*PAIR, "setting", "model", "initial", "arm", "s", "target")
"""Columns by which curves are named, the first that set them apart."""
TEXTURE = "texture"
REASONS = {
    NO_LAW: "no law describes them",
    NOTHING_FALLS: "nothing falls beyond the noise",
    TOO_FEW: "too few sizes",
    NO_NOISE: "their noise is unknown",
}
"""Why the parameters of a curve in some state may not be quoted."""


@dataclass(frozen=True)
class Finding:
    """What an experiment says of a claim: in words, the number that decides, and the verdict."""

    text: str
    estimate: Estimate | None = None
    verdict: str = UNDECIDED


def judged(text: str, estimate: Estimate | None, border: float, *, above: bool = True) -> Finding:
    """Return a finding whose verdict is on which side of a border the whole interval lies.

    Parameters
    ----------
    text : str
    estimate : Estimate or None
        None where the experiment cannot give one, which decides nothing.
    border : float
    above : bool
        The claim's side.
    """
    if estimate is None:
        return Finding(f"{text} Too few of them to judge.")
    sides = (estimate.lower > border, estimate.upper < border)
    agrees, disagrees = sides if above else sides[::-1]
    return Finding(text, estimate, AGREES if agrees else DISAGREES if disagrees else UNDECIDED)


def name_curves(curves: Sequence[CurveDraws], among: Sequence[CurveDraws]) -> str:
    """Name some curves by the fewest columns that set all apart, such as `normal → semseg`."""
    identities = [curve.identity for curve in among]
    varied = differing(identities)
    columns: list[str] = []
    for column in sorted(varied, key=lambda c: NAMED.index(c) if c in NAMED else len(NAMED)):
        if _distinct(identities, [*columns, column]) > _distinct(identities, columns):
            columns.append(column)
    names = [_name(curve.identity, columns) for curve in curves]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def _distinct(identities: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """Return how many curves some columns set apart."""
    return len({tuple(str(identity.get(c)) for c in columns) for identity in identities})


def _name(identity: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Return the values of some columns, tasks joined by an arrow."""
    tasks = " → ".join(str(identity[c]) for c in PAIR if c in columns)
    rest = [f"{c} {identity.get(c)}" if c == "s" else str(identity.get(c)) for c in columns if c not in PAIR]
    return " ".join([tasks, *rest] if tasks else rest) or "the one curve"


def quotable(draws: Sequence[CurveDraws]) -> tuple[list[CurveDraws], str]:
    """Return the curves whose parameters may be quoted, and a sentence on those that are left out."""
    kept = [curve for curve in draws if curve.state == DESCRIBED]
    left = {state: [c for c in draws if c.state == state] for state in REASONS}
    named = [f"{REASONS[state]} ({name_curves(those, draws)})" for state, those in left.items() if those]
    return kept, f" Left out: {'; '.join(named)}." if named else ""


def group_by(draws: Sequence[CurveDraws], columns: Callable[[str], bool]) -> list[list[CurveDraws]]:
    """Return the curves in groups that agree in some columns of their identity."""
    groups: dict[tuple[str, ...], list[CurveDraws]] = {}
    for curve in draws:
        key = tuple(f"{name} {value}" for name, value in curve.identity.items() if columns(name))
        groups.setdefault(key, []).append(curve)
    return [*groups.values()]


def raised(levels: Mapping[str, Mapping[str, float]], *, without: str = "") -> dict[str, float]:
    """Return how many steps each setting lies above the lowest levels, over all attributes but one."""
    attributes = [a for a in next(iter(levels.values()), {}) if a != without]
    steps = {a: sorted({level[a] for level in levels.values()}) for a in attributes}
    return {name: float(sum(steps[a].index(level[a]) for a in steps)) for name, level in levels.items()}


def changes(
    draws: Sequence[CurveDraws], levels: Mapping[str, Mapping[str, float]], parameter: str
) -> dict[str, np.ndarray]:
    """Return by how much the log of a parameter changes when one attribute of the setting is raised.

    Parameters
    ----------
    draws : sequence of CurveDraws
    levels : mapping of str to dict
        A setting's level in each attribute.
    parameter : str

    Returns
    -------
    dict of str to ndarray, shape (K, S)
        By attribute the draws of its K pairs: curves that differ in it and in nothing else.
    """
    found: dict[str, list[np.ndarray]] = {}
    for group in group_by(draws, lambda column: column != "setting"):
        mine = [curve for curve in group if curve.identity.get("setting") in levels]
        for low in mine:
            for high in mine:
                one, two = (levels[curve.identity["setting"]] for curve in (low, high))
                differ = [a for a in one if one[a] != two[a]]
                if len(differ) == 1 and one[differ[0]] < two[differ[0]]:
                    change = np.log(np.maximum(high.params[parameter], 1e-9))
                    change = change - np.log(np.maximum(low.params[parameter], 1e-9))
                    found.setdefault(differ[0], []).append(change)
    return {attribute: np.array(pairs) for attribute, pairs in found.items()}


def by_attribute(found: Mapping[str, np.ndarray], parameter: str) -> str:
    """Return the mean change of each attribute in words, with the middle 95 % of its draws."""
    parts = []
    for attribute, pairs in found.items():
        low, middle, high = np.expm1(np.quantile(pairs.mean(axis=0), [0.025, 0.5, 0.975]))
        count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''}"
        parts.append(f"{attribute} {middle:+.0%} [{low:+.0%}, {high:+.0%}] ({count})")
    return f" {parameter} when one attribute is raised: {', '.join(parts)}." if parts else ""


def judged_by_order(
    draws: Sequence[CurveDraws],
    levels: Mapping[str, Mapping[str, float]],
    parameter: str,
    sign: str,
    *,
    without: str = "",
) -> Finding:
    """Return whether a parameter falls with the known order of the settings, all attributes but one.

    Parameters
    ----------
    draws : sequence of CurveDraws
    levels : mapping of str to dict
        A setting's level in each attribute.
    parameter, sign : str
        Its name among the draws, and as the text shows it.
    without : str
        The attribute that the order leaves out.
    """
    curves, left = quotable([curve for curve in draws if curve.identity.get("setting") in levels])
    order = raised(levels, without=without)
    groups = [
        (np.array([c.params[parameter] for c in group]), [order[c.identity["setting"]] for c in group])
        for group in group_by(curves, lambda column: column != "setting")
    ]
    found = changes(curves, levels, parameter)
    found.pop(POSITION, None)  # an order, and nothing that settings have
    words = by_attribute(found, f"Change of {sign}")
    text = f"{len(curves)} curves of {len(levels)} settings of known complexity.{words}{left}"
    return judged(text, rank_correlation(groups), 0.0, above=False)
