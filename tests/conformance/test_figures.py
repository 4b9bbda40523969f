"""Every figure: drawn from what it needs and nothing else, with a caption, and legible."""

import inspect
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.extrapolation import extrapolate
from syn2real.plugins import constant, load, names

CAPTIONS = Path(__file__).parents[2] / "workflow/report"
FIGURES = names("report.figures")
START = 64000
"""The n below which the extrapolation fits, images."""


def _points() -> pd.DataFrame:
    """Errors of two models at several n and s, with one run without pre-training for each s."""
    curve = {"recipe": "r", "setting": "room", "ptask": "normal", "ftask": "semseg", "target": "rooms"}
    random = np.random.default_rng(0)
    rows = []
    for model, n_params in (("resnet18", 11.7e6), ("resnet50", 25.6e6)):
        for s in (1000, 4000, 16000):
            rows.append(curve | {"model": model, "n_params": n_params, "s": s, "n": 0, "error": 0.9})
            for n in 1000 * 4 ** np.arange(5):
                error = 3 * (0.5 * (11.7e6 / n_params) ** 0.3 + n**-0.4) * s**-0.2
                noisy = error * np.exp(0.005 * random.standard_normal())
                rows.append(rows[-1] | {"n": n, "error": noisy})
    return pd.DataFrame(rows).assign(seed=0)


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    """What any figure may need, by name."""
    points = _points()
    needed = {need for figure in FIGURES for need in constant("report.figures", figure, "NEEDS")}
    sizes = sorted(float(n) for n in points["n"].unique() if n)
    given = {
        "points": points,
        "stand_ins": ["rooms"],
        "settings": ["room"],
        "advice": advise_table(points, 0.5),
        "fits": fit_table(points, predict_at=sizes),
        "extrapolation": extrapolate(points, START),
        "distances": {
            "distances": [
                {"setting": "room", "target": target, "distance": 0.2, "standard_error": 0.1}
                for target in ("rooms", "other-rooms")
            ]
        },
        "complexity": {"room": {"setting": "room", "negative_entropy": -40.0, "standard_error": 1.0}},
    }
    return given | {law: fit_table(points, law=law) for law in needed - {*given}}


@pytest.fixture(scope="module")
def by_both(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same with the fits of the paper's method before those of the default one."""
    sizes = sorted(float(n) for n in inputs["points"]["n"].unique() if n)
    laws = {"simple" if need == "fits" else need: need for need in ("fits", "full", "size")}
    both = dict(inputs)
    for law, need in laws.items():
        paper = fit_table(inputs["points"], law=law, method="paper", predict_at=sizes)
        both[need] = {"curves": paper["curves"] + inputs[need]["curves"]}
    both["extrapolation"] = extrapolate(inputs["points"], START, paper={"fix_D": 0.48})
    return both


@pytest.fixture(
    params=[(figure, which) for figure in FIGURES for which in ("inputs", "by_both")], ids="-".join
)
def figure(request: pytest.FixtureRequest) -> Figure:
    """A figure as its rule draws it, by one method and by two, laid out."""
    name, which = request.param
    module, given = load("report.figures", name), request.getfixturevalue(which)
    drawn: Figure = module.draw(**{need: given[need] for need in module.NEEDS})
    FigureCanvasAgg(drawn)
    drawn.canvas.draw()
    return drawn


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_needs_and_has_a_title_and_a_caption(name: str) -> None:
    module = load("report.figures", name)
    assert constant("report.figures", name, "NEEDS") == module.NEEDS, "Snakemake reads it as a literal"
    assert tuple(inspect.signature(module.draw).parameters) == module.NEEDS
    assert constant("report.figures", name, "TITLE")
    assert (CAPTIONS / f"{name}.rst").read_text(encoding="utf-8").strip()


def test_every_axis_is_labelled(figure: Figure) -> None:
    axes = _visible(figure)
    assert axes
    for ax in axes:
        shared = [figure.get_supxlabel(), figure.get_supylabel()]
        for axis, label in zip((ax.xaxis, ax.yaxis), shared, strict=True):
            named = all(not _number(text) for text in _ticks(axis))
            assert axis.get_label_text() or label or named or not _ticks(axis), ax.get_title()


def test_no_text_covers_another_or_leaves_the_figure(figure: Figure) -> None:
    renderer = figure.canvas.get_renderer()
    shown = []
    for ax in _visible(figure):
        shown += [ax.title, ax.xaxis.label, ax.yaxis.label, *_ticks(ax.xaxis), *_ticks(ax.yaxis)]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown if text.get_text()]
    for (one, box), (other, another) in combinations(boxes, 2):
        # Half a pixel is rounding.
        apart = not box.padded(-0.5).overlaps(another.padded(-0.5))
        assert apart, f"{one!r} and {other!r} overlap"
    for text, box in boxes:
        assert figure.bbox.padded(1).contains(*box.min) and figure.bbox.padded(1).contains(*box.max), text


def _visible(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if ax.get_visible()]


def _ticks(axis: Any) -> list[Text]:
    """Return the tick labels that are seen: those with a text, inside the limits of the axis."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    inside = [tick for tick in ticks if low <= tick.get_loc() <= high]
    return [t.label1 for t in inside if t.label1.get_visible() and t.label1.get_text()]


def _number(text: Text) -> bool:
    """Say whether a tick label is a number, not the name of a curve."""
    return text.get_text().lstrip("−-$").startswith(tuple("0123456789\\"))
