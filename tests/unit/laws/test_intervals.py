"""Intervals of what several curves show together, against values that are known."""

import numpy as np
import pytest

from syn2real.laws.intervals import (
    intraclass,
    mean_of_pairs,
    of_share,
    rank_correlation,
    ratio_of_misses,
    spread,
)

RANDOM = np.random.default_rng(1)
EXACT = np.ones((1, 2000))


@pytest.mark.parametrize(
    ("hits", "tries", "lower", "upper"),
    [(12, 12, 0.7354, 1.0), (0, 12, 0.0, 0.2646), (6, 12, 0.2109, 0.7891)],
)
def test_a_share_has_the_exact_binomial_interval(hits: int, tries: int, lower: float, upper: float) -> None:
    found = of_share(hits, tries)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-4)


def test_the_intraclass_correlation_is_known_only_as_well_as_groups_are_many() -> None:
    groups = np.repeat(np.arange(60), 4)
    means = RANDOM.standard_normal(60)[groups]
    found = intraclass((means + RANDOM.standard_normal(240))[:, None] * EXACT, [*map(str, groups)])
    assert found is not None and found.lower < 0.5 < found.upper and found.upper - found.lower < 0.3
    few = intraclass((means + RANDOM.standard_normal(240))[:12, None] * EXACT, [*map(str, groups[:12])])
    assert few is not None and few.upper - few.lower > 0.6
    assert intraclass(means[:3, None] * EXACT, ["a", "b", "c"]) is None, "one curve a group"


def test_the_spread_beyond_the_noise_is_that_of_the_random_effects() -> None:
    groups = [str(i // 40) for i in range(200)]
    noise = 0.4 * RANDOM.standard_normal((200, 2000))
    values = (0.5 * RANDOM.standard_normal(200) + 0.4 * RANDOM.standard_normal(200))[:, None] + noise
    found = spread(values, groups)
    assert found is not None and 0.3 < found.lower < 0.5 < found.upper < 0.8
    none = spread((0.4 * RANDOM.standard_normal(200))[:, None] + noise, groups)
    assert none is not None and none.lower == 0
    assert spread(values[:2], ["a", "b"]) is None


def test_values_nearer_than_their_errors_allow_leave_the_spread_open() -> None:
    found = spread(0.3 * RANDOM.standard_normal((12, 2000)), ["a"] * 6 + ["b"] * 6)
    assert found is not None and found.lower == 0 and found.upper > 0.3


def test_a_perfect_order_of_eight_excludes_none_and_of_five_says_nothing() -> None:
    rising = np.arange(8.0)[:, None] * EXACT
    found = rank_correlation([(rising, [*range(8)])])
    assert found is not None and found.lower > 0.5
    assert rank_correlation([(rising[:5], [*range(5)])]) is None
    assert rank_correlation([(rising, [1.0] * 8)]) is None, "no order"
    equal = rank_correlation([(EXACT.repeat(8, axis=0), [*range(8)])])
    assert equal is not None and equal.lower < 0 < equal.upper, "equal values have no order"


def test_the_ratio_of_misses_is_uncertain_by_its_clusters() -> None:
    one = RANDOM.standard_normal(400)
    found = ratio_of_misses(one, 2 * RANDOM.standard_normal(400), [*range(400)])
    assert found is not None and found.lower < 0.5 < found.upper < 0.6
    same = ratio_of_misses(one, one, [i % 5 for i in range(400)])
    assert same is not None and (same.lower, same.value, same.upper) == (1, 1, 1)
    assert ratio_of_misses(one, one, [i % 2 for i in range(400)]) is None


def test_the_mean_of_pairs_has_students_t() -> None:
    found = mean_of_pairs(np.array([[1.0], [2.0], [3.0], [4.0]]) * EXACT)
    assert found is not None and found.value == pytest.approx(2.5, abs=0.05)
    assert found.upper - found.lower == pytest.approx(2 * 3.182 * np.std([1, 2, 3, 4], ddof=1) / 2, rel=0.1)
    assert mean_of_pairs(np.empty((0, 5))) is None
