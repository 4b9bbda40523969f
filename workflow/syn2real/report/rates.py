"""Which learning rate suits each arm: errors of a pilot by rate, and what to write into the experiment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from syn2real.data.arms import BACKBONE
from syn2real.data.targets.schema import fold_of
from syn2real.errors import InputError
from syn2real.laws.photographs import multiplicities
from syn2real.report.markdown import markdown_table
from syn2real.report.pilot import CURVE, DRAWS, difference, read_parts
from syn2real.training.metrics import read_metrics

LEVEL = 0.95
NOTE = (
    "Tested on labels cut from *train*, learnt from the others; test photographs were not read. "
    "Differences are from the recipe's own {what}, on the same images; the intervals (95 %, {together} "
    "together) draw these again and are no closer than ± 3 / N."
)


def compare_rates(files: Iterable[str | Path]) -> pd.DataFrame:
    """Compare the errors of each arm's rates with those of the recipe's own, on the same tested images.

    See `compare`: a row an arm and "rate"; `best` of those of one arm.
    """
    names = ("ftask", "target", "arm", "n")
    table = compare(files, "rate", names, lambda key: float(key["rate"]))
    return table.sort_values([*names, "rate"], ignore_index=True)


def compare(
    files: Iterable[str | Path],
    what: str,
    names: Sequence[str],
    tried: Callable[[Mapping[str, Any]], float],
    *,
    together: bool = False,
) -> pd.DataFrame:
    """Compare the errors of what was tried of each arm with those of the recipe's own, 1, on the same images.

    An arm's error is the mean over its curves. The intervals hold for all that was tried of an arm
    (Bonferroni): the best of several is better by chance more often than one.

    Parameters
    ----------
    files : iterable of str or Path
        metrics.json of the fine-tunings of a pilot, with per-image results beside them.
    what : str
        What was tried: its column.
    names : sequence of str
        The columns that tell apart what is compared: "ftask", "target", "arm" ("photographs" is n = 0
        without pre-training), "n" and further ones of a run's key.
    tried : callable
        Returns what was tried by a run's key, in units of the recipe's.
    together : bool
        The intervals hold for all arms together.

    Returns
    -------
    pandas.DataFrame
        A row an arm and value: `names`, `what`, "seeds", "images", "error", "difference" from the recipe's
        own with its interval, "lower" to "upper", and "best", whether it is known to be better than the
        recipe's, and the arm's lowest. Of what diverged in any run of its arm the numbers are NaN.

    Raises
    ------
    InputError
        A run's results are missing, or runs of one point were tested on different images; or the recipe's
        own diverged.
    """
    kept, lost = _without_diverged(files, names, tried)
    for name, values in lost.items():
        if 1 in values:
            problem = (
                "trainings by the recipe's own values diverged, so nothing can be compared; lower its lr"
            )
            raise InputError(problem, file=" ".join(map(str, name)))
    arms: dict[tuple[Any, ...], dict[float, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    counts: dict[tuple[Any, ...], int] = {}
    point = (*names, *(name for name in CURVE if name not in names))
    for key, runs in read_parts(kept, point, tried).items():
        name = _arm(dict(zip(point, key, strict=True)), names)
        count = counts[name] = next(iter(runs[1].values())).photographs
        times = [np.ones(count, int), *multiplicities(count, DRAWS)]
        for value, of in runs.items():
            arms[name][value].append(np.array([[of[seed].error(m) for m in times] for seed in sorted(of)]))
    every = sum(len(errors) - 1 for errors in arms.values())
    rows: list[dict[str, Any]] = []
    for name, each in arms.items():
        errors = {value: np.mean(of, axis=0) for value, of in each.items()}
        z = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / max(1, every if together else len(errors) - 1))
        own = [{what: value} | _row(errors, value, counts[name], z) for value in sorted(errors)]
        lowest = min(own, key=lambda row: row["error"])
        common = dict(zip(names, name, strict=True))
        rows += [common | row | {"best": row is lowest and row["upper"] < 0} for row in own]
        rows += [common | {what: value, "error": np.nan, "best": False} for value in sorted(lost[name])]
    return pd.DataFrame(rows)


def _arm(key: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    """Return what values are compared for."""
    arm = "photographs" if key["arm"] == BACKBONE and key["n"] == 0 else key["arm"]
    found = {**key, "target": fold_of(key["target"])[0], "arm": arm}
    return tuple(found[name] for name in names)


def _without_diverged(
    files: Iterable[str | Path], names: Sequence[str], tried: Callable[[Mapping[str, Any]], float]
) -> tuple[list[str], dict[tuple[Any, ...], set[float]]]:
    """Return the runs of what diverged in no run of its arm, and what did by arm."""
    lost: dict[tuple[Any, ...], set[float]] = defaultdict(set)
    runs = []
    for path in map(str, files):
        metrics = read_metrics(path)
        key = metrics.key.model_dump()
        name, value = _arm(key, names), tried(key)
        runs.append((path, name, value))
        if metrics.diverged:
            lost[name].add(value)
    return [path for path, name, value in runs if value not in lost[name]], lost


def _row(errors: dict[float, np.ndarray], tried: float, count: int, z: float) -> dict[str, Any]:
    """Return what is known of what was tried: `errors` has shape (seeds, 1 + draws) by it."""
    found = {"seeds": len(errors[tried]), "images": count, "error": float(errors[tried][:, 0].mean())}
    value, half = (0.0, 0.0) if tried == 1 else difference(errors[tried], errors[1], count, z)
    return found | {"difference": value, "lower": value - half, "upper": value + half}


def rates_text(table: pd.DataFrame, name: str) -> str:
    """Return the result in Markdown: for each fine-tuning task the line to write, why, and all errors.

    Parameters
    ----------
    table : pandas.DataFrame
        See `compare_rates`.
    name : str
        The experiment.
    """
    lines = [f"# The learning rates of {name}'s arms"]
    for (ftask, target), own in table.groupby(["ftask", "target"]):
        sentences = [_sentence(str(arm), of) for arm, of in own.groupby("arm")]
        lines.append("\n".join(f"- {ftask} on {target}, {sentence}" for sentence in sentences))
        best = own[own.best]
        rates = ", ".join(f"{arm}: {rate:g}" for arm, rate in zip(best.arm, best.rate, strict=True))
        lines.append(
            f"Write into this ftask of the experiment:\n\n    rates: {{{rates}}}"
            if rates
            else "Nothing is to be written: no rate is known to be better than the recipe's."
        )
    note = NOTE.format(what="rate", together="all rates of an arm")
    return "\n\n".join([*lines, "## Errors", errors_table(table, "rate"), note]) + "\n"


def errors_table(table: pd.DataFrame, what: str) -> str:
    """Return all errors of `compare` in Markdown."""
    further = ["initial"] if "initial" in table else []
    cells = [
        [
            f"{row['ftask']} on {row['target']}, {row['arm']}",
            *(str(row[name]) for name in further),
            *(f"{row['n']:,}", f"{row[what]:g}"),
            *_numbers(row),
        ]
        for row in table.to_dict("records")
    ]
    header = ["arm", *further, "n", what.replace("_", " "), "error", "difference", "interval"]
    return markdown_table(header, cells)


def _numbers(row: dict[Any, Any]) -> list[str]:
    """Return the cells of an error, its difference and interval; of what diverged that it did."""
    if np.isnan(row["error"]):
        return ["diverged", "", ""]
    return [
        f"{row['error']:.4f}",
        f"{row['difference']:+.4f}",
        f"{row['lower']:+.4f} to {row['upper']:+.4f}",
    ]


def _sentence(arm: str, table: pd.DataFrame) -> str:
    """Return what is known of an arm's rates."""
    lowest = min(table.dropna(subset="error").to_dict("records"), key=lambda row: float(row["error"]))
    rate = lowest["rate"]
    what = f"{rate:g} times the recipe's rate"
    by = change(lowest)
    if not lowest["best"]:
        lower = f"; the lowest error has {what}, {by}" if lowest["difference"] < 0 else ""
        return f"{arm}: **no rate is known to be better** than the recipe's{lower}."
    further = "; it is the last one tried, so try further ones" if rate in {*table.rate.iloc[[0, -1]]} else ""
    return f"{arm}: **{what} is better**, {by}{further}."


def change(row: Mapping[Any, Any]) -> str:
    """Return a difference with its interval."""
    return f"{row['difference']:+.4f} [{row['lower']:+.4f}, {row['upper']:+.4f}]"
