"""Figures show what the table and the fit hold: every run, every curve, every interval."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.extrapolation import extrapolate
from syn2real.laws.landscape import ALPHA, COEFFICIENT
from syn2real.laws.methods.paper import given_coefficient
from syn2real.laws.rows import prediction_grid
from syn2real.laws.table import read_curves
from syn2real.report.figures import complexity as complexity_figure
from syn2real.report.figures import (
    curves,
    equal_loss,
    extrapolation,
    full_law,
    landscapes,
    linearised,
    model_size,
    parameters,
    scenarios,
)
from syn2real.report.figures.base import save
from syn2real.sentences import counted


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
    (ax,) = curves.draw(points, fits, stand_ins=[]).axes
    dots = np.concatenate([c.get_offsets() for c in ax.collections if len(c.get_offsets()) == 8])
    drawn = {(n, round(error, 9)) for n, error in dots}
    assert drawn == {(r.n, round(r.error, 9)) for r in points.itertuples() if r.n > 0}
    assert len([c for c in ax.collections if type(c).__name__ == "FillBetweenPolyCollection"]) == 4
    assert _names(ax)[:2] == ["a", "b"]
    assert "stand-in" not in ax.get_title()


def _names(ax: Axes) -> list[str]:
    """Return what the legend below the panels names."""
    return [text.get_text() for legend in ax.get_figure(root=True).legends for text in legend.get_texts()]


def _drawn(error: list[float], unit: str = "rate") -> tuple[dict, Axes]:
    """Return the one curve's fit and the panel in which it is drawn."""
    sizes = 1000 * 2 ** np.arange(len(error))
    identity = {"setting": "a", "ptask": "p", "ftask": "f", "target": "t", "model": "m", "seed": 0}
    table = pd.DataFrame({"n": sizes, "error": error}).assign(**identity)
    fits = fit_table(table, predict_at=prediction_grid(table), unit=unit)
    (ax,) = curves.draw(table, fits, stand_ins=[]).axes
    return fits["curves"][0], ax


SHAPES = {
    "rising": [0.3, 0.32, 0.35, 0.37, 0.4, 0.43, 0.45],
    "plateau": [0.97, 0.972, 0.968, 0.9, 0.8, 0.72, 0.66],
    "bend": [0.54, 0.52, 0.49, 0.46, 0.43, 0.4, 0.37],
    "law": [0.49, 0.44, 0.406, 0.38, 0.361, 0.346, 0.334],
}


@pytest.mark.parametrize("error", SHAPES.values(), ids=SHAPES)
def test_the_solid_line_is_the_law_and_never_rises(error: list[float]) -> None:
    curve, ax = _drawn(error)
    (solid,) = (line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()))
    values = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
    law = values["D"] * solid.get_xdata() ** -values["alpha"] + values["C"]
    np.testing.assert_allclose(solid.get_ydata(), law, rtol=1e-6)
    assert (np.diff(solid.get_ydata()) <= 0).all()
    assert "law: D n^-α + C" in _names(ax)


def test_what_the_forecast_adds_is_a_line_and_a_name_of_its_own() -> None:
    curve, ax = _drawn(SHAPES["bend"])
    (dashed,) = (line for line in ax.lines if line.get_linestyle() == "--" and len(line.get_xdata()))
    np.testing.assert_allclose(dashed.get_ydata(), [row["error"] for row in curve["predictions"]])
    assert "forecast: the law with bend and drift" in _names(ax)


@pytest.mark.parametrize(
    "error", [SHAPES["plateau"], [0.999, 0.99, 0.999, 0.97, 0.98]], ids=["falls", "noise"]
)
def test_nothing_is_drawn_above_one_where_errors_are_rates(error: list[float]) -> None:
    curve, ax = _drawn(error)
    assert max(row["predict_upper"] for row in curve["predictions"]) <= 1
    assert ax.get_ylim()[1] <= 1
    tops = [np.max(line.get_ydata()) for line in ax.lines if len(line.get_ydata())]
    tops += [
        path.vertices[:, 1].max()
        for band in ax.collections
        for path in band.get_paths()
        if band.get_alpha() < 0.5
    ]
    assert max(tops) <= 1
    losses, ax = _drawn([3 * value for value in error], unit="loss")
    assert ax.get_ylim()[1] > max(row["error"] for row in losses["predictions"])


