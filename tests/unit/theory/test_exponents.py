"""The exponents against cases worked out by hand, and against the minimum of the bound."""

import numpy as np
import pytest

from fixtures.worked import WORKED, Worked
from syn2real.errors import InputError
from syn2real.theory.bound import log_bound, minimise, recover, term_powers
from syn2real.theory.exponents import exponents, lambda1_powers

NAMES = [str(place) for place in range(1, 12)]
ONE_CASE = WORKED[:10]


@pytest.mark.parametrize("worked", WORKED, ids=NAMES)
def test_hand_worked_cases(worked: Worked) -> None:
    found = exponents(*worked.given)
    assert tuple(case.name for case in found.printed) == worked.printed
    assert tuple(case.name for case in found.followed) == worked.followed
    assert found.alpha0 == pytest.approx(float(worked.alpha0), abs=1e-9)
    assert found.plateau == pytest.approx(float(worked.plateau), abs=1e-9)
    for place, case in enumerate(found.followed):
        for name in ("nu", "beta", "lambda_s", "lambda_r0"):
            assert getattr(case, name) == pytest.approx(float(getattr(worked, name)[place]), abs=1e-9), name
        assert case.alpha == pytest.approx(float(worked.nu[place] * worked.alpha0), abs=1e-9)
        window = worked.window[place]
        assert case.window == (None if window is None else pytest.approx(float(window), abs=1e-9))


@pytest.mark.parametrize("worked", ONE_CASE, ids=NAMES[:10])
def test_the_minimum_has_these_exponents_where_s_is_beyond_all_measure(worked: Worked) -> None:
    found = recover(*worked.given, decades=(100, 200) if worked.given[2] < 1.5 else (30, 60))
    for name in ("nu", "beta", "lambda_s", "lambda_r0"):
        assert getattr(found, name) == pytest.approx(float(getattr(worked, name)[0]), rel=0.01), name


def test_on_the_boundary_the_minimum_lies_between_its_two_cases() -> None:
    found = recover(*WORKED[10].given, decades=(30, 60))
    assert 1 / 3 < found.nu < 1 / 2
    assert found.beta == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("row", [1, 4, 8])
def test_at_sizes_that_are_measured_the_exponents_are_others(row: int) -> None:
    worked = WORKED[row - 1]
    found = recover(*worked.given, decades=(3, 6), log10_r0=(-2, -1))
    assert found.nu < 0.6 * worked.nu[0]
    assert found.beta > 1.05 * worked.beta[0]


def test_the_minimum_is_the_least_and_its_exponents_are_its_slopes() -> None:
    powers = term_powers(1, 0.5, 2, 0)
    log_s, log_r0, step = np.log(1e4), np.log(0.03), 1e-4
    least = minimise(powers, log_s, log_r0)
    scan = log_bound(powers, log_s, np.linspace(-3 * log_s, 0, 4001), log_r0)
    assert least.log_bound <= scan.min() and least.log_bound == pytest.approx(scan.min(), abs=1e-4)
    in_s = minimise(powers, log_s + np.array([-step, step]), log_r0).log_bound
    in_r0 = minimise(powers, log_s, log_r0 + np.array([-step, step])).log_bound
    assert least.beta == pytest.approx(-np.diff(in_s)[0] / (2 * step), abs=1e-6)
    assert least.nu == pytest.approx(np.diff(in_r0)[0] / (2 * step), abs=1e-6)


def test_the_powers_of_lambda1_are_those_of_the_case_that_is_followed() -> None:
    for worked in ONE_CASE:
        (case,) = exponents(*worked.given).followed
        r0, r1, _, zeta = worked.given
        assert lambda1_powers(r0, r1, zeta) == pytest.approx((case.lambda_s, case.lambda_r0), abs=1e-12)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ((0.49, 1, 2, 0), "--r0"), ((1, 1.01, 2, 0), "--r1"), ((float("nan"), 1, 2, 0), "--r0"),
        ((1, 1, 1, 0), "--xi"), ((1, 1, float("inf"), 0), "--xi"), ((1, 1, 2, 1), "--zeta"),
        ((1, 1, 2, -0.1), "--zeta"),
    ],
)  # fmt: skip
def test_numbers_outside_the_assumptions_are_refused(given: tuple[float, ...], key: str) -> None:
    with pytest.raises(InputError) as caught:
        exponents(*given)
    assert caught.value.key == key
