"""The rows at which curves are predicted: given sizes, a user's own table, or sizes to draw a law at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.reading import check_frame
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve

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
        How many rows of the frame belong to no curve.

    Raises
    ------
    InputError
        For an n that is not above 0.
    """
    at = np.asarray(list(predict_at), float)
    if np.any(~np.isfinite(at) | (at <= 0)):
        raise InputError("predictions need n above 0", key="--predict-at")
    rows = [_at(curve, at, varies) for curve in curves]
    if predict_frame is None:
        return rows, []
    frame = check_frame(predict_frame, file, require=("n",))
    for column in {"n", *varies} & set(frame.columns):
        if (frame[column] <= 0).any():
            raise InputError(f"predictions need {column} above 0", file=file, key=column)
    columns = [c for c in curves[0].identity if c in frame.columns]
    keys = [tuple(map(_label, key)) for key in frame[columns].to_numpy(object)]
    out, found = [], 0
    for curve, before in zip(curves, rows, strict=True):
        mine = tuple(_label(curve.identity[c]) for c in columns)
        part = frame[[key == mine for key in keys]]
        found += len(part)
        out.append(_join(before, _of_frame(curve, part)))
    lost = len(frame) - found if len(columns) == len(curves[0].identity) else 0
    return out, [f"{lost} rows of the predict file belong to no curve"] if lost > 0 else []


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
