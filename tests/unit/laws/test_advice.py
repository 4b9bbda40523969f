import numpy as np
import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.advice import advise_table
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
    assert curve["verdict"] == curve["lever"] == "render more"
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
    assert only_a["a", "resnet18", 500]["lever"] == "bigger model"  # lower, though it does not reach 0.2
    assert only_a["a", "resnet50", 500]["verdict"].endswith("cannot decide"), "a smaller model is not a lever"
    apart = points[(points.setting == "a") == (points.model == "resnet18")]
    both = advice_of(apart, 0.2)["a", "resnet18", 500]
    assert both["lever"] is None, "setting and model both differ: neither may be blamed"


def test_labels_are_a_lever_in_their_own_direction(points):
    few = points[(points.setting == "a") & (points.model == "resnet18")]
    more = few.assign(s=5000, error=few.error * 0.5)
    curves = advice_of(pd.concat([few, more]), 0.2)
    assert curves["a", "resnet18", 500]["lever"] == "label more"
    assert curves["a", "resnet18", 5000]["verdict"] in ("reached already", "render more")


def test_too_uncertain_says_what_to_measure_next():
    (curve,) = advise_table(one_curve(noise=0.02, points=4), 0.31)["curves"]
    assert curve["verdict"] == f"undetermined: measure n = {curve['next_n']:.0f} next"
    assert curve["next_n"] >= 1000 and curve["lever"] is None


def test_the_next_n_weighs_cost():
    frame = one_curve(noise=0.006, points=5)
    dear = advise_table(frame, 0.296, cost_per_image=1.0, cost_per_run=1e-3)["curves"][0]
    cheap = advise_table(frame, 0.296, cost_per_image=1e-9, cost_per_run=1e6)["curves"][0]
    assert dear["next_n"] <= frame.n.max() < cheap["next_n"]


def test_a_curve_that_is_too_short_is_there_with_its_reason(points):
    short = points[(points.setting == "a") | (points.n < 4000)]
    curve = advice_of(short, 0.2)["b", "resnet18", 500]
    assert curve["verdict"] == "undetermined" and "2 distinct n" in curve["reason"]
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
