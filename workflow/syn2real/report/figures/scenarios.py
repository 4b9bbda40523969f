"""What more images can reach against the target: the decision chart, Figure 3 of the paper (§3.3)."""

from functools import partial
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.laws.forms.simple import LAW
from syn2real.laws.results import Rows
from syn2real.report.figures.base import (
    MARKS,
    Shown,
    by_paper,
    error_bars,
    inside,
    method_panels,
    panels,
    predicted,
    pretrained,
)

TITLE = "decision chart: what more images can reach"
NEEDS = ("points", "fits", "advice", "stand_ins")

COLOURS = {"reached": "C0", "b": "C0", "c": "C2", "d": "C1", "open": "C3"}
"""Of the scenarios; b, c and d are the paper's."""
APART = 1.09
"""By which factor of n the bars of two curves stand apart."""
WRAPPED = 62
"""Letters a line of the words below a panel."""


def draw(points: pd.DataFrame, fits: dict[str, Any], advice: dict[str, Any], stand_ins: list[str]) -> Figure:
    """Draw each curve to the most images there can be, and whether the target lies on its way.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.
    fits : dict
        The fits of that table with the simple law, by one method or both, with predictions.
    advice : dict
        What `advise_table` returned for it.
    stand_ins : list of str
        Targets that are rendered stand-ins; their panels say so.

    Returns
    -------
    Figure
        A log-log panel a fine-tuning task and target, for each method. Lines are solid where measured, dashed
        beyond. Their colour is the scenario: by the default method that of the advice, by the paper's that of
        its point estimates.
    """
    most = max(len(inside(advice["curves"], *place)) for place in panels(points))
    panel = partial(_panel, advice=advice)
    return method_panels(points, fits["curves"], stand_ins, "test error", panel, below=0.45 * most)


def _panel(ax: Axes, points: pd.DataFrame, shown: Shown, advice: dict[str, Any]) -> None:
    """Draw the curves of one task and target, with a line of words on each below the panel."""
    target, limit = advice["target_error"], 0.0
    for place, (curve, label, _) in enumerate(shown):
        advised = next(one for one in advice["curves"] if one["curve"] == curve["curve"])
        scenario, words = _by_estimates(curve, advised, target) if by_paper(curve) else _by_advice(advised)
        colour = COLOURS[scenario]
        means = pretrained(points, curve).groupby("n")["error"].mean()
        mark = MARKS[place % len(MARKS)]
        ax.plot(means.index, means, mark, color=colour, ms=6, label=fill(f"{label}: {words}", WRAPPED))
        if curve["fit"] and advised["probabilities"]:
            limit = max(limit, advised["limit_n"])
            _line(ax, curve, advised, colour, APART**place)
    ax.axhline(target, color="black", lw=1.2)
    ax.annotate("target", (0.01, target), xycoords=("axes fraction", "data"), va="bottom", fontsize="small")
    if limit:
        ax.axvline(limit, color="grey", ls=":", lw=1)
    ax.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(0, -0.14))


def _line(ax: Axes, curve: dict[str, Any], advised: dict[str, Any], colour: str, aside: float) -> None:
    """Draw a curve's law, or forecast, to the most images there can be; `aside` is where its bar stands."""
    most, limit = curve["n_max"], max(advised["limit_n"], curve["n_max"])
    if by_paper(curve):
        sizes = np.geomspace(curve["n_min"], limit, 60)
        params = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
        errors = LAW.predict(params, Rows.at(sizes))
    else:
        frame = predicted(curve)
        frame = frame[(frame["n"] >= curve["n_min"]) & (frame["n"] < limit)]
        sizes, errors = np.append(frame["n"], limit), np.append(frame["error"], advised["error_at_limit"])
        bar = error_bars(advised["error_at_limit_lower"], errors[-1], advised["error_at_limit_upper"])
        ax.errorbar([limit * aside], errors[-1:], yerr=bar, color=colour, capsize=3, lw=1.2)
    ax.plot(sizes[sizes <= most], errors[sizes <= most], "-", color=colour, lw=1.6)
    ax.plot(sizes[sizes >= most], errors[sizes >= most], "--", color=colour, lw=1.6)


def _by_advice(advised: dict[str, Any]) -> tuple[str, str]:
    """Return the scenario of a curve and its words, as the advice has them."""
    verdict, chances = advised["verdict"], advised["probabilities"]
    if chances is None or verdict.startswith("undetermined"):
        return "open", verdict
    if "reached already" in verdict:
        return "reached", verdict
    if advised["lever"] == "render more":
        need = advised["required_n"]["median"]
        return "b", "(b) render more" + (f", about {_round(need)} images" if need else "")
    if chances["unreachable"] >= chances["beyond"]:
        return "c", f"(c) gap above the target; {verdict}"
    return "d", f"(d) too slow for {advised['limit_n']:,.0f} images; {verdict}"


def _by_estimates(curve: dict[str, Any], advised: dict[str, Any], target: float) -> tuple[str, str]:
    """Return the scenario of a curve and its words, as the paper reads them off α and C."""
    if not curve["fit"]:
        return "open", "no fit"
    params = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
    if LAW.predict(params, Rows.at(curve["n_max"]))[0] <= target:
        return "reached", "reached already"
    if params["C"] >= target:
        return "c", "(c) gap above the target: change the rendering"
    need = float((params["D"] / (target - params["C"])) ** (1 / params["alpha"]))
    limit = advised.get("limit_n", curve["n_max"])
    if need <= limit:
        return "b", f"(b) render more, about {_round(need)} images"
    return "d", f"(d) too slow, about {_round(need)} images: change the rendering"


def _round(n: float) -> str:
    """Return a number of images to two digits."""
    return f"{float(f'{n:.2g}'):,.0f}"
