"""The full law over pre-training and fine-tuning sizes: Figures 2 and 9 of the paper (C.2)."""

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import NullLocator

from syn2real.laws.forms.full import LAW
from syn2real.laws.results import Rows, identified
from syn2real.report.figures.base import (
    Curves,
    Look,
    curve_labels,
    draw_means,
    label_errors,
    method_parts,
    pretrained,
    shades,
)

TITLE = "the full law in both sizes"
NEEDS = ("points", "full")

LABELLED = 8
"""Sizes of an axis that are labelled; with more, the powers of ten are."""
NEAR = 0.14
"""Of an axis: a size that is nearer to the one labelled before it has no label of its own."""
WRAPPED = 50
"""Letters a line of a panel's title."""


def draw(points: pd.DataFrame, full: dict[str, Any]) -> Figure:
    """Draw errors and the fitted δ (γ + n^-α) s^-β (eq. 2), against n for each s and against s for each n.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table with several s.
    full : dict
        Its fits with the full law, by one method or both.

    Returns
    -------
    Figure
        For each method a row a curve of the full law, two log-log panels a row; dots are means over seeds.
    """
    curves = [curve for curve in full["curves"] if curve["fit"]]
    rows = max(len({str(curve["curve"]) for curve in curves}), 1)
    figure, parts = method_parts(curves, 12.0, 4.6 * rows)
    for part, mine in parts:
        _part(part, points, mine)
    if not curves:
        reasons = {curve["reason"] for curve in full["curves"]}
        figure.suptitle(f"the full law could not be fitted: {'; '.join(sorted(reasons))}")
    return figure


def _part(part: FigureBase, points: pd.DataFrame, curves: Curves) -> None:
    """Draw the curves of one method."""
    axes = part.subplots(max(len(curves), 1), 2, squeeze=False, sharey="row")
    for pair, curve, label in zip(axes, curves, curve_labels([c["curve"] for c in curves]), strict=False):
        means = pretrained(points, curve).groupby(["n", "s"])["error"].mean().reset_index()
        _panel(pair[0], means, "n", "s", curve["fit"]["params"])
        _panel(pair[1], means, "s", "n", curve["fit"]["params"])
        pair[0].set(xlabel="pre-training images n", ylabel="test error", title=fill(label, WRAPPED))
        pair[1].set(xlabel="fine-tuning images s", title=fill(_numbers(curve["fit"]["params"]), WRAPPED))


def _numbers(params: dict[str, Any]) -> str:
    """Return the four parameters for a title; one that the data do not identify says so."""
    signs = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ"}
    parts = []
    for name, sign in signs.items():
        loose = "" if identified(params[name]) else " (not identified)"
        parts.append(f"{sign} = {params[name]['value']:.3g}{loose}")
    return ", ".join(parts)


def _panel(ax: Axes, means: pd.DataFrame, x: str, colour: str, params: dict[str, Any]) -> None:
    """Draw the means and the law against one size, a colour for each value of the other."""
    numbers = {name: estimate["value"] for name, estimate in params.items()}
    ax.set(xscale="log", yscale="log")
    values = sorted(means[colour].unique())
    grid = np.geomspace(means[x].min(), means[x].max(), 60)
    for value, shade in zip(values, shades(len(values)), strict=True):
        draw_means(
            ax, means[means[colour] == value].set_index(x)["error"], Look(shade), f"{colour} = {value:,}"
        )
        rows = Rows.at(**{x: grid, colour: value})
        ax.plot(grid, LAW.predict(numbers, rows), color=shade, lw=1.4)
    sizes = sorted(float(size) for size in means[x].unique())
    if len(sizes) <= LABELLED:
        ax.set_xticks(sizes, _tick_labels(sizes))
        ax.xaxis.set_minor_locator(NullLocator())
    label_errors(ax)
    ax.legend(fontsize="x-small", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _tick_labels(sizes: list[float]) -> list[str]:
    """Return a label for each rising size, blank where it would lie over the one before."""
    labels, last, apart = [], 0.0, (sizes[-1] / sizes[0]) ** NEAR
    for size in sizes:
        clear = size >= last * apart
        last = size if clear else last
        labels.append((f"{size / 1000:.3g}k" if size >= 1000 else f"{size:g}") if clear else "")
    return labels
