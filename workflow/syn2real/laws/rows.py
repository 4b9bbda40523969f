"""The rows at which curves are predicted: given sizes, a user's own table, or sizes to draw a law at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.columns import MEASURED, SOMETIMES
from syn2real.laws.reading import NOTES, check_frame, line_of, plain, refuse_cells
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve
from syn2real.near import did_you_mean, near_name

BEYOND = 4  # times the largest measured n is as far as a law is drawn


def prediction_grid(points: pd.DataFrame, count: int = 41) -> list[float]:
    """Return sizes n at which to draw the law: from the smallest measured n to four times the largest.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table.
    count : int
        How many sizes, evenly spaced in log n.

    Returns
    -------
    list of float
        Whole numbers of images, rising; empty when nothing was pre-trained.
    """
    sizes = points.loc[points["n"] > 0, "n"]
    if sizes.empty:
        return []
    grid = np.geomspace(sizes.min(), BEYOND * sizes.max(), count).round()
    return [float(n) for n in np.unique(grid)]


def requested_rows(
    curves: Sequence[Curve],
    varies: Sequence[str],
    predict_at: Sequence[float],
    predict_frame: pd.DataFrame | None,
    file: str | Path | None,
) -> tuple[list[Rows], list[str]]:
    """Return the rows to predict of each curve.

    Parameters
    ----------
    varies : sequence of str
        What the law describes besides n: "s", "n_params".
    predict_at : sequence of float
        n of every curve, each with every s or model that the curve has.
    predict_frame : DataFrame, optional
        Rows to predict: n, and s and the curves' columns where they set curves apart.
    file : str or Path, optional
        Of `predict_frame`, named in messages.

    Returns
    -------
    rows : list of Rows
        One a curve.
    notes : list of str
        What was read otherwise than written, and which columns of the frame are missing or ignored.

    Raises
    ------
    InputError
        For an n that is not above 0, and a row that belongs to no curve.
    """
    at = np.asarray(list(predict_at), float)
    if np.any(~np.isfinite(at) | (at <= 0)):
        raise InputError("predictions need n above 0", key="--predict-at")
    rows = [_at(curve, at, varies) for curve in curves]
    if predict_frame is None:
        return rows, []
    several = [name for name in varies if any(np.isnan(_only(getattr(curve, name))) for curve in curves)]
    frame = check_frame(predict_frame, file, require=("n", *several))
    for column in {"n", *varies} & set(frame.columns):
        zero = (frame[column] <= 0).to_numpy()
        refuse_cells(zero, f"is too small: predictions need {column} above 0", frame, column, file)
    columns = [c for c in curves[0].identity if c in frame.columns]
    notes = [f"in the predict file {note}" for note in frame.attrs[NOTES]]
    notes += _column_notes(frame, curves, varies, file)
    keys = [tuple(map(_label, key)) for key in frame[columns].to_numpy(object)]
    out, found = [], np.zeros(len(frame), bool)
    for curve, before in zip(curves, rows, strict=True):
        key = tuple(_label(curve.identity[c]) for c in columns)
        mine = np.array([one == key for one in keys]) & _same_places(curve, frame, varies)
        found |= mine
        out.append(_join(before, _of_frame(curve, frame[mine])))
    if not found.all():
        raise _lost(frame, int(np.flatnonzero(~found)[0]), columns, curves, varies, file)
    return out, notes


def _column_notes(
    frame: pd.DataFrame, curves: Sequence[Curve], varies: Sequence[str], file: str | Path | None
) -> list[str]:
    """Say which columns are missing or ignored; refuse one whose name is nearly that of a missing one."""
    identity = list(curves[0].identity)
    absent = [c for c in identity if c not in frame.columns]
    ignored = frame.columns.difference([*identity, *varies, *MEASURED, *SOMETIMES, "s", "model"], sort=False)
    for column in map(str, ignored):
        close = near_name(column, map(str, absent))
        if close:
            raise InputError(f"sets no curve apart; did you mean {close!r}?", file=file, key=column)
    apart = [c for c in absent if len({str(curve.identity[c]) for curve in curves}) > 1]
    notes = [f"the predict file has no {c}; its rows are predicted for every one" for c in apart]
    return [*notes, *(f"{c!r} of the predict file sets no curves apart" for c in ignored)]


def _same_places(curve: Curve, frame: pd.DataFrame, varies: Sequence[str]) -> np.ndarray:
    """Return which rows have the labels and model parameters of a curve whose law does not vary with them."""
    same = np.ones(len(frame), bool)
    for name in {"s", "n_params"} & set(frame.columns) - {*varies}:
        own = np.unique(getattr(curve, name))
        same &= np.isclose(frame[name].to_numpy(float)[:, None], own, rtol=1e-9).any(axis=1)
    return same


def _lost(
    frame: pd.DataFrame,
    row: int,
    columns: Sequence[str],
    curves: Sequence[Curve],
    varies: Sequence[str],
    file: str | Path | None,
) -> InputError:
    """Return the error on a row to predict that belongs to no curve, with the nearest name."""
    line, values = line_of(frame, row), frame.iloc[row]
    for column in columns:
        there = {_label(curve.identity[column]): str(curve.identity[column]) for curve in curves}
        if _label(values[column]) in there:
            continue
        names = there.values()
        hint = did_you_mean(str(values[column]), names, f"choose from {', '.join(names)}")
        problem = f"{plain(values[column])!r} in line {line} is in no curve; {hint}"
        return InputError(problem, file=file, key=column)
    places = [name for name in ("s", "n_params") if name in frame and name not in (*varies, *columns)]
    where = ", ".join(f"{name} = {plain(values[name])}" for name in (*columns, *places))
    return InputError(f"line {line} belongs to no curve: none has {where}", file=file)


def _label(value: Any) -> Any:
    """Make 1, 1.0 and "1" the same label."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _at(curve: Curve, n: np.ndarray, varies: Sequence[str]) -> Rows:
    """Rows at given n, for every s or model of a curve whose law varies with them."""
    s = curve.s if "s" in varies else np.full(1, _only(curve.s))
    n_params = curve.n_params if "n_params" in varies else np.full(1, _only(curve.n_params))
    places = np.array([(a, b) for a in np.unique(s) for b in np.unique(n_params)])
    return Rows(np.tile(n, len(places)), np.repeat(places[:, 0], len(n)), np.repeat(places[:, 1], len(n)))


def _of_frame(curve: Curve, part: pd.DataFrame) -> Rows:
    """Rows of a predict file, with the curve's own s and model parameters where the file has none."""
    n = part["n"].to_numpy(float)
    s, n_params = (
        part[name].to_numpy(float) if name in part else np.full(n.shape, _only(getattr(curve, name)))
        for name in ("s", "n_params")
    )
    return Rows(n, s, n_params)


def _join(one: Rows, two: Rows) -> Rows:
    """Put rows after one another."""
    pairs = ((one.n, two.n), (one.s, two.s), (one.n_params, two.n_params))
    return Rows(*(np.concatenate(pair) for pair in pairs))


def _only(values: np.ndarray) -> float:
    """Return the one value there is, or NaN."""
    distinct = np.unique(values[np.isfinite(values)])
    return float(distinct[0]) if len(distinct) == 1 else np.nan