def test_a_stand_in_is_named_in_its_panel(points: pd.DataFrame) -> None:
    fits = fit_table(points, predict_at=prediction_grid(points))
    (ax,) = curves.draw(points, fits, stand_ins=["t"]).axes
    assert "rendered stand-in, no photographs" in ax.get_title()


def test_each_curve_has_its_own_error_without_pretraining(points: pd.DataFrame) -> None:
    def dotted(table: pd.DataFrame) -> list[float]:
        (ax,) = curves.draw(table, fit_table(table), stand_ins=[]).axes
        lines = [line for line in ax.lines if line.get_linestyle() == ":" and len(line.get_ydata())]
        return [line.get_ydata()[0] for line in lines]

    assert dotted(points) == pytest.approx([0.9])
    start = points[points["n"] == 0].assign(ptask="none", setting="none")
    other = points[points["n"] > 0].assign(model="large")
    both = pd.concat([points, other, start.assign(model="large", error=0.8)])
    assert sorted(set(dotted(both))) == pytest.approx([0.8, 0.9])


def test_an_open_interval_reaches_the_edge_and_an_unidentified_mark_is_hollow() -> None:
    def estimate(status: str, upper: float | None) -> dict:
        return {"value": 0.5, "lower": 0.2, "upper": upper, "status": status}

    identity = {"setting": "a"}
    fit = {"params": {"alpha": estimate("unidentified", None), "C": estimate("ok", 0.6)}}
    left, right = parameters.draw({"curves": [{"curve": identity, "fit": fit}]}).axes
    segments = left.collections[0].get_segments()[0]
    assert segments[:, 0].max() == pytest.approx(left.get_xlim()[1])
    assert left.lines[0].get_markerfacecolor() == "white"
    assert right.lines[0].get_markerfacecolor() != "white"


def test_nothing_to_fit_is_a_figure_that_says_so() -> None:
    figure = parameters.draw({"curves": [{"curve": {"setting": "a"}, "fit": None, "reason": "few"}]})
    assert "no curve could be fitted" in figure.get_suptitle()


