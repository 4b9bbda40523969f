"""How short a recipe may be: errors of a pilot by length and n, and the shortest length that is as good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.config.lengths import RULE_OF_THREE
from syn2real.data.targets.schema import PILOT_PARTS, fold_of
from syn2real.errors import InputError
from syn2real.laws.per_image import FILE, PerImage, pooled, read_per_image
from syn2real.laws.photographs import multiplicities
from syn2real.report.markdown import markdown_table
from syn2real.report.wording import curve_names
from syn2real.training.metrics import read_metrics

CURVE = ("setting", "ptask", "ftask", "target", "model", "initial", "s_percent")
ALIKE, DIFFERS, OPEN, LONGEST = "alike", "differs", "not decided", "the longest"
DRAWS = 200
"""Of the tested images, which know a standard deviation to 5 %."""
Z = 1.96  # of an interval of 95 %


def compare_lengths(
    files: Iterable[str | Path], lengths: Mapping[str, float], tolerance: float
) -> pd.DataFrame:
    """Compare the errors of each length with those of the longest.

    The tested images are drawn again, the same for all lengths; between seeds there is scatter besides.
    Two lengths that never differed on N images may still do so on 3 / N of all (95 %): no interval is closer.

    Parameters
    ----------
    files : iterable of str or Path
        metrics.json of a pilot's fine-tunings, with per-image results beside them.
    lengths : mapping of str to float
        The length of each recipe, by its name.
    tolerance : float
        Share of the longest length's error, or of 1 - error where that is smaller, within which another error
        counts as alike: of a model that has learnt little, one that has learnt nothing differs by little.

    Returns
    -------
    pandas.DataFrame
        A row a curve, n and length: `CURVE`, "n", "length", "seeds", "images", "error", and of the difference
        from the longest length "difference", its 95 % interval "lower" to "upper", what is "allowed", and
        "verdict".

    Raises
    ------
    InputError
        A run's results are missing, or runs of one point were tested on different images.
    """
    longest = max(lengths.values())
    rows: list[dict[str, Any]] = []
    for point, runs in read_parts(files, (*CURVE, "n"), lambda key: lengths[key["recipe"]]).items():
        reference = runs[longest]
        count = next(iter(reference.values())).photographs
        times = [np.ones(count, int), *multiplicities(count, DRAWS)]
        errors = {k: np.array([[run.error(m) for m in times] for run in s.values()]) for k, s in runs.items()}
        error = float(errors[longest][:, 0].mean())
        allowed = tolerance * min(error, 1 - error)
        for length in sorted(runs):
            row = dict(zip((*CURVE, "n"), point, strict=True))
            row |= {"length": length, "seeds": len(runs[length]), "images": count}
            row |= {"error": float(errors[length][:, 0].mean())}
            rows.append(row | _difference(errors[length], errors[longest], count, allowed, length == longest))
    return pd.DataFrame(rows).sort_values([*CURVE, "n", "length"], ignore_index=True)


def read_parts(
    files: Iterable[str | Path], names: Sequence[str], tried: Callable[[Mapping[str, Any]], float]
) -> dict[tuple[Any, ...], dict[float, dict[int, PerImage]]]:
    """Return the results of each seed by point and by what is tried, those of several tested parts together.

    `names` of a run's key make a point, `tried` returns its length or rate.
    """
    found: dict[tuple[Any, ...], dict[float, dict[int, list[PerImage]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for path in sorted(map(str, files)):
        key = read_metrics(path).key.model_dump()
        key["target"] = fold_of(key["target"])[0]
        point = tuple(key[name] for name in names)
        found[point][tried(key)][key["seed"]].append(read_per_image(Path(path).with_name(FILE)))
    joined = {
        point: {k: {seed: pooled(parts) for seed, parts in of.items()} for k, of in runs.items()}
        for point, runs in found.items()
    }
    for point, runs in joined.items():
        tested = [run.ids for of in runs.values() for run in of.values()]
        if any(not np.array_equal(ids, tested[0]) for ids in tested):
            n = dict(zip(names, point, strict=True))["n"]
            problem = f"the runs at n = {n:,} were tested on different images; run the pilot again"
            raise InputError(problem, file=point[0])
    return joined


def _difference(
    errors: np.ndarray, longest: np.ndarray, count: int, allowed: float, same: bool
) -> dict[str, Any]:
    """Return the difference of errors, shape (seeds, 1 + draws) each: interval, allowance, verdict."""
    if same:
        return {"difference": 0.0, "lower": 0.0, "upper": 0.0, "allowed": allowed, "verdict": LONGEST}
    value, half = difference(errors, longest, count)
    verdict = ALIKE if abs(value) + half <= allowed else DIFFERS if abs(value) > half else OPEN
    interval = {"lower": value - half, "upper": value + half}
    return {"difference": value, **interval, "allowed": allowed, "verdict": verdict}


def difference(errors: np.ndarray, others: np.ndarray, count: int, z: float = Z) -> tuple[float, float]:
    """Return the difference of errors, shape (seeds, 1 + draws) each, and half of its interval."""
    each = errors - others
    drawn = each[:, 1:].mean(axis=0)
    seeds = np.var(each[:, 0], ddof=1) / len(each) if len(each) > 1 else 0.0
    half = max(z * float(np.sqrt(np.nanvar(drawn) + seeds)), RULE_OF_THREE / count)
    return float(each[:, 0].mean()), half


def chosen_length(table: pd.DataFrame) -> float:
    """Return the shortest length that is alike at all points, above none that differs anywhere."""
    chosen = longest = float(table.length.max())
    for length in sorted({*table.length} - {longest}, reverse=True):
        verdicts = {*table.verdict[table.length == length]}
        if DIFFERS in verdicts:
            break
        if verdicts == {ALIKE}:
            chosen = float(length)
    return chosen


def pilot_text(table: pd.DataFrame, name: str, recipe: str, tolerance: float, parts: int) -> str:
    """Return the result of a pilot in Markdown: what to write into the experiment, why, and all errors.

    Parameters
    ----------
    table : pandas.DataFrame
        See `compare_lengths`.
    name, recipe : str
        The experiment and its recipe.
    tolerance : float
        As there.
    parts : int
        How many of the labels' parts were tested.
    """
    chosen, longest = chosen_length(table), float(table.length.max())
    lines = [
        f"# The length of {name}'s trainings",
        f"- {_decision(table, chosen, longest, tolerance, parts)}",
        f"Write into the experiment (it shortens recipe {recipe} in both stages):\n\n    length: {chosen:g}",
        "## Errors",
        _errors(table),
        _noise(table),
    ]
    return "\n\n".join(lines) + "\n"


def _decision(table: pd.DataFrame, chosen: float, longest: float, tolerance: float, parts: int) -> str:
    """Return which length to use, and why no shorter one."""
    tested = " or ".join(f"{count:,}" for count in sorted({*table.images}))
    bound = f"{100 * tolerance:g} % of the error of length {longest:g}, or of 1 - error where that is smaller"
    halves = (table.upper - table.lower) / 2
    if chosen < longest:
        known = f"(at most ± {halves[table.length == chosen].max():.3f})"
        shorter = "no shorter one's are known to be" if chosen > table.length.min() else "none was shorter"
        return (
            f"**Length {chosen:g} is enough**: at {_sizes(table)} its errors are within {bound}, noise of "
            f"the {tested} tested labels {known} included; {shorter}."
        )
    following = max({*table.length} - {longest})
    judged = table[table.length == following].assign(half=halves)
    if DIFFERS in {*judged.verdict}:
        differ = _sizes(judged[judged.verdict == DIFFERS])
        return f"**Keep length {longest:g}**: at {differ} the errors of length {following:g} differ."
    undecided = judged[judged.verdict == OPEN]
    needed = float((undecided.images * (undecided.half / undecided.allowed) ** 2).max())
    more = f" Test all of them (`pilot: {{parts: {PILOT_PARTS}}}`); pre-trainings stay."
    more = more if parts < PILOT_PARTS else ""
    return (
        f"**Not decided, keep length {longest:g}**: {tested} tested labels know a difference to "
        f"± {undecided.half.max():.3f}, and {undecided.allowed.min():.3f} is what matters ({bound}); about "
        f"{_rounded_up(needed)} would decide where errors are equal.{more}"
    )


def _sizes(table: pd.DataFrame) -> str:
    return " and ".join(f"n = {n:,}" for n in sorted({*table.n}))


def _rounded_up(count: float) -> str:
    """Return a number of images, rounded up to two digits."""
    step = 10 ** max(0, len(str(int(count))) - 2)
    return f"{int(-(-count // step) * step):,}"


def _errors(table: pd.DataFrame) -> str:
    """Return the errors as a table, a row a length."""
    curves = list(table.groupby(list(CURVE)))
    names, common = curve_names([dict(zip(CURVE, point, strict=True)) for point, _ in curves])
    if len(curves) == 1:
        names, common = ["all"], names[0]
    header = ["curve", "n", "length", "error", "difference", "95 % interval", "allowed", ""]
    rows = [
        [
            name,
            f"{row['n']:,}",
            f"{row['length']:g}",
            f"{row['error']:.4f}",
            f"{row['difference']:+.4f}",
            f"{row['lower']:+.4f} to {row['upper']:+.4f}",
            f"± {row['allowed']:.4f}",
            row["verdict"],
        ]
        for name, (_, own) in zip(names, curves, strict=True)
        for row in own.to_dict("records")
    ]
    return (f"{common}\n\n" if common else "") + markdown_table(header, rows)


def _noise(table: pd.DataFrame) -> str:
    """Return what the intervals hold and what they do not."""
    seeds = int(table.seeds.min())
    chance = (
        "One seed: that a training may turn out better than another of its length is not in them."
        if seeds == 1
        else f"Scatter between {seeds} seeds is in them."
    )
    return (
        "Tested on labels cut from *train*, learnt from the others; test photographs were not read. The "
        f"intervals draw the tested labels again, the same for all lengths, and are no closer than ± 3 / N. "
        f"{chance} Errors that are alike do not make equal laws: α was not compared."
    )
