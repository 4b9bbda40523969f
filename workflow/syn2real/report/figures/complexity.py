"""α and C against the complexity of the settings: Figure 6 of the paper, right (§4.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from syn2real.report.figures.base import (
    IDENTITY,
    MARKS,
    Curves,
    axis_ends,
    bar_to_edge,
    by_method,
    curve_labels,
    face,
    method_name,
    shades,
    shown,
)
from syn2real.report.figures.parameters import NAMES

TITLE = "complexity of the settings"
NEEDS = ("complexity", "distances", "fits", "settings")

LABEL = "complexity as the paper has it: negative entropy -H, nats"
ORDERED = "settings in the experiment's order, the least complex first; complexity not measured"


def draw(
    complexity: Mapping[str, Any],
    distances: Mapping[str, Any],
    fits: Mapping[str, Any],
    settings: Sequence[str],
) -> Figure:
    """Draw the negative entropy of each setting and its distance from photographs, and what was fitted.

    Parameters
    ----------
    complexity : mapping of str to dict
        What was measured, by setting; empty where nothing was.
    distances : dict
        What `syn2real.complexity.against.measure_distances` returned; empty where nothing was measured.
    fits : dict
        The fits of an experiment with these settings by one method or both; empty where it measures
        complexity alone.
    settings : sequence of str
        The settings, from the least to the most complex: the axis where no complexity was measured.

    Returns
    -------
    Figure
        A row a setting by falling -H, with its standard error, and its distance from each target beside it;
        below, where there are fits, a row a method with a panel for α and one for C. Their bars are standard
        errors where the method gives them, else 95 % intervals, an open end drawn to the panel's edge; a
        hollow mark is an estimate that the measurements do not identify.
    """
    order = sorted(complexity, key=lambda name: -complexity[name]["negative_entropy"]) or [*settings[::-1]]
    methods = by_method([curve for curve in fits.get("curves", ()) if curve["fit"]])
    heights = [1.4 + 0.35 * len(order)] * bool(complexity)
    heights += [4.2 if complexity else 4.2 + 0.1 * max(map(len, order))] * len(methods)
    figure = Figure(figsize=(9.5, sum(heights) or 2.0), layout="constrained")
    if not heights:
        figure.suptitle("no curve could be fitted, and no complexity was measured")
        return figure
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    colours = dict(zip(order, shades(len(order)), strict=True))
    if complexity:
        axes = parts[0].subplots(1, 1 + bool(distances), sharey=True, squeeze=False)[0]
        _settings(axes[0], complexity, order, colours)
        if distances:
            _distances(axes[1], distances["distances"], order, colours)
    for part, curves in zip(parts[bool(complexity) :], methods, strict=True):
        if len(methods) > 1:
            part.suptitle(method_name(curves), fontweight="bold")
        _part(part, curves, methods, complexity, colours)
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


def _distances(
    ax: Axes, rows: Sequence[Mapping[str, Any]], order: list[str], colours: Mapping[str, Any]
) -> None:
    """Draw how far the settings are from each target's images, a mark for each target."""
    targets = list(dict.fromkeys(row["target"] for row in rows))
    for target, mark in zip(targets, "osD^vP*X<>" * len(targets), strict=False):
        mine = {row["setting"]: row for row in rows if row["target"] == target}
        for place, name in enumerate(order):
            value, error = mine[name]["distance"], mine[name]["standard_error"] or 0.0
            ax.errorbar([value], [place], xerr=[[error], [error]], fmt=mark, color=colours[name], capsize=3)
        ax.plot([], [], mark, color="grey", label=target)
    ax.set_xlabel(
        "kernel distance from the target's images"
        if len(targets) > 1
        else f"kernel distance from {targets[0]}"
    )
    ax.grid(axis="x", alpha=0.3)
    if len(targets) > 1:
        ax.legend(fontsize="small", frameon=False)


def _part(
    part: FigureBase,
    curves: Curves,
    methods: list[Curves],
    measured: Mapping[str, Mapping[str, Any]],
    colours: Mapping[str, Any],
) -> None:
    """Draw α and C of the curves of one method, on axes that all methods share."""
    for ax, (name, title) in zip(part.subplots(1, 2), NAMES.items(), strict=True):
        limits = axis_ends([curve["fit"]["params"][name] for mine in methods for curve in mine])
        _parameter(ax, name, curves, measured, colours, limits[1])
        ax.set(ylabel=title, ylim=limits)
        if measured:
            ax.set_xlabel("negative entropy -H, nats")
        else:
            names = [*colours][::-1]
            ax.set_xticks(range(len(names)), names, rotation=90)
    if not measured:
        part.supxlabel(ORDERED, fontsize="small")


def _parameter(
    ax: Axes,
    name: str,
    curves: Curves,
    measured: Mapping[str, Mapping[str, Any]],
    colours: Mapping[str, Any],
    end: float,
) -> None:
    """Draw one parameter of every curve against its setting's negative entropy, or its place among all."""
    places = {setting: float(place) for place, setting in enumerate([*colours][::-1])}
    # Settings have their colours; what else separates curves has a mark.
    others = [{c: curve["curve"].get(c) for c in IDENTITY if c != "setting"} for curve in curves]
    labels = curve_labels(others)
    marks = dict(zip(dict.fromkeys(labels), MARKS * len(labels), strict=False))
    for curve, label in zip(curves, labels, strict=True):
        setting, estimate = curve["curve"]["setting"], curve["fit"]["params"][name]
        if not shown(estimate):
            continue
        result = measured.get(setting, {"negative_entropy": places[setting], "standard_error": 0.0})
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
    if len(marks) > 1:
        handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        ax.legend(handles.values(), handles.keys(), fontsize="small", frameon=False)
