"""The kernel distance is the published one, unbiased also for scenes of views, and its error is honest."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import polynomial_kernel

from syn2real.complexity.distance import kernel_distance
from syn2real.errors import InputError


def naive(
    x: np.ndarray, y: np.ndarray, scenes_x: Sequence | None = None, scenes_y: Sequence | None = None
) -> float:
    """Return the estimate pair by pair, with scikit-learn's kernel (its default gamma is 1 / d)."""

    def within(z: np.ndarray, scenes: Sequence | None) -> float:
        scenes = range(len(z)) if scenes is None else scenes
        kernel = polynomial_kernel(z, z, degree=3, coef0=1)
        pairs = [(i, j) for i in range(len(z)) for j in range(len(z)) if scenes[i] != scenes[j]]
        return float(np.mean([kernel[i, j] for i, j in pairs]))

    between = np.mean([(sum(a * b) / len(a) + 1) ** 3 for a in x for b in y])
    return within(x, scenes_x) + within(y, scenes_y) - 2 * float(between)


def jackknife(x: np.ndarray, y: np.ndarray, scenes_x: np.ndarray, scenes_y: np.ndarray) -> float:
    """Return the standard error by leaving out every scene and starting from the beginning."""
    total = 0.0
    for mine, of_x in ((scenes_x, True), (scenes_y, False)):
        values = []
        for scene in np.unique(mine):
            keep = mine != scene
            if of_x:
                values.append(naive(x[keep], y, scenes_x[keep], scenes_y))
            else:
                values.append(naive(x, y[keep], scenes_x, scenes_y[keep]))
        total += (len(values) - 1) / len(values) * float(((values - np.mean(values)) ** 2).sum())
    return total**0.5


def test_two_pairs_of_numbers_by_hand() -> None:
    # k(0, 1) = 1, k(2, 0) = 1, k of 0 or 1 with 2 or 0: 1, 1, 27, 1.
    found = kernel_distance(np.array([[0.0], [1.0]]), np.array([[2.0], [0.0]]))
    assert found.value == 1 + 1 - 2 * (1 + 1 + 27 + 1) / 4
    assert found.standard_error is None, "two scenes leave no spread"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 8), st.integers(3, 8), st.integers(1, 5))
def test_it_is_that_of_every_pair_and_its_error_that_of_every_omission(
    seed: int, n: int, m: int, d: int
) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(n, d)).astype(np.float32), random.normal(0.5, 2, size=(m, d))
    scenes_x, scenes_y = (np.r_[:3, random.integers(0, 4, size - 3)] for size in (n, m))
    found = kernel_distance(x, y, scenes_x, scenes_y)
    x = x.astype(np.float64)
    assert found.value == pytest.approx(naive(x, y, scenes_x, scenes_y), rel=1e-9, abs=1e-9)
    assert found.standard_error == pytest.approx(jackknife(x, y, scenes_x, scenes_y), rel=1e-6, abs=1e-9)
    alone = kernel_distance(x, y)
    assert alone.value == pytest.approx(naive(x, y), rel=1e-9, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_neither_the_order_of_images_nor_that_of_sets_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(7, 4)), random.normal(1, 1, size=(5, 4))
    scenes = np.array(list("aabbccc"))
    order = random.permutation(7)
    once, swapped = kernel_distance(x, y, scenes), kernel_distance(y, x, None, scenes)
    shuffled = kernel_distance(x[order], y[::-1], scenes[order])
    for other in (swapped, shuffled):
        assert (other.value, other.standard_error) == pytest.approx((once.value, once.standard_error))


def exact(mean_x: np.ndarray, root_x: np.ndarray, mean_y: np.ndarray, root_y: np.ndarray) -> float:
    """Return the distance of two normal distributions: moments of x·y up to the third."""
    d = len(mean_x)

    def kernel(m: np.ndarray, a: np.ndarray, n: np.ndarray, b: np.ndarray) -> float:
        s, t, both = a @ a.T, b @ b.T, m @ n
        trace = float(np.trace(s @ t))
        second = both**2 + n @ s @ n + m @ t @ m + trace
        third = both**3 + 3 * both * (m @ t @ m) + 3 * (both * (trace + n @ s @ n) + 2 * m @ t @ s @ n)
        return float(third / d**3 + 3 * second / d**2 + 3 * both / d + 1)

    x, y = (mean_x, root_x), (mean_y, root_y)
    return kernel(*x, *x) + kernel(*y, *y) - 2 * kernel(*x, *y)


@pytest.mark.parametrize("views", [1, 4])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.1, 1.0), (1.0, 1.0), (0.0, 1.5)])
def test_it_is_unbiased_and_its_error_covers_the_known_distance(
    shift: float, scale: float, views: int
) -> None:
    """100 images of each, 200 times; with four views a scene most of a feature is the scene's."""
    random = np.random.default_rng(0)
    d, draws = 32, 200
    root = 0.3 * random.normal(size=(d, d)) * np.arange(1, d + 1) ** -0.7
    mean = np.abs(random.normal(size=d))
    there = mean + shift * random.normal(size=d)
    truth = exact(mean, root, there, scale * root)
    scenes = np.repeat(np.arange(100 // views), views)
    share = 0.8 if views > 1 else 0.0
    found = []
    for _ in range(draws):
        renders, photographs = random.normal(size=(2, 100, d))
        renders *= (1 - share) ** 0.5
        renders += share**0.5 * random.normal(size=(100 // views, d))[scenes]
        found.append(kernel_distance(mean + renders @ root.T, there + scale * photographs @ root.T, scenes))
    values = np.array([one.value for one in found])
    errors = np.array([one.standard_error for one in found])
    assert abs(values.mean() - truth) < 4 * values.std() / draws**0.5
    assert 0.90 <= np.mean(np.abs(values - truth) <= 1.96 * errors) <= 0.995
    assert 0.85 < np.sqrt((errors**2).mean()) / values.std() < 1.7


@pytest.mark.parametrize(
    ("x", "y", "scenes", "message"),
    [
        ([[1.0]], [[1.0], [2.0]], None, "two scenes or more, not of 1"),
        ([[1.0], [2.0]], [[1.0], [2.0]], ["a", "a"], "two scenes or more, not of 1"),
        (np.zeros((0, 3)), np.zeros((4, 3)), None, "two scenes or more, not of 0"),
        (np.zeros((4, 3)), np.zeros((4, 2)), None, "features of 3 and 2 dimensions cannot be compared"),
        ([[1.0], [np.nan]], [[1.0], [2.0]], None, "features are finite numbers"),
        ([1.0, 2.0], [[1.0], [2.0]], None, "an array of shape (images, d)"),
    ],
)
def test_what_cannot_be_compared_is_refused(x, y, scenes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        kernel_distance(np.array(x), np.array(y), scenes)
    assert message in str(caught.value)
