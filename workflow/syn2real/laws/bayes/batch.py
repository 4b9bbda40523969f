"""Many curves side by side as padded arrays, each with the covariance its deviations may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve

MOST_POINTS = 32  # more distinct n than this are joined in equal steps of log n: the law is smooth
# How far a deviation from the law may wander, in units of the noise's variance: none, a random walk in
# log2 n of some variance a doubling, or a wandering slope of some variance a doubling (an integrated walk).
WALKS = np.array(
    [[0.0, 0.0], [0.1, 0.0], [0.5, 0.0], [2.5, 0.0], [12.0, 0.0], [0.0, 0.02], [0.0, 0.3], [0.0, 5.0]]
)


@dataclass(frozen=True)
class Batch:
    """B curves of at most m points and their law; what is not `used` is padding or masked out.

    Attributes
    ----------
    law : Law
        Of one exponent, one coefficient that falls with n, and a constant.
    n, y, weight : ndarray, shape (B, m)
        Images, log error, relative inverse variance of the log error.
    used : ndarray of bool, shape (B, m)
    test_size : ndarray, shape (B,)
        Examples behind each error rate; infinite where unknown.
    shift : ndarray, shape (B,)
        κ, which is added to n in the law (see `bend`).
    t : ndarray, shape (B, m)
        Doublings since the first used point, the time of the wandering deviation.
    n0 : ndarray, shape (B,)
        Geometric mean of the used n + κ: the pivot, which keeps the falling coefficient of order one.
    count : ndarray, shape (B,)
        Used points.
    within, replicates : ndarray, shape (B,)
        Sum of squares of replicates around their means (log error), and its degrees of freedom.
    """

    law: Law
    n: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    used: np.ndarray
    within: np.ndarray
    replicates: np.ndarray
    shift: np.ndarray
    test_size: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Used points a curve, shape (B,)."""
        return self.used.sum(axis=1)

    @property
    def n0(self) -> np.ndarray:
        """Geometric mean of the used n + shift, shape (B,)."""
        log_n = np.log(self.n + self.shift[:, None])
        return np.exp((log_n * self.used).sum(axis=1) / np.maximum(self.count, 1))

    def log_fall(self, alpha: np.ndarray) -> np.ndarray:
        """Logarithm of the law's falling column over that at n0; (B, A) to (B, A, m), 0 where unused."""
        return np.where(self.used[:, None], self.log_fall_at(alpha, self.n), 0.0)

    def log_fall_at(self, alpha: np.ndarray, n: np.ndarray) -> np.ndarray:
        """The same at other n of each curve; (B, A) and (B, P) to (B, A, P)."""
        return log_fall(self.law, alpha, (n + self.shift[:, None])[:, None], self.n0[:, None, None])

    @property
    def first(self) -> np.ndarray:
        """Smallest used n, shape (B,)."""
        return np.where(self.used, self.n, np.inf).min(axis=1)

    @property
    def last(self) -> np.ndarray:
        """Largest used n, shape (B,)."""
        return np.where(self.used, self.n, 0).max(axis=1)

    @property
    def t(self) -> np.ndarray:
        """Doublings since the first used n, shape (B, m), 0 where unused."""
        return np.where(self.used, np.log2(self.n / self.first[:, None]), 0.0)

    def take(self, rows: np.ndarray | slice | list[int], used: np.ndarray | None = None) -> Batch:
        """Return the given curves, with another mask if one is given."""
        mask = self.used[rows] if used is None else used
        parts = (self.n, self.y, self.weight), (
            self.within, self.replicates, self.shift, self.test_size
        )  # fmt: skip
        (n, y, weight), rest = ([value[rows] for value in group] for group in parts)
        return Batch(self.law, n, y, weight, mask, *rest)


def log_fall(law: Law, exponent: np.ndarray, n: np.ndarray, n0: np.ndarray) -> np.ndarray:
    """Logarithm of the falling column of a law of one exponent at n over that at n0.

    Parameters
    ----------
    exponent : ndarray, shape (...)
    n, n0 : ndarray, shape (..., m) and (..., 1), or (m,) and (1,)

    Returns
    -------
    ndarray, shape (..., m)
    """
    falling = law.coefficients.index(parameters(law)[0])
    return law.log_ratio(exponent[..., None], Rows.at(n), Rows.at(n0))[..., falling]


def parameters(law: Law) -> tuple[str, str, str]:
    """Name the falling coefficient, the exponent and the constant of a law that has one of each."""
    (falling,) = (name for name in law.coefficients if name != law.constant)
    (exponent,), constant = law.exponents, law.constant
    assert constant is not None
    return falling, exponent, constant


