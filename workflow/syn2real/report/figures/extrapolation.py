"""How the laws with and without a gap predict the errors of larger sizes: Figure 5 of the paper (§4.4)."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.report.figures.base import (
    coloured,
    curve_labels,
    draw_means,
    inside,
    panels,
    predicted,
    pretrained,
)

TITLE = "forecast of larger sizes"
NEEDS = ("points", "extrapolation")

STYLES = {"simple": "-", "power": ":"}
NAMES = {"simple": "D n^-α + C", "power": "D n^-α"}


def draw(points: pd.DataFrame, extrapolation: dict[str, Any]) -> Figure:
    """Draw measured errors with both laws fitted to the sizes left of the line, and the errors right of it.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table.
    extrapolation : dict
        What `laws.extrapolation.extrapolate` returned for it.

    Returns
    -------
    Figure
        A log-log panel a fine-tuning task and target, the law with a gap solid, without one dotted; at the
        right each law's root-mean-square error above the fitted sizes.
    """
    places = panels(points)
    curves = len(extrapolation["curves"]) // len(STYLES)
    size = (5.6 * (len(places) + 1), max(4.8, 1.2 + 0.42 * curves))
    figure = Figure(figsize=size, layout="constrained")
    *axes, last = figure.subplots(1, len(places) + 1)
    for ax, (ftask, target) in zip(axes, places, strict=True):
        _panel(ax, points, inside(extrapolation["curves"], ftask, target))
        ax.axvline(extrapolation["largest"], color="grey", ls="--", lw=1)
        ax.set(xlabel="pre-training images n", ylabel="test error", title=f"{ftask} on {target}")
    _bars(last, extrapolation["curves"])
    sns.despine(figure)
    return figure


def _panel(ax: Axes, points: pd.DataFrame, curves: list[dict[str, Any]]) -> None:
    """Draw the measurements of one task and target, and both laws."""
    ax.set(xscale="log", yscale="log")
    for law, style in STYLES.items():
        mine = [curve for curve in curves if curve["law"] == law]
        for curve, label, colour in coloured(mine):
            if law == "simple":
                means = pretrained(points, curve).groupby("n")["error"].mean()
                draw_means(ax, means, colour, label)
            if curve["predictions"]:
                frame = predicted(curve)
                ax.plot(frame["n"], frame["error"], style, color=colour)
    ax.legend(fontsize="small", frameon=False)


def _bars(ax: Axes, curves: list[dict[str, Any]]) -> None:
    """Draw the errors of the forecasts, two bars a curve; a curve without a forecast has none."""
    for shift, law in ((-0.2, "power"), (0.2, "simple")):
        mine = [curve for curve in curves if curve["law"] == law]
        bars = [(row + shift, curve["rmse"]) for row, curve in enumerate(mine) if curve["rmse"] is not None]
        ax.barh([row for row, _ in bars], [rmse for _, rmse in bars], 0.38, label=NAMES[law])
    labels = curve_labels([curve["curve"] for curve in mine])
    ax.set(yticks=range(len(labels)), yticklabels=labels, xlabel="root-mean-square error of the forecast")
    ax.invert_yaxis()
    ax.legend(fontsize="small", frameon=False)
