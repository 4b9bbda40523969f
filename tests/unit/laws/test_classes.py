import numpy as np

from syn2real.laws.classes import describe_classes
from syn2real.laws.photographs import multiplicities

N, SIZES = 300, 1000 * 2.0 ** np.arange(6)


def described(rates, seed=0, noise=0.0, photographs=N, sizes=SIZES):
    """Describe classes whose photographs are got wrong with these rates, (M, K)."""
    random = np.random.default_rng(seed)
    rates = rates * np.exp(noise * random.standard_normal(rates.shape))
    wrong = random.random((photographs, *rates.shape)) < rates
    times = np.concatenate([np.ones((1, photographs)), multiplicities(photographs)])
    errors = np.einsum("bi,imk->bmk", times, wrong.astype(float)) / photographs
    names = [f"class {k}" for k in range(rates.shape[1])]
    return describe_classes(names, errors, sizes)


FLAT = np.full((6, 1), 0.4)
FALLS = 0.9 - 0.12 * np.arange(6)[:, None]


def test_a_class_that_falls_is_named_beside_those_that_do_not():
    found = described(np.hstack([FALLS, FLAT, FLAT]), photographs=2000)
    assert [one["falls"] for one in found] == [True, False, False]
    assert found[0]["lower"] < -0.12 < found[0]["upper"] < 0
    assert abs(found[0]["error"] - 0.3) < 0.1


def test_a_class_that_fell_early_does_not_still_fall():
    early = np.array([0.9, 0.7, 0.4, 0.4, 0.4, 0.4])[:, None]
    assert not any(described(early, seed)[0]["falls"] for seed in range(20))


def test_among_many_flat_classes_rarely_one_is_said_to_fall():
    """Also where seeds scatter more than luck on the photographs does."""
    for noise in (0.0, 0.3):
        files = [described(np.tile(FLAT, (1, 20)), seed, noise) for seed in range(60)]
        assert sum(any(one["falls"] for one in classes) for classes in files) <= 6


def test_a_class_whose_runs_scatter_most_is_judged_by_its_own_scatter():
    flat, noise = np.full((12, 10), 0.4), np.array([0.6, *[0.05] * 9])
    files = [described(flat, seed, noise, sizes=np.repeat(SIZES, 2)) for seed in range(60)]
    assert sum(any(one["falls"] for one in classes) for classes in files) <= 5


def test_classes_that_photographs_do_not_judge_and_too_few_sizes_are_left_out():
    errors = np.full((5, 6, 2), 0.3)
    errors[2, 1, 0] = np.nan
    assert [one["class"] for one in describe_classes(["a", "b"], errors, SIZES)] == ["b"]
    assert describe_classes(["a", "b"], errors[:, :2], SIZES[:2]) == []
