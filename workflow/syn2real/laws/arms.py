"""Arms: the ways in which renders are used, and the runs without renders that each is compared with.

Experiments have the same names (`data.arms`). A table that has one of them may have no others, which are
misspelt; a column `arm` without any has another meaning.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from syn2real.near import near_name

ARM, RATE = "arm", "rate"
"""The columns of the arm, and of the learning rate of its fine-tuning in units of the recipe's."""
BACKBONE, WHOLE, RENDERS_ONLY, LONGER = "backbone", "whole", "renders-only", "photographs-longer"
ARMS = (BACKBONE, WHOLE, RENDERS_ONLY, LONGER)
MIXED = re.compile(r"mixed-0\.\d{0,3}[1-9]")
PHOTOGRAPHS = "photographs"
"""What a curve is compared with where it is not `LONGER`: n = 0."""
NONE = "none"
PRETRAINING = ("setting", "ptask")  # both NONE in a run without pre-training, which belongs to every curve
LABELS = ("s_percent", "s")  # 0 where no photograph is learnt from
AS_LONG = "photographs alone, as many updates"
"""The column that marks runs of `LONGER` which are no start of a curve, but compared with it."""


def is_arm(name: object) -> bool:
    """Say whether a name is one of the arms that are known."""
    text = str(name)
    return text in ARMS or MIXED.fullmatch(text) is not None


def nearest_arm(name: str) -> str | None:
    """Return the arm that a misspelt name means, or None where that is open."""
    text = re.sub(r"[\s_-]+", "-", name.casefold()).replace(",", ".")
    mixed = re.fullmatch(r"mix(?:ed)?-?(\d*\.?\d+)-?(%?)", text)
    if mixed:
        share = f"mixed-{float(mixed[1]) / (100 if mixed[2] else 1):g}"
        return share if is_arm(share) else None
    if "photo" in text and "long" not in text:
        return BACKBONE
    return near_name(text, ARMS)


def has_arms(frame: pd.DataFrame) -> bool:
    """Say whether a table's column `arm` names any that is known: a column of another meaning is like any."""
    return ARM in frame.columns and any(map(is_arm, frame[ARM].unique()))


def is_mixed(identity: Mapping[str, Any]) -> bool:
    """Say whether a curve mixes renders and photographs in one training."""
    return MIXED.fullmatch(str(identity.get(ARM))) is not None


def curves_with_starts(
    table: pd.DataFrame, columns: Sequence[str]
) -> Iterator[tuple[tuple[Hashable, ...], pd.DataFrame]]:
    """Yield each curve of a table, with the runs at n = 0 that it is compared with.

    Parameters
    ----------
    table : DataFrame
        A checked table; at n = 0 the runs of one arm have one rate (`columns.check_starts`).
    columns : sequence of str
        The identity columns.

    Yields
    ------
    key : tuple
        The curve's values of `columns`.
    rows : DataFrame
        Its rows above n = 0, then those at n = 0 that agree in all else (weights, target, …): of the arm
        itself where the table has them, else of photographs alone (`BACKBONE`; for `RENDERS_ONLY` of the
        most photographs), or `LONGER` where renders are mixed in. Last, marked in the column `AS_LONG`,
        those of `LONGER` for `BACKBONE` and `WHOLE`.
    """
    arms = has_arms(table) and bool({ARM, RATE} & {*columns})
    zero = table[table["n"] == 0]
    table = table[table["n"] > 0] if arms else _join_scratch(table, columns)
    for key, group in table.groupby(list(columns), sort=False, dropna=False) if columns else [((), table)]:
        values = key if isinstance(key, tuple) else (key,)
        if arms:
            start, longer = starts_of(zero, dict(zip(columns, values, strict=True)))
            marked = zip((group, start, longer), (False, False, True), strict=True)
            group = pd.concat([part.assign(**{AS_LONG: mark}) for part, mark in marked], ignore_index=True)
        yield values, group


def _join_scratch(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give the runs without pre-training to every curve that agrees with them in all else."""
    marks = [column for column in PRETRAINING if column in columns]
    scratch = (table["n"] == 0) & (table[marks] == NONE).all(axis=1)
    if not marks or not scratch.any():
        return table
    rest = [column for column in columns if column not in marks]
    curves, starts = table.loc[~scratch, list(columns)].drop_duplicates(), table[scratch].drop(columns=marks)
    joined = curves.merge(starts, on=rest) if rest else curves.merge(starts, how="cross")
    return pd.concat([table[~scratch], joined], ignore_index=True)


def starts_of(zero: pd.DataFrame, curve: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows at n = 0 where a curve starts, and those of photographs alone for as many updates."""
    arm = curve.get(ARM, BACKBONE)
    marks = [column for column in PRETRAINING if column in curve]
    # In a run without pre-training both are none; LONGER keeps the task whose updates it adds.
    free = (zero[ARM] == LONGER) | (zero[marks] == NONE).all(axis=1)
    same = pd.Series(True, zero.index)
    for column, value in curve.items():
        if column in (ARM, RATE) or (arm == RENDERS_ONLY and column in LABELS):
            continue
        mine = zero[column] == value
        same &= mine | (free & (zero[column] == NONE)) if column in marks else mine
    found = zero[same]
    own, longer, alone = (found[found[ARM] == name] for name in (arm, LONGER, BACKBONE))
    if arm == RENDERS_ONLY:
        for column in (name for name in LABELS if name in alone):
            alone = alone[alone[column] == alone[column].max()]
        return alone, longer[:0]
    start = own if len(own) else longer if is_mixed(curve) else alone if arm == WHOLE else own
    return start, longer if arm in (BACKBONE, WHOLE) else longer[:0]
