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
photographs scale v. As v is itself known from N photographs, the number is Student's, not a normal one.
AP on few photographs is too high on average; resampling shows by how much, and that is taken off. Losses,
which have no largest value, move in their logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from syn2real.laws.bayes.draws import standard_normal
from syn2real.laws.per_image import PerImage
from syn2real.laws.results import SEED

PER_FREEDOM = 5  # photographs a degree of freedom of their variance, as AP hangs on few of them
RESAMPLES = 100  # draws of photographs, which know a standard deviation to 7 %


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
    bias : float
        By how much φ is larger on so many photographs than on all, on average.
    """

    count: int
    variance: float
    bounded: bool = True
    bias: float = 0.0

    def as_many(self, count: float) -> Photographs:
        """Return so many photographs of the same kind."""
        return replace(self, variance=self.variance * self.count / count)

    def steps(self, count: int) -> np.ndarray:
        """Return how far each of `count` draws moves, in units of √variance; shape (count,)."""
        random = np.random.default_rng([SEED, self.count])
        freedom = self.count / PER_FREEDOM
        student = random.permutation(standard_normal(count))
        return np.asarray(student / np.sqrt(random.chisquare(freedom, count) / freedom))

    def moved(self, errors: np.ndarray) -> np.ndarray:
        """Return draws of the error of these photographs as draws of that of all like them.

        Parameters
        ----------
        errors : ndarray, shape (S, ...)
            A row a draw.

        Returns
        -------
        ndarray, shape (S, ...)
        """
        student = self.steps(len(errors))
        step = np.sqrt(self.variance) * student.reshape(-1, *[1] * (errors.ndim - 1)) - self.bias
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


def from_resamples(
    errors: np.ndarray, n: np.ndarray, seed: np.ndarray, count: int, *, bounded: bool = True
) -> Photographs:
    """Return the photographs of runs from their errors on draws of them.

    Parameters
    ----------
    errors : ndarray, shape (B + 1, M)
        Of M runs: on the photographs as they are, then on B draws of them, the same for all runs.
    n, seed : ndarray, shape (M,)
        Images and seed of each run.
    count : int
        Photographs.
    bounded : bool
        The errors are rates.
    """
    values = scaled(errors, bounded)
    bias = float((values[1:].mean(axis=0) - values[0]).mean())
    return Photographs(count, common_variance(values[1:], n, seed), bounded, bias)


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


def resample(runs: Sequence[PerImage]) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of runs on their photographs as they are, then on draws of them.

    Parameters
    ----------
    runs : sequence of PerImage
        M runs on the same N photographs.

    Returns
    -------
    errors : ndarray, shape (B + 1, M)
    classes : ndarray, shape (B + 1, M, K)
        NaN where the photographs judge a class not at all.
    """
    count = runs[0].photographs
    times = np.concatenate([np.ones((1, count), int), multiplicities(count)])
    found = [[run.errors(one) for run in runs] for one in times]
    errors, classes = (np.array([[pair[part] for pair in row] for row in found]) for part in (0, 1))
    return errors, classes
