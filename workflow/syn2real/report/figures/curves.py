"""Error against pre-training size with the fitted law: Figure 1 of the paper."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.results import ceiling
from syn2real.report.figures.base import (
    Colour,
    Shown,
    cut,
    draw_means,
    method_panels,
    predicted,
    pretrained,
)

TITLE = "error against pre-training size"
NEEDS = ("points", "fits", "stand_ins")

LAW, FORECAST = "law: D n^-α + C", "forecast: the law with bend and drift"
FEW = 5  # curves in a panel: with more there is no room for all bands
ROOM = 2.0  # by which factor an error axis begins below all measured errors and laws; a band may go on below
SAME = 1e-3  # of the error: a forecast that differs less from its law all along is no line of its own


def draw(points: pd.DataFrame, fits: dict[str, Any], stand_ins: list[str]) -> Figure:
    """Draw the measured errors, the fitted law and the forecast, one panel a fine-tuning task and target.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.
    fits : dict
        The fits of that table by one method or both, with predictions over a range of n.
    stand_ins : list of str
        Targets that are rendered stand-ins; their panels say so.

    Returns
    -------
    Figure
        Log-log panels: dots are runs, the solid line the law over the sizes it was fitted to and beyond, the
        dashed one the forecast where it adds to the law, the dark band the interval of the forecast, the
        light band that of a new measurement, the dotted line the mean error without pre-training. Where all
        measured errors are rates, nothing goes above 1.
    """
    return method_panels(points, fits["curves"], stand_ins, "test error", _panel)


def _panel(ax: Axes, points: pd.DataFrame, shown: Shown) -> None:
    """Draw the curves of one task and target."""
    top, drawn = ceiling(points["error"]), []
    for curve, label, look in shown:
        rows = pretrained(points, curve)
        ax.scatter(rows["n"], rows["error"], color=look.colour, s=22, alpha=0.6, linewidths=0, zorder=3)
        draw_means(ax, rows.groupby("n")["error"].mean(), look, label)
        _draw_fit(ax, curve, look.colour, top, both=len(shown) <= FEW)
        drawn += [*rows["error"], *predicted(curve)["law"]]
    curves = [curve for curve, *_ in shown]
    _name_lines(ax, curves)
    _draw_references(ax, [curve["reference"] for curve in curves], [look.colour for *_, look in shown])
    cut(ax, top, min(drawn, default=0.0) / ROOM)


def _draw_references(ax: Axes, references: list[float | None], colours: list[Colour]) -> None:
    """Draw the mean error without pre-training: once where the curves share it, else in each one's colour."""
    if len(set(references)) == 1:
        references, colours = references[:1], ["grey"]
    for reference, colour in zip(references, colours, strict=False):
        if reference is not None:
            ax.axhline(reference, color=colour, ls=":")
    if any(reference is not None for reference in references):
        ax.plot([], [], color="grey", ls=":", label="no pre-training (n = 0), mean")


def _draw_fit(ax: Axes, curve: dict[str, Any], colour: Colour, top: float, *, both: bool) -> None:
    """Draw the law, and the forecast with one or both of its bands, up to the most that an error can be."""
    frame = predicted(curve)
    if frame.empty:
        return
    law = frame[(frame["n"] >= curve["n_min"]) & (frame["law"] <= top)]
    frame[frame.columns.drop("n")] = frame[frame.columns.drop("n")].clip(upper=top)
    ax.plot(law["n"], law["law"], color=colour, lw=1.8)
    if _adds(curve):
        ax.plot(frame["n"], frame["error"], "--", color=colour, lw=1.3)
    ax.fill_between(frame["n"], frame["lower"], frame["upper"], color=colour, alpha=0.25, lw=0)
    if both:
        one = frame["predict_lower"], frame["predict_upper"]
        ax.fill_between(frame["n"], *one, color=colour, alpha=0.1, lw=0)


def _adds(curve: dict[str, Any]) -> bool:
    """Say whether a curve's forecast is more than its law: a bend at small n, or a drift away from it."""
    frame = predicted(curve)
    return bool((abs(frame["error"] / frame["law"] - 1) > SAME).any())


def _name_lines(ax: Axes, curves: list[dict[str, Any]]) -> None:
    """Name the law and, where one is drawn, the forecast in the legend."""
    drawn = [curve for curve in curves if curve["predictions"]]
    if drawn:
        ax.plot([], [], color="grey", lw=1.8, label=LAW)
    if any(map(_adds, drawn)):
        ax.plot([], [], "--", color="grey", lw=1.3, label=FORECAST)
