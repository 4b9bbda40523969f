"""What the figures share: style, names of curves, saving."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from syn2real.files import atomic, read_json
from syn2real.laws.columns import differing
from syn2real.laws.results import identified
from syn2real.laws.table import rows_of

mpl.use("Agg")
sns.set_theme(style="ticks", context="notebook", palette="colorblind")
# The same drawing gives the same bytes: no dates, no random element names.
mpl.rcParams["svg.hashsalt"] = "syn2real"
mpl.rcParams["svg.fonttype"] = "path"

Colour = str | tuple[float, float, float]

IDENTITY = ("setting", "ptask", "ftask", "target", "model", "s", "recipe")
"""Columns that name a curve, in the order a label shows them."""


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
        The CSV or JSON file that holds it. Complexity has a JSON file for each setting.

    Returns
    -------
    DataFrame or dict
        The table, or what the JSON holds: of complexity by setting. Empty where there is no file.
    """
    if need == "complexity":
        return {result["setting"]: result for result in map(read_json, files)}
    if not files:
        return {}
    (file,) = files
    return pd.read_csv(file) if file.endswith(".csv") else read_json(file)


def panel_figure(points: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, str, str]]]:
    """Return a figure with a panel for each fine-tuning task and target: (axes, task, target)."""
    places = panels(points)
    figure = Figure(figsize=(6.4 * len(places), 5.0), layout="constrained")
    axes = figure.subplots(1, len(places), squeeze=False)[0]
    return figure, [(ax, *place) for ax, place in zip(axes, places, strict=True)]


def panels(points: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the fine-tuning tasks and targets of a points table, each pair once: a panel each."""
    return list(points[["ftask", "target"]].drop_duplicates().itertuples(index=False, name=None))


def inside(curves: list[dict[str, Any]], ftask: str, target: str) -> list[dict[str, Any]]:
    """Return the curves of a panel."""
    return [c for c in curves if (c["curve"]["ftask"], c["curve"]["target"]) == (ftask, target)]


def panel_title(ftask: str, target: str, stand_ins: list[str]) -> str:
    """Return a panel's title, which says that a target is not real data."""
    note = " (rendered stand-in, no photographs)" if target in stand_ins else ""
    return f"{ftask} on {target}{note}"


def curve_labels(curves: list[dict[str, Any]]) -> list[str]:
    """Return a short label for each curve: the values of those columns that differ among the curves."""
    differ = differing(curves)
    columns = [column for column in IDENTITY if column in differ] or ["setting"]
    return [", ".join(_text(column, curve.get(column)) for column in columns) for curve in curves]


def coloured(curves: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str, Colour]]:
    """Return each curve with its label and its colour."""
    labels = curve_labels([curve["curve"] for curve in curves])
    colours = sns.color_palette("colorblind", max(len(curves), 1))
    return list(zip(curves, labels, colours, strict=False))


def _text(column: str, value: Any) -> str:
    return f"s = {value}" if column == "s" else str(value)


def pretrained(points: pd.DataFrame, curve: dict[str, Any]) -> pd.DataFrame:
    """Return a curve's runs with pre-training."""
    return points[rows_of(points, curve["curve"]) & (points["n"] > 0)]


def draw_means(ax: Axes, means: pd.Series, colour: Colour, label: str) -> None:
    """Draw mean errors, indexed by a size, as dots with a rim."""
    ax.plot(means.index, means, "o", color=colour, ms=7, mec="white", label=label, zorder=4)


def predicted(curve: dict[str, Any]) -> pd.DataFrame:
    """Return a curve's predictions, numbers by rising n; no row where it could not be fitted."""
    columns = ["n", "law", "error", "lower", "upper", "predict_lower", "predict_upper"]
    return pd.DataFrame(curve["predictions"], columns=columns, dtype=float).sort_values("n")


def cut(ax: Axes, top: float) -> None:
    """End an error axis at the most that an error can be, if it goes beyond."""
    ax.set_ylim(top=min(ax.get_ylim()[1], top))


def end_of_axis(estimates: list[dict[str, Any]]) -> float:
    """Return where an axis from 0 ends that shows estimates with their intervals."""
    finite = [v for e in estimates for v in (e["lower"], e["value"], e["upper"]) if v is not None]
    return 1.1 * max(finite, default=1.0) or 1.0


def bar_to_edge(estimate: dict[str, Any], end: float) -> np.ndarray:
    """Return an interval as `error_bars` does, an open end drawn to the edge of an axis from 0 to `end`."""
    low = 0.0 if estimate["lower"] is None else estimate["lower"]
    high = end if estimate["upper"] is None else estimate["upper"]
    return error_bars(low, estimate["value"], high)


def error_bars(low: float, middle: float, high: float) -> np.ndarray:
    """Return the lengths of error bars, shape (2, 1): below and above the middle; never negative."""
    return np.clip([[middle - low], [high - middle]], 0, None)


def face(estimate: dict[str, Any]) -> str | None:
    """Return the face of an estimate's mark: white, so hollow, where the measurements do not identify it."""
    return None if identified(estimate) else "white"
