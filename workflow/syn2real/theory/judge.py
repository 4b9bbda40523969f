"""How well the laws describe a grid of errors: least squares in logs, on all cells and on cells held out.

The errors are exact expectations, so a misfit is the law's and there are no intervals; those of networks are
means over a dozen runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.forms import additive, full, simple
from syn2real.laws.forms.base import Law
from syn2real.laws.methods.least_squares import best_params
from syn2real.laws.results import Rows, number
from syn2real.laws.table import read_curves

MOST = 2
"""How many of the largest sizes are held out."""


def judge(grid: pd.DataFrame) -> dict[str, Any]:
    """Fit the full law (2), the additive law, and the simple law (1) at each s.

    Parameters
    ----------
    grid : DataFrame
        Columns n, s, error; a row a cell.

    Returns
    -------
    dict
        ``full`` and ``additive``: ``{"params", "rms", "held_out", "held_out_n"}``, root mean squares of log
        error on all cells, on the cells of the two largest n or s by a fit of the others, and so for n alone.
        ``simple``: ``{"rms", "held_out_n", "by_s": [{"s", "alpha", "C"}]}``.
    """
    large_n, large_s = (grid[name].isin(sorted(grid[name].unique())[-MOST:]) for name in ("n", "s"))
    found: dict[str, Any] = {"full": _both(grid, full.LAW, large_n, large_n | large_s)}
    found["additive"] = _both(grid, additive.LAW, large_n, large_n | large_s)
    found["simple"] = _each_s(grid, large_n)
    return found


def _both(grid: pd.DataFrame, law: Law, large_n: pd.Series, large: pd.Series) -> dict[str, Any]:
    """Fit a law of n and s to all cells, and to those that are not held out in either way."""
    params, residuals = _fit(grid, grid, law)
    return {
        "params": params,
        "rms": _rms(residuals),
        "held_out": _rms(_fit(grid[~large], grid[large], law)[1]),
        "held_out_n": _rms(_fit(grid[~large_n], grid[large_n], law)[1]),
    }


def _each_s(grid: pd.DataFrame, large_n: pd.Series) -> dict[str, Any]:
    """Fit the law of n alone at each s."""
    everywhere, beyond, by_s = [], [], []
    for s, part in grid.drop(columns="s").groupby(grid["s"]):
        params, residuals = _fit(part, part, simple.LAW)
        by_s.append({"s": int(s), "alpha": params["alpha"], "C": params["C"]})
        everywhere.append(residuals)
        held = large_n[part.index]
        beyond.append(_fit(part[~held], part[held], simple.LAW)[1])
    return {"rms": _rms(*everywhere), "held_out_n": _rms(*beyond), "by_s": by_s}


def _fit(train: pd.DataFrame, test: pd.DataFrame, law: Law) -> tuple[dict[str, float | None], np.ndarray]:
    """Fit a law to some cells; return its parameters, and the log residuals of others."""
    (curve,), _ = read_curves(train, varies=law.varies, unit="loss")
    params = best_params(curve, law)
    rows = Rows.at(test["n"], test["s"] if "s" in law.varies else np.nan)
    residuals = np.log(law.predict(params, rows) / test["error"].to_numpy(float))
    return {name: number(value) for name, value in params.items()}, residuals


def _rms(*residuals: np.ndarray) -> float:
    """Return the root mean square of residuals."""
    return float(np.sqrt(np.mean(np.concatenate(residuals) ** 2)))
