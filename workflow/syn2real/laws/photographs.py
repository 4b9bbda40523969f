"""From these test photographs to all like them: what the choice of the photographs adds to an interval.

All runs of a curve are tested on the same N photographs, so a hard set lifts every point of the curve. At n
the error is the mean of the rates p_i(n) at which photograph i is got wrong. Over sets of photographs the
points j and k then vary together by Cov_i(p_i(n_j), p_i(n_k)) / N. What a run adds on each photograph (right
by luck) is independent between runs: the points' scatter about the law shows it, and the posterior has it
already. Only the first part is missing there.

It is found from resampling: photographs are drawn with replacement, once for all runs. Between two runs
the resampled errors' covariance holds the first part alone, the variance of one run holds both. The
covariances between runs, extrapolated to one n by giving each photograph its own level and slope in log n,
therefore count nothing twice.

A rate's variance is v e (1 - e) to first order, which φ = 2 asin √e makes the same v for every e; v = 1/N
where each photograph is always right or always wrong, less where all are alike. So one normal number a draw,
times √v, moves φ at all n, and C with it; α stays. This needs no second fit, and other numbers of
photographs scale v. Losses, which have no largest value, move in their logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from syn2real.laws.bayes.draws import standard_normal
from syn2real.laws.results import SEED

RESAMPLES = 200  # draws of photographs, which know a standard deviation to 5 %
FEWEST = 10  # photographs from which anything is said of others


class PerImage(Protocol):
    """What is kept of each photograph in one run."""

    @property
    def photographs(self) -> int:
        """How many there are."""

    def error(self, multiplicities: np.ndarray) -> float:
        """Return the error where photograph i counts `multiplicities[i]` times, shape (N,)."""


@dataclass(frozen=True)
class Photographs:
    """The test photographs of one curve.

    Attributes
    ----------
    count : int
        N.
    variance : float
        Of φ (or of the log error, of losses) over sets of so many photographs, common to all runs.
    bounded : bool
        Errors are rates, and φ is what varies.
    """

    count: int
    variance: float
    bounded: bool = True

    def moved(self, errors: np.ndarray, share: float = 1.0) -> np.ndarray:
        """Return draws of the error of these photographs as draws of that of all like them.

        Parameters
        ----------
        errors : ndarray, shape (S, ...)
            A row a draw.
        share : float
            Part of the variance that is left, 1/2 with twice the photographs.

        Returns
        -------
        ndarray, shape (S, ...)
        """
        normal = np.random.default_rng([SEED, self.count]).permutation(standard_normal(len(errors)))
        step = np.sqrt(self.variance * share) * normal.reshape(-1, *[1] * (errors.ndim - 1))
        return unscaled(scaled(errors, self.bounded) + step, self.bounded)


def scaled(errors: np.ndarray, bounded: bool = True) -> np.ndarray:
    """Return φ = 2 asin √e of rates, the logarithm of losses; of any shape."""
    if bounded:
        return np.asarray(2 * np.arcsin(np.sqrt(np.clip(errors, 0, 1))))
    return np.log(errors)


def unscaled(value: np.ndarray, bounded: bool = True) -> np.ndarray:
    """Return the errors of what `scaled` returned."""
    if bounded:
        return np.asarray(np.sin(np.clip(value, 0, np.pi) / 2) ** 2)
    return np.exp(value)


def multiplicities(count: int, draws: int = RESAMPLES) -> np.ndarray:
    """Draw photographs with replacement: how often each comes, (draws, count); always the same."""
    random = np.random.default_rng([SEED, count])
    return random.multinomial(count, np.full(count, 1 / count), size=draws)


def common_variance(values: np.ndarray, n: np.ndarray, seed: np.ndarray) -> float:
    """Return the variance at the largest n that resampled photographs give to all runs in common.

    Parameters
    ----------
    values : ndarray, shape (B, M)
        Scaled errors of M runs, each row with other photographs, the same for all runs.
    n : ndarray, shape (M,)
        Images of each run, above 0.
    seed : ndarray, shape (M,)
        Runs of one seed may share their luck; with several seeds, pairs of two seeds are read alone.

    Returns
    -------
    float
        From 0 to the mean variance of the runs at the largest n.
    """
    covariance = np.atleast_2d(np.cov(values.T))
    x = np.log(n / n.max())
    most = float(np.diag(covariance)[x == 0].mean())
    pairs = np.triu_indices(len(n), 1)
    apart = seed[pairs[0]] != seed[pairs[1]]
    j, k = (place[apart] if apart.any() else place for place in pairs)
    # Each photograph has its own level at the largest n and slope: a + b (x_j + x_k) + c x_j x_k.
    columns = np.stack([np.ones(len(j)), x[j] + x[k], x[j] * x[k]], axis=1)
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        return most
    level = float(np.linalg.lstsq(columns, covariance[j, k], rcond=None)[0][0])
    return float(np.clip(level, 0, most))
