"""The theory's three figures: laws against the recursion, networks against it, and the bound's exponents."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.forms import additive, full
from syn2real.laws.results import Rows
from syn2real.report.figures.base import COLOURS, save, shades

LAWS = {"full": (full.LAW, "-", "law (2), multiplied"), "additive": (additive.LAW, ":", "additive law")}
SHOWN = 5  # sizes s of a panel: a colour each
REAL = (3, 6)
"""Decades of s that are measured in practice."""
GIVEN = {"r0": "r0", "r1": "r1", "xi": "ξ", "zeta": "ζ"}
DISTANCES = {
    "own": ("own kernel, penalty start", "o"),
    "infinite": ("infinite width, penalty start", "s"),
    "origin": ("own kernel, penalty origin (34)", "^"),
}


def save_figures(points: pd.DataFrame, fits: dict[str, Any], folder: dict[str, str]) -> None:
    """Draw and save the figures.

    Parameters
    ----------
    points : DataFrame
        The points of a theory experiment.
    fits : dict
        Its fits.json.
    folder : dict of str to str
        The SVG to write of ``laws``, ``network`` and ``exponents``.
    """
    drawn = {
        "laws": draw_laws(points, fits),
        "network": draw_network(fits),
        "exponents": draw_exponents(fits),
    }
    for name, figure in drawn.items():
        save(figure, {"svg": folder[name]})


def draw_laws(points: pd.DataFrame, fits: dict[str, Any]) -> Figure:
    """Draw errors against n for each s with both laws: all updated, then the head only.

    The panels are the first setting of each kind, at its middle |φ1|.
    """
    figure = Figure(figsize=(12.5, 5.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, update, title in zip(axes, ("all", "head"), ("all updated", "head only"), strict=True):
        mine = [
            entry for entry in fits["laws"] if entry["update"] == update and entry["source"] == "recursion"
        ]
        if not mine:
            ax.text(0.5, 0.5, "no setting of this kind", transform=ax.transAxes, ha="center")
            continue
        same = [entry for entry in mine if entry["setting"] == mine[0]["setting"]]
        entry = same[len(same) // 2]
        here = (points["setting"] == entry["setting"]) & (points["phi1"] == entry["phi1"])
        _laws_panel(ax, points[here], entry["fits"])
        rms = ", ".join(f"{name} {entry['fits'][name]['rms']:.3f}" for name in LAWS)
        ax.set_title(f"{title}, |φ1| = {entry['phi1']:g}\nRMS of log error: {rms}")
    handles = {
        label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside right center", fontsize="small", frameon=False
    )
    return figure


def _laws_panel(ax: Axes, points: pd.DataFrame, found: dict[str, Any]) -> None:
    """Draw one setting: dots are exact errors, lines the laws."""
    sizes = sorted(points["s"].unique())
    shown = [sizes[round(place)] for place in np.linspace(0, len(sizes) - 1, min(SHOWN, len(sizes)))]
    grid = np.geomspace(points["n"].min(), points["n"].max(), 80)
    for s, colour in zip(shown, shades(len(shown)), strict=True):
        rows = points[points["s"] == s]
        ax.plot(rows["n"], rows["error"], "o", color=colour, ms=6, mec="white", label=f"s = {s:,}")
        for name, (law, style, _) in LAWS.items():
            params = found[name]["params"]
            if None not in params.values():
                ax.plot(grid, law.predict(params, Rows.at(grid, s)), style, color=colour, lw=1.5)
    for _, style, label in LAWS.values():
        ax.plot([], [], style, color="grey", label=label)
    ax.set(xscale="log", yscale="log", xlabel="pre-training samples n", ylabel="expected squared error")


def draw_network(fits: dict[str, Any]) -> Figure:
    """Draw the distance of network and recursion against the width, with slopes."""
    found = fits["network"]
    figure = Figure(figsize=(6.8, 5.0), layout="constrained")
    ax = figure.subplots()
    widths = np.array(found["widths"], float)
    for name, (label, marker) in DISTANCES.items():
        far, slope = np.array(found["distances"][name]), found["slopes"][name]
        (line,) = ax.plot(widths, far, marker, ms=7, label=f"{label}: slope {slope:.2f}")
        # The regression's line, through the means of the logarithms.
        middle = np.exp(np.log(far).mean() + slope * (np.log(widths) - np.log(widths).mean()))
        ax.plot(widths, middle, "-", color=line.get_color(), lw=1.2)
    ax.set(xscale="log", yscale="log", xlabel="hidden units M", ylabel="largest |network - recursion|")
    ax.set_xticks(widths, [f"{width:.0f}" for width in widths])
    ax.minorticks_off()
    ax.set_title(f"n = {found['n']}, s = {found['s']}, measured ξ = {found['xi']:.2f}")
    ax.legend(fontsize="small", frameon=False)
    return figure


def draw_exponents(fits: dict[str, Any]) -> Figure:
    """Draw the bound's local exponents against s with their asymptotes, and where real sizes lie."""
    figure = Figure(figsize=(11.5, 4.8), layout="constrained")
    axes = figure.subplots(1, 2)
    n = fits["local"][0]["n"]
    for ax, name, letter in zip(axes, ("alpha", "beta"), "αβ", strict=True):
        ax.axvspan(*REAL, color="0.9", label="sizes measured in practice")
        for entry, colour in zip(fits["local"], COLOURS, strict=False):
            given = ", ".join(f"{sign} {entry[key]:g}" for key, sign in GIVEN.items())
            ax.plot(entry["log10_s"], entry[name], color=colour, lw=1.8, label=f"{entry['case']}: {given}")
            ax.axhline(entry["asymptotic"][name], color=colour, ls="--", lw=1)
        ax.set(xlabel="log10 of fine-tuning samples s", ylabel=f"local exponent {letter} of the bound")
        ax.set(xlim=(0, entry["log10_s"][-1]), ylim=(0, None))
        ax.set_title(f"{letter} at n = {n:,}; dashed: where it goes")
    axes[0].legend(fontsize="x-small", frameon=False, loc="best")
    return figure
