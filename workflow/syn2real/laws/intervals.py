"""Intervals of what several curves show together: shares, correlations, ratios, spreads. All are of 95 %."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from syn2real.laws.results import SEED, tails
from syn2real.laws.student import student_t

LOW, HIGH = tails(0.95)
FEWEST_RANKED, FEWEST_CLUSTERS = 6, 3  # of fewer, chance alone excludes 0 too often
NEARLY_ONE = 0.999  # a rank correlation of few is cut here before it is transformed
RANKS = 1.06
"""Times 1 / (m - 3): the variance of a rank correlation of m, by Fisher's transformation (Fieller, 1957)."""


@dataclass(frozen=True)
class Estimate:
    """A number and its interval."""

    value: float
    lower: float
    upper: float


def of_draws(draws: np.ndarray) -> Estimate:
    """Return median and equal-tailed interval of draws, shape (S,)."""
    lower, value, upper = map(float, np.quantile(draws, [LOW, 0.5, HIGH]))
    return Estimate(value, lower, upper)


def of_share(hits: int, tries: int) -> Estimate:
    """Return a share and its exact binomial interval (Clopper and Pearson)."""
    found = stats.binomtest(hits, tries).proportion_ci(HIGH - LOW)
    return Estimate(hits / tries, float(found.low), float(found.high))


def intraclass(values: np.ndarray, groups: Sequence[str]) -> Estimate | None:
    """Return how much of the variance of a quantity lies between groups of curves.

    The intraclass correlation of a one-way layout with random effects: each draw's F over a draw of F's own
    distribution, so that the interval holds what each curve leaves open and that the curves are few. 0: the
    groups differ by no more than the curves within them; 1: curves of a group are alike.

    Parameters
    ----------
    values : ndarray, shape (N, S)
        Draws, independent between curves.
    groups : sequence of str
        Of each curve; None is returned for fewer than two groups, or one curve in each.
    """
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    size = np.bincount(place, minlength=len(names))
    between, within = len(names) - 1, len(values) - len(names)
    if between < 1 or within < 1:
        return None
    mean = np.stack([values[place == i].mean(axis=0) for i in range(len(names))])
    squares = (size[:, None] * (mean - values.mean(axis=0)) ** 2).sum(axis=0) / between
    rest = ((values - mean[place]) ** 2).sum(axis=0) / within
    drawn = np.random.default_rng(SEED).f(between, within, values.shape[1])
    ratio = squares / np.maximum(rest, 1e-300) / drawn
    typical = (len(values) - (size**2).sum() / len(values)) / between  # curves a group
    return of_draws(np.maximum((ratio - 1) / (ratio + typical - 1), 0.0))


def spread(values: np.ndarray, groups: Sequence[str]) -> Estimate | None:
    """Return the standard deviation of a quantity within groups beyond what each value leaves open.

    That of a random-effects model: by Paule and Mandel, its interval by Q's profile (Viechtbauer, 2007). A
    value's standard error is the wider half of its interval over 1.96: a skewed one would else be too sure.
    Groups say together no more than one of them on average: their values come from the same pre-trained
    networks and share a prior, so that their errors lie the same way. The interval ends nowhere below that of
    the standard deviation within the draws: values nearer than their standard errors allow would else have
    no spread for sure.

    Parameters
    ----------
    values : ndarray, shape (N, S)
        Draws, independent between values.
    groups : sequence of str
        Of each value; None is returned where no group has two.
    """
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    count, freedom = len(names), len(values) - len(names)
    if freedom < 1:
        return None
    lower, middle, upper = np.quantile(values, [LOW, 0.5, HIGH], axis=1)
    variances = (np.maximum(middle - lower, upper - middle) / stats.norm.ppf(HIGH)) ** 2
    means = np.stack([values[place == i].mean(axis=0) for i in range(len(names))])
    drawn = np.sqrt(((values - means[place]) ** 2).sum(axis=0) / freedom)

    def excess(variance: float, wanted: float) -> float:
        weight = 1 / (np.maximum(variances, 1e-18) + variance)
        centre = np.bincount(place, weight * middle) / np.bincount(place, weight)
        return float((weight * (middle - centre[place]) ** 2).sum()) / count - wanted

    def root(wanted: float) -> float:
        if excess(0.0, wanted) <= 0:
            return 0.0
        top = 2 * float(np.ptp(middle)) ** 2 * len(middle) / wanted + 1e-12
        return float(np.sqrt(optimize.brentq(excess, 0.0, top, args=(wanted,), xtol=1e-15)))

    high, low = stats.chi2.ppf([HIGH, LOW], freedom / count)
    return Estimate(root(freedom / count), root(high), max(root(low), float(np.quantile(drawn, HIGH))))


