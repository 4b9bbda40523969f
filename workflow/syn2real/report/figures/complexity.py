"""Complexity of settings, and α and C against it: the estimates of Figure 6 of the paper."""

from collections.abc import Mapping
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.report.figures.base import IDENTITY, bar_to_edge, curve_labels, end_of_axis, face
from syn2real.report.figures.parameters import NAMES

TITLE = "complexity of the settings"
NEEDS = ("complexity", "fits")

LABEL = "complexity as the paper has it: negative entropy -H, nats"


def draw(complexity: Mapping[str, Mapping[str, Any]], fits: Mapping[str, Any]) -> Figure:
    """Draw the negative entropy of each setting, and the fitted parameters against it.

    Parameters
    ----------
    complexity : mapping of str to dict
        What was measured, by setting.
    fits : dict
        The fits of an experiment with these settings; empty where it measures complexity alone.

    Returns
    -------
    Figure
        A row a setting by falling -H, with its standard error; below, where there are fits, a panel for α
        and one for C. Their bars are 95 % intervals, an open end is drawn to the panel's edge; a hollow
        mark is an estimate that the measurements do not identify.
    """
    order = sorted(complexity, key=lambda name: -complexity[name]["negative_entropy"])
    curves = [curve for curve in fits.get("curves", ()) if curve["fit"]]
    heights = [1.4 + 0.35 * len(order)] + [4.2] * bool(curves)
    figure = Figure(figsize=(9.5, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
    colours = dict(zip(order, sns.color_palette("viridis", len(order)), strict=True))
    _settings(parts[0, 0].subplots(), complexity, order, colours)
    for ax, (name, title) in zip(parts[1, 0].subplots(1, 2), NAMES.items(), strict=True) if curves else ():
        _parameter(ax, name, curves, complexity, colours)
        ax.set(xlabel="negative entropy -H, nats", ylabel=title)
    return figure


def _settings(
    ax: Axes, measured: Mapping[str, Mapping[str, Any]], order: list[str], colours: Mapping[str, Any]
) -> None:
    """Draw the settings' negative entropies, a row each."""
    for row, name in enumerate(order):
        result = measured[name]
        bars = [[result["standard_error"] or 0.0]] * 2
        ax.errorbar([result["negative_entropy"]], [row], xerr=bars, fmt="o", color=colours[name], capsize=3)
    ax.set(xlabel=LABEL, yticks=range(len(order)), yticklabels=order, ylim=(len(order) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    sns.despine(ax=ax)


def _parameter(
    ax: Axes,
    name: str,
    curves: list[dict[str, Any]],
    measured: Mapping[str, Mapping[str, Any]],
    colours: Mapping[str, Any],
) -> None:
    """Draw one parameter of every curve against its setting's negative entropy."""
    estimates = [curve["fit"]["params"][name] for curve in curves]
    end = end_of_axis(estimates)
    # Settings have their colours; what else separates curves has a mark.
    others = [{c: curve["curve"].get(c) for c in IDENTITY if c != "setting"} for curve in curves]
    labels = curve_labels(others)
    marks = dict(zip(dict.fromkeys(labels), "osD^vP*X<>" * len(labels), strict=False))
    for curve, estimate, label in zip(curves, estimates, labels, strict=True):
        setting = curve["curve"]["setting"]
        result = measured[setting]
        error = result["standard_error"] or 0.0
        ax.errorbar(
            [result["negative_entropy"]],
            [estimate["value"]],
            xerr=[[error], [error]],
            yerr=bar_to_edge(estimate, end),
            fmt=marks[label],
            color=colours[setting],
            mfc=face(estimate),
            label=label if len(marks) > 1 else None,
        )
    ax.set_ylim(0, end)
    if len(marks) > 1:
        handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        ax.legend(handles.values(), handles.keys(), fontsize="small", frameon=False)
    sns.despine(ax=ax)