def test_the_same_figure_has_the_same_bytes(points: pd.DataFrame, tmp_path: Path) -> None:
    fits = fit_table(points, predict_at=prediction_grid(points))
    for name in ("one", "two"):
        figure = curves.draw(points, fits, stand_ins=[])
        save(figure, {kind: str(tmp_path / f"{name}.{kind}") for kind in ("svg", "png")})
    for kind in ("svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


@pytest.fixture(scope="module")
def grid() -> pd.DataFrame:
    """Errors of the full law at four n and three s, for models whose gaps shrink with their size."""
    rows = [
        {"recipe": "r", "setting": "a", "ptask": "p", "ftask": "f", "target": "t", "model": model}
        | {"n_params": params, "n": n, "s": s, "seed": 0, "error": 3 * (0.5 * factor + n**-0.5) * s**-0.2}
        for model, params, factor in (("small", 10_000_000, 1.0), ("large", 40_000_000, 0.5))
        for n in (1000, 4000, 16000, 64000)
        for s in (1000, 4000, 16000)
    ]
    return pd.DataFrame(rows)


def test_linearised_dots_are_means_less_the_gap_and_lie_on_the_line(points: pd.DataFrame) -> None:
    fits = fit_table(points)
    (ax,) = linearised.draw(points, fits, stand_ins=[]).axes
    dots, line = ax.lines[0], ax.lines[1]
    gap = fits["curves"][0]["fit"]["params"]["C"]["value"]
    mine = points[(points["setting"] == "a") & (points["n"] > 0)].groupby("n")["error"].mean()
    np.testing.assert_allclose(dots.get_ydata(), mine - gap)
    np.testing.assert_allclose(np.log(dots.get_ydata()), np.log(line.get_ydata()), atol=0.2)


def test_a_mean_below_the_gap_is_left_out_and_counted(points: pd.DataFrame) -> None:
    fits = fit_table(points)
    fits["curves"][0]["fit"]["params"]["C"]["value"] = points.loc[points["n"] == 160, "error"].min() + 0.1
    (ax,) = linearised.draw(points, fits, stand_ins=[]).axes
    hidden = 4 - len(ax.lines[0].get_xdata())
    assert hidden > 0
    assert [text.get_text() for text in ax.texts] == [f"left out: {counted(hidden, 'mean')} below C"]


def test_the_full_law_passes_through_its_own_points_in_both_panels(grid: pd.DataFrame) -> None:
    small = grid[grid["model"] == "small"]
    left, right = full_law.draw(small, fit_table(small, law="full")).axes
    for ax, count in ((left, 3), (right, 4)):
        assert len(ax.lines) == 2 * count
        for dots, line in zip(ax.lines[::2], ax.lines[1::2], strict=True):
            at = np.interp(dots.get_xdata(), line.get_xdata(), line.get_ydata())
            np.testing.assert_allclose(at, dots.get_ydata(), rtol=0.01)


def test_each_model_has_its_gap_and_the_line_its_exponent(grid: pd.DataFrame) -> None:
    one = grid[grid["s"] == 1000]
    fits, sizes = fit_table(one), fit_table(one, law="size")
    (ax,) = model_size.draw(one, fits, sizes).axes
    gaps = {marks.get_label(): marks.lines[0].get_xdata()[0] for marks in ax.containers}
    assert gaps == {"large": 40.0, "small": 10.0}
    line = ax.lines[-1]
    phi = sizes["curves"][0]["fit"]["params"]["phi"]["value"]
    slope = np.diff(np.log(line.get_ydata()[[0, -1]])) / np.diff(np.log(line.get_xdata()[[0, -1]]))
    assert slope == pytest.approx(-phi)


def test_forecasts_show_both_laws_by_one_method_and_the_default_apart(points: pd.DataFrame) -> None:
    more = points.assign(n=2 * points["n"], error=0.9 * points["error"], seed=points["seed"] + 10)
    points = pd.concat([points, more])
    result = extrapolate(points, 161)
    panel, bars = extrapolation.draw(points, result).axes
    styles = [line.get_linestyle() for line in panel.lines]
    assert styles == ["None", "-", "None", "-", ":", ":", "--", "--", "--"]
    assert sorted(b.get_width() for b in bars.patches) == sorted(c["rmse"] for c in result["curves"])
    assert [text.get_text() for text in bars.get_legend().get_texts()] == [
        "D n^-α + C, least squares",
        "D n^-α, least squares",
        "forecast (D n^-α + C, posterior)",
    ]


def test_a_landscape_marks_its_smallest_loss_for_every_curve(points: pd.DataFrame) -> None:
    axes = [ax for ax in landscapes.draw(points).axes if ax.get_visible()]
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    for ax in axes:
        star = ax.lines[0]
        loss = ax.collections[0].get_array()
        row, column = np.unravel_index(loss.argmin(), loss.shape)
        assert (star.get_xdata()[0], star.get_ydata()[0]) == (ALPHA[column], COEFFICIENT[row])


def test_figures_of_what_cannot_be_fitted_say_so(points: pd.DataFrame) -> None:
    few = points[points["n"].isin([0, 40])].assign(n_params=1_000_000)
    simple, full, size = (fit_table(few, law=law, allow_unfitted=True) for law in ("simple", "full", "size"))
    assert "could not be fitted" in full_law.draw(few, full).get_suptitle()
    assert "could not be fitted" in model_size.draw(few, simple, size).get_suptitle()
    assert "could be fitted" in linearised.draw(few, simple, stand_ins=[]).axes[0].texts[0].get_text()
    assert not [ax for ax in landscapes.draw(few).axes if ax.get_visible()]


def test_complexity_is_drawn_in_order_and_the_parameters_against_it() -> None:
    def result(entropy: float) -> dict:
        return {"negative_entropy": -entropy, "standard_error": 2.0}

    def curve(setting: str, model: str) -> dict:
        estimate = {"value": 0.5, "lower": 0.2, "upper": None, "status": "unidentified"}
        return {
            "curve": {"setting": setting, "model": model},
            "fit": {"params": {"alpha": estimate, "C": estimate}},
        }

    measured, order = {"a": result(-30), "b": result(-50)}, ["b", "a"]
    (alone,) = complexity_figure.draw(measured, {}, {}, order).axes
    assert [label.get_text() for label in alone.get_yticklabels()] == order
    assert [line.get_xdata()[0] for line in alone.lines if line.get_marker() == "o"] == [50, 30]
    fits = {"curves": [curve("a", "m"), curve("b", "m"), curve("b", "n"), {"curve": {}, "fit": None}]}
    _, alpha, gap = complexity_figure.draw(measured, {}, fits, order).axes
    marks = [(line.get_xdata()[0], line.get_marker()) for line in gap.lines if line.get_marker() in "os"]
    assert marks == [(30, "o"), (50, "o"), (50, "s")]
    assert all(line.get_markerfacecolor() == "white" for line in gap.lines if line.get_marker() in "os")
    assert [text.get_text() for text in alpha.get_legend().get_texts()] == ["m", "n"]
    rows = [
        {"setting": name, "target": target, "distance": value, "standard_error": None}
        for target, values in {"t": {"a": 0.5, "b": 0.2}, "u": {"a": 0.4, "b": -0.1}}.items()
        for name, value in values.items()
    ]
    left, right = complexity_figure.draw(measured, {"distances": rows}, {}, order).axes
    assert [label.get_text() for label in left.get_yticklabels()] == order
    marks = [
        (line.get_xdata()[0], line.get_marker())
        for line in right.lines
        if line.get_marker() in "os" and len(line.get_xdata())
    ]
    assert marks == [(0.2, "o"), (0.5, "o"), (-0.1, "s"), (0.4, "s")], "rows by falling -H: b, then a"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["t", "u"]


@pytest.fixture(scope="module")
def by_both(points: pd.DataFrame) -> dict:
    """Fits of the table by the paper's method and by the default one, as `read_input` joins them."""
    at = prediction_grid(points)
    paper = fit_table(points, method="paper", fix_d=2.0, predict_at=at)
    return {"curves": paper["curves"] + fit_table(points, predict_at=at)["curves"]}


@pytest.mark.parametrize("module", [curves, linearised], ids=["curves", "linearised"])
def test_two_methods_are_two_parts_each_with_its_own_line_and_the_same_limits(module, points, by_both):
    figure = module.draw(points, by_both, stand_ins=[])
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings == ["the paper's method (D = 2)", "the default method (posterior)"]
    left, right = figure.axes
    assert (left.get_xlim(), left.get_ylim()) == (right.get_xlim(), right.get_ylim())
    for ax, curve in ((left, by_both["curves"][0]), (right, by_both["curves"][2])):
        values = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
        line = next(line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()))
        law = values["D"] * line.get_xdata() ** -values["alpha"]
        gap = values["C"] if module is curves else 0
        np.testing.assert_allclose(line.get_ydata(), law + gap, rtol=1e-6)


