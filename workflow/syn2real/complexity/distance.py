"""How far one set of images is from another: the kernel distance of their features, with its standard error.

The kernel distance (KID; Bińkowski, Sutherland, Arbel and Gretton, ICLR 2018, §4) is the squared maximum mean
discrepancy of two sets of feature vectors by the kernel

    k(x, y) = (x·y / d + 1)³,    d the number of dimensions,

which compares the means, covariances and third moments of the features. Its estimate

    mean of k(x, x') + mean of k(y, y') - 2 · mean of k(x, y)

is unbiased, whatever the numbers of images, and so may be negative where the sets are alike. Views of one
scene are not independent: x and x' (and y and y') are of two different scenes, or it would not be unbiased.

The standard error is that of the jackknife, which leaves out one scene at a time of either set. Averages over
subsets, by which the paper's own code says how far a distance is known, reuse the same images and are too
small. Where the sets differ it is the true one but for chance; where they are alike it is up to √2 too large
(the terms of second order, which are then all there is, count twice; Efron and Stein, Annals of Statistics 9,
1981). `workflow/benchmarks/distance.py` measures both.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syn2real.errors import InputError

DEGREE = 3
KERNEL = "(x·y / d + 1)^3"
MOST = 1000
"""Images of a set that are compared at most: beyond these the standard error is that of the smaller set."""


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance.

    Attributes
    ----------
    value : float
        The unbiased estimate, in the units of the kernel; negative by chance where sets are alike.
    standard_error : float or None
        None where a set has but two scenes, which leaves no spread to see.
    """

    value: float
    standard_error: float | None


def kernel_distance(
    one: NDArray[np.floating],
    two: NDArray[np.floating],
    scenes_one: Sequence[Hashable] | None = None,
    scenes_two: Sequence[Hashable] | None = None,
) -> KernelDistance:
    """Return the kernel distance of two sets of features.

    Parameters
    ----------
    one, two : array, shape (n, d) and (m, d)
        A vector an image. The kernel takes n² + m² + n·m numbers of memory.
    scenes_one, scenes_two : sequence, optional
        The scene of each image; by default each is one of its own.

    Raises
    ------
    InputError
        A set has fewer than two scenes, the sets differ in d, or a feature is not finite.
    """
    sets = [np.asarray(features, np.float64) for features in (one, two)]
    for features in sets:
        if features.ndim != 2 or not np.isfinite(features).all():
            raise InputError("features are finite numbers, a vector an image: an array of shape (images, d)")
    if len({features.shape[1] for features in sets}) > 1:
        widths = " and ".join(str(features.shape[1]) for features in sets)
        raise InputError(f"features of {widths} dimensions cannot be compared; use one backbone for both")
    within = [_Within(x, scenes) for x, scenes in zip(sets, (scenes_one, scenes_two), strict=True)]
    between = _kernel(*sets)
    across = 2 * between.mean()
    value = within[0].mean() + within[1].mean() - across
    variances = []
    for mine, sums in zip(within, (between.sum(axis=1), between.sum(axis=0)), strict=True):
        if mine.count < 3:
            return KernelDistance(float(value), None)
        mine_sums = np.bincount(mine.place, sums)
        left = (sums.sum() - mine_sums) / ((len(sums) - mine.sizes) * (between.size / len(sums)))
        without = mine.without() - 2 * left
        variances.append((mine.count - 1) / mine.count * ((without - without.mean()) ** 2).sum())
    return KernelDistance(float(value), float(np.sqrt(sum(variances))))


class _Within:
    """The kernel between the images of one set, summed over pairs of different scenes."""

    def __init__(self, features: NDArray[np.float64], scenes: Sequence[Hashable] | None) -> None:
        numbers: dict[Hashable, int] = {}
        names = range(len(features)) if scenes is None else scenes
        self.place = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        self.count = len(numbers)
        if self.count < 2:
            raise InputError(f"a distance needs images of two scenes or more, not of {self.count}")
        self.sizes = np.bincount(self.place)
        apart = _kernel(features, features) * (self.place[:, None] != self.place)
        self._sums = np.bincount(self.place, apart.sum(axis=1))
        self._pairs = self.sizes * (len(features) - self.sizes)

    def mean(self) -> float:
        """Return the mean of the kernel."""
        return float(self._sums.sum() / self._pairs.sum())

    def without(self) -> NDArray[np.float64]:
        """Return that mean without each of the scenes; a pair with it counts from either side."""
        left: NDArray[np.float64] = self._sums.sum() - 2 * self._sums
        return left / (self._pairs.sum() - 2 * self._pairs)


def _kernel(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return k of each pair, shape (n, m)."""
    return (one @ two.T / one.shape[1] + 1) ** DEGREE
