"""What the figures share: style, names of curves, saving."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from textwrap import fill
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from syn2real.files import atomic, read_json
from syn2real.laws.columns import differing
from syn2real.laws.reading import read_own_csv
from syn2real.laws.results import FIXED, SETTLED, UNSETTLED, identified
from syn2real.laws.table import FEWEST, Curve, read_curves, rows_of

mpl.use("Agg")
style.use("petroff10")
mpl.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
# The same drawing gives the same bytes: no dates, no random element names.
mpl.rcParams["svg.hashsalt"] = "syn2real"
mpl.rcParams["svg.fonttype"] = "path"

Colour = str | tuple[float, ...]
COLOURS: list[Any] = mpl.color_sequences["petroff10"]
"""Of curves: readable with any colour vision."""

IDENTITY = ("setting", "ptask", "ftask", "target", "model", "initial", "arm", "rate", "s", "recipe")
"""Columns that name a curve, in the order a label shows them."""
PANELLED = ("ftask", "target")
"""Columns whose values have a panel each."""
UNSTABLE = 1.0
"""A standard error above it leaves an estimate out."""
MARGIN = 1.1
"""Of an axis beyond the largest estimate."""
WIDEST = 13.0
"""Inches: the parts of two methods stand beside each other up to here, else above each other."""
PANEL = (6.4, 5.0)
"""Width and height of a panel of errors, inches."""
LETTER, HANDLE, LINE = 0.085, 0.7, 0.22
"""Inches that a legend takes: a letter, a handle with its spaces, a line."""
MARKS = "osD^vP*X<>"
"""Of curves that share a colour, the first for the first ten curves."""
WRAPPED, NARROW = 60, 36
"""Letters a line of a curve's label, and of a small panel's title."""
UNNAMED = "-"
"""The task or the target of a table that does not name it."""


class Look(NamedTuple):
    """How a curve is drawn; no two of the first hundred look the same.

    Attributes
    ----------
    colour : str or tuple of float
    mark : str
        Of its mean errors.
    """

    colour: Colour
    mark: str = "o"


Curves = list[dict[str, Any]]
Shown = list[tuple[dict[str, Any], str, Look]]
"""Curves, each with its label and its look."""


def save(figure: Figure, outputs: Mapping[str, str]) -> None:
    """Write a figure to each of `outputs` ("svg", "png"), atomically and without a date."""
    for kind, path in outputs.items():
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        with atomic(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=150, bbox_inches="tight", metadata=metadata)


def read_input(need: str, files: Sequence[str]) -> Any:
    """Read what a figure is drawn from.

    Parameters
    ----------
    need : str
        What the figure needs, by its name in NEEDS.
    files : sequence of str
        The CSV or JSON file that holds it. Complexity has a JSON file for each setting, fits one a method.

    Returns
    -------
    DataFrame or dict
        The table, or what the JSON holds: of complexity by setting, of fits the curves of all methods. Empty
        where there is no file.
    """
    if need == "complexity":
        return {result["setting"]: result for result in map(read_json, files)}
    if not files:
        return {}
    if files[0].endswith(".csv"):
        return read_own_csv(files[0])
    found = [read_json(file) for file in files]
    return found[0] if len(found) == 1 else {"curves": [curve for one in found for curve in one["curves"]]}


def by_paper(curve: dict[str, Any]) -> bool:
    """Say whether a curve was fitted by the paper's own method."""
    return bool(curve.get("method") == "paper")


def method_parts(
    curves: Curves, width: float, height: float
) -> tuple[Figure, list[tuple[FigureBase, Curves]]]:
    """Return a figure with a part for each method that fitted the curves, and that method's curves.

    Parameters
    ----------
    curves : list of dict
        Fits of one method, or of the paper's and the default one.
    width, height : float
        Of one part, inches.

    Returns
    -------
    figure : Figure
    parts : list of (FigureBase, list of dict)
        The figure itself where there is one method; else the paper's first, each under its method's name.
    """
    groups = by_method(curves)
    if len(groups) < 2:
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, [(figure, curves)]
    beside = 2 * width <= WIDEST
    size = (2 * width, height + 0.4) if beside else (width, 2 * (height + 0.4))
    figure = Figure(figsize=size, layout="constrained")
    parts = figure.subfigures(*((1, 2) if beside else (2, 1)), squeeze=False).ravel()
    for part, group in zip(parts, groups, strict=True):
        part.suptitle(method_name(group), fontweight="bold")
    return figure, list(zip(parts, groups, strict=True))


def by_method(curves: Curves) -> list[Curves]:
    """Return the curves that the paper's method fitted, then those of the default one; none that is empty."""
    groups = [[c for c in curves if by_paper(c) == paper] for paper in (True, False)]
    return [group for group in groups if group]


