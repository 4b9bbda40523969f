"""Figures show what the table and the fit hold: every run, every curve, every interval."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from syn2real.figures.base import curve_labels, save
from syn2real.figures.curves import draw_curves
from syn2real.figures.parameters import draw_parameters
from syn2real.laws import fit_table
from syn2real.report import prediction_grid


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    common = {"recipe": "r", "ptask": "mulclass", "ftask": "sinclass", "target": "t", "model": "m", "s": 60}
    rows = [
        common | {"setting": name, "n": n, "seed": seed, "error": 2 * n**-0.5 + gap + rng.normal(0, 0.01)}
        for name, gap in (("a", 0.2), ("b", 0.4))
        for n in (40, 80, 160, 320)
        for seed in (0, 1)
    ]
    start = common | {"setting": "none", "ptask": "none", "n": 0, "seed": 0, "error": 0.9}
    return pd.DataFrame([*rows, start])


def test_every_run_and_both_bands_of_every_curve_are_drawn(points: pd.DataFrame) -> None:
    fits = fit_table(points, predict_at=prediction_grid(points))
    (ax,) = draw_curves(points, fits, stand_ins=[]).axes
    dots = np.concatenate([c.get_offsets() for c in ax.collections if len(c.get_offsets()) == 8])
    drawn = {(n, round(error, 9)) for n, error in dots}
    assert drawn == {(r.n, round(r.error, 9)) for r in points.itertuples() if r.n > 0}
    assert len([c for c in ax.collections if type(c).__name__ == "FillBetweenPolyCollection"]) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["a", "b"]
    assert "stand-in" not in ax.get_title()


def test_a_stand_in_is_named_in_its_panel(points: pd.DataFrame) -> None:
    fits = fit_table(points, predict_at=prediction_grid(points))
    (ax,) = draw_curves(points, fits, stand_ins=["t"]).axes
    assert "rendered stand-in, no photographs" in ax.get_title()


def test_labels_name_what_differs() -> None:
    common = {"setting": "a", "ptask": "p", "ftask": "f", "target": "t", "model": "m", "recipe": "r"}
    assert curve_labels([common | {"s": 1}, common | {"s": 2}]) == ["s = 1", "s = 2"]
    assert curve_labels([common, common | {"setting": "b", "model": "n"}]) == ["a, m", "b, n"]
    assert curve_labels([common]) == ["a"]


def test_an_open_interval_reaches_the_edge_and_an_unidentified_mark_is_hollow() -> None:
    def estimate(status: str, upper: float | None) -> dict:
        return {"value": 0.5, "lower": 0.2, "upper": upper, "status": status}

    identity = {"setting": "a"}
    fit = {"params": {"alpha": estimate("unidentified", None), "C": estimate("ok", 0.6)}}
    left, right = draw_parameters({"curves": [{"curve": identity, "fit": fit}]}).axes
    segments = left.collections[0].get_segments()[0]
    assert segments[:, 0].max() == pytest.approx(left.get_xlim()[1])
    assert left.lines[0].get_markerfacecolor() == "white"
    assert right.lines[0].get_markerfacecolor() != "white"


def test_nothing_to_fit_is_a_figure_that_says_so() -> None:
    figure = draw_parameters({"curves": [{"curve": {"setting": "a"}, "fit": None, "reason": "few"}]})
    assert "no curve could be fitted" in figure.get_suptitle()


def test_the_same_figure_has_the_same_bytes(points: pd.DataFrame, tmp_path: Path) -> None:
    fits = fit_table(points, predict_at=prediction_grid(points))
    for name in ("one", "two"):
        figure = draw_curves(points, fits, stand_ins=[])
        save(figure, {kind: str(tmp_path / f"{name}.{kind}") for kind in ("svg", "png")})
    for kind in ("svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
