"""Subsets nest, are balanced, and depend on nothing but labels, percentage and seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syn2real.data.subsets import draw_from_pool, indices_digest, subset, subset_record
from syn2real.errors import InputError

labels = st.lists(st.integers(0, 6), min_size=1, max_size=200).map(np.array)
percents = st.floats(0.01, 100, exclude_min=True)
seeds = st.integers(0, 2**32)


@given(labels, percents, percents, seeds)
def test_a_smaller_share_lies_inside_a_larger_one(labels, a, b, seed):
    small, large = subset(labels, min(a, b), seed), subset(labels, max(a, b), seed)
    assert set(small) <= set(large)
    n = len(labels)
    assert set(subset(n, min(a, b), seed)) <= set(subset(n, max(a, b), seed))


@given(labels, percents, seeds)
def test_every_class_gives_its_equal_share_or_all_it_has(labels, percent, seed):
    drawn = subset(labels, percent, seed)
    assert (np.diff(drawn) > 0).all()
    record = subset_record(labels, drawn, percent)
    for k in np.unique(labels):
        has, got = (labels == k).sum(), (labels[drawn] == k).sum()
        assert got == (has if percent == 100 else min(has, record["per_class"]))
        assert record["shortfall"].get(str(k), 0) == max(0, record["per_class"] - got)
    assert record["n"] == len(drawn) and record["n_total"] == len(labels)


@given(st.integers(1, 500), percents, seeds)
def test_without_labels_the_share_is_rounded_to_the_nearest(n, percent, seed):
    drawn = subset(n, percent, seed)
    assert abs(len(drawn) - n * percent / 100) <= 0.5 + 1e-6 or len(drawn) == 1
    assert len(set(drawn)) == len(drawn) and drawn.min() >= 0 and drawn.max() < n


@given(labels, seeds)
def test_all_is_all(labels, seed):
    assert subset(labels, 100, seed).tolist() == list(range(len(labels)))


PAPERS_PERCENTS = (1, 2, 4, 7, 10, 16, 32, 64, 100)


def imagenet_labels():
    """Labels as unequal as ImageNet's 1,281,167: 895 classes of 1,300 images, the others down to 732."""
    others = 732 + 568 * np.linspace(0, 1, 105) ** 0.46
    return np.repeat(np.arange(1000), np.r_[np.full(895, 1300), others.astype(int)])


def test_imagenet_at_the_papers_shares():
    labels = imagenet_labels()
    have = np.bincount(labels)
    assert abs(len(labels) - 1_281_167) < 1_000
    smaller = np.empty(0, dtype=int)
    for percent in (1, 32, 64, 100):
        drawn = subset(labels, percent, 0)
        got = np.bincount(labels[drawn], minlength=1000)
        record = subset_record(labels, drawn, percent)
        chosen = np.zeros(len(labels), dtype=bool)
        chosen[drawn] = True
        assert chosen[smaller].all()
        smaller = drawn
        quota = percent * len(labels) // 100_000
        if percent == 100:
            assert len(drawn) == len(labels)
        else:
            assert (got == np.minimum(have, quota)).all() and record["per_class"] == quota
            lacking = {str(k): int(quota - have[k]) for k in np.flatnonzero(have < quota)}
            assert record["shortfall"] == lacking
        if percent <= 32:  # balanced: C.2's footnote
            assert len(set(got)) == 1 and record["shortfall"] == {}
    assert len(subset(labels, 1, 0)) == 12_000


@given(labels, seeds)
def test_the_papers_shares_lie_inside_one_another(labels, seed):
    draws = [set(subset(labels, percent, seed)) for percent in PAPERS_PERCENTS]
    assert all(small <= large for small, large in zip(draws, draws[1:], strict=False))
    numbers = [set(subset(len(labels), percent, seed)) for percent in PAPERS_PERCENTS]
    assert all(small <= large for small, large in zip(numbers, numbers[1:], strict=False))


