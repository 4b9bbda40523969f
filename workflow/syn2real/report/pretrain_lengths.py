"""Which length of pre-training suits an experiment: errors of a pilot by start and arm, and what to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from syn2real.report.rates import NOTE, change, compare, errors_table

WHAT = "pretrain_length"
NAMES = ("ftask", "target", "arm", "initial", "n")
"""What an experiment's one length of pre-training is compared for."""


def compare_pretrain_lengths(files: Iterable[str | Path], lengths: Mapping[str, float]) -> pd.DataFrame:
    """Compare the errors of the lengths of pre-training with those of the recipe's own.

    See `report.rates.compare`: a row a task, target, arm, start and length. The intervals hold for all of
    these together, since they decide one line.

    Parameters
    ----------
    files : iterable of str or Path
        metrics.json of the fine-tunings that try lengths, with per-image results beside them.
    lengths : mapping of str to float
        The length of pre-training by each recipe's name.
    """
    table = compare(files, WHAT, NAMES, lambda key: lengths[key["recipe"]], together=True)
    return table.sort_values([*NAMES, WHAT], ignore_index=True)


def chosen_pretrain_length(table: pd.DataFrame) -> float | None:
    """Return the best length of those known to be better for a start or arm, and for none to be worse.

    The best has the lowest mean error over all of these. None where there is no such length.
    """
    worse = {*table[WHAT][(table.lower > 0) | table.error.isna()]}
    suited = sorted({*table[WHAT][table.upper < 0]} - worse)
    if not suited:
        return None
    mean = table.groupby(WHAT).difference.mean()
    return min(suited, key=lambda length: float(mean[length]))


def pretrain_lengths_text(table: pd.DataFrame, name: str, recipe: str) -> str:
    """Return the result in Markdown: the line to write, why, and all errors.

    Parameters
    ----------
    table : pandas.DataFrame
        See `compare_pretrain_lengths`.
    name, recipe : str
        The experiment and its recipe.
    """
    sentences = [
        f"- {ftask} on {target}, {arm} from {initial}, {_sentence(own)}"
        for (ftask, target, arm, initial), own in table.groupby(list(NAMES[:4]))
    ]
    note = NOTE.format(what="length", together="all starts, arms and lengths")
    lines = [f"# The length of {name}'s pre-trainings", "\n".join(sentences), _to_write(table, recipe)]
    return "\n\n".join([*lines, "## Errors", errors_table(table, WHAT), note]) + "\n"


def _to_write(table: pd.DataFrame, recipe: str) -> str:
    """Return the line to write into the experiment, or why there is none."""
    chosen = chosen_pretrain_length(table)
    if chosen is not None:
        further = " No shorter one was tried." if chosen == table[WHAT].min() else ""
        return (
            f"Write into the experiment (it shortens pre-training by recipe {recipe} alone, for all starts, "
            f"arms and n; it is known to be worse for none of these):{further}\n\n    {WHAT}: {chosen:g}"
        )
    if (table.upper < 0).any():
        return (
            f"Leave `{WHAT}` out: what is better for one start or arm is worse for another, or diverges "
            f"there. Give those that it suits an experiment of their own with `{WHAT}`."
        )
    return f"Leave `{WHAT}` out: no length is known to be better than the recipe's own."


def _sentence(table: pd.DataFrame) -> str:
    """Return what is known of the lengths of one start and arm."""
    lowest = min(table.dropna(subset="error").to_dict("records"), key=lambda row: float(row["error"]))
    what = f"{lowest[WHAT]:g} of the recipe's pre-training"
    if lowest["best"]:
        return f"{what} is **better**, {change(lowest)}."
    worse = [f"{row[WHAT]:g} is worse, {change(row)}" for row in table.to_dict("records") if row["lower"] > 0]
    lower = [f"the lowest error has {what}, {change(lowest)}"] if lowest["difference"] < 0 else []
    return "; ".join(["**no length is known to be better** than the recipe's", *lower, *worse]) + "."
