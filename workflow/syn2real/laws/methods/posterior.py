"""The default method of the simple law: posterior, pooled over a file's curves, told as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from syn2real.laws.bayes.batch import Batch, stack
from syn2real.laws.bayes.bend import STEPS, bend_weights, shifted
from syn2real.laws.bayes.draws import DRAWS, Draws, Mixture, draw, draw_flat
from syn2real.laws.bayes.grid import Posterior, Prior, posterior
from syn2real.laws.bayes.pooling import plain_prior, pooled_prior
from syn2real.laws.bayes.selection import choose_first
from syn2real.laws.results import AT_BOUND, OK, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve

BLOCK = 24  # curves handled at once, which bounds the memory
PRESSED = 0.1  # lower over upper quantile of C below which C = 0 is not excluded
TINY_GAP = 0.02  # a C below this share of the smallest error is as good as none


@dataclass(frozen=True)
class BayesFit:
    """One curve's posterior (see `draws`), its parameters and how well the central law fits.

    `first` is the smallest n used; `repeat` forecasts where hold-out preferred to repeat the last value.
    """

    draws: Mixture
    params: Mapping[str, Param]
    rmse_log: float
    first: float
    repeat: Draws | None = None

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict at each row's n: medians and equal-tailed intervals of the draws."""
        low, high = tails(level)
        source = self.repeat or self.draws
        errors, shown = source.errors(rows.n), source.measurements(rows.n)
        lower, middle, upper = np.quantile(errors, [low, 0.5, high], axis=0)
        below, above = np.quantile(shown, [low, high], axis=0)
        # Draws scatter a little; a measurement can only be less certain than its expectation.
        return Predictions(middle, lower, upper, np.minimum(below, lower), np.maximum(above, upper))


def fit_simple(curves: Sequence[Curve], *, pool: bool = True, level: float = 0.95) -> list[BayesFit]:
    """Fit the simple law (eq. 1) to curves of at least three distinct n.

    Parameters
    ----------
    pool : bool
        Let the curves share a distribution of α, of the noise and of the deviations.
    level : float
        Of the parameters' intervals.

    Returns
    -------
    list of BayesFit
        In the order of the curves.
    """
    if not curves:
        return []
    whole = stack(curves)
    choice = choose_first(whole)
    batch = whole.take(slice(None), used=choice.used)
    prior = pooled_prior(batch) if pool else plain_prior()
    fits: list[BayesFit] = []
    bends = bend_weights(batch, prior, pool)
    for start in range(0, len(curves), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(curves)))
        part, beliefs = batch.take(rows), prior.take(rows)
        mixtures = _mixtures(part, beliefs, bends[rows])
        likely = replace(part, shift=STEPS[bends[rows].argmax(axis=1)] * part.first)
        wide = posterior(likely, beliefs, nodes=(60, 12), passes=1)
        for row, mixture in enumerate(mixtures):
            last = choice.last_value[start + row]
            repeat = draw_flat(part, row, beliefs.take(np.array([row]))) if last else None
            fits.append(replace(_summary(mixture, wide, row, level), repeat=repeat))
    return fits


def _mixtures(batch: Batch, prior: Prior, bends: np.ndarray) -> list[Mixture]:
    """Draw each curve's laws, as many of each κ as its weight."""
    parts: list[list[Draws]] = [[] for _ in bends]
    for k, step in enumerate(STEPS):
        rows = np.flatnonzero(bends[:, k])
        if len(rows) == 0:
            continue
        fitted = posterior(shifted(batch.take(rows), step), prior.take(rows))
        for place, row in enumerate(rows):
            parts[row].append(draw(fitted, place, max(int(round(DRAWS * bends[row, k])), 1)))
    return [Mixture(some) for some in parts]


def _summary(draws: Mixture, wide: Posterior, row: int, level: float) -> BayesFit:
    """Tell one curve's posterior as parameters with statuses."""
    low, high = tails(level)
    open_low, open_high = open_ends(wide, row, level)
    alpha = np.quantile(draws.alpha, [low, 0.5, high])
    gap = np.quantile(draws.C, [low, 0.5, high])
    if gap[0] < PRESSED * gap[2]:
        gap[0] = 0.0  # the posterior presses against C >= 0, which its lower quantile could never reach
    used = wide.batch.used[row]
    smallest = float(np.exp(wide.batch.y[row, used].min()))
    n0 = float(wide.batch.n0[row])
    at_n0 = float(np.median(np.exp(draws.law(np.array([n0])))))
    coefficient = np.quantile(draws.D, [low, 0.5, high])
    central = float(np.clip((at_n0 - gap[1]) * n0 ** alpha[1], coefficient[0], coefficient[2]))
    rate = UNIDENTIFIED if open_low or open_high else OK
    ends = (None if open_low else alpha[0], None if open_high else alpha[2])
    scale = (None if open_low else coefficient[0], None if open_high else coefficient[2])
    params = {
        "D": Param(central, *scale, rate),
        "alpha": Param(float(alpha[1]), *ends, rate),
        "C": Param(float(gap[1]), float(gap[0]), float(gap[2]), _gap_status(gap, smallest)),
    }
    law = np.log(central * wide.batch.n[row, used] ** -alpha[1] + gap[1])
    left = wide.batch.y[row, used] - law
    return BayesFit(draws, params, float(np.sqrt(np.mean(left**2))), float(draws.n[0]))


def open_ends(wide: Posterior, row: int, level: float) -> tuple[bool, bool]:
    """Say which ends of α's interval the measurements alone (without the prior) leave open."""
    likelihood = wide.likelihood[row]
    floor = likelihood.max() - 0.5 * NormalDist().inv_cdf((1 + level) / 2) ** 2
    return bool(likelihood[0] > floor), bool(likelihood[-1] > floor)


def _gap_status(gap: np.ndarray, smallest: float) -> str:
    """Status of C: at 0, anywhere between 0 and the smallest error, or known."""
    if gap[1] < TINY_GAP * smallest:
        return AT_BOUND
    if gap[0] < TINY_GAP * smallest and gap[2] > 0.9 * smallest:
        return UNIDENTIFIED
    return OK