def test_the_papers_sizes():
    imagenet = np.repeat(np.arange(1000), 1281)
    assert len(subset(imagenet, 1, 0)) == 12_000
    coco, ade20k = ([len(subset(n, p, 0)) for p in PAPERS_PERCENTS] for n in (118_287, 20_210))
    assert coco == [1_183, 2_366, 4_731, 8_280, 11_829, 18_926, 37_852, 75_704, 118_287]
    assert ade20k == [202, 404, 808, 1_415, 2_021, 3_234, 6_467, 12_934, 20_210]
    assert [len(subset(np.repeat(np.arange(10), 6000), p, 0)) for p in (1, 2, 4, 7, 16, 32, 64)] == [
        600, 1200, 2400, 4200, 9600, 19200, 38400,
    ]  # fmt: skip


def test_a_class_with_too_few_is_recorded_and_not_made_up_for():
    labels = np.array([0] * 90 + [1] * 5 + [2] * 25)
    drawn = subset(labels, 30, 3)
    assert np.bincount(labels[drawn]).tolist() == [12, 5, 12]
    record = subset_record(labels, drawn, 30)
    assert record["per_class"] == 12 and record["shortfall"] == {"1": 7}


def test_every_class_gives_at_least_one():
    labels = np.arange(50) % 25
    assert sorted(labels[subset(labels, 0.1, 0)]) == list(range(25))


def test_seeds_differ_and_zero_is_a_seed():
    labels = np.repeat(np.arange(4), 100)
    draws = [tuple(subset(labels, 5, seed)) for seed in range(5)]
    assert len(set(draws)) == 5
    assert tuple(subset(labels, 5, 0)) == draws[0]


def test_the_draw_does_not_change_from_release_to_release():
    assert subset(20, 25, 0).tolist() == [2, 3, 11, 13, 15]
    assert subset([0, 1] * 8, 50, 1).tolist() == [2, 4, 5, 7, 9, 12, 14, 15]
    assert draw_from_pool(20, 7).tolist() == [2, 5, 6, 13, 14, 17, 19]
    assert draw_from_pool(30, 7).tolist() == [0, 2, 7, 20, 22, 25, 28]
    assert indices_digest(64_000, draw_from_pool(64_000, 1000)).startswith("7a780e868893ae82")


@given(st.integers(1, 300), st.data())
def test_draws_from_a_pool_nest_and_hold_no_image_twice(pool, data):
    few, many = sorted(data.draw(st.tuples(st.integers(1, pool), st.integers(1, pool))))
    small, large = draw_from_pool(pool, few), draw_from_pool(pool, many)
    assert set(small) <= set(large) and (np.diff(large) > 0).all()
    assert len(large) == many and large[0] >= 0 and large[-1] < pool
    assert draw_from_pool(pool, pool).tolist() == list(range(pool))


def test_a_draw_is_of_single_images_from_the_whole_pool():
    scenes, images = np.unique(draw_from_pool(64_000, 1000) // 10, return_counts=True)
    # Of 6,400 scenes of ten views: 6,400 · (1 - 0.9^(1000/6400 · 10 / 10)) ≈ 930 are met, at random.
    assert 900 < len(scenes) < 960 and images.max() <= 4
    assert abs(draw_from_pool(64_000, 1000).mean() - 32_000) < 3 * 64_000 / np.sqrt(12 * 1000)


@pytest.mark.parametrize("n", [0, 11])
def test_a_pool_cannot_give_more_than_it_holds(n):
    with pytest.raises(InputError, match=f"n: {n} images cannot be drawn from a pool of 10"):
        draw_from_pool(10, n)


def test_the_digest_separates_draws_and_data_sets():
    one, other = subset(100, 10, 0), subset(100, 10, 1)
    assert subset_record(100, one, 10)["digest"] == subset_record(100, one.copy(), 10)["digest"]
    assert subset_record(100, one, 10)["digest"] != subset_record(100, other, 10)["digest"]
    assert subset_record(100, one, 10)["digest"] != subset_record(101, one, 10)["digest"]


@pytest.mark.parametrize("percent", [0, -1, 100.5, float("nan")])
def test_not_a_percentage(percent):
    with pytest.raises(InputError, match="not a valid percentage"):
        subset(10, percent, 0)


def test_nothing_to_draw_from():
    with pytest.raises(InputError, match="empty"):
        subset([], 10, 0)
