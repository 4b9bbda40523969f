"""Reading a table of measurements: its numbers become numbers, or one line says which cell is not one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.arms import ARM, ARMS, BACKBONE, LONGER, RATE, has_arms, is_arm, nearest_arm
from syn2real.laws.dialects import known_name, read_rows
from syn2real.laws.numbers import COUNTS, REALS, plain_numbers
from syn2real.near import near_name

UNITS = ("rate", "percent", "loss")
POSITIVE = ("error", "n_params", "weight")
NOT_NEGATIVE = ("n", "s", "pretrain.data")  # 0: no pre-training, and no labels of the target
WHOLE = {"n": "images", "s": "labels", "pretrain.data": "images", "n_params": "parameters"}
"""What columns of whole numbers count."""
TENS = 10  # percent; no single error among such is below 1 %
EXTREME = 1e100  # numbers beyond it, or below its inverse, are no measurements
LARGEST = 2**53  # whole numbers up to here are exact
SHARES = 100  # numbers up to here, not all whole, may be shares or percentages of a set
KNOWN = (
    "n", "error", "seed", "s", "n_params", "weight", "value", "metric", "s_percent", "model", "initial",
    "arm", "n_eval", "pretrain.data", "pscale", "ptask", "pdata", "fdata", "fratio", "ftask", "nparam",
)  # fmt: skip
"""Columns that mean something, read in any letter case."""
START, RANDOM = "initial", "random"
"""The column of the weights that a run started from by name, and what a blank cell in it means."""
USUAL = {START: RANDOM, ARM: BACKBONE}
"""Of columns that set no curves apart where all rows have it."""
NO_ARM = (
    f"these are {', '.join(ARMS)} and a share such as mixed-0.5; "
    "a column that means something else needs another name"
)
PER_CENT = re.compile(r"^(error|value)_?[(\[]?(?:%|percent|pct)[)\]]?$")  # names such as error (%)
SYNONYMS = {
    "n": ("image", "sample", "size", "example", "render", "train", "count"),
    "error": ("err", "loss", "acc", "map", "miou", "top1", "score", "value"),
    "s": ("label", "finetun"),
    "n_params": ("param",),
}  # parts of names that people give to columns that this project calls otherwise
SCORES = ("acc", "map", "miou", "top1", "score", "value")  # of which an error is 1 less
DETECTION = "mAP@[.5:.95]"
"""COCO's average precision, mean over IoU thresholds and classes; tables of earlier versions call it mAP."""
NOTES = "notes"
"""The key of `DataFrame.attrs` under which `read_csv` leaves what it read otherwise than written."""


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a CSV as text, without guessing at types (a collection may well be called "NA").

    Numbers of the columns that mean something are written as Python does: ``0.62`` for ``0,62``, ``64000``
    for ``64,000``, ``64 000`` or ``64k``.

    Returns
    -------
    DataFrame of str
        A row's label is its line in the file less 2; ``attrs["notes"]`` lists what was read otherwise than
        written.

    Raises
    ------
    InputError
        Where the file is missing, a directory, empty, not a CSV, or not clear in what it means.
    """
    rows = read_rows(path)
    names, notes = _names(rows.names, path)
    places = {name: i for i, name in enumerate(names) if name in (*COUNTS, *REALS)}
    columns = {
        name: [(line, row[i]) for line, row in zip(rows.lines, rows.cells, strict=True)]
        for name, i in places.items()
    }
    numbers, read = plain_numbers(columns, rows.separator, path)
    frame = pd.DataFrame(rows.cells, columns=names, index=np.array(rows.lines, int) - 2, dtype=object)
    for name, cells in numbers.items():
        signed = PER_CENT.fullmatch(known_name(rows.names[places[name]]))
        frame[name] = [f"{cell}%" if signed and cell and not cell.endswith("%") else cell for cell in cells]
    frame.attrs[NOTES] = [*rows.notes, *notes, *read]
    return frame


def read_own_csv(path: str | Path) -> pd.DataFrame:
    """Read a table that this project wrote: blank cells are missing, and NA is a name."""
    return pd.read_csv(path, keep_default_na=False, na_values="")


def _names(names: Sequence[str], file: str | Path) -> tuple[list[str], list[str]]:
    """Return the columns' names, those that mean something as this project writes them, and notes."""
    known = [PER_CENT.sub(r"\1", known_name(name)) for name in names]
    out = [new if new in KNOWN else old for old, new in zip(names, known, strict=True)]
    for name in out:
        same = [old for old, new in zip(names, out, strict=True) if new == name]
        if len(same) > 1:
            differ = "" if len({*same}) == 1 else f" ({', '.join(map(repr, same))})"
            raise InputError(
                f"{len(same)} columns have this name{differ}; rename or remove all but one",
                file=file,
                key=name,
            )
    seeds = [name for name in out if "seed" in re.split(r"[^a-z]+", name.casefold())]
    if "seed" not in out and len(seeds) == 1:  # such as random_seed
        out[out.index(seeds[0])] = "seed"
    notes = [
        f"the column {old!r} is read as {new}" for old, new in zip(names, out, strict=True) if old != new
    ]
    return out, notes


