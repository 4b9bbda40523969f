"""Nested subsets: of a labelled training set (paper, §4.1, C.2), and of a pool of rendered images (§4.4)."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syn2real.errors import InputError

Labels = Sequence[int] | NDArray[np.integer] | int
"""Each image's class, or the number of images of a data set without one class an image."""


ROUND_OFF = 1e-9
"""Added before cutting to a whole number: the product of binary fractions may lie just below one."""


def subset(labels_or_len: Labels, percent: float, seed: int) -> NDArray[np.int64]:
    """Draw a percentage of a data set; for one seed, a smaller subset lies inside every larger one.

    With labels every class gives the same number of images: `percent` of the data set's size divided by its
    classes, rounded down (so ImageNet's 1 % is 12 images a class, the paper's "roughly 12,000"), but at least
    one. A class with fewer images gives all of them, and others do not make up for it (see `subset_record`).
    Without labels the number is rounded to the nearest whole one, at least one. 100 % is every image.

    Each image gets one random number from the seed and each class gives its smallest ones, so that `percent`
    decides only how many are drawn. The numbers are PCG64's raw output, which numpy promises not to change.

    Parameters
    ----------
    labels_or_len : int array of shape (N,), or int
        Each image's class, or the number of images N of a data set without one class an image.
    percent : float
        Of the data set, in (0, 100].
    seed : int
        The run's seed, 0 or more.

    Returns
    -------
    int64 array
        The images' indices, ascending.

    Raises
    ------
    InputError
        `percent` is not in (0, 100], or the data set is empty.
    """
    if not 0 < percent <= 100:
        raise InputError(f"{percent} is not a valid percentage; give more than 0, at most 100 percent")
    labels, total = _unpack(labels_or_len)
    keys = np.random.PCG64(seed).random_raw(total)
    if percent == 100:
        return np.arange(total)
    if labels is None:
        return np.sort(np.argsort(keys, kind="stable")[: _count(percent, total, 0.5)])
    order = np.lexsort((keys, labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=labels[order[0]] - 1))
    rank = np.arange(total) - np.repeat(starts, np.diff(starts, append=total))
    return np.sort(order[rank < _quota(labels, percent)])


def draw_from_pool(pool: int, n: int) -> NDArray[np.int64]:
    """Draw n images of a pool; a smaller draw lies inside every larger one of the same pool.

    They are the first n of a random order of the pool that its size alone decides. So all settings give the
    same numbers of images and of scenes, whose complexities are compared; what the images show is each
    setting's own. The random numbers are PCG64's raw output, which numpy promises not to change.

    Parameters
    ----------
    pool : int
        Images of the pool.
    n : int
        Images to draw, 1 to `pool`.

    Returns
    -------
    int64 array, shape (n,)
        The images' indices within the pool, ascending.

    Raises
    ------
    InputError
        The pool does not hold so many.
    """
    if not 1 <= n <= pool:
        raise InputError(f"{n} images cannot be drawn from a pool of {pool}", key="n")
    keys = np.random.PCG64(pool).random_raw(pool)
    return np.sort(np.argsort(keys, kind="stable")[:n])


def subset_record(labels_or_len: Labels, indices: NDArray[np.int64], percent: float) -> dict[str, Any]:
    """Return what a run records of its subset.

    Parameters
    ----------
    labels_or_len : int array of shape (N,), or int
        As given to `subset`.
    indices : int64 array
        What `subset` returned.
    percent : float
        As given to `subset`.

    Returns
    -------
    dict
        `percent`; `n`, the images drawn; `n_total`, N; `digest`, SHA-256 of N and the indices. With labels
        also `per_class`, the equal count, and `shortfall`: for each class with fewer images, how many are
        missing (the class as text, for JSON).
    """
    labels, total = _unpack(labels_or_len)
    record: dict[str, Any] = {
        "percent": percent,
        "n": len(indices),
        "n_total": total,
        "digest": indices_digest(total, indices),
    }
    if labels is not None:
        classes, counts = np.unique(labels[indices], return_counts=True)
        quota = _quota(labels, percent)
        pairs = zip(classes.tolist(), counts.tolist(), strict=True)
        record["per_class"] = quota
        record["shortfall"] = {str(label): quota - count for label, count in pairs if count < quota}
    return record


def indices_digest(total: int, indices: NDArray[np.int64]) -> str:
    """Return the SHA-256 of which images of how many were drawn."""
    return hashlib.sha256(f"{total}:".encode() + indices.astype("<i8").tobytes()).hexdigest()


def _unpack(labels_or_len: Labels) -> tuple[NDArray[np.int64] | None, int]:
    """Return the labels, where there are any, and the number of images."""
    labels = None if isinstance(labels_or_len, int) else np.asarray(labels_or_len, dtype=np.int64)
    total = labels_or_len if isinstance(labels_or_len, int) else len(labels_or_len)
    if total < 1:
        raise InputError("the training set is empty; it needs at least one image")
    return labels, total


def _quota(labels: NDArray[np.int64], percent: float) -> int:
    """Return how many images of each class make up `percent` of the data set."""
    return _count(percent, len(labels) / len(np.unique(labels)), 0)


def _count(percent: float, total: float, rounding: float) -> int:
    """Return `percent` of `total` as a whole number, at least 1; `rounding` is 0 (down) or 0.5 (nearest)."""
    return max(1, int(percent * total / 100 + rounding + ROUND_OFF))
