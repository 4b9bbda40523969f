import numpy as np
import pytest

from syn2real.laws.photographs import Photographs, common_variance, multiplicities, scaled

N, SIZES, SEEDS = 400, np.array([1000, 2000, 4000, 8000.0]), np.arange(4)


def resampled(wrong):
    """Scaled errors of runs, (M, N), whose photographs are drawn again."""
    return scaled(multiplicities(wrong.shape[1]) @ wrong.T / wrong.shape[1])


def variance_of(rates, seeds=SEEDS, seed=0):
    """The variance that is read off runs that get photograph i wrong with these rates, (M, N)."""
    random = np.random.default_rng(seed)
    return common_variance(resampled(random.random(rates.shape) < rates), SIZES, seeds)


HARD = np.arange(N) < 0.3 * N
ALL_OR_NONE = np.tile(HARD, (4, 1)).astype(float)
ALIKE = np.full((4, N), 0.3)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        pytest.param(ALL_OR_NONE, 1.0, id="always right or always wrong: a Bernoulli variable"),
        pytest.param(ALIKE, 0.0, id="all alike: luck of each run, which its scatter shows"),
        pytest.param(0.3 + 0.4 * (ALL_OR_NONE - 0.3), 0.16, id="between: Var(p) / (e (1 - e))"),
    ],
)
def test_what_photographs_add_is_the_variance_of_their_rates(rates, expected):
    found = [variance_of(rates, seed=seed) * N for seed in range(8)]
    assert np.mean(found) == pytest.approx(expected, abs=0.08)


def test_a_run_at_one_size_shows_no_more_than_its_own_variance():
    wrong = ALL_OR_NONE[:1]
    assert common_variance(resampled(wrong), SIZES[:1], SEEDS[:1]) == pytest.approx(1 / N, rel=0.2)


def test_luck_that_a_seed_keeps_over_n_is_not_the_photographs():
    """Two seeds, each of which always errs on photographs of its own: nothing is common to both."""
    random = np.random.default_rng(0)
    errors = resampled(np.repeat(random.random((2, N)) < 0.3, 4, axis=0))
    assert common_variance(errors[:, :4], SIZES, np.zeros(4)) * N == pytest.approx(1, rel=0.3)
    assert common_variance(errors, np.tile(SIZES, 2), np.repeat([0, 1], 4)) * N < 0.15


@pytest.mark.parametrize("error", [0.05, 0.3, 0.9])
def test_the_population_scatters_as_a_rate_on_so_many_photographs(error):
    draws = Photographs(N, 1 / N).moved(np.full((2000, 1), error))
    assert draws.std() == pytest.approx(np.sqrt(error * (1 - error) / N), rel=0.03)
    assert np.median(draws) == pytest.approx(error, rel=1e-3)
    more = Photographs(N, 1 / N).as_many(4 * N).moved(np.full((2000, 1), error))
    assert more.std() == pytest.approx(draws.std() / 2, rel=0.03)


def test_all_sizes_move_together_and_stay_errors():
    errors = np.tile([1.3, 0.999, 0.4, 0.2, 0.0], (2000, 1))
    moved = Photographs(20, 1 / 20).moved(errors)
    assert (np.diff(moved, axis=1) <= 0).all() and moved.min() >= 0 and moved.max() <= 1


def test_losses_move_in_their_logarithm():
    moved = Photographs(N, 0.01, bounded=False).moved(np.full((2000, 2), [2.0, 4.0]))
    assert np.log(moved).std(axis=0) == pytest.approx([0.1, 0.1], rel=0.02)
