import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.errors import InputError
from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.forecast import can_reach
from syn2real.laws.table import split_curves
from syn2real.report.wording import advice_text


def advice_of(frame, target, **options):
    return {tuple(c["curve"].values()): c for c in advise_table(frame, target, **options)["curves"]}


def one_curve(gap=0.3, noise=0.002, d=4.0, alpha=0.5, points=7, seed=0):
    n = 1000 * 2 ** np.arange(points)
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {"n": n, "error": (d * n**-alpha + gap) * np.exp(noise * random.standard_normal(points))}
    )


def test_probabilities_sum_to_one_and_follow_the_target(points):
    for target in (0.1, 0.2, 0.3, 0.31, 0.35, 0.5):
        for curve in advise_table(points, target)["curves"]:
            assert sum(curve["probabilities"].values()) == pytest.approx(1)
            assert curve["required_n"]["p_unreachable"] == curve["probabilities"]["unreachable"]
    reach = [
        1 - advise_table(one_curve(), t)["curves"][0]["probabilities"]["unreachable"]
        for t in (0.2, 0.3, 0.32)
    ]
    assert reach == sorted(reach)


def test_reached_already():
    (curve,) = advise_table(one_curve(), 0.35)["curves"]
    assert curve["verdict"] == "reached already" and curve["probabilities"]["reached"] > 0.99
    # 4 n^-1/2 + 0.3 = 0.35 at n = 6,400
    assert 4000 < curve["required_n"]["lower"] < 6400 < curve["required_n"]["upper"] < 10000
    assert curve["next_n"] is None and curve["lever"] is None


def test_render_more():
    (curve,) = advise_table(one_curve(noise=0.0005), 0.308)["curves"]  # 250,000 images
    assert curve["verdict"] == curve["lever"] == "render more" and curve["kind"] == "more"
    assert 64000 < curve["required_n"]["lower"] < 250_000 < curve["required_n"]["upper"]
    assert 125_000 < curve["required_n"]["median"] < 500_000


def test_max_images_turns_within_into_beyond():
    (curve,) = advise_table(one_curve(noise=0.0005), 0.308, max_images=100_000)["curves"]
    assert curve["probabilities"]["beyond"] > 0.9 and curve["lever"] is None


def test_without_comparable_curves_the_file_cannot_decide():
    (curve,) = advise_table(one_curve(noise=0.0005), 0.2)["curves"]
    assert curve["verdict"] == "rendering, model or labels: this file cannot decide"
    assert curve["required_n"]["median"] is None and curve["probabilities"]["unreachable"] > 0.9
    assert "measure" in curve["detail"]


def test_the_lever_comes_from_curves_that_differ_in_one_factor(points):
    curves = advice_of(points, 0.2)
    assert curves["a", "resnet18", 500]["lever"] == "change the rendering"  # setting b ends at 0.15
    assert "setting = b" in curves["a", "resnet18", 500]["detail"]
    only_a = advice_of(points[points.setting == "a"], 0.2)
    bigger = only_a["a", "resnet18", 500]
    assert bigger["lever"] is None, "a lever that lowers the error and misses the target is not recommended"
    tried = bigger["levers"]["bigger model"]
    assert tried["p_reach"] < 0.5 and tried["lower"] <= tried["error"] <= tried["upper"]
    assert "[" in bigger["detail"] and "no other curve of this file is likely to" in bigger["detail"]
    assert advice_of(points[points.setting == "a"], 0.27)["a", "resnet18", 500]["lever"] == "bigger model"
    assert only_a["a", "resnet50", 500]["verdict"].endswith("cannot decide"), "a smaller model is not a lever"
    apart = points[(points.setting == "a") == (points.model == "resnet18")]
    both = advice_of(apart, 0.2)["a", "resnet18", 500]
    assert both["lever"] is None, "setting and model both differ: neither may be blamed"


def curve_of(text):
    rows = [pair.split(",") for pair in text.split()]
    return pd.DataFrame({"n": [float(n) for n, _ in rows], "error": [float(e) for _, e in rows]})


SLOW_FALL = "1000,.62 2000,.56 4000,.52 8000,.49 16000,.475"
FLAT = "1000,.49 2000,.51 4000,.48 8000,.50 16000,.49"


