"""Pre-training rate and transfer gap of every curve with their errors: Figure 8 of the paper."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.report.figures.base import (
    Curves,
    axis_ends,
    bar_to_edge,
    by_method,
    by_paper,
    curve_labels,
    face,
    method_name,
    shown,
)

TITLE = "pre-training rate and transfer gap"
NEEDS = ("fits",)

NAMES = {"alpha": "pre-training rate α", "C": "transfer gap C"}
APART = 0.22
"""Rows by which the marks of two methods lie above and below the middle of their row."""


def draw(fits: dict[str, Any]) -> Figure:
    """Draw α and C of each fitted curve; a hollow mark is an estimate that the data do not identify.

    Parameters
    ----------
    fits : dict
        The fits of a points table with the simple law, by one method or both.

    Returns
    -------
    Figure
        Two panels, a row a curve; in each row the paper's method (square) above the default one (circle),
        where there are both. Bars are standard errors where the method gives them, else intervals, whose open
        end is drawn to the panel's edge. An estimate whose standard error is above 1 is left out, as in the
        paper.
    """
    methods = by_method([curve for curve in fits["curves"] if curve["fit"]])
    rows = list({str(c["curve"]): c["curve"] for curves in methods for c in curves}.values())
    height = 1.6 + (0.45 if len(methods) < 2 else 0.6) * max(len(rows), 1)
    figure = Figure(figsize=(9.5, height), layout="constrained")
    for ax, (name, title) in zip(figure.subplots(1, 2, sharey=True), NAMES.items(), strict=True):
        _panel(ax, name, methods, rows)
        ax.set(
            xlabel=title,
            yticks=range(len(rows)),
            yticklabels=curve_labels(rows) if rows else [],
            ylim=(max(len(rows), 1) - 0.5, -0.5),
        )
    figure.suptitle(_heading(methods), fontsize="medium" if not rows else "small")
    return figure


def _heading(methods: list[Curves]) -> str:
    """Say what the marks mean."""
    if not methods:
        return "no curve could be fitted; the advice says why"
    filled = "filled: identified · hollow: not identified by these points"
    if len(methods) < 2:
        return filled
    square, circle = map(method_name, methods)
    return f"square: {square} · circle: {circle}\n{filled}"


def _panel(ax: Axes, name: str, methods: list[Curves], rows: list[dict[str, Any]]) -> None:
    """Draw one parameter's estimates, a row a curve."""
    low, high = axis_ends([curve["fit"]["params"][name] for curves in methods for curve in curves])
    for place, curve in ((i, c) for i, curves in enumerate(methods) for c in curves):
        estimate, row = curve["fit"]["params"][name], rows.index(curve["curve"])
        at = row + (2 * place - len(methods) + 1) * APART
        if shown(estimate):
            ax.errorbar(
                [estimate["value"]],
                [at],
                xerr=bar_to_edge(estimate, high),
                fmt="s" if by_paper(curve) else "o",
                color=f"C{row % 10}",
                mfc=face(estimate),
                capsize=3,
            )
        else:
            text = f" left out: standard error {estimate['standard_error']:.2g}"
            ax.text(low, at, text, fontsize="small", va="center", color="grey")
    ax.set_xlim(low, high)
    ax.grid(axis="x", alpha=0.3)