def method_name(curves: Curves) -> str:
    """Name the method that fitted curves, with the D where all have the same."""
    if not by_paper(curves[0]):
        return f"the default method ({curves[0]['method'].replace('-', ' ')})"
    held = [c["fit"]["params"]["D"] for c in curves if c["fit"] and "D" in c["fit"]["params"]]
    common = [d for d in held if d["status"] in (FIXED, SETTLED, UNSETTLED)]
    return "the paper's method" + (f" (D = {common[0]['value']:.3g})" if common else "")


def panel_axes(part: FigureBase, points: pd.DataFrame) -> list[tuple[Axes, str, str]]:
    """Return a panel for each fine-tuning task and target: (axes, task, target)."""
    places = panels(points)
    axes = part.subplots(1, len(places), squeeze=False)[0]
    return [(ax, *place) for ax, place in zip(axes, places, strict=True)]


def small_panels(count: int, width: float, height: float, columns: int = 4) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels in rows; width and height are of a panel, inches."""
    rows, columns = -(-max(count, 1) // columns), min(columns, max(count, 1))
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    return figure, list(axes[:count])


def measured_curves(points: pd.DataFrame) -> list[tuple[Curve, str]]:
    """Return the curves of a points table that have enough sizes for a law, each with its panel's title."""
    unit = "loss" if points["error"].max() > 1 else "rate"
    curves = [c for c in read_curves(points, allow_unfitted=True, unit=unit)[0] if len(c.n) >= FEWEST]
    titles = [fill(label, NARROW) for label in curve_labels([curve.identity for curve in curves])]
    return list(zip(curves, titles, strict=True))


def share_limits(parts: Sequence[FigureBase]) -> None:
    """Give the panels at the same place of each part the same limits, so that methods can be compared."""
    for axes in zip(*(part.axes for part in parts), strict=False):
        for get, put in (("get_xlim", "set_xlim"), ("get_ylim", "set_ylim")):
            ends = np.array([getattr(ax, get)() for ax in axes])
            for ax in axes:
                getattr(ax, put)(ends[:, 0].min(), ends[:, 1].max())


def method_panels(
    points: pd.DataFrame,
    curves: Curves,
    stand_ins: list[str],
    ylabel: str,
    draw: Callable[[Axes, pd.DataFrame, Shown], None],
    below: float = 0.0,
) -> Figure:
    """Return a figure with a log-log panel a fine-tuning task and target, for each method that fitted.

    Parameters
    ----------
    points : pandas.DataFrame
        A points table, a row a run.
    curves : list of dict
        Fits by one method or both.
    stand_ins : list of str
        Targets that are rendered stand-ins; their panels say so.
    ylabel : str
        Of all panels.
    draw : callable
        Draws a panel: its axes, points and curves, whose labels and colours are the same in all panels.
    below : float
        Room below each panel for a legend of its own, inches; without it all panels share one.
    """
    width, height = PANEL[0] * len(panels(points)), PANEL[1]
    shown = coloured(curves)
    figure, parts = method_parts(curves, width, height + below)
    drawn: list[Axes] = []
    for part, mine in parts:
        for ax, ftask, target in panel_axes(part, points):
            here = points[(points["ftask"] == ftask) & (points["target"] == target)]
            ax.set(xscale="log", yscale="log")
            draw(ax, here, [one for one in shown if any(one[0] is c for c in inside(mine, ftask, target))])
            title = panel_title(ftask, target, stand_ins)
            ax.set(xlabel="pre-training images n", ylabel=ylabel, title=title)
            drawn.append(ax)
    share_limits([part for part, _ in parts])
    for ax in drawn:
        label_errors(ax)
    if not below:
        _share_legend(figure, drawn)
    return figure


def _share_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Draw one legend of all panels below them; the figure grows by its height."""
    handles = {
        label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    if handles:
        width, height = figure.get_size_inches()
        lines = [label.split("\n") for label in handles]
        columns = max(1, int(width / (LETTER * max(len(line) for label in lines for line in label) + HANDLE)))
        rows = -(-len(handles) // columns)
        figure.set_size_inches(width, height + LINE * rows * max(map(len, lines)))
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside lower center",
            ncols=columns,
            fontsize="small",
            frameon=False,
        )


def panels(points: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the fine-tuning tasks and targets of a points table, each pair once: a panel each."""
    return list(points[["ftask", "target"]].drop_duplicates().itertuples(index=False, name=None))


def inside(curves: list[dict[str, Any]], ftask: str, target: str) -> list[dict[str, Any]]:
    """Return the curves of a panel."""
    return [c for c in curves if (c["curve"]["ftask"], c["curve"]["target"]) == (ftask, target)]


def panel_title(ftask: str, target: str, stand_ins: list[str]) -> str:
    """Return a panel's title, of what the table names; it says that a target is not real data."""
    note = "\n(rendered stand-in, no photographs)" if target in stand_ins else ""
    return " on ".join(name for name in (ftask, target) if name != UNNAMED) + note