def number_column(
    frame: pd.DataFrame,
    column: str,
    file: str | Path | None = None,
    *,
    zero: bool = False,
) -> np.ndarray:
    """Return a column as floats, shape (rows,).

    Parameters
    ----------
    zero : bool
        Take 0 where a column must be positive.

    Raises
    ------
    InputError
        Where a cell is not a finite number, not positive though its column must be (n and s may be 0), or not
        whole though its column counts something.
    """
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=np.nan)
    refuse_cells(~np.isfinite(values), "is not a finite number; fix or remove the row", frame, column, file)
    if column in NOT_NEGATIVE or (zero and column in POSITIVE):
        refuse_cells(values < 0, "is negative; fix or remove the row", frame, column, file)
    elif column in POSITIVE:
        hint = "fix or remove the row"
        if column == "error" and not (values < 0).any():
            hint = "no error on N test examples means about 1/(2N): give --test-size N, or that value"
        refuse_cells(values <= 0, f"is not positive; {hint}", frame, column, file)
    if column in POSITIVE:
        extreme = (values > EXTREME) | ((values != 0) & (values < 1 / EXTREME))
        refuse_cells(extreme, "is too large or too small; fix or remove the row", frame, column, file)
    if column in WHOLE:
        share = "; it looks like a share of a set: multiply it by the size of that set"
        hint = share if values.size and values.max() <= SHARES else ""
        hint = "; millions of them are written as 11.2M" if column == "n_params" else hint
        counts = f"{column} counts {WHOLE[column]}"
        refuse_cells(values != np.floor(values), f"is not whole, but {counts}{hint}", frame, column, file)
        refuse_cells(values > LARGEST, f"is too large: {counts}", frame, column, file)
    return values


