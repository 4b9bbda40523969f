"""Which learning rate suits each arm: errors of a pilot by rate, and what to write into the experiment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from syn2real.data.arms import BACKBONE
from syn2real.data.targets.schema import fold_of
from syn2real.laws.photographs import multiplicities
from syn2real.report.markdown import markdown_table
from syn2real.report.pilot import CURVE, DRAWS, difference, read_parts
from syn2real.training.metrics import read_metrics

WITHIN = tuple(name for name in CURVE if name not in ("ftask", "target"))
"""What one rate of an arm serves alike."""
LEVEL = 0.95


def compare_rates(files: Iterable[str | Path]) -> pd.DataFrame:
    """Compare the errors of each arm's rates with those of the recipe's own, on the same tested images.

    An arm's error at a rate is the mean over its curves. The intervals hold for all rates of an arm together
    (Bonferroni): the best of several is better by chance more often than one.

    Parameters
    ----------
    files : iterable of str or Path
        metrics.json of the fine-tunings that try rates, with per-image results beside them.

    Returns
    -------
    pandas.DataFrame
        A row an arm and rate: "ftask", "target", "arm" ("photographs" is n = 0 without pre-training), "n",
        "rate", "seeds", "images", "error", "difference" from the recipe's own rate with its interval, "lower"
        to "upper", and "best", whether the rate is known to be better than the recipe's, and the lowest. Of a
        rate that diverged in any run of its arm the numbers are NaN.

    Raises
    ------
    InputError
        A run's results are missing, or runs of one point were tested on different images.
    """
    kept, lost = _without_diverged(files)
    arms: dict[tuple[Any, ...], dict[float, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    counts: dict[tuple[Any, ...], int] = {}
    read = read_parts(kept, ("ftask", "target", "arm", "n", *WITHIN), lambda key: key["rate"])
    for (ftask, target, arm, n, *_), runs in read.items():
        name = _arm(ftask, target, arm, n)
        count = counts[name] = next(iter(runs[1].values())).photographs
        times = [np.ones(count, int), *multiplicities(count, DRAWS)]
        for rate, of in runs.items():
            arms[name][rate].append(np.array([[of[seed].error(m) for m in times] for seed in sorted(of)]))
    rows: list[dict[str, Any]] = []
    for name, rates in arms.items():
        errors = {rate: np.mean(each, axis=0) for rate, each in rates.items()}
        z = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / max(1, len(errors) - 1))
        own = [_row(errors, rate, counts[name], z) for rate in sorted(errors)]
        lowest = min(own, key=lambda row: row["error"])
        common = dict(zip(("ftask", "target", "arm", "n"), name, strict=True))
        rows += [common | row | {"best": row is lowest and row["upper"] < 0} for row in own]
        rows += [common | {"rate": rate, "error": np.nan, "best": False} for rate in sorted(lost[name])]
    return pd.DataFrame(rows).sort_values(["ftask", "target", "arm", "n", "rate"], ignore_index=True)


def _arm(ftask: str, target: str, arm: str, n: int) -> tuple[Any, ...]:
    """Return what rates are compared for."""
    return ftask, fold_of(target)[0], "photographs" if arm == BACKBONE and n == 0 else arm, n


def _without_diverged(
    files: Iterable[str | Path],
) -> tuple[list[str], dict[tuple[Any, ...], set[float]]]:
    """Return the runs of the rates that diverged in no run of their arm, and the rates that did by arm."""
    lost: dict[tuple[Any, ...], set[float]] = defaultdict(set)
    runs = []
    for path in map(str, files):
        metrics = read_metrics(path)
        key = metrics.key
        assert key.ftask and key.target, path  # these are fine-tunings
        name = _arm(key.ftask, key.target, key.arm, key.n)
        runs.append((path, name, key.rate))
        if metrics.diverged:
            lost[name].add(key.rate)
    return [path for path, name, rate in runs if rate not in lost[name]], lost


def _row(errors: dict[float, np.ndarray], rate: float, count: int, z: float) -> dict[str, Any]:
    """Return what is known of a rate: `errors` has shape (seeds, 1 + draws) by rate."""
    found = {"rate": rate, "seeds": len(errors[rate]), "images": count}
    found["error"] = float(errors[rate][:, 0].mean())
    value, half = (0.0, 0.0) if rate == 1 else difference(errors[rate], errors[1], count, z)
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
    header = ["arm", "n", "rate", "error", "difference", "interval"]
    cells = [
        [
            f"{row['ftask']} on {row['target']}, {row['arm']}",
            *(f"{row['n']:,}", f"{row['rate']:g}"),
            *_numbers(row),
        ]
        for row in table.to_dict("records")
    ]
    note = (
        "Tested on labels cut from *train*, learnt from the others; test photographs were not read. "
        "Differences are from the recipe's own rate, on the same images; the intervals (95 %, all rates of "
        "an arm together) draw these again and are no closer than ± 3 / N."
    )
    return "\n\n".join([*lines, "## Errors", markdown_table(header, cells), note]) + "\n"


def _numbers(row: dict[Any, Any]) -> list[str]:
    """Return the cells of an error, its difference and interval; of a rate that diverged that it did."""
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
    by = f"{lowest['difference']:+.4f} [{lowest['lower']:+.4f}, {lowest['upper']:+.4f}]"
    if not lowest["best"]:
        lower = f"; the lowest error has {what}, {by}" if lowest["difference"] < 0 else ""
        return f"{arm}: **no rate is known to be better** than the recipe's{lower}."
    further = "; it is the last one tried, so try further ones" if rate in {*table.rate.iloc[[0, -1]]} else ""
    return f"{arm}: **{what} is better**, {by}{further}."
