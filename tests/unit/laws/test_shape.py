"""A curve that no law describes is named as such, and one that a law describes hardly ever."""

import json

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.shape import curve_noise, describe_shape
from syn2real.report.wording import advice_text, fit_text


def table(text: str) -> pd.DataFrame:
    return pd.DataFrame([row.split(",") for row in text.split()], columns=["n", "error"]).astype(float)


NOT_DESCRIBED = {
    "1000,.38 2000,.44 4000,.48 8000,.51 16000,.525": "grows with n at every size: is this an accuracy",
    "1000,.4 2000,.41 4000,.40 8000,.44 16000,.48 32000,.49": "grows with n, from n = 1,000 to n = 32,000",
    "1000,.62 2000,.56 4000,.52 8000,.49 16000,.97": "n = 16,000 lies 116 % above what the other sizes",
    "1000,.62 2000,.56 4000,.75 8000,.49 16000,.475": "n = 4,000 lies 41 % above",
    "100,.5 200,.41 400,.35 800,.39 1600,.47": "falls until n = 400, then rises by 34 %",
    "100,.95 200,.90 400,.84 800,.76 1600,.66": "falls ever faster",
    "40,.9868 80,.9864 160,.9844 320,.9921": "does not fall with n beyond the noise",
    "1000,.49 2000,.51 4000,.48 8000,.50 16000,.49": "does not fall with n beyond the noise",
}


@pytest.mark.parametrize(("text", "said"), NOT_DESCRIBED.items())
def test_fit_and_advise_say_that_no_law_describes_a_curve(text, said):
    for result, words in (
        (fit_table(table(text)), fit_text),
        (advise_table(table(text), 0.2), advice_text),
    ):
        (curve,) = json.loads(json.dumps(result))["curves"]
        assert said in curve["shape"]
        assert f"The law does not describe this curve: {curve['shape']}." in words(result)


def test_a_curve_that_a_law_describes_is_hardly_ever_called_otherwise(make_curve):
    random, n = np.random.default_rng(0), 1000 * 2.0 ** np.arange(6)
    named = 0
    for _ in range(200):
        alpha, gap = np.exp(random.uniform(np.log(0.05), np.log(1.5))), random.uniform(0, 0.8)
        error = 0.7 * ((1 - gap) * (n / 1000) ** -alpha + gap) * np.exp(0.01 * random.standard_normal(6))
        named += describe_shape(make_curve(n, error)) is not None
    assert named <= 8


def test_close_seeds_make_no_outlier_of_a_curve_that_bends():
    n = np.repeat([1000, 2000, 4000, 8000, 16000], 2)
    error = np.repeat([0.62, 0.56, 0.52, 0.49, 0.475], 2) + [0, 0.004] * 5
    (curve,) = fit_table(pd.DataFrame({"n": n, "seed": [0, 1] * 5, "error": error}))["curves"]
    assert curve["shape"] is None


def test_an_end_that_still_follows_the_curve_is_no_outlier(make_curve):
    n = 1000 * 2.0 ** np.arange(6)
    levels_off = [0.8, 0.6, 0.45, 0.34, 0.26, 0.24]
    assert describe_shape(make_curve(n, levels_off)) is None
    assert "n = 32,000 lies" in describe_shape(make_curve(n, [*levels_off[:5], 0.3]))


def test_three_sizes_alone_prove_no_shape(make_curve):
    assert describe_shape(make_curve([100, 200, 400], [0.98, 0.96, 0.93])) is None
    assert describe_shape(make_curve([100, 200], [0.9, 0.95])) is None


def test_the_noise_is_the_scatter_or_the_test_sets_whichever_is_larger(make_curve):
    n = 1000 * 2.0 ** np.arange(7)
    curve = make_curve(n, 0.5 * (n / 1000) ** -0.3 * np.exp(0.01 * np.array([1, -1, 1, -1, 1, -1, 1])))
    assert curve_noise(curve).variance ** 0.5 == pytest.approx(0.0115, rel=0.1)
    known = type(curve)(**{**vars(curve), "floor": np.full(7, 0.05**2)})
    assert (curve_noise(known).variance == 0.05**2).all() and np.isinf(curve_noise(known).freedom)