def stack(curves: Sequence[Curve], law: Law) -> Batch:
    """Pad curves to one length.

    Parameters
    ----------
    curves : sequence of Curve
        Their rows must have distinct n.
    law : Law
        See `Batch`.

    Returns
    -------
    Batch
        With B = len(curves); m is the longest curve, at most `MOST_POINTS`.
    """
    joined = [_join(curve) for curve in curves]
    m = max(len(n) for n, *_ in joined)
    shape = (len(joined), m)
    n, y, weight, used = np.ones(shape), np.zeros(shape), np.ones(shape), np.zeros(shape, bool)
    for row, (ni, yi, wi, _, _) in enumerate(joined):
        n[row, : len(ni)], y[row, : len(ni)], weight[row, : len(ni)] = ni, yi, wi
        used[row, : len(ni)] = True
    within = np.array([item[3] for item in joined], float)
    replicates = np.array([item[4] for item in joined], float)
    sizes = np.array([_test_size(curve) for curve in curves])
    return Batch(law, n, y, weight, used, within, replicates, np.zeros(len(joined)), sizes)


def _test_size(curve: Curve) -> float:
    """Return how many test examples a curve's floor comes from: it is (1 - e) / (e N) of an error e."""
    if not curve.floor.all():
        return np.inf
    return float(np.median((1 - curve.error) / (curve.error * curve.floor)))


def _join(curve: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    """Return n, log error, weight, within, replicates; neighbours joined where a curve is very dense."""
    n, y, weight = curve.n, np.log(curve.error), curve.weight
    if len(n) <= MOST_POINTS:
        return n, y, weight, curve.within, curve.replicates
    # Bins of equal width in log n; empty ones go.
    edges = np.linspace(np.log(n[0]), np.log(n[-1]), MOST_POINTS + 1)
    place = np.clip(np.searchsorted(edges, np.log(n), side="right") - 1, 0, MOST_POINTS - 1)
    _, place = np.unique(place, return_inverse=True)
    total = np.bincount(place, weight)
    log_n = np.bincount(place, weight * np.log(n)) / total
    mean = np.bincount(place, weight * y) / total
    # A line within each bin takes out the slope, which is not noise.
    inner = y - np.interp(np.log(n), log_n, mean)
    spare = max(len(n) - 2 * len(total), 0)
    within = curve.within + (float(np.sum(weight * inner**2)) if spare else 0.0)
    return np.exp(log_n), mean, total, within, curve.replicates + spare


def wander(s: np.ndarray, t: np.ndarray, walks: np.ndarray = WALKS) -> np.ndarray:
    """Covariance of the deviation between times s and t (doublings), over the noise's variance.

    Parameters
    ----------
    s, t : ndarray
        Broadcast against each other.
    walks : ndarray, shape (Q, 2)

    Returns
    -------
    ndarray, shape (Q, ...)
    """
    low, high = np.minimum(s, t), np.maximum(s, t)
    slope = low**2 * (3 * high - low) / 6
    shape = (len(walks),) + (1,) * low.ndim
    return walks[:, 0].reshape(shape) * low + walks[:, 1].reshape(shape) * slope


def whiten(batch: Batch, walks: np.ndarray = WALKS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what turns residuals into independent ones, for each kind of wandering deviation.

    The log error is the law's plus independent noise of variance σ²/weight plus a deviation that wanders:
    real curves leave their law smoothly, and stay away from it.

    Parameters
    ----------
    walks : ndarray, shape (Q, 2)

    Returns
    -------
    inverse : ndarray, shape (B, Q, m, m)
        V⁻¹, zero where unused.
    project : ndarray, shape (B, Q, m, m)
        P with ‖P r‖² = r' V⁻¹ r after the best level is taken out.
    log_norm : ndarray, shape (B, Q)
        -½ log|V| - ½ log(1' V⁻¹ 1), what the level's integral leaves.
    """
    used, t = batch.used, batch.t
    both = used[:, :, None] & used[:, None, :]
    # V = the deviation's covariance + the noise's, in units of σ²; unused points stand apart.
    walk = np.moveaxis(wander(t[:, :, None], t[:, None, :], walks), 0, 1) * both[:, None]
    noise = np.where(used, 1 / batch.weight, 1.0)
    m = used.shape[1]
    # V = L L', so that L⁻¹ makes residuals independent.
    lower = np.linalg.cholesky(walk + noise[:, None, :, None] * np.eye(m))
    white = np.linalg.inv(lower) * both[:, None]
    # A level that is free: take the direction of L⁻¹ 1 out of what is left.
    one = (white * used[:, None, None, :]).sum(axis=-1)
    mass = (one**2).sum(axis=-1)
    project = (
        white
        - one[..., :, None] * np.einsum("bqi,bqij->bqj", one, white)[..., None, :] / mass[..., None, None]
    )
    log_det = np.log(np.where(used[:, None], np.diagonal(lower, axis1=2, axis2=3), 1.0)).sum(axis=-1)
    inverse = np.swapaxes(white, 2, 3) @ white
    return inverse, project, -log_det - 0.5 * np.log(mass)