def test_the_papers_bars_are_standard_errors_and_the_default_ones_intervals(by_both: dict) -> None:
    left, _ = parameters.draw(by_both).axes
    drawn = {round(bar.get_segments()[0][0, 1], 2): bar.get_segments()[0][:, 0] for bar in left.collections}
    paper, default = (by_both["curves"][i]["fit"]["params"]["alpha"] for i in (0, 2))
    middle, error = paper["value"], paper["standard_error"]
    np.testing.assert_allclose(drawn[-0.22], [middle - error, middle + error])
    np.testing.assert_allclose(drawn[0.22], [default["lower"], default["upper"]])


def test_an_estimate_whose_standard_error_is_above_one_is_left_out() -> None:
    loose = {"value": 1.5, "lower": None, "upper": None, "status": "at-bound", "standard_error": 43.0}
    sound = {"value": 0.5, "lower": 0.4, "upper": 0.6, "status": "ok", "standard_error": 0.04}
    fit = {"params": {"D": loose, "alpha": loose, "C": sound}}
    left, right = parameters.draw({"curves": [{"curve": {"setting": "a"}, "fit": fit}]}).axes
    assert [text.get_text().strip() for text in left.texts] == ["left out: standard error 43"]
    assert not left.containers and len(right.containers) == 1


