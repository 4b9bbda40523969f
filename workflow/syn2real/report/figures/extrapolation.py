"""How the laws with and without a gap predict the errors of larger sizes: Figure 5 of the paper (§4.4)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from syn2real.laws.forms.schema import GENERAL
from syn2real.laws.results import ceiling
from syn2real.report.figures.base import (
    coloured,
    curve_labels,
    cut,
    draw_means,
    inside,
    label_errors,
    panel_title,
    panels,
    predicted,
    pretrained,
)

TITLE = "forecast of larger sizes"
NEEDS = ("points", "extrapolation")

LAWS = {"simple": ("D n^-α + C", "-"), "power": ("D n^-α", ":")}
"""The laws that are compared: formula and line, where fitted by least squares."""
OTHERS = {"paper": "-."}
"""Lines of other methods than the default one, which is dashed."""

Series = tuple[str, str]
"""A law and the method that it was fitted by."""


def draw(points: pd.DataFrame, extrapolation: dict[str, Any]) -> Figure:
    """Draw measured errors, the laws fitted to the sizes left of the line, and the errors right of it.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table.
    extrapolation : dict
        What `laws.extrapolation.extrapolate` returned for it.

    Returns
    -------
    Figure
        A log-log panel a fine-tuning task and target: by least squares the law with a gap solid, without one
        dotted; the forecast of the default method dashed, of the paper's dash-dotted. At the right each one's
        root-mean-square error above the fitted sizes.
    """
    places = panels(points)
    size = (5.6 * (len(places) + 1), max(4.8, 1.2 + 0.16 * len(extrapolation["curves"])))
    figure = Figure(figsize=size, layout="constrained")
    *axes, last = figure.subplots(1, len(places) + 1)
    for ax, (ftask, target) in zip(axes, places, strict=True):
        _panel(ax, points, inside(extrapolation["curves"], ftask, target))
        ax.axvline(extrapolation["start"], color="grey", ls="--", lw=1)
        ax.set(xlabel="pre-training images n", ylabel="test error", title=panel_title(ftask, target, []))
    _bars(last, extrapolation["curves"])
    return figure


def _series(curves: list[dict[str, Any]]) -> dict[Series, list[dict[str, Any]]]:
    """Return the curves by law and method, in the order in which they stand."""
    names = dict.fromkeys((curve["law"], curve["method"]) for curve in curves)
    return {name: [c for c in curves if (c["law"], c["method"]) == name] for name in names}


def _name(series: Series) -> str:
    """Name a law and its method."""
    law, method = series
    formula = LAWS[law][0]
    if method == "paper":
        return f"{formula}, the paper's method"
    named = f"{formula}, {method.replace('-', ' ')}"
    return named if method == GENERAL else f"forecast ({named})"


def _panel(ax: Axes, points: pd.DataFrame, curves: list[dict[str, Any]]) -> None:
    """Draw the measurements of one task and target, the laws and the forecast."""
    ax.set(xscale="log", yscale="log")
    top = ceiling(points["error"])
    for place, ((law, method), mine) in enumerate(_series(curves).items()):
        style = LAWS[law][1] if method == GENERAL else OTHERS.get(method, "--")
        for curve, label, look in coloured(mine):
            if place == 0:
                means = pretrained(points, curve).groupby("n")["error"].mean()
                draw_means(ax, means, look, label)
            frame = predicted(curve)
            ax.plot(frame["n"], frame["error"].where(frame["error"] <= top), style, color=look.colour)
    cut(ax, top)
    label_errors(ax)
    ax.legend(fontsize="small", frameon=False)


def _bars(ax: Axes, curves: list[dict[str, Any]]) -> None:
    """Draw the errors of the forecasts, a bar a law and method; a curve without a forecast has none."""
    series = _series(curves)
    width = 0.8 / len(series)
    for place, (name, mine) in enumerate(series.items()):
        shift = (place - (len(series) - 1) / 2) * width
        bars = [(row + shift, curve["rmse"]) for row, curve in enumerate(mine) if curve["rmse"] is not None]
        ax.barh([row for row, _ in bars], [rmse for _, rmse in bars], 0.95 * width, label=_name(name))
    labels = curve_labels([curve["curve"] for curve in mine])
    ax.set(yticks=range(len(labels)), yticklabels=labels, xlabel="root-mean-square error of the forecast")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.invert_yaxis()
    ax.legend(fontsize="small", frameon=False, loc="lower left", bbox_to_anchor=(0, 1))
