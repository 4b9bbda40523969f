"""Forecasts of larger n from smaller n, with and without a transfer gap (§4.4, Figure 5).

Laws are compared as fitted by one and the same method; the default method's own forecast, and that of the
paper's method where it is asked for, stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.api import fit_table
from syn2real.laws.forms.schema import GENERAL, method_of
from syn2real.laws.results import VERSION
from syn2real.laws.table import rows_of


def extrapolate(
    frame: pd.DataFrame,
    start: float,
    laws: Sequence[str] = ("simple", "power"),
    *,
    paper: Mapping[str, Any] | None = None,
    test_size: float | None = None,
    unit: str = "rate",
) -> dict[str, Any]:
    """Fit the sizes below `start` and forecast the measured errors above it.

    Parameters
    ----------
    frame : DataFrame
        A points table.
    start : float
        Images: smaller n are fitted, larger ones are predicted. The paper's is 64,000 (§4.4), which itself is
        neither.
    laws : sequence of str
        Which laws to compare by least squares; the paper's are one with a transfer gap and one without. The
        first is forecast by its default method too.
    paper : mapping, optional
        Forecast the first law by the paper's method as well; `fix_D` is the D to hold, or None.
    test_size, unit
        As for `syn2real.laws.fit`.

    Returns
    -------
    dict
        ``{"version", "start", "curves": [{"curve", "law", "method", "fit", "reason", "predictions",
        "n_predicted", "rmse"}]}``: an entry for each curve, law and method; the predictions are at every
        measured n, the rmse is that of the mean errors above `start`, None where there are none or no fit.

    Raises
    ------
    InputError
        For a table that cannot be read as measurements.
    """
    fitted = frame[frame["n"] < start]
    sizes = sorted(float(n) for n in frame.loc[frame["n"] > 0, "n"].unique())
    curves = []
    series = [*((law, GENERAL) for law in laws), (laws[0], method_of(laws[0]))]
    series += [] if paper is None else [(laws[0], "paper")]
    for law, method in dict.fromkeys(series):
        fix_d = paper.get("fix_D") if paper and method == "paper" else None
        fits = fit_table(
            fitted, law=law, method=method, fix_d=fix_d, predict_at=sizes, allow_unfitted=True,
            test_size=test_size, unit=unit,
        )  # fmt: skip
        for curve in fits["curves"]:
            means = _means(frame, curve["curve"], start)
            rmse = _rmse(curve["predictions"], means) if curve["fit"] and len(means) else None
            entry = {key: curve[key] for key in ("curve", "law", "method", "fit", "reason", "predictions")}
            curves.append({**entry, "n_predicted": len(means), "rmse": rmse})
    return {"version": VERSION, "start": float(start), "curves": curves}


def forecast_table(extrapolation: dict[str, Any]) -> pd.DataFrame:
    """Return the errors of the forecasts: a row for each curve, law and method.

    Parameters
    ----------
    extrapolation : dict
        What `extrapolate` returned.

    Returns
    -------
    pandas.DataFrame
        The curve's columns, then law, method, n_predicted, rmse and the reason where there was no fit.
    """
    columns = ("law", "method", "n_predicted", "rmse", "reason")
    rows = [{**curve["curve"], **{c: curve[c] for c in columns}} for curve in extrapolation["curves"]]
    return pd.DataFrame(rows)


def _means(frame: pd.DataFrame, identity: dict[str, Any], start: float) -> dict[float, float]:
    """Return a curve's mean errors above n = start, by n."""
    means = frame[rows_of(frame, identity) & (frame["n"] > start)].groupby("n")["error"].mean()
    return dict(zip(means.index.to_numpy(float), means.to_numpy(float), strict=True))


def _rmse(predictions: list[dict[str, Any]], means: dict[float, float]) -> float:
    """Return the root-mean-square difference between predicted and measured errors."""
    predicted = {row["n"]: row["error"] for row in predictions}
    residuals = np.array([predicted[n] - error for n, error in means.items()])
    return float(np.sqrt(np.mean(residuals**2)))