@settings(max_examples=25, deadline=None)
@given(
    errors=st.lists(st.floats(0.05, 0.95), min_size=3, max_size=7),
    target=st.floats(0.03, 0.9),
    limit=st.floats(100, 1e7),
)
def test_one_set_of_draws_gives_every_number(errors, target, limit):
    frame = pd.DataFrame({"n": 1000 * 2.0 ** np.arange(len(errors)), "error": errors})
    (curve,) = advise_table(frame, target, max_images=limit)["curves"]
    need, chance = curve["required_n"], curve["probabilities"]
    ends = [np.inf if need[end] is None else need[end] for end in ("lower", "median", "upper")]
    assert ends == sorted(ends) and all(value >= 0 for value in chance.values())
    assert sum(chance.values()) == pytest.approx(1)
    # What fit forecasts at the limit is what advise counts there.
    at = max(limit, frame["n"].max())
    forecast = fit_table(frame, predict_at=[at])["curves"][0]["predictions"][0]
    reach = chance["reached"] + chance["within"]
    if limit >= frame["n"].max() and target > forecast["upper"]:
        assert reach >= 0.975 - 1e-3
    if target < forecast["error"] and chance["reached"] < 0.5 and reach >= 0.5:
        assert need["median"] < at, "reached on the way, and left again"
    if need["median"] is not None and need["median"] > frame["n"].max() * 1.01:
        middle = fit_table(frame, predict_at=[need["median"]])["curves"][0]["predictions"][0]
        assert middle["error"] == pytest.approx(target, rel=0.05)


@pytest.mark.parametrize("text", [SLOW_FALL, "0,.50 " + FLAT])
def test_no_size_is_named_beyond_a_thousand_times_the_largest(text):
    result = advise_table(curve_of(text), 0.4)
    need = result["curves"][0]["required_n"]
    ends = [np.inf if need[end] is None else need[end] for end in ("lower", "median", "upper")]
    assert ends == sorted(ends) and ends[2] == np.inf
    assert all(end <= 16e6 for end in ends if np.isfinite(end))
    assert "more than 16,000,000" in advice_text(result)


def test_never_is_only_said_where_no_law_that_fits_reaches_the_target():
    early = advise_table(curve_of("100,.98 200,.96 400,.93"), 0.5)["curves"][0]
    assert not early["never"] and early["probabilities"]["unreachable"] == 0
    ever_faster = advise_table(curve_of("100,.95 200,.90 400,.84 800,.76 1600,.66"), 0.3)
    assert not ever_faster["curves"][0]["never"] and "falls ever faster" in advice_text(ever_faster)
    assert "unreachable by n" not in advice_text(ever_faster).lower()
    sure = advise_table(one_curve(noise=0.0005), 0.2)
    assert sure["curves"][0]["never"] and "Unreachable by n" in advice_text(sure)


@pytest.mark.parametrize(("law", "target"), [("simple", 0.28), ("power", 0.02), ("log-power", 0.2)])
def test_a_target_that_the_true_law_reaches_can_be_reached(law, target):
    n = 1000 * 2.0 ** np.arange(7)
    truth = {
        "simple": 4 * n**-0.5 + 0.27, "power": 3 * n**-0.3, "log-power": 2 * np.log(n) ** -1.2 + 0.15,
    }[law]  # fmt: skip
    error = truth * np.exp(0.004 * np.random.default_rng(1).standard_normal(7))
    (curve,) = split_curves(pd.DataFrame({"n": n, "error": error}), [])[0]
    assert can_reach(curve, target)


def test_the_verdict_and_its_words_agree():
    """A set that has perhaps reached the target already is not called most likely reached already."""
    for target in np.linspace(0.30, 0.40, 21):
        result = advise_table(one_curve(noise=0.01), float(target))
        (curve,), text = result["curves"], advice_text(result)
        if curve["verdict"] == "render more":
            assert "perhaps by the largest" in text or curve["probabilities"]["reached"] <= 0.2
            assert "reached already" not in text


def test_a_set_that_probably_meets_the_target_is_repeated_not_enlarged():
    curves = [advise_table(one_curve(noise=0.01), float(t))["curves"][0] for t in np.linspace(0.31, 0.33, 41)]
    likely = [c for c in curves if 0.5 <= c["probabilities"]["reached"] < 0.8]
    assert likely and all(c["verdict"] == "probably reached already: repeat n = 64000" for c in likely)
    assert all(c["required_n"]["median"] > 64000 for c in curves if c["verdict"] == "render more")


def test_a_smaller_set_that_meets_the_target_is_named():
    result = advise_table(curve_of("1000,.6 2000,.5 4000,.45 8000,.44 16000,.47 32000,.53"), 0.445)
    assert result["curves"][0]["met_at"] == 8000
    assert "The error at n = 8,000 meets the target" in advice_text(result)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1000,.62 2000,.56 4000,.52 8000,.49 16000,.97", "repeat n = 16000"),
        ("100,.97 300,.93 900,.82 2700,.6", "measure n = 5400"),
        ("100,.95 200,.90 400,.84 800,.76 1600,.66", "measure n = 3200"),
    ],
)
def test_where_the_shape_leaves_it_open_the_next_measurement_is_the_one_that_shows_it(text, step):
    (curve,) = advise_table(curve_of(text), 0.1)["curves"]
    assert curve["verdict"] == f"undetermined: {step} next" and curve["lever"] is None


def test_what_is_never_does_not_depend_on_the_level():
    frame = curve_of("1000,.6 2000,.5 4000,.45 8000,.44 16000,.47 32000,.53")
    levels = [advise_table(frame, 0.4, level=level)["curves"][0]["never"] for level in (0.5, 0.95)]
    assert levels == [False, False]


