"""The fitters against certified values, an oracle and known truths."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.laws.api import fit_table
from syn2real.laws.bayes import grid
from syn2real.laws.forms import power, simple
from syn2real.laws.methods import paper, posterior
from syn2real.laws.methods.least_squares import fit_least_squares
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve
from syn2real.laws.varpro import solve_nonnegative

N = 1000.0 * 2 ** np.arange(9)


def fit_simple(curves):
    return posterior.fit(curves, simple.LAW, level=0.95)[0]


def noisy(seed, noise=0.003, n=N, d=4.0, alpha=0.45, gap=0.3):
    random = np.random.default_rng(seed)
    return (d * n**-alpha + gap) * np.exp(noise * random.standard_normal(len(n)))


def test_certified_power_law(make_curve):
    # NIST StRD DanWood, y = b1 x^b2, with n = 1/x so that the exponent is a decay
    x = np.array([1.309, 1.471, 1.490, 1.565, 1.611, 1.680])
    y = np.array([2.138, 3.421, 3.597, 4.340, 4.882, 5.660])
    fit = fit_least_squares(make_curve(1 / x[::-1], y[::-1]), power.LAW, residual="linear")
    assert fit.params["D"].value == pytest.approx(7.6886226176e-01, rel=1e-6)
    assert fit.params["alpha"].value == pytest.approx(3.8604055871, rel=1e-6)
    assert fit.solution.loss[0] == pytest.approx(4.3173084083e-03, rel=1e-8)
    # The certified standard deviation of b2 times Student's t with 4 degrees of freedom
    half = (fit.params["alpha"].upper - fit.params["alpha"].lower) / 2
    assert half == pytest.approx(5.1726610913e-02 * 2.776445, rel=0.01)


@pytest.mark.parametrize("residual", ["log", "linear"])
def test_profile_intervals_agree_with_lmfit(make_curve, residual):
    lmfit = pytest.importorskip("lmfit")
    y = noisy(3)
    fit = fit_least_squares(make_curve(N, y), simple.LAW, residual=residual)

    def residuals(p):
        f = p["d"] * (N / N[4]) ** -p["alpha"] + p["C"]
        return np.log(f / y) if residual == "log" else f - y

    start = lmfit.Parameters()
    start.add("d", 0.1, min=0)
    start.add("alpha", 0.4, min=0.01, max=5)
    start.add("C", 0.25, min=0)
    mini = lmfit.Minimizer(residuals, start)
    best = mini.minimize()
    ends = lmfit.conf_interval(mini, best, p_names=["alpha", "C"], sigmas=[0.95])
    for name in ("alpha", "C"):
        param = fit.params[name]
        assert param.value == pytest.approx(best.params[name].value, rel=1e-3)
        assert (param.lower, param.upper) == pytest.approx((ends[name][0][1], ends[name][2][1]), rel=0.01)


def test_derivatives_agree_with_numerical_ones():
    step, values = 1e-6, {"D": 0.5, "alpha": 0.4, "C": 0.3}

    def numerical(name):
        low, high = ({**values, name: values[name] + side * step} for side in (-1, 1))
        return (simple.LAW.predict(high, Rows.at(N)) - simple.LAW.predict(low, Rows.at(N))) / (2 * step)

    expected = np.stack([numerical("alpha"), numerical("C")], axis=1)
    np.testing.assert_allclose(paper.jacobian(N, 0.5, 0.4), expected, rtol=1e-6)
    gain, share = np.linspace(-0.9, 2.0, 7), 0.6
    slope = (grid.log_shape(gain, share + step) - grid.log_shape(gain, share - step)) / (2 * step)
    np.testing.assert_allclose(grid.share_slope(gain, share), slope, rtol=1e-6)


def test_nonnegative_least_squares_agrees_with_scipy():
    from scipy.optimize import nnls

    random = np.random.default_rng(0)
    columns, target = random.normal(size=(50, 6, 3)), random.normal(size=(50, 6))
    ours = solve_nonnegative(columns, target)
    theirs = np.array([nnls(a, b)[0] for a, b in zip(columns, target, strict=True)])
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_huber_resists_an_outlier(make_curve):
    y = noisy(0, noise=0.001)
    y[4] *= 1.2
    robust = fit_least_squares(make_curve(N, y), simple.LAW, residual="huber")
    plain = fit_least_squares(make_curve(N, y), simple.LAW, residual="log")
    assert abs(robust.params["C"].value - 0.3) < 0.02 < abs(plain.params["C"].value - 0.3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-3, 0.5, 1e4]))
def test_the_unit_of_n_changes_neither_gap_nor_rate(seed, unit):
    y = noisy(seed)
    nan = np.full(len(N), np.nan)
    one, two = (Curve({}, n, y, np.ones(len(N)), nan, nan) for n in (N, N * unit))
    for fit in (lambda c: fit_simple([c])[0], lambda c: fit_least_squares(c, simple.LAW)):
        a, b = fit(one).params, fit(two).params
        for name in ("alpha", "C"):
            assert a[name].value == pytest.approx(b[name].value, rel=1e-6)
            assert a[name].status == b[name].status
        assert b["D"].value == pytest.approx(a["D"].value * unit ** a["alpha"].value, rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_curves_does_not_matter(random):
    rows = [
        {"setting": f"s{k}", "n": n, "error": e}
        for k in range(3)
        for n, e in zip(N, noisy(k, gap=0.2 + 0.1 * k), strict=True)
    ]
    mixed = random.sample(rows, len(rows))

    def answers(table):
        result = fit_table(pd.DataFrame(table), predict_at=[1e6])
        return {c["curve"]["setting"]: (c["fit"]["params"], c["predictions"]) for c in result["curves"]}

    one, two = answers(rows), answers(mixed)
    for name in one:
        for key in ("alpha", "C"):
            assert one[name][0][key]["value"] == pytest.approx(two[name][0][key]["value"], rel=1e-9)
        assert one[name][1][0]["upper"] == pytest.approx(two[name][1][0]["upper"], rel=1e-9)


def test_posterior_intervals_cover_and_narrow_with_data():
    random = np.random.default_rng(5)
    hits, widths = [], []
    nan = np.full(len(N), np.nan)
    for noise in (0.02, 0.002):
        truth = [(random.uniform(0.2, 0.8), random.uniform(0.1, 0.6)) for _ in range(30)]
        curves = [
            Curve({"k": k}, N, noisy(k, noise, d=0.3 * 1000**a, alpha=a, gap=c), np.ones(len(N)), nan, nan)
            for k, (a, c) in enumerate(truth)
        ]
        fits = fit_simple(curves)
        for fit, (a, c) in zip(fits, truth, strict=True):
            for name, value in (("alpha", a), ("C", c)):
                param = fit.params[name]
                low = -np.inf if param.lower is None else param.lower
                high = np.inf if param.upper is None else param.upper
                hits.append(low <= value <= high)
        widths.append(np.median([fit.params["C"].upper - fit.params["C"].lower for fit in fits]))
    assert np.mean(hits) > 0.9
    assert widths[1] < 0.7 * widths[0]


def test_a_bend_at_small_n_is_seen_and_none_is_invented(make_curve):
    n = np.geomspace(100, 1e5, 16)
    bent = (n + 3000) ** -0.5 * 20 + 0.1
    straight = 3 * n**-0.3 + 0.1
    random = np.random.default_rng(0)
    noise = np.exp(0.003 * random.standard_normal((2, 16)))
    ahead = Rows.at(1e6)
    fits = [fit_simple([make_curve(n, y)])[0] for y in (bent * noise[0], straight * noise[1])]
    assert fits[0].predict(ahead, 0.95).error[0] == pytest.approx(20 * (1e6 + 3000) ** -0.5 + 0.1, rel=0.08)
    assert fits[1].predict(ahead, 0.95).error[0] == pytest.approx(3 * 1e6**-0.3 + 0.1, rel=0.08)


def test_a_flat_curve_is_unidentified(make_curve):
    random = np.random.default_rng(2)
    fit = fit_simple([make_curve(N, 0.5 * np.exp(0.01 * random.standard_normal(len(N))))])[0]
    assert fit.params["alpha"].status in ("unidentified", "at-bound")
    assert fit.params["alpha"].lower is None or fit.params["alpha"].upper is None


def test_a_gap_of_zero_is_inside_its_interval(make_curve):
    fit = fit_simple([make_curve(N, noisy(4, gap=0.0))])[0]
    assert fit.params["C"].lower == 0 and fit.params["C"].upper < 0.05


needs_file = pytest.mark.skipif(
    "SYN2REAL_PUBLISHED_CSV" not in os.environ, reason="SYN2REAL_PUBLISHED_CSV is unset"
)


@needs_file
def test_extrapolation_on_the_published_subset_beats_least_squares_and_the_last_value():
    from syn2real.laws.convert import convert_table
    from syn2real.laws.reading import read_csv

    points, _ = convert_table(read_csv(os.environ["SYN2REAL_PUBLISHED_CSV"]))
    points = points[points.n > 0]
    misses: dict[str, list[float]] = {"default": [], "least-squares": [], "last": []}
    inside = []
    for part in (8, 4, 2):
        small = points[points.n <= 64000 / part]
        truth = points[points.n == 64000].set_index(["ptask", "ftask"]).error
        last = small.sort_values("n").groupby(["ptask", "ftask"]).error.last()
        misses["last"] += list((last - truth).dropna())
        for method in ("default", "least-squares"):
            for curve in fit_table(small, method=method, predict_at=[64000])["curves"]:
                value = truth[curve["curve"]["ptask"], curve["curve"]["ftask"]]
                forecast = curve["predictions"][0]
                misses[method].append(forecast["error"] - value)
                if method == "default":
                    inside.append(forecast["predict_lower"] <= value <= forecast["predict_upper"])
    rmse = {name: np.sqrt(np.mean(np.square(values))) for name, values in misses.items()}
    assert rmse["default"] < 0.9 * rmse["least-squares"] and rmse["default"] < 0.8 * rmse["last"]
    assert np.mean(inside) > 0.92


RISING = "1000,.38 2000,.44 4000,.48 8000,.51 16000,.525"
OUTLIER = "1000,.62 2000,.56 4000,.52 8000,.49 16000,.97"
EARLY = "100,.98 200,.96 400,.93"
NOISY = "100,.62 200,.35 400,.58 800,.30 1600,.57"


@pytest.mark.parametrize("text", [RISING, OUTLIER, EARLY, NOISY])
@pytest.mark.parametrize("method", ["default", "least-squares"])
def test_nothing_is_ok_that_only_the_prior_or_no_law_supports(text, method):
    rows = [[float(cell) for cell in pair.split(",")] for pair in text.split()]
    (curve,) = fit_table(pd.DataFrame(rows, columns=["n", "error"]), method=method)["curves"]
    assert not {param["status"] for param in curve["fit"]["params"].values()} & {"ok"}


@pytest.mark.parametrize("method", ["default", "least-squares"])
def test_a_gap_from_three_or_four_sizes_is_provisional(method):
    n = np.repeat(1000 * 4.0 ** np.arange(4), 3)
    error = (30 * n**-0.5 + 0.3) * np.exp(0.002 * np.random.default_rng(0).standard_normal(12))
    frame = pd.DataFrame({"n": n, "error": error, "seed": np.tile([0, 1, 2], 4)})
    (curve,) = fit_table(frame, method=method, unit="loss")["curves"]
    assert curve["fit"]["params"]["C"]["status"] == "provisional"
    assert curve["fit"]["params"]["alpha"]["status"] == "ok"
