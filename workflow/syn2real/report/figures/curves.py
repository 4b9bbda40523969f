"""Error against pre-training size with the fitted law: Figure 1 of the paper."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.report.figures.base import (
    Colour,
    coloured,
    draw_means,
    inside,
    panel_figure,
    panel_title,
    predicted,
    pretrained,
)

TITLE = "error against pre-training size"
NEEDS = ("points", "fits", "stand_ins")


def draw(points: pd.DataFrame, fits: dict[str, Any], stand_ins: list[str]) -> Figure:
    """Draw the measured errors, the fitted law and its intervals, one panel a fine-tuning task and target.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.
    fits : dict
        The fits of that table, with predictions over a range of n.
    stand_ins : list of str
        Targets that are rendered stand-ins; their panels say so.

    Returns
    -------
    Figure
        Log-log panels: dots are runs, the line the law, the dark band the interval of the law, the light
        band that of a new measurement, the dotted line the mean error without pre-training.
    """
    figure, axes = panel_figure(points)
    for ax, ftask, target in axes:
        here = (points["ftask"] == ftask) & (points["target"] == target)
        _panel(ax, points[here], inside(fits["curves"], ftask, target))
        title = panel_title(ftask, target, stand_ins)
        ax.set(xlabel="pre-training images n", ylabel="test error", title=title)
    return figure


def _panel(ax: Axes, points: pd.DataFrame, curves: list[dict[str, Any]]) -> None:
    """Draw the curves of one task and target."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    shown = coloured(curves)
    for curve, label, colour in shown:
        rows = pretrained(points, curve)
        ax.scatter(rows["n"], rows["error"], color=colour, s=22, alpha=0.6, linewidths=0, zorder=3)
        draw_means(ax, rows.groupby("n")["error"].mean(), colour, label)
        _draw_fit(ax, predicted(curve), colour)
    _draw_references(ax, [curve["reference"] for curve in curves], [colour for *_, colour in shown])
    ax.yaxis.set_major_formatter("{x:.2f}")
    ax.yaxis.set_minor_formatter("{x:.2f}")
    ax.tick_params(axis="y", which="minor", labelsize="x-small")
    ax.legend(fontsize="small", frameon=False)
    sns.despine(ax=ax)


def _draw_references(ax: Axes, references: list[float | None], colours: list[Colour]) -> None:
    """Draw the mean error without pre-training: once where the curves share it, else in each one's colour."""
    label = "no pre-training (n = 0), mean"
    if len(set(references)) == 1:
        references, colours = references[:1], ["grey"]
    for reference, colour in zip(references, colours, strict=False):
        if reference is not None:
            ax.axhline(reference, color=colour, ls=":", label=label)
            label = "_"


def _draw_fit(ax: Axes, frame: pd.DataFrame, colour: Colour) -> None:
    """Draw the law over the predicted range with both of its bands."""
    if frame.empty:
        return
    ax.plot(frame["n"], frame["error"], color=colour, lw=1.8)
    ax.fill_between(frame["n"], frame["lower"], frame["upper"], color=colour, alpha=0.25, lw=0)
    ax.fill_between(frame["n"], frame["predict_lower"], frame["predict_upper"], color=colour, alpha=0.1, lw=0)
