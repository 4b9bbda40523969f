"""Transfer gap against model size: the right half of Figure 4 of the paper (§4.3)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import LogLocator, NullFormatter

from syn2real.laws.forms.size import LAW
from syn2real.laws.results import Rows, ceiling
from syn2real.laws.table import rows_of
from syn2real.report.figures.base import (
    Curves,
    by_paper,
    curve_labels,
    cut,
    error_bars,
    face,
    label_errors,
    method_parts,
    share_limits,
)

TITLE = "transfer gap against model size"
NEEDS = ("points", "fits", "size")

LEAST = 1e-3
"""A gap below it is as good as none: the axis begins there."""


def draw(points: pd.DataFrame, fits: dict[str, Any], size: dict[str, Any]) -> Figure:
    """Draw each model's gap C with its interval, and the power law C = B P^-φ through them.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table of several models.
    fits : dict
        Its fits with the simple law, a curve a model, by one method or both.
    size : dict
        Its fits with the law of the model's size, a curve for all models, by the same methods.

    Returns
    -------
    Figure
        For each method a log-log panel for each curve of the size law.
    """
    groups = [curve for curve in size["curves"] if curve["fit"]]
    columns = max(len({str(group["curve"]) for group in groups}), 1)
    figure, parts = method_parts(groups, 5.6 * columns, 5.6)
    if not groups:
        reasons = {curve["reason"] for curve in size["curves"]}
        figure.suptitle(f"the law of the model's size could not be fitted: {'; '.join(sorted(reasons))}")
        return figure
    drawn: list[Axes] = []
    for part, mine in parts:
        one = [c for c in fits["curves"] if c["fit"] and by_paper(c) == by_paper(mine[0])]
        drawn += _part(part, points, one, mine)
    share_limits([part for part, _ in parts])
    for ax in drawn:
        label_errors(ax)
    return figure


def _part(part: FigureBase, points: pd.DataFrame, curves: Curves, groups: Curves) -> list[Axes]:
    """Draw the curves of the size law that one method fitted, a panel each."""
    axes = part.subplots(1, len(groups), squeeze=False)[0]
    labels = curve_labels([group["curve"] for group in groups])
    for ax, group, label in zip(axes, groups, labels, strict=True):
        mine = [c for c in curves if c["curve"].items() >= group["curve"].items()]
        _panel(ax, points, mine, group["fit"]["params"])
        ax.set(xlabel="parameters of the backbone, millions", ylabel="transfer gap C", title=label)
    return list(axes)


def _panel(ax: Axes, points: pd.DataFrame, curves: list[dict[str, Any]], law: dict[str, Any]) -> None:
    """Draw the gaps of the models of one curve and the line through them."""
    ax.set(xscale="log", yscale="log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    ax.xaxis.set_major_formatter("{x:.4g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    top = ceiling(points["error"])
    sizes: list[float] = []
    for place, curve in enumerate(curves):
        millions = float(points.loc[rows_of(points, curve["curve"]), "n_params"].iloc[0]) / 1e6
        gap = curve["fit"]["params"]["C"]
        low = gap["lower"] or LEAST
        high = gap["value"] if gap["upper"] is None else min(gap["upper"], top)
        ax.errorbar(
            [millions],
            [gap["value"]],
            yerr=error_bars(low, gap["value"], high),
            fmt="o",
            color=f"C{place}",
            mfc=face(gap),
            capsize=3,
            label=curve["curve"]["model"] + (f" (below {LEAST:g})" if gap["value"] < LEAST else ""),
        )
        sizes.append(millions)
    grid = np.geomspace(min(sizes), max(sizes), 30)
    values = {name: estimate["value"] for name, estimate in law.items()}
    line = LAW.predict(values, Rows.at(n_params=1e6 * grid))
    ax.plot(grid, line, color="grey", ls="--", label=f"B P^-φ, φ = {values['phi']:.2g}")
    cut(ax, top, LEAST)
    ax.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(0, -0.16))
