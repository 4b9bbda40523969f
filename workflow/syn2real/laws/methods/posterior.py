"""A posterior pooled over a file's curves, for laws of n with one exponent and a constant (such as eq. 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from syn2real.laws.bayes.batch import Batch, parameters, stack
from syn2real.laws.bayes.bend import STEPS, bend_weights, shifted
from syn2real.laws.bayes.draws import DRAWS, Draws, Mixture, draw, draw_flat
from syn2real.laws.bayes.grid import Posterior, Prior, posterior
from syn2real.laws.bayes.pooling import plain_prior, pooled_prior
from syn2real.laws.bayes.selection import choose_first
from syn2real.laws.forms.base import Law
from syn2real.laws.methods.least_squares import identified_by
from syn2real.laws.results import Param, Predictions, Rows, tails
from syn2real.laws.table import Curve

BLOCK = 24  # curves handled at once, which bounds the memory
PRESSED = 0.1  # lower over upper quantile of C below which C = 0 is not excluded
WIDE_NODES = (60, 12)  # of the grid over the whole range of α that shows which ends are open


@dataclass(frozen=True)
class BayesFit:
    """One curve's posterior (see `draws`), its parameters and how well the central law fits.

    Attributes
    ----------
    curve : Curve
        The sizes that are used.
    draws : Mixture
    estimates : dict of str to Param
        Medians and intervals of the draws, without a status.
    repeat : Draws or None
        Forecasts of the last value, where hold-out preferred to repeat it.
    """

    curve: Curve
    draws: Mixture
    estimates: Mapping[str, Param]
    rmse_log: float
    repeat: Draws | None = None

    @property
    def first(self) -> float:
        """Smallest n used."""
        return float(self.curve.n[0])

    @cached_property
    def params(self) -> Mapping[str, Param]:
        """Parameters by name; their statuses are those of the likelihood alone."""
        statuses = identified_by(self.curve, self.draws.law)
        return {name: replace(param, status=statuses[name]) for name, param in self.estimates.items()}

    @property
    def forecast(self) -> Mixture | Draws:
        """The draws that every forecast and every probability comes from."""
        return self.repeat or self.draws

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict at each row's n: medians and equal-tailed intervals of the draws."""
        low, high = tails(level)
        errors, shown = self.forecast.errors(rows.n), self.forecast.measurements(rows.n)
        lower, middle, upper = np.quantile(errors, [low, 0.5, high], axis=0)
        below, above = np.quantile(shown, [low, high], axis=0)
        # Draws scatter a little; a measurement can only be less certain than its expectation.
        return Predictions(middle, lower, upper, np.minimum(below, lower), np.maximum(above, upper))


def refuses(law: Law) -> str | None:
    """Say why this method cannot fit a law, or None."""
    fits = law.describes == "error" and not law.varies and len(law.exponents) == 1
    fits = fits and len(law.coefficients) == 2 and law.constant is not None
    return None if fits else f"fits laws of n with one exponent and a constant; the {law.name} law is another"


def fit(
    curves: Sequence[Curve], law: Law, *, level: float, pool: bool = True, **_: Any
) -> tuple[list[BayesFit], list[str]]:
    """Fit a law of one exponent and a constant to curves of at least three distinct n.

    Parameters
    ----------
    level : float
        Of the parameters' intervals.
    pool : bool
        Let the curves share a distribution of α, of the noise and of the deviations.

    Returns
    -------
    fits : list of BayesFit
        In the order of the curves.
    notes : list of str
        What was pooled, where anything was.
    """
    if not curves:
        return [], []
    # Which points, what the curves say of each other, and which curves bend.
    whole = stack(curves, law)
    choice = choose_first(whole)
    batch = whole.take(slice(None), used=choice.used)
    prior = pooled_prior(batch) if pool else plain_prior()
    bends = bend_weights(batch, prior, pool)
    fits: list[BayesFit] = []
    for start in range(0, len(curves), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(curves)))
        part, beliefs = batch.take(rows), prior.take(rows)
        mixtures = _mixtures(part, beliefs, bends[rows])
        likely = replace(part, shift=STEPS[bends[rows].argmax(axis=1)] * part.first)
        wide = posterior(likely, beliefs, nodes=WIDE_NODES, passes=1)
        for row, mixture in enumerate(mixtures):
            last = choice.last_value[start + row]
            repeat = draw_flat(part, row, beliefs.take(np.array([row]))) if last else None
            curve = curves[start + row]
            curve = curve.where(curve.n >= part.first[row])
            estimates, rmse = _summary(mixture, wide, row, level)
            fits.append(BayesFit(curve, mixture, estimates, rmse, repeat))
    shared = f"{law.exponents[0]}, noise and deviations are pooled over {len(curves)} curves"
    return fits, [f"{shared} (--no-pool: each alone)"] if pool and len(curves) > 1 else []


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


def _summary(draws: Mixture, wide: Posterior, row: int, level: float) -> tuple[dict[str, Param], float]:
    """Return one curve's parameters, and the root mean square of the central law's log residuals."""
    law, used = wide.batch.law, wide.batch.used[row]
    falling, rate, constant = parameters(law)
    low, high = tails(level)
    open_low, open_high = open_ends(wide, row, level)
    # Values are of the most likely bend alone: those of laws with other bends do not go together.
    main = max(draws.parts, key=lambda part: len(part.alpha))

    def ends_and_middle(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
        lower, upper = np.quantile(whole, [low, high])
        return np.array([lower, np.clip(np.median(part), lower, upper), upper])

    alpha = ends_and_middle(draws.alpha, main.alpha)
    gap = ends_and_middle(draws.gap, main.gap)
    gap = pressed(gap)
    # The central law goes through the median error at n0, whatever the medians of its parameters are.
    n0 = wide.batch.n0[row, None]
    at_n0 = float(np.median(np.exp(main.log_law(n0 - main.shift))))
    coefficient = ends_and_middle(draws.coefficient, main.coefficient)
    column = law.columns(alpha[1, None], Rows.at(n0))[0, law.coefficients.index(falling)]
    central = float(np.clip((at_n0 - gap[1]) / column, coefficient[0], coefficient[2]))
    ends = (None if open_low else alpha[0], None if open_high else alpha[2])
    scale = (None if open_low else coefficient[0], None if open_high else coefficient[2])
    params = {
        falling: Param(central, *scale),
        rate: Param(float(alpha[1]), *ends),
        constant: Param(float(gap[1]), float(gap[0]), float(gap[2])),
    }
    values = {name: param.value for name, param in params.items()}
    residuals = wide.batch.y[row, used] - np.log(law.predict(values, Rows.at(wide.batch.n[row, used])))
    return params, float(np.sqrt(np.mean(residuals**2)))


def pressed(ends: np.ndarray) -> np.ndarray:
    """Return the ends of C's interval, first and last of `ends`, open to 0 where C presses against C >= 0.

    The lower quantile of the draws could never reach 0.
    """
    return np.array([0.0, *ends[1:]]) if ends[0] < PRESSED * ends[-1] else ends


def open_ends(wide: Posterior, row: int, level: float) -> tuple[bool, bool]:
    """Say which ends of α's interval the measurements alone (without the prior) leave open."""
    likelihood = wide.likelihood[row]
    floor = likelihood.max() - 0.5 * NormalDist().inv_cdf((1 + level) / 2) ** 2
    return bool(likelihood[0] > floor), bool(likelihood[-1] > floor)
