"""Transfer gap against model size: the right half of Figure 4 of the paper (§4.3)."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from syn2real.laws.forms.size import LAW
from syn2real.laws.results import Rows
from syn2real.laws.table import rows_of
from syn2real.report.figures.base import curve_labels, error_bars, face

TITLE = "transfer gap against model size"
NEEDS = ("points", "fits", "size")


def draw(points: pd.DataFrame, fits: dict[str, Any], size: dict[str, Any]) -> Figure:
    """Draw each model's gap C with its interval, and the power law C = B P^-φ through them.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table of several models.
    fits : dict
        Its fits with the simple law, a curve a model.
    size : dict
        Its fits with the law of the model's size, a curve for all models.

    Returns
    -------
    Figure
        A log-log panel for each curve of the size law.
    """
    groups = [curve for curve in size["curves"] if curve["fit"]]
    figure = Figure(figsize=(5.6 * max(len(groups), 1), 4.6), layout="constrained")
    if not groups:
        reasons = {curve["reason"] for curve in size["curves"]}
        figure.suptitle(f"the law of the model's size could not be fitted: {'; '.join(sorted(reasons))}")
        return figure
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    labels = curve_labels([group["curve"] for group in groups])
    for ax, group, label in zip(axes, groups, labels, strict=True):
        mine = [c for c in fits["curves"] if c["fit"] and c["curve"].items() >= group["curve"].items()]
        _panel(ax, points, mine, group["fit"]["params"])
        ax.set(xlabel="parameters of the backbone, millions", ylabel="transfer gap C", title=label)
    return figure


def _panel(ax: Axes, points: pd.DataFrame, curves: list[dict[str, Any]], law: dict[str, Any]) -> None:
    """Draw the gaps of the models of one curve and the line through them."""
    ax.set(xscale="log", yscale="log")
    ax.xaxis.set_major_formatter(LogFormatter())
    ax.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False))
    sizes = []
    for place, curve in enumerate(curves):
        millions = float(points.loc[rows_of(points, curve["curve"]), "n_params"].iloc[0]) / 1e6
        gap = curve["fit"]["params"]["C"]
        low = gap["lower"] if gap["lower"] else ax.get_ylim()[0]
        high = gap["value"] if gap["upper"] is None else gap["upper"]
        ax.errorbar(
            [millions],
            [gap["value"]],
            yerr=error_bars(low, gap["value"], high),
            fmt="o",
            color=f"C{place}",
            mfc=face(gap),
            capsize=3,
            label=curve["curve"]["model"],
        )
        sizes.append(millions)
    grid = np.geomspace(min(sizes), max(sizes), 30)
    values = {name: estimate["value"] for name, estimate in law.items()}
    line = LAW.predict(values, Rows.at(n_params=1e6 * grid))
    ax.plot(grid, line, color="grey", ls="--", label=f"B P^-φ, φ = {values['phi']:.2g}")
    ax.legend(fontsize="small", frameon=False)
    sns.despine(ax=ax)