def curve_labels(curves: list[dict[str, Any]]) -> list[str]:
    """Return a label for each curve, in lines: the values of those columns that differ among the curves."""
    differ = differing(curves)
    own = [column for column in differ if column not in IDENTITY]
    columns = [*(column for column in IDENTITY if column in differ), *own] or ["setting"]
    labels = (", ".join(_text(column, curve.get(column)) for column in columns) for curve in curves)
    return [fill(label, WRAPPED, break_on_hyphens=False) for label in labels]


def coloured(curves: Curves) -> Shown:
    """Return each curve with a label and a look, the same in the panels of all tasks and targets."""
    labels = curve_labels([{k: v for k, v in c["curve"].items() if k not in PANELLED} for c in curves])
    looks = cycle(Look(colour, mark) for mark in MARKS for colour in COLOURS)
    look = dict(zip(dict.fromkeys(labels), looks, strict=False))
    return [(curve, label, look[label]) for curve, label in zip(curves, labels, strict=True)]


def shades(count: int) -> list[Colour]:
    """Return colours of things in an order, from dark to light."""
    return [mpl.colormaps["viridis"](part) for part in np.linspace(0, 1, count + 2)[1:-1]]


def _text(column: str, value: Any) -> str:
    return {"s": f"s = {value}", "rate": f"rate {value}"}.get(column, str(value))


def pretrained(points: pd.DataFrame, curve: dict[str, Any]) -> pd.DataFrame:
    """Return a curve's runs with pre-training."""
    return points[rows_of(points, curve["curve"]) & (points["n"] > 0)]


def draw_means(ax: Axes, means: pd.Series, look: Look, label: str) -> None:
    """Draw mean errors, indexed by a size, as marks with a rim."""
    ax.plot(means.index, means, look.mark, color=look.colour, ms=7, mec="white", label=label, zorder=4)


def predicted(curve: dict[str, Any]) -> pd.DataFrame:
    """Return a curve's predictions, numbers by rising n; no row where it could not be fitted."""
    columns = ["n", "law", "error", "lower", "upper", "predict_lower", "predict_upper"]
    return pd.DataFrame(curve["predictions"], columns=columns, dtype=float).sort_values("n")


def label_errors(ax: Axes) -> None:
    """Label a logarithmic error axis, whose limits are final, in plain numbers that do not overlap.

    Evenly where it spans less than a factor of three, by a few digits of each decade up to two and a half
    decades, else by decades.
    """
    low, high = ax.get_ylim()
    decades = np.log10(high / low)
    if high < 3 * low:
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_minor_locator(NullLocator())
    elif decades < 2.5:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades > 1 else (1, 2, 3, 5, 7)))
    ax.yaxis.set_major_formatter("{x:.4g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="y", which="both", labelsize="small")


def cut(ax: Axes, top: float, bottom: float = 0.0) -> None:
    """End an error axis at the most that an error can be, and begin it at `bottom`, if it goes beyond."""
    low, high = ax.get_ylim()
    ax.set_ylim(max(low, bottom), min(high, top))


def shown(estimate: dict[str, Any]) -> bool:
    """Say whether an estimate is drawn: not where its standard error is above 1, as in the paper (C.1)."""
    return float(estimate.get("standard_error") or 0.0) <= UNSTABLE


def ends(estimate: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return the ends of an estimate's bar: a standard error to each side, or its interval."""
    error = estimate.get("standard_error")
    if error is None:
        return estimate["lower"], estimate["upper"]
    return estimate["value"] - error, estimate["value"] + error


def end_of_axis(estimates: list[dict[str, Any]]) -> float:
    """Return where an axis from 0 ends that shows estimates with their bars."""
    finite = [v for e in estimates if shown(e) for v in (e["value"], *ends(e)) if v is not None]
    return MARGIN * max(finite, default=1.0) or 1.0


def axis_ends(estimates: Curves) -> tuple[float, float]:
    """Return the ends of an axis that shows estimates with their bars: from 0 where they come near it."""
    high = end_of_axis(estimates)
    drawn = [0.0 if ends(e)[0] is None else min(ends(e)[0], e["value"]) for e in estimates if shown(e)]
    low, top = min(drawn, default=0.0), high / MARGIN
    margin = (MARGIN - 1) * (top - low) or 0.01 * top
    return (low - margin, top + margin) if low > 0.5 * high else (0.0, high)


def bar_to_edge(estimate: dict[str, Any], end: float) -> np.ndarray:
    """Return a bar as `error_bars` does, an open end drawn to the edge of an axis from 0 to `end`."""
    low, high = ends(estimate)
    return error_bars(0.0 if low is None else low, estimate["value"], end if high is None else high)


def error_bars(low: float, middle: float, high: float) -> np.ndarray:
    """Return the lengths of error bars, shape (2, 1): below and above the middle; never negative."""
    return np.clip([[middle - low], [high - middle]], 0, None)


def face(estimate: dict[str, Any]) -> str | None:
    """Return the face of an estimate's mark: white, so hollow, where the measurements do not identify it."""
    return None if identified(estimate) else "white"
