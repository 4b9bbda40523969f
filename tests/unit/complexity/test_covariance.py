"""The streaming covariance is numpy's and scikit-learn's, whatever the blocks and the order of merging."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance

from syn2real.complexity.covariance import ROWS, Covariance, workspace
from syn2real.errors import InputError


def gathered(blocks, dimensions):
    covariance = Covariance(dimensions)
    for block in blocks:
        covariance.update(block)
    return covariance


def test_it_agrees_with_numpy_and_scikit_learn_over_several_blocks_of_blas() -> None:
    x = np.random.default_rng(0).normal(3, 2, (2 * ROWS + 77, 7)).astype(np.float32)
    ours = gathered(np.array_split(x, 5), 7)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(ours.mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(ours.scatter / (len(x) - 1), np.cov(exact.T), rtol=1e-11)
    sklearn = EmpiricalCovariance().fit(exact).covariance_
    np.testing.assert_allclose(ours.scatter / ours.count, sklearn, rtol=1e-11)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    dimensions=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    offset=st.sampled_from([0.0, 5.0, -300.0]),
)
def test_any_blocks_merged_in_any_order_give_the_same(sizes, dimensions, seed, offset) -> None:
    random = np.random.default_rng(seed)
    blocks = [random.normal(offset, 1 + k, (size, dimensions)) for k, size in enumerate(sizes)]
    straight = gathered(blocks, dimensions)
    parts = [gathered([blocks[k]], dimensions) for k in random.permutation(len(blocks))]
    half = len(parts) // 2
    left, right = (Covariance.of([Covariance(dimensions), *some]) for some in (parts[:half], parts[half:]))
    right.merge(left)
    scale = np.abs(straight.scatter).max() + 1e-300
    assert right.count == straight.count == sum(sizes)
    np.testing.assert_allclose(right.mean, straight.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(right.scatter / scale, straight.scatter / scale, rtol=0, atol=1e-10)


def test_a_large_mean_beside_a_small_spread_loses_no_digits() -> None:
    x = np.random.default_rng(1).normal(size=(500, 4))
    ours = gathered(np.array_split(x + 1e6, 9), 4)
    np.testing.assert_allclose(ours.scatter, np.cov(x.T) * 499, rtol=1e-7)
    textbook = (x + 1e6).T @ (x + 1e6) - 500 * np.outer(ours.mean, ours.mean)
    assert not np.allclose(textbook, np.cov(x.T) * 499, rtol=1e-7)


def test_a_part_is_taken_out_again() -> None:
    blocks = np.split(np.random.default_rng(2).normal(2, 1, (60, 5)), 3)
    whole, part = gathered(blocks, 5), gathered(blocks[1:2], 5)
    rest, expected = whole.without(part), gathered([blocks[0], blocks[2]], 5)
    assert rest.count == expected.count
    np.testing.assert_allclose(rest.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(rest.scatter, expected.scatter, rtol=1e-11)
    again = whole.without(part, out=gathered(blocks, 5))
    assert again.count == rest.count
    np.testing.assert_array_equal(again.mean, rest.mean)
    np.testing.assert_array_equal(again.scatter, rest.scatter)
    empty = part.without(part, out=again)
    assert empty.count == 0 and not empty.scatter.any() and not part.without(part).scatter.any()


def test_a_workspace_may_be_shared_and_leaves_no_trace() -> None:
    rows = workspace(3)
    x = np.random.default_rng(3).normal(size=(50, 3))
    one, two = Covariance(3), Covariance(3)
    one.update(x[:40], rows)
    two.update(x[40:], rows)
    np.testing.assert_array_equal(one.scatter, gathered([x[:40]], 3).scatter)
    np.testing.assert_array_equal(two.scatter, gathered([x[40:]], 3).scatter)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.zeros((4, 2)), "not a block of vectors of 3 dimensions"),
        (np.zeros(3), "not a block of vectors of 3 dimensions"),
        (np.array([[0, np.nan, 0]]), "not a finite number"),
        (np.array([[0, np.inf, 0]], dtype=np.float32), "not a finite number"),
    ],
)
def test_what_cannot_be_added_is_refused_and_nothing_changes(block, message) -> None:
    covariance = gathered([np.eye(3)], 3)
    before = covariance.scatter.copy()
    with pytest.raises(InputError, match=message):
        covariance.update(block)
    np.testing.assert_array_equal(covariance.scatter, before)
    assert covariance.count == 3


def test_other_dimensions_are_not_merged() -> None:
    with pytest.raises(InputError, match="2 dimensions cannot be merged with 3"):
        Covariance(3).merge(Covariance(2))
