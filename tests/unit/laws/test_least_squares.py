"""Least squares: free exponents, profile intervals, and what they identify."""

import numpy as np
import pytest

from syn2real.laws.forms import full, power, simple
from syn2real.laws.methods.least_squares import fit_least_squares, identified_by
from syn2real.laws.table import split_curves

N = 1000.0 * 2 ** np.arange(7)


@pytest.mark.parametrize("alpha", [0.001, 0.005, 0.01, 0.02, 0.05])
def test_the_power_law_finds_slow_falls_and_is_the_line_through_the_logarithms(make_curve, alpha):
    exact = fit_least_squares(make_curve(N, 0.95 * N**-alpha), power.LAW).params
    assert exact["alpha"].value == pytest.approx(alpha, rel=0.02) and exact["alpha"].status == "ok"
    error = 0.95 * N**-alpha * np.exp(2e-4 * np.random.default_rng(0).standard_normal(len(N)))
    slope, start = np.polyfit(np.log(N), np.log(error), 1)
    params = fit_least_squares(make_curve(N, error), power.LAW).params
    assert params["alpha"].value == pytest.approx(-slope, rel=1e-5)
    assert params["D"].value == pytest.approx(np.exp(start), rel=1e-5)


@pytest.mark.parametrize("law", [power.LAW, simple.LAW], ids=lambda law: law.name)
def test_an_error_that_does_not_fall_leaves_the_exponent_on_its_bound(make_curve, law):
    fit = fit_least_squares(make_curve(N, np.linspace(0.3, 0.5, len(N))), law)
    assert fit.params["alpha"].status == "at-bound"
    assert fit.params["alpha"].value == pytest.approx(law.bounds[0])
    assert "ok" not in {param.status for param in fit.params.values()}


def test_as_many_points_as_parameters_identify_nothing(make_curve):
    curve = make_curve([100, 200, 400], [0.9, 0.7, 0.58])
    assert identified_by(curve, simple.LAW) == {
        "D": "unidentified",
        "C": "unidentified",
        "alpha": "unidentified",
    }
    assert set(identified_by(make_curve(N[:3], 0.9 * N[:3] ** -0.3), power.LAW).values()) == {"ok"}


def test_a_gap_is_ok_only_where_its_interval_starts_above_zero(make_curve):
    noise = np.random.default_rng(3).standard_normal(len(N))
    clear, noisy = (4 * N**-0.45 + 0.3 for _ in range(2))
    fits = [
        fit_least_squares(make_curve(N, error * np.exp(size * noise)), simple.LAW)
        for error, size in ((clear, 0.002), (noisy, 0.06))
    ]
    assert fits[0].params["C"].lower > 0 and fits[0].params["C"].status == "ok"
    assert fits[1].params["C"].lower == 0 and fits[1].params["C"].status != "ok"


def test_an_exponent_is_ok_only_within_a_factor_of_four(make_curve):
    noise = np.random.default_rng(0).standard_normal(len(N))
    for size, status in ((0.01, "ok"), (0.25, "unidentified")):
        params = fit_least_squares(make_curve(N, N**-0.2 * np.exp(size * noise)), power.LAW).params
        assert params["alpha"].lower is not None
        assert (params["alpha"].upper <= 4 * params["alpha"].lower) == (status == "ok")
        assert {param.status for param in params.values()} == {status}


def test_statuses_alone_are_those_of_the_fit(make_curve):
    random = np.random.default_rng(7)
    for noise in (0.001, 0.01, 0.05):
        for alpha in (0.1, 0.4, 0.9):
            error = (0.4 * (N / 1000) ** -alpha + 0.2) * np.exp(noise * random.standard_normal(len(N)))
            curve = make_curve(N, error)
            fit = fit_least_squares(curve, simple.LAW)
            assert identified_by(curve, simple.LAW) == {name: p.status for name, p in fit.params.items()}


def test_the_spread_of_replicates_widens_the_intervals(points):
    def width(spread):
        """Three sizes that a power law meets exactly in the mean, each with two seeds."""
        rows = [
            {"n": n, "seed": k, "error": n**-0.3 * np.exp(spread * (-1) ** k)} for n in N[:3] for k in (0, 1)
        ]
        (curve,), _ = split_curves(points.__class__(rows), [])
        param = fit_least_squares(curve, power.LAW).params["alpha"]
        return param.upper - param.lower

    assert width(0.02) == pytest.approx(2 * width(0.01), rel=0.02)
    # Two seeds are two measurements: the residual's spread is that of one of them.
    slope_error = 0.02 * np.sqrt(6 / 4) / np.sqrt(2 * np.sum((np.log(N[:3]) - np.log(N[:3]).mean()) ** 2))
    assert width(0.02) == pytest.approx(2 * 2.776 * slope_error, rel=0.02)


def test_a_share_of_terms_is_ok_only_where_each_term_is(make_curve):
    n, s = (axis.ravel() for axis in np.meshgrid(N, [1000.0, 4000.0, 16000.0]))
    noise = np.exp(0.002 * np.random.default_rng(1).standard_normal(len(n)))
    known = {"delta": 10.0, "gamma": 0.1, "alpha": 0.3, "beta": 0.3}
    for gamma, status in ((0.1, "ok"), (0.0, None)):
        error = full.LAW.predict(known | {"gamma": gamma}, full_rows(n, s)) * noise
        params = fit_least_squares(make_curve(n, error, s), full.LAW).params
        assert (params["gamma"].status == "ok") == (status == "ok")
        assert params["beta"].status == "ok"


def full_rows(n, s):
    """Rows of images and labels."""
    from syn2real.laws.results import Rows

    return Rows.at(n, s)
