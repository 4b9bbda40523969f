"""What goes with an experiment's fits: the sizes at which its law is drawn, and a table of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


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
    grid = np.geomspace(sizes.min(), 4 * sizes.max(), count).round()
    return [float(n) for n in np.unique(grid)]


def parameter_table(fits: dict[str, Any]) -> pd.DataFrame:
    """Return the fits as a table: a row for each curve and parameter, with interval and status.

    Parameters
    ----------
    fits : dict
        The JSON of `syn2real fit`.

    Returns
    -------
    pandas.DataFrame
        The curve's columns, then law, parameter, value, lower, upper, status; a curve that could not be
        fitted has one row whose status is the reason.
    """
    rows: list[dict[str, Any]] = []
    for curve in fits["curves"]:
        head = {**curve["curve"], "law": curve["law"]}
        if curve["fit"] is None:
            rows.append({**head, "status": curve["reason"]})
            continue
        for name, estimate in curve["fit"]["params"].items():
            rows.append({**head, "parameter": name, **estimate})
    return pd.DataFrame(rows)
