"""Whether pre-training helps is said before any law, and not more surely than the noise allows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.effect import describe_effect
from syn2real.laws.table import read_curves
from syn2real.report.wording import advice_text, fit_text


def table(text: str) -> pd.DataFrame:
    return pd.DataFrame([row.split(",") for row in text.split()], columns=["n", "error"]).astype(float)


def effect(frame: pd.DataFrame, **options: object) -> dict:
    (curve,), _ = read_curves(frame, allow_unfitted=True, **options)
    return describe_effect(curve)


NOTHING = "0,.9871 40,.9868 80,.9864 160,.9844 320,.9921"
HURTS = "0,.30 1000,.45 2000,.40 4000,.372 8000,.355 16000,.346"
HELPS = "0,.7 1000,.62 2000,.56 4000,.52 8000,.49 16000,.475"


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        (NOTHING, "no effect beyond noise", "No effect beyond noise: with n = 320 the error is 0.9921"),
        (HURTS, "hurts so far", "Pre-training hurts so far: with n = 16,000 the error is 0.346"),
        (HELPS, "helps", "Pre-training helps: with n = 16,000 the error is 0.475"),
    ],
)
def test_every_answer_begins_with_it(text, verdict, words):
    advice, fitted = advise_table(table(text), 0.2), fit_table(table(text))
    assert advice["curves"][0]["effect"] == fitted["curves"][0]["effect"]
    assert advice["curves"][0]["effect"]["verdict"] == verdict
    assert f"- **the curve**: {words}" in advice_text(advice)
    assert fit_text(fitted).splitlines()[1].strip().startswith(words)


def test_each_start_is_compared_with_the_same_weights_without_renders():
    starts = {"": HURTS, "imagenet": HELPS, "mine": NOTHING}
    frame = pd.concat([table(text).assign(initial=name) for name, text in starts.items()])
    result = advise_table(frame, 0.2)
    found = {curve["curve"]["initial"]: curve["effect"] for curve in result["curves"]}
    assert {name: effect["verdict"] for name, effect in found.items()} == {
        "random": "hurts so far", "imagenet": "helps", "mine": "no effect beyond noise",
    }  # fmt: skip
    for name, effect_ in found.items():
        assert (
            effect_["initial"] == name
            and f"from the same weights ({name}) without renders" in effect_["text"]
        )
        alone = effect(frame[frame.initial == ("" if name == "random" else name)].drop(columns="initial"))
        words = ("initial", "text", "plain")
        assert {k: v for k, v in effect_.items() if k not in words} == {
            k: v for k, v in alone.items() if k not in words
        }
    text = advice_text(result)
    assert (
        "- **initial random**: Pre-training hurts so far: with n = 16,000 the error is 0.346, from the"
        in text
    )


def test_a_curve_that_no_row_without_renders_belongs_to_is_named():
    frame = table(HELPS).assign(initial="imagenet")
    note = "no row with n = 0 belongs to the curve initial imagenet: what renders gain there is unknown"
    assert note not in fit_table(frame)["notes"]
    frame.loc[frame["n"] == 0, "initial"] = ""
    assert note in fit_table(frame)["notes"]


def test_random_weights_alone_are_a_table_without_the_column():
    plain = fit_table(table(HELPS))
    for frame in (table(HELPS).assign(initial="random"), table(HELPS).assign(initial="")):
        assert fit_table(frame)["curves"] == plain["curves"]


def test_what_was_measured_without_renders_enters_no_fit():
    frame = table(HELPS).assign(initial="imagenet")
    other = frame.assign(error=frame.error.where(frame.n > 0, 0.1))
    fits = [fit_table(each)["curves"][0]["fit"] for each in (frame, other, frame[frame.n > 0])]
    assert fits[0] == fits[1] == fits[2]


def test_what_could_have_been_seen_is_said():
    found = effect(table(NOTHING))
    assert found["lower"] < 0 < found["upper"] and 0 < found["smallest"] < 0.1
    assert f"a change below {100 * found['smallest']:.1f} % could not have been seen" in found["text"]


def test_one_run_of_each_cannot_tell_unless_the_test_set_is_known():
    two = table("0,.5 100,.4")
    assert effect(two)["verdict"] == "one run cannot tell" and effect(two)["lower"] is None
    known = effect(two, test_size=1000)
    deviation = np.sqrt(0.6 / 0.4 / 1000 + 0.5 / 0.5 / 1000)
    assert known["verdict"] == "helps"
    assert known["upper"] == pytest.approx(0.8 * np.exp(1.959964 * deviation) - 1)
    assert effect(two, test_size=50)["verdict"] == "no effect beyond noise"
    assert effect(table("100,.5 200,.4 400,.3")) is None


def test_one_run_of_each_on_the_same_images_tells_what_others_would_change(tmp_path):
    random, count = np.random.default_rng(5), 400
    hard = random.random(count)
    wrong = {n: hard < part for n, part in ((0, 0.5), (100, 0.4))}  # the same images are hard for both
    for n, each in wrong.items():
        ids, label = np.array([f"{i}" for i in range(count)]), np.zeros(count, int)
        np.savez(
            tmp_path / f"{n}.npz", kind="label", ids=ids, classes=np.array(["a"]), label=label, wrong=each
        )
    frame = pd.DataFrame({"n": [0, 100], "error": [each.mean() for each in wrong.values()]})
    found = effect(frame.assign(per_image=[str(tmp_path / f"{n}.npz") for n in wrong]))
    assert found["verdict"] == "helps" and found["noise"] == "the test images, drawn again"
    gains = wrong[100] / wrong[100].mean() - wrong[0] / wrong[0].mean()
    half = 1.959964 * gains.std() / np.sqrt(count)
    ends = np.log1p([found["lower"], found["upper"]])
    assert np.diff(ends) / 2 == pytest.approx(half, rel=0.2)
    assert half < 0.7 * 1.959964 * np.sqrt(sum((1 - e) / e for e in frame.error) / count), (
        "than of two test sets"
    )
    assert effect(frame)["verdict"] == "one run cannot tell"


def test_the_noise_is_never_below_that_of_the_test_set():
    assert effect(table(HURTS), test_size=300)["noise"] == "the size of the test set"
    assert effect(table(HURTS), test_size=1e7)["noise"] == "the scatter about a smooth curve"


def test_seeds_are_paired():
    random, n = np.random.default_rng(3), [0, 1000, 2000, 4000]
    seeds = np.repeat(0.2 * random.standard_normal(4), 4)  # a spread that pairing takes away
    frame = pd.DataFrame({"n": n * 4, "seed": np.repeat(range(4), 4)})
    law = np.where(frame.n == 0, 0.5, 0.48)
    frame["error"] = law * np.exp(seeds + 0.005 * random.standard_normal(16))
    found = effect(frame)
    before, after = (np.log(frame.error[frame.n == k].to_numpy()) for k in (0, 4000))
    interval = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert (found["lower"], found["upper"]) == pytest.approx(np.expm1([interval.low, interval.high]))
    assert found["verdict"] == "helps" and found["noise"] == "paired by seed, 4 seeds"
    assert effect(frame.assign(seed=""))["verdict"] == "no effect beyond noise"
    assert "2 seeds of 4 sizes" in effect(frame[frame.seed < 2])["text"]


def test_without_an_effect_one_is_claimed_in_one_file_of_twenty():
    random, claimed = np.random.default_rng(0), 0
    for _ in range(200):
        error = 0.5 * np.exp(0.02 * random.standard_normal(6))
        frame = pd.DataFrame({"n": [0, 1, 2, 4, 8, 16], "error": error})
        claimed += effect(frame)["verdict"] != "no effect beyond noise"
    assert claimed <= 20


def test_of_several_s_the_largest_with_a_run_without_pre_training_is_compared():
    frame = pd.DataFrame([(n, s) for n in (0, 100, 200, 400) for s in (10, 20, 40)], columns=["n", "s"])
    frame["error"] = (0.3 + (frame.n + 20) ** -0.5) * frame.s**-0.2
    frame = frame[(frame.n > 0) | (frame.s < 40)]
    (curve,) = fit_table(frame, law="full")["curves"]
    assert curve["effect"]["s"] == 20 and "(s = 20)" in curve["effect"]["text"]
