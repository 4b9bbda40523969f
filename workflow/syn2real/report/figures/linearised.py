"""Error above the transfer gap against pre-training size: Figures 10 to 12 of the paper (C.3)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.forms.simple import LAW
from syn2real.laws.results import Rows
from syn2real.report.figures.base import Shown, draw_means, method_panels, pretrained
from syn2real.sentences import counted

TITLE = "error above the transfer gap"
NEEDS = ("points", "fits", "stand_ins")


def draw(points: pd.DataFrame, fits: dict[str, Any], stand_ins: list[str]) -> Figure:
    """Draw the mean errors less the estimated gap C, and the power law D n^-α, a panel a task and target.

    If the law holds, the dots lie on straight lines. A mean below C has no logarithm: it is left out, as in
    the paper, and counted in the panel.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.
    fits : dict
        The fits of that table with the simple law, by one method or both.
    stand_ins : list of str
        Targets that are rendered stand-ins; their panels say so.

    Returns
    -------
    Figure
        Log-log panels.
    """
    return method_panels(points, fits["curves"], stand_ins, "test error - C", _panel)


def _panel(ax: Axes, points: pd.DataFrame, shown: Shown) -> None:
    """Draw the curves of one task and target."""
    hidden = 0
    for curve, label, look in shown:
        if not curve["fit"]:
            continue
        params = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
        means = pretrained(points, curve).groupby("n")["error"].mean() - params["C"]
        above = means[means > 0]
        hidden += len(means) - len(above)
        draw_means(ax, above, look, label)
        sizes = means.index.to_numpy(float)
        ax.plot(sizes, LAW.predict({**params, "C": 0.0}, Rows.at(sizes)), color=look.colour, lw=1.5)
    if not any(curve["fit"] for curve, *_ in shown):
        ax.text(0.5, 0.5, "no curve could be fitted", transform=ax.transAxes, ha="center")
    elif hidden:
        left_out = f"left out: {counted(hidden, 'mean')} below C"
        ax.text(0.02, 0.02, left_out, transform=ax.transAxes, fontsize="small", color="grey")