def rank_correlation(groups: Sequence[tuple[np.ndarray, Sequence[float]]]) -> Estimate | None:
    """Return Spearman's correlation of a quantity with an order, averaged over groups.

    Its interval holds what each value leaves open, and that the ranked are few (Fisher's transformation).

    Parameters
    ----------
    groups : sequence of (ndarray of shape (m, S), sequence of m float)
        Draws of m values, independent between them, and their places in the order. Left out are those with
        fewer than `FEWEST_RANKED` values or one place; None is returned where none is left.
    """
    found = [
        np.arctanh(np.clip(_spearman(values, order), -NEARLY_ONE, NEARLY_ONE))
        for values, order in groups
        if len(values) >= FEWEST_RANKED and len(set(order)) > 1
    ]
    if not found:
        return None
    fewest = min(len(values) for values, _ in groups if len(values) >= FEWEST_RANKED)
    draws = np.mean(found, axis=0)
    noise = np.random.default_rng(SEED).standard_normal(len(draws))
    return of_draws(np.tanh(draws + noise * np.sqrt(RANKS / (fewest - 3))))


def _spearman(values: np.ndarray, order: Sequence[float]) -> np.ndarray:
    """Return the rank correlation of each draw, (m, S), with an order of m places."""
    ranks, places = stats.rankdata(values, axis=0), stats.rankdata(order)
    a, b = ranks - ranks.mean(axis=0), (places - places.mean())[:, None]
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum())
    return np.asarray((a * b).sum(axis=0) / np.maximum(size, 1e-12))  # 0 where all values are equal


def ratio_of_misses(one: np.ndarray, two: np.ndarray, clusters: Sequence[object]) -> Estimate | None:
    """Return the root mean square of some misses over that of others, of the same errors.

    Its interval by leaving out one cluster at a time, with Student's t in the logarithm of the ratio.

    Parameters
    ----------
    one, two : ndarray, shape (m,)
    clusters : sequence of m
        Errors that miss together; None is returned for fewer than `FEWEST_CLUSTERS`.
    """
    names = list(dict.fromkeys(clusters))
    if len(names) < FEWEST_CLUSTERS:
        return None
    mine = np.array([[cluster == name for cluster in clusters] for name in names])

    def ratio(keep: np.ndarray) -> float:
        squares = [max(float((misses[keep] ** 2).sum()), 1e-300) for misses in (one, two)]
        return 0.5 * float(np.log(squares[0] / squares[1]))

    whole = ratio(np.ones(len(one), bool))
    return _jackknife(whole, np.array([ratio(~some) for some in mine]), np.exp)


def _jackknife(whole: float, without: np.ndarray, back: Callable[[float], float]) -> Estimate:
    """Return an estimate from what it is without each of G clusters, taken back to its own scale."""
    count = len(without)
    error = float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))
    half = student_t(count - 1, HIGH) * error
    return Estimate(*(float(back(value)) for value in (whole, whole - half, whole + half)))


def mean_of_pairs(changes: np.ndarray) -> Estimate | None:
    """Return the mean of the changes of K pairs, with Student's t for their scatter.

    Parameters
    ----------
    changes : ndarray, shape (K, S)
        Draws; of a single pair they are all there is, and None is returned of none.
    """
    count = len(changes)
    if count < 2:
        return of_draws(changes[0]) if count else None
    error = changes.std(axis=0, ddof=1) / np.sqrt(count)
    t = np.random.default_rng(SEED).standard_t(count - 1, changes.shape[1])
    return of_draws(changes.mean(axis=0) + t * error)