def test_without_measured_complexities_the_settings_are_the_axis_in_their_order(by_both: dict) -> None:
    order = ["b", "a"]
    figure = complexity_figure.draw({}, {}, by_both, order)
    assert len(figure.subfigs) == 2
    for part in figure.subfigs:
        alpha, _ = part.axes
        assert [label.get_text() for label in alpha.get_xticklabels()] == order
        at = [line.get_xdata()[0] for line in alpha.lines if line.get_marker() == "o"]
        assert at == [1, 0], "the fits have a before b"
        assert "not measured" in part.get_supxlabel()
    assert "no complexity was measured" in complexity_figure.draw({}, {}, {}, order).get_suptitle()


def test_the_papers_scenarios_follow_from_d_alpha_and_c() -> None:
    """Figure 3: more images cross the target (b), the gap is above it (c), or they are too many (d)."""
    sizes = 1000 * 2.0 ** np.arange(7)
    laws = {"b": (0.5, 0.2), "c": (0.5, 0.4), "d": (0.2, 0.2), "reached": (0.9, 0.1)}
    names = {"ptask": "p", "ftask": "f", "target": "t", "model": "m", "seed": 0}
    rows = [
        {"setting": name, "n": n, "error": 0.48 * n**-alpha + gap} | names
        for name, (alpha, gap) in laws.items()
        for n in sizes
    ]
    table = pd.DataFrame(rows)
    fits = fit_table(table, method="paper", fix_d=0.48, predict_at=[1000, 64000])
    target = 0.2015
    advice = advise_table(table, target, max_images=1_000_000)
    found = {
        curve["curve"]["setting"]: scenarios._by_estimates(curve, advised, target)
        for curve, advised in zip(fits["curves"], advice["curves"], strict=True)
    }
    assert {name: scenario for name, (scenario, _) in found.items()} == {name: name for name in laws}
    assert found["b"][1] == f"(b) render more, about {float(f'{(0.48 / 0.0015) ** 2:.2g}'):,.0f} images"
    (ax,) = scenarios.draw(table, fits, advice, stand_ins=[]).axes
    words = [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]
    assert words == [f"{name}: {text}" for name, (_, text) in found.items()]
    assert [line.get_ydata()[0] for line in ax.lines if len({*line.get_ydata()}) == 1][:1] == [target]


def test_the_default_methods_scenarios_are_those_of_the_advice() -> None:
    def advised(verdict: str, lever: str | None, **chances: float) -> dict:
        shares = dict.fromkeys(("reached", "within", "beyond", "unreachable"), 0.0) | chances
        needed = {"median": 123_456.0}
        return {
            "verdict": verdict, "lever": lever, "probabilities": shares, "required_n": needed, "limit_n": 1e6
        }  # fmt: skip

    cases = {
        "reached": advised("reached already", None, reached=1.0),
        "b": advised("render more", "render more", within=1.0),
        "c": advised("bigger model", "bigger model", unreachable=0.9, beyond=0.1),
        "d": advised("change the rendering", "change the rendering", beyond=1.0),
        "open": advised("undetermined: measure n = 128000 next", None, beyond=0.5, within=0.5),
    }
    found = {name: scenarios._by_advice(case) for name, case in cases.items()}
    assert {name: scenario for name, (scenario, _) in found.items()} == {name: name for name in cases}
    assert found["b"][1] == "(b) render more, about 120,000 images"
    assert found["d"][1] == "(d) too slow for 1,000,000 images; change the rendering"


def test_laws_of_nearly_equal_loss_are_the_papers_pair_and_the_best_of_each_d(points: pd.DataFrame) -> None:
    first, *others = equal_loss.draw(points).axes
    solid, dashed = first.lines
    np.testing.assert_allclose(solid.get_ydata(), 0.5 * solid.get_xdata() ** -0.4 + 0.5)
    np.testing.assert_allclose(dashed.get_ydata(), dashed.get_xdata() ** -0.5 + 0.5)
    assert [ax.get_title() for ax in others] == ["a", "b"]
    (curve, _), _ = read_curves(points)
    (alpha,), (gap,) = given_coefficient([curve], 1.0)
    line = next(line for line in others[0].lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(line.get_ydata(), line.get_xdata() ** -alpha + gap)
