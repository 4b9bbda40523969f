"""Pre-training rate and transfer gap of every curve with their intervals: Figure 8 of the paper."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.report.figures.base import bar_to_edge, curve_labels, end_of_axis, face

TITLE = "pre-training rate and transfer gap"
NEEDS = ("fits",)

NAMES = {"alpha": "pre-training rate α", "C": "transfer gap C"}


def draw(fits: dict[str, Any]) -> Figure:
    """Draw α and C of each fitted curve; a hollow mark is an estimate that the data do not identify.

    Parameters
    ----------
    fits : dict
        The fits of a points table with the simple law.

    Returns
    -------
    Figure
        Two panels, a row a curve. An open end of an interval is drawn to the panel's edge.
    """
    curves = [curve for curve in fits["curves"] if curve["fit"]]
    labels = curve_labels([curve["curve"] for curve in curves]) if curves else []
    figure = Figure(figsize=(9.5, 1.6 + 0.45 * max(len(curves), 1)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (name, title) in zip(axes, NAMES.items(), strict=True):
        _panel(ax, [curve["fit"]["params"][name] for curve in curves])
        ax.set(
            xlabel=title,
            yticks=range(len(curves)),
            yticklabels=labels,
            ylim=(max(len(curves), 1) - 0.5, -0.5),
        )
    if not curves:
        figure.suptitle("no curve could be fitted; the advice says why")
    else:
        figure.suptitle("filled: identified · hollow: not identified by these points", fontsize="small")
    return figure


def _panel(ax: Axes, estimates: list[dict[str, Any]]) -> None:
    """Draw one parameter's estimates, a row a curve."""
    end = end_of_axis(estimates)
    for row, estimate in enumerate(estimates):
        bars, colour = bar_to_edge(estimate, end), f"C{row}"
        ax.errorbar(
            [estimate["value"]], [row], xerr=bars, fmt="o", color=colour, mfc=face(estimate), capsize=3
        )
    ax.set_xlim(0, end)
    ax.grid(axis="x", alpha=0.3)
