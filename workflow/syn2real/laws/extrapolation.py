"""Foretelling the errors of larger n from those of smaller n, with and without a gap (§4.4, Figure 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.api import fit_table
from syn2real.laws.table import rows_of

VERSION = 1
LAWS = ("simple", "power")
"""The law with a transfer gap, and the paper's comparison, which has none."""


def extrapolate(frame: pd.DataFrame, largest: float) -> dict[str, Any]:
    """Fit the sizes up to `largest` and foretell the measured errors above it.

    Parameters
    ----------
    frame : DataFrame
        A points table.
    largest : float
        The largest n that is fitted, images.

    Returns
    -------
    dict
        ``{"version", "largest", "curves": [{"curve", "law", "fit", "reason", "predictions", "n_foretold",
        "rmse"}]}``: an entry for each curve and law; the predictions are at every measured n, the rmse is
        that of the mean errors above `largest`, None where there are none or no fit.

    Raises
    ------
    InputError
        For a table that cannot be read as measurements.
    """
    fitted = frame[frame["n"] <= largest]
    sizes = sorted(float(n) for n in frame.loc[frame["n"] > 0, "n"].unique())
    curves = []
    for law in LAWS:
        for curve in fit_table(fitted, law=law, predict_at=sizes, allow_unfitted=True)["curves"]:
            means = _means(frame, curve["curve"], largest)
            rmse = _rmse(curve["predictions"], means) if curve["fit"] and len(means) else None
            told = {key: curve[key] for key in ("curve", "law", "fit", "reason", "predictions")}
            curves.append({**told, "n_foretold": len(means), "rmse": rmse})
    return {"version": VERSION, "largest": float(largest), "curves": curves}


def _means(frame: pd.DataFrame, identity: dict[str, Any], largest: float) -> dict[float, float]:
    """Return a curve's mean errors above the largest fitted n, by n."""
    means = frame[rows_of(frame, identity) & (frame["n"] > largest)].groupby("n")["error"].mean()
    return dict(zip(means.index.to_numpy(float), means.to_numpy(float), strict=True))


def _rmse(predictions: list[dict[str, Any]], means: dict[float, float]) -> float:
    """Return the root-mean-square difference between foretold and measured errors."""
    foretold = {row["n"]: row["error"] for row in predictions}
    left = np.array([foretold[n] - error for n, error in means.items()])
    return float(np.sqrt(np.mean(left**2)))