def refuse_cells(
    bad: np.ndarray, problem: str, frame: pd.DataFrame, column: str, file: str | Path | None
) -> None:
    """Raise InputError on the first bad cell, of a mask (rows,), with its line in the file."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        cell = plain(frame[column].iloc[row])
        raise InputError(f"{cell!r} in line {line_of(frame, row)} {problem}", file=file, key=column)


def line_of(frame: pd.DataFrame, row: int) -> int:
    """Return the line of the file on which a row stands: its label and 2, as the header is line 1."""
    label = frame.index[row]
    return (int(label) if isinstance(label, (int, np.integer)) else row) + 2


def check_frame(
    frame: pd.DataFrame,
    file: str | Path | None = None,
    require: Sequence[str] = ("n", "error"),
    *,
    zero_error: bool = False,
    unit: str = "rate",
) -> pd.DataFrame:
    """Return a copy with numeric columns made numbers, or say in one line what is wrong.

    Parameters
    ----------
    require : sequence of str
        The columns there must be.
    zero_error : bool
        Take errors of 0.
    unit : {"rate", "percent", "loss"}
        Of the errors. Percentages become rates; so do cells that all end in a percent sign. A loss may be any
        number above 0.

    Returns
    -------
    DataFrame
        ``attrs["notes"]`` lists what was read otherwise than written.

    Raises
    ------
    InputError
        For a missing column, an empty table, a cell that is not a number, an error that is not positive, or
        one above 1 among rates.
    """
    if unit not in UNITS:
        raise InputError(f"{unit!r} is not one of {', '.join(UNITS)}", key="--unit")
    for column in require:
        if column not in frame.columns:
            raise _missing(column, frame, file)
    if len(frame) == 0:
        raise InputError("has a header and no rows", file=file)
    out = frame.copy()
    notes = list(frame.attrs.get(NOTES, []))
    per_cent = {column: _percent(out, column, unit, file) for column in ("error", "value") if column in out}
    out = out.drop(columns=[c for c in out.columns if c not in (*require, "error") and _blank(out[c])])
    numbers = [c for c in ("n", "error", "s", "n_params", "weight") if c in out.columns]
    for column in numbers:
        out[column] = number_column(out, column, file, zero=zero_error and column == "error")
    for column in out.columns.difference(numbers):
        out[column] = _numbers_where_possible(out[column])
    if START in out:
        out[START] = out[START].mask(out[START].astype(str) == "", USUAL[START])
    if has_arms(out):
        _read_arms(out, file)
    if {"ftask", "metric"} <= {*out.columns}:
        notes += _one_name_of_detection(out)
    if "error" in out:
        signed = bool(frame["error"].astype(str).str.endswith("%").all())
        notes += _rates(out, "percent" if per_cent["error"] else unit, file, signed=signed)
    out.attrs[NOTES] = notes
    return out


def _read_arms(frame: pd.DataFrame, file: str | Path | None) -> None:
    """Fill blank arms and rates, and refuse arms that are none, and rates that are not positive numbers."""
    frame[ARM] = frame[ARM].mask(frame[ARM].astype(str) == "", USUAL[ARM])
    unknown = ~frame[ARM].map(is_arm).to_numpy(bool)
    if unknown.any():
        name = str(frame[ARM][unknown].iloc[0])
        near = nearest_arm(name)
        hint = f"did you mean {near!r}?" if near else NO_ARM
        if near == BACKBONE and "photo" in name.casefold():
            hint = f"{hint} photographs alone are {near!r} with n = 0"
        refuse_cells(unknown, f"is no arm; {hint}", frame, ARM, file)
    if "n" in frame:
        rendered = ((frame[ARM] == LONGER) & (frame["n"] > 0)).to_numpy()
        refuse_cells(rendered, "has n above 0, but is photographs alone; write n = 0", frame, ARM, file)
    if RATE in frame:
        rate = pd.to_numeric(frame[RATE].mask(frame[RATE].astype(str) == "", 1), errors="coerce")
        bad = ~((rate > 0) & np.isfinite(rate)).to_numpy()
        problem = "is not a positive number; rate is in units of the recipe's learning rate"
        refuse_cells(bad, problem, frame, RATE, file)
        frame[RATE] = rate


def _one_name_of_detection(frame: pd.DataFrame) -> list[str]:
    """Rename the metric mAP of detection, unless a run has an error by either name: then they are two."""
    old = (frame["ftask"] == "objdet") & (frame["metric"] == "mAP")
    runs = [str(column) for column in frame.columns.difference(["metric", "value", "error"])]
    both = frame[old | (frame["metric"] == DETECTION)]
    if not old.any() or both.drop_duplicates([*runs, "metric"]).duplicated(runs).any():
        return []
    frame["metric"] = frame["metric"].mask(old, DETECTION)
    return [f"the metric mAP of objdet is read as {DETECTION}; call another one otherwise"]


def score_column(frame: pd.DataFrame, column: str, file: str | Path | None = None) -> np.ndarray:
    """Return a column of scores, from 0 to 1 or all with percent signs, as floats from 0 to 1, shape (rows,).

    Raises
    ------
    InputError
        Where a cell is none.
    """
    scores = frame[[column]].copy()
    scale = 100 if _percent(scores, column, "rate", file) else 1
    values = number_column(scores, column, file) / scale
    refuse_cells(values > 1, "is above 1, as no score is; divide percentages by 100", frame, column, file)
    refuse_cells(values < 0, "is negative, as no score is; fix or remove the row", frame, column, file)
    return values


def _missing(column: str, frame: pd.DataFrame, file: str | Path | None) -> InputError:
    """Return the error on a column that is not there, with the name that it may have."""
    names = [str(name) for name in frame.columns]
    close = near_name(column, names) if len(column) > 1 else None
    likely = [name for name in names if any(part in name.casefold() for part in SYNONYMS.get(column, ()))]
    found = close or next(iter(likely), None)
    hint = f"; did you mean {found!r}? call it {column}" if found else ""
    if {"wall time", "step"} <= {name.casefold() for name in names}:
        hint = "; this is the log of one training: a table has a row a run, with n and error"
    if found and column == "error" and any(part in found.casefold() for part in SCORES):
        hint = f"; is it 1 - {found!r}?"
    return InputError(f"no such column; the file has: {', '.join(names)}{hint}", file=file, key=column)


def _percent(frame: pd.DataFrame, column: str, unit: str, file: str | Path | None) -> bool:
    """Take the percent signs from a column of text; say whether it holds percentages."""
    text = frame[column].astype(str)
    signs = text.str.endswith("%")
    if not signs.any():
        return unit == "percent"
    if unit == "loss":
        refuse_cells(
            signs.to_numpy(), "is a percentage, not a loss; leave out --unit loss", frame, column, file
        )
    if unit == "rate":
        problem = "has no percent sign, though others have; write all in one way"
        refuse_cells(~signs.to_numpy(), problem, frame, column, file)
    frame[column] = text.str.removesuffix("%").str.strip()
    return True


def _rates(frame: pd.DataFrame, unit: str, file: str | Path | None, *, signed: bool) -> list[str]:
    """Make percentages of errors rates, and refuse errors, numbers already, that none of their unit is.

    Parameters
    ----------
    signed : bool
        Each cell had a percent sign.

    Returns
    -------
    list of str
        Notes.
    """
    error = frame["error"].to_numpy()
    if unit == "rate":
        rates = int((error <= 1).sum())
        hint = "divide percentages by 100, or give --unit percent; losses need --unit loss"
        if rates >= len(error) / 2:
            hint = f"the other {rates} are rates; write it as one, or give --unit loss for losses"
        refuse_cells(error > 1, f"is above 1, as no error rate is; {hint}", frame, "error", file)
    if unit != "percent":
        return []
    refuse_cells(error > 100, "is above 100, as no percentage of errors is", frame, "error", file)
    if not signed and np.median(error) > TENS:
        problem = "is 1 % or less, and others are tens of percent; write a rate as a percentage too"
        refuse_cells(error <= 1, problem, frame, "error", file)
    frame["error"] = error / 100
    notes = ["errors are percentages in the file, and rates (from 0 to 1) from here on"]
    if not signed and (error <= 1).all():
        notes.append("all errors are 1 % or less; if they are rates, leave out --unit percent")
    return notes


def weigh_by_test_size(
    frame: pd.DataFrame, test_size: float, file: str | Path | None = None, unit: str = "rate"
) -> pd.DataFrame:
    """Give each row the inverse variance that its log error has on so many test examples.

    An error rate e on N examples varies by e(1 - e)/N, so its logarithm by (1 - e)/(e N). An error of 0
    counts as half an error among them, 1/(2N).

    Raises
    ------
    InputError
        Where the file has weights already, or errors that are not rates.
    """
    if not 1 <= test_size < np.inf:
        raise InputError(f"{test_size} is no number of test examples", key="--test-size")
    if "weight" in frame:
        raise InputError("the file has weights already; leave out --test-size", file=file, key="weight")
    error = frame["error"].where(frame["error"] != 0, 1 / (2 * test_size))
    if (frame["error"] == 0).all():
        raise InputError("every error is 0; are there decimal commas without quotes?", file=file, key="error")
    if unit == "loss" or (error >= 1).any():
        raise InputError("--test-size is for error rates, which lie below 1", file=file, key="error")
    return frame.assign(error=error, weight=test_size * error / (1 - error))


def _numbers_where_possible(column: pd.Series) -> pd.Series:
    """Turn a text column into numbers where every cell is one, so that 1 and 1.0 are the same label.

    Names that only look alike as numbers stay names: versions 1.1 and 1.10, hashes 12e4 and 120e3.
    """
    text = column.astype(object).where(column.notna(), "").map(lambda cell: str(cell).strip())
    numbers = pd.to_numeric(text, errors="coerce")
    if not np.isfinite(numbers.astype(float)).all():
        return text
    names = text.str.replace(r"\.0+$", "", regex=True).nunique()
    return numbers if names == numbers.nunique() else text


def _blank(column: pd.Series) -> bool:
    """Say whether a column holds nothing at all."""
    return bool((column.isna() | (column.astype(str).str.strip() == "")).all())


def plain(value: Any) -> Any:
    """Return a plain Python value; whole floats become integers."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return int(value) if float(value).is_integer() else float(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return str(value)
