"""Reading a table of measurements: its numbers become numbers, or one line says which cell is not one."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError

POSITIVE = ("error", "n_params", "weight")
NOT_NEGATIVE = ("n", "s")  # 0: no pre-training, and no labels of the target


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a CSV as text, without guessing at types (a collection may well be called "NA").

    Raises
    ------
    InputError
        Where the file is missing, a directory, empty, or not a CSV.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("is a directory; give a CSV file with the columns n and error", file=path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as UTF-8 text ({error})", file=path) from None
    if not text.strip():
        raise InputError("is empty; it needs a header and rows with n and error", file=path)
    try:
        frame = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    except pd.errors.ParserError as error:
        raise InputError(f"is not a CSV: {error}", file=path) from None
    frame.columns = [str(column).strip() for column in frame.columns]
    return frame


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
        Where a cell is not a finite number, or not positive though its column must be (n and s may be 0).
    """
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=np.nan)
    bad = ~np.isfinite(values)
    problem = "is not a finite number"
    if not bad.any() and column in (*POSITIVE, *NOT_NEGATIVE):
        may_be_zero = zero or column in NOT_NEGATIVE
        bad = (values < 0) if may_be_zero else (values <= 0)
        problem = "is negative" if may_be_zero else "is not positive"
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        cell = frame[column].iloc[row]
        hint = "; fix or remove the row"
        if column == "error" and values[row] == 0:
            hint = "; no error on N test examples means about 1/(2N): give --test-size N, or that value"
        # +2: the header is line 1 of the file, and rows keep their labels where others were left out
        raise InputError(f"{cell!r} in line {frame.index[row] + 2} {problem}{hint}", file=file, key=column)
    return values


def check_frame(
    frame: pd.DataFrame,
    file: str | Path | None = None,
    require: Sequence[str] = ("n", "error"),
    *,
    zero_error: bool = False,
) -> pd.DataFrame:
    """Return a copy with numeric columns made numbers, or say in one line what is wrong.

    Parameters
    ----------
    require : sequence of str
        The columns there must be.
    zero_error : bool
        Take errors of 0.

    Raises
    ------
    InputError
        For a missing column, an empty table, a cell that is not a number, or an error that is not positive.
    """
    missing = [column for column in require if column not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise InputError(f"no such column; the file has: {have}", file=file, key=missing[0])
    if len(frame) == 0:
        raise InputError("has a header and no rows", file=file)
    numbers = [c for c in ("n", "error", "s", "n_params", "weight") if c in frame.columns]
    out = frame.copy()
    for column in numbers:
        if column in ("s", "n_params") and column not in require and _blank(frame[column]):
            out = out.drop(columns=column)
            continue
        out[column] = number_column(frame, column, file, zero=zero_error and column == "error")
    for column in out.columns.difference(numbers):
        out[column] = _numbers_where_possible(out[column])
    return out


def weigh_by_test_size(frame: pd.DataFrame, test_size: float, file: str | Path | None = None) -> pd.DataFrame:
    """Give each row the inverse variance that its log error has on so many test examples.

    An error rate e on N examples varies by e(1 - e)/N, so its logarithm by (1 - e)/(e N). An error of 0
    counts as half an error among them, 1/(2N).

    Raises
    ------
    InputError
        Where the file has weights already, or errors that are not rates.
    """
    if "weight" in frame:
        raise InputError("the file has weights already; leave out --test-size", file=file, key="weight")
    error = frame["error"].where(frame["error"] != 0, 1 / (2 * test_size))
    if (error >= 1).any():
        raise InputError("--test-size is for error rates, which lie below 1", file=file, key="error")
    return frame.assign(error=error, weight=test_size * error / (1 - error))


def _numbers_where_possible(column: pd.Series) -> pd.Series:
    """Turn a text column into numbers where every cell is one, so that 1 and 1.0 are the same label."""
    text = column.astype(object).where(column.notna(), "")
    numbers = pd.to_numeric(text, errors="coerce")
    return numbers if numbers.notna().all() else text.map(lambda cell: str(cell).strip())


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