def test_digits_are_no_evidence():
    """Five times .5 is no proof that .49 is out of reach, nor that pre-training does nothing at all."""
    (curve,) = advise_table(curve_of("0,.5 1000,.5 2000,.5 4000,.5 8000,.5"), 0.49)["curves"]
    assert not curve["never"]
    assert curve["effect"]["upper"] > 0.05 and curve["effect"]["noise"] == "the digits of the errors"


def test_a_rate_is_not_forecast_above_one():
    frame = curve_of("100,.99 200,.97 400,.96")
    (curve,) = advise_table(frame, 0.5)["curves"]
    rows = fit_table(frame, predict_at=[10, 1e5])["curves"][0]["predictions"]
    assert curve["error_at_limit_upper"] <= 1
    assert all(max(row["upper"], row["predict_upper"]) <= 1 for row in rows)


def test_a_repeat_is_called_one():
    frame = one_curve(noise=0.006, points=5)
    result = advise_table(frame, 0.296, cost_per_image=1.0, cost_per_run=1e-3)
    (curve,) = result["curves"]
    assert curve["next_n"] in list(frame["n"]) and "a repeat of n = " in curve["detail"]


def test_the_test_set_is_an_absolute_floor():
    """One more measurement on N examples scatters at least as their number makes it."""
    frame = one_curve(noise=0.0001)
    for size in (200, 5000):
        options = {"predict_at": [128000], "test_size": size}
        (row,) = fit_table(frame, **options)["curves"][0]["predictions"]
        width = np.log(row["predict_upper"] / row["predict_lower"])
        assert width > 2 * 1.96 * np.sqrt((1 - row["error"]) / (row["error"] * size)) * 0.98


def test_labels_are_a_lever_in_their_own_direction(points):
    few = points[(points.setting == "a") & (points.model == "resnet18")]
    more = few.assign(s=5000, error=few.error * 0.5)
    curves = advice_of(pd.concat([few, more]), 0.2)
    assert curves["a", "resnet18", 500]["lever"] == "label more"
    assert curves["a", "resnet18", 500]["levers"]["label more"]["p_reach"] > 0.5
    assert curves["a", "resnet18", 5000]["verdict"] in ("reached already", "render more")


def test_too_uncertain_says_what_to_measure_next():
    (curve,) = advise_table(one_curve(noise=0.02, points=4), 0.31)["curves"]
    step = "repeat" if curve["next_n"] in (1000, 2000, 4000, 8000) else "measure"
    assert curve["verdict"] == f"undetermined: {step} n = {curve['next_n']:.0f} next"
    assert curve["next_n"] >= 1000 and curve["lever"] is None


def test_the_next_n_weighs_cost():
    frame = one_curve(noise=0.006, points=5)
    dear = advise_table(frame, 0.296, cost_per_image=1.0, cost_per_run=1e-3)["curves"][0]
    cheap = advise_table(frame, 0.296, cost_per_image=1e-9, cost_per_run=1e6)["curves"][0]
    assert dear["next_n"] <= frame.n.max() < cheap["next_n"]


def test_a_curve_that_is_too_short_is_there_with_its_reason(points):
    short = points[(points.setting == "a") | (points.n < 4000)]
    curve = advice_of(short, 0.2)["b", "resnet18", 500]
    assert curve["verdict"] == curve["kind"] == "undetermined" and "2 distinct n" in curve["reason"]
    assert advice_of(short, 0.2)["a", "resnet18", 500]["probabilities"] is not None


def test_words_come_before_numbers(points):
    text = advice_text(advise_table(points, 0.2))
    assert text.startswith("# Will more synthetic images reach an error of 0.2?")
    assert text.index("change the rendering") < text.index("## Numbers") < text.index("| setting a")
    assert text.count("\n- **") == 4


@pytest.mark.parametrize("options", [{"target_error": 0}, {"target_error": 0.2, "max_images": -1}])
def test_goals_that_make_no_sense(points, options):
    with pytest.raises(InputError, match="is not a positive number"):
        advise_table(points, **options)


def test_the_labels_that_a_target_takes_come_from_the_law_that_forecasts_better():
    """Effective labels: n images are worth labels, fewer where there are many already."""
    n, s = (
        grid.reshape(-1) for grid in np.meshgrid([1000.0, 4000, 16000, 64000], [500.0, 2000, 8000, 32000])
    )
    error = 3 * (s + 2 * n**0.6) ** -0.25
    frame = pd.DataFrame({"n": n, "s": s, "error": error * np.exp(0.003 * np.sin(7 * np.arange(16)))})
    target = 0.17  # 97,000 labels with 64,000 images
    few = next(c for c in advise_table(frame, target, max_images=128000)["curves"] if c["curve"]["s"] == 500)
    needed = few["levers"]["label more"]["needed"]
    assert needed["law"] == "effective" and needed["labels"] == pytest.approx(97000, rel=0.15)
    assert needed["held_out"] < 0.02 and "labels (by the effective law" in few["detail"]
