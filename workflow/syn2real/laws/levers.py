"""Which lever to pull when more images will not do (paper §3.2–3.3 and Figure 3 b, c, d).

A lever is only ever recommended from curves of the same file that differ in just that factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syn2real.laws.arms import ARM, LABELS, RENDERS_ONLY
from syn2real.laws.columns import differing
from syn2real.laws.forecast import CurveForecast
from syn2real.laws.labels import labels_needed
from syn2real.laws.results import number
from syn2real.laws.table import Curve
from syn2real.laws.verdicts import FACTORS, LIKELY, say


@dataclass(frozen=True)
class Lever:
    """The verdict's kind, the lever's name (None where there is none to pull), why, and the file's levers.

    `tried` has of each lever the curve it leads to, the probability that this reaches the target within the
    limit, and its error there with an interval.
    """

    kind: str
    name: str | None
    detail: str
    tried: dict[str, dict[str, Any]] | None = None


def choose_lever(here: CurveForecast, others: Sequence[CurveForecast]) -> Lever:
    """Choose the factor whose change brings the target closest, from curves that differ in it alone."""
    best: dict[str, CurveForecast] = {}
    for other in others:
        name = single_factor(here.curve, other.curve)
        if name and (name not in best or rank(other) > rank(best[name])):
            best[name] = other
    if not best:
        return Lever("blind", None, say("other_curves"))
    tried = {name: _outcome(here, other) for name, other in best.items()}
    if "label more" in tried:
        same = [here.curve, *(o.curve for o in others if [*change_to(here.curve, o.curve)] == ["s"])]
        tried["label more"]["needed"] = labels_needed(same, here.most, here.goal.target_error)
    name = max(best, key=lambda key: rank(best[key]))
    words = {key: _words(key, outcome) for key, outcome in tried.items()}
    if best[name].reachable < max(LIKELY, here.reachable):
        return Lever("blind", None, say("no_lever", levers="; ".join(words.values())), tried)
    return Lever("lever", name, words[name], tried)


def _outcome(here: CurveForecast, other: CurveForecast) -> dict[str, Any]:
    """Return where a lever leads."""
    middle, lower, upper = map(number, other.at_limit)
    return {
        "change": change_to(here.curve, other.curve),
        "p_reach": other.reachable,
        "error": middle,
        "lower": lower,
        "upper": upper,
    }


def change_to(here: Curve, other: Curve) -> dict[str, Any]:
    """Return the columns that differ in two curves, with the other's values; renders alone need no labels."""
    unnamed = LABELS if other.identity.get(ARM) == RENDERS_ONLY else ()
    columns = [c for c in differing([here.identity, other.identity]) if c not in unnamed]
    return {column: other.identity[column] for column in columns}


def change_text(change: Mapping[str, Any]) -> str:
    """Say what a lever changes, such as `setting = room`."""
    return ", ".join(f"{column} = {value}" for column, value in change.items())


def _words(name: str, outcome: dict[str, Any]) -> str:
    """Say where a lever leads."""
    reaches = say("lever", name=name, **outcome | {"change": change_text(outcome["change"])})
    needed = outcome.get("needed")
    if not needed:
        return reaches
    labels = say("more_labels", most=needed["most"])
    if needed["labels"]:
        labels = say("about_labels", labels=f"{float(format(needed['labels'], '.2g')):,.0f}")
    held_out = needed["held_out"]
    missed = "" if held_out is None else say("missed", held_out=max(held_out, 0.001))
    return say("labels", lever=reaches, labels=labels, law=needed["law"], missed=missed)


def single_factor(one: Curve, two: Curve) -> str | None:
    """Name the lever in which two curves differ, or None where they differ in more or in none.

    That renders alone learn from no photograph is part of their arm.
    """
    differ = set(differing([one.identity, two.identity]))
    if ARM in differ and RENDERS_ONLY in (one.identity[ARM], two.identity[ARM]):
        differ -= set(LABELS)
    for name, columns in FACTORS.items():
        if differ and differ <= set(columns):
            return name if _forward(name, one, two) else None
    return None


def _forward(name: str, one: Curve, two: Curve) -> bool:
    """Say whether going from one curve to the other pulls the lever in its own direction."""
    if name == "label more":
        return float(two.identity["s"]) > float(one.identity["s"])
    if name == "bigger model":
        return not (two.n_params < one.n_params.min()).all()  # unknown sizes (NaN): any other model
    if name == "use renders another way":
        return ARM in differing([one.identity, two.identity])
    return True


def rank(curve: CurveForecast) -> tuple[float, float]:
    """Order by the probability of reaching the target, then by the error at the limit."""
    return (round(curve.reachable, 2), -curve.at_limit[0])
