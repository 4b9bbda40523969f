"""Mean and scatter of vectors in one pass and O(d²) memory, mergeable over shards and devices.

The textbook sums Σx and Σxxᵀ lose all digits when the mean is large beside the spread. Here every block of
vectors is centred on its own mean, and two parts are joined by the pairwise update of Chan, Golub and
LeVeque ("Algorithms for computing the sample variance", The American Statistician 37, 1983). Blocks may
be float32; everything is accumulated in float64. BLAS's dsyrk computes half of the symmetric product and
adds it to the sums in place, so no second d × d matrix is needed.
"""

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyr, dsyrk

from syn2real.errors import InputError

ROWS = 2048
"""Vectors multiplied at a time: enough for BLAS's full speed, little memory beside the d × d sums."""


class Covariance:
    """Count, mean and scatter of vectors that come in blocks.

    It holds one d × d matrix of float64. `update` needs `ROWS` rows of d more while it works; they may be
    shared by several instances.

    Attributes
    ----------
    count : int
        Number of vectors n.
    mean : float64 array, shape (d,)
        Their mean m.
    """

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self.mean = np.zeros(dimensions)
        # Of the scatter, only the lower triangle counts; in BLAS's order, so that it is updated in place.
        self._sums = np.zeros((dimensions, dimensions), order="F")

    @property
    def scatter(self) -> NDArray[np.float64]:
        """Σ (x - m)(x - m)ᵀ, shape (d, d), a new array; divided by n it is the empirical covariance."""
        lower = np.tril(self._sums)
        return lower + np.tril(lower, -1).T

    def divided(self, *, spend: bool = False) -> NDArray[np.float64]:
        """Return the empirical covariance for LAPACK, shape (d, d): only its lower triangle counts.

        `spend` gives it the memory of this instance, which is of no use afterwards.
        """
        return np.divide(self._sums, self.count, out=self._sums if spend else None)

    def update(self, block: NDArray[np.floating], rows: NDArray[np.float64] | None = None) -> None:
        """Add a block of vectors.

        Parameters
        ----------
        block : array, shape (k, d)
            The vectors, float32 or float64.
        rows : float64 array, optional
            Memory to work in, from `workspace(d)`; new memory by default.

        Raises
        ------
        InputError
            The block has another d, or a value that is not finite. Nothing is added then.
        """
        if block.ndim != 2 or block.shape[1] != len(self.mean):
            raise InputError(
                f"a block of shape {block.shape} is not a block of vectors of {len(self.mean)} dimensions"
            )
        # A sum is finite only if all parts are, unless it overflows, which is not sensible input either.
        if not np.isfinite(block.sum(dtype=np.float64)):
            raise InputError("a feature is not a finite number; the backbone's weights may be damaged")
        rows = workspace(len(self.mean)) if rows is None else rows
        for start in range(0, len(block), ROWS):
            self._add(block[start : start + ROWS], rows)

    def _add(self, block: NDArray[np.floating], rows: NDArray[np.float64]) -> None:
        """Add at most `ROWS` vectors."""
        added = len(block)
        rows = rows[: added + 1]
        mean = block.mean(axis=0, dtype=np.float64)
        rows[:added] = block
        rows[:added] -= mean
        # Chan's correction for the distance of the two means is one more row of the same product.
        shift = mean - self.mean
        total = self.count + added
        rows[added] = np.sqrt(self.count / total * added) * shift
        self._sums = dsyrk(1.0, rows.T, beta=1.0, c=self._sums, lower=1, overwrite_c=1)
        self.mean += shift * (added / total)
        self.count = total

    def merge(self, other: "Covariance") -> None:
        """Add all vectors of another instance.

        Raises
        ------
        InputError
            The other has another d.
        """
        if len(other.mean) != len(self.mean):
            raise InputError(f"{len(other.mean)} dimensions cannot be merged with {len(self.mean)}")
        if not other.count:
            return
        shift = other.mean - self.mean
        total = self.count + other.count
        self._sums += other._sums
        self._sums = dsyr(self.count / total * other.count, shift, a=self._sums, lower=1, overwrite_a=1)
        self.mean += shift * (other.count / total)
        self.count = total

    def without(self, part: "Covariance", out: Self | None = None) -> Self:
        """Return an instance without the vectors of a part that was merged into this one.

        Rounding leaves an error of the size of this scatter's own in the difference: small beside a floor
        on its eigenvalues, not beside tiny eigenvalues.

        Parameters
        ----------
        part : Covariance
            What is left out.
        out : Covariance, optional
            An instance that becomes the result; a new one by default.
        """
        rest = type(self)(len(self.mean)) if out is None else out
        rest.count = self.count - part.count
        if not rest.count:
            rest.mean[:], rest._sums[:] = 0, 0
            return rest
        rest.mean = self.mean + (self.mean - part.mean) * (part.count / rest.count)
        shift = part.mean - rest.mean
        np.subtract(self._sums, part._sums, out=rest._sums)
        weight = rest.count / self.count * part.count
        rest._sums = dsyr(-weight, shift, a=rest._sums, lower=1, overwrite_a=1)
        return rest

    @classmethod
    def of(cls, parts: Iterable["Covariance"]) -> Self:
        """Return a new instance with the vectors of all `parts`, of which there must be one."""
        parts = iter(parts)
        first = next(parts)
        whole = cls(len(first.mean))
        whole.merge(first)
        for part in parts:
            whole.merge(part)
        return whole


def workspace(dimensions: int) -> NDArray[np.float64]:
    """Return memory for `Covariance.update`: a block of rows and one more."""
    return np.empty((ROWS + 1, dimensions))
