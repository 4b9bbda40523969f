"""Bootstrap of the simple law: thousands of replicates of a curve fitted in one product of matrices.

Given α the law is linear, so that a replicate's fit at every α of a grid is one matrix times its errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from syn2real.laws.results import OK, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve

ALPHA = np.geomspace(0.01, 5.0, 96)
ROUNDS = 2  # the first takes the measured errors as the scale of residuals, the second the fitted ones


@dataclass(frozen=True)
class Replicates:
    """Fits of the simple law to replicates; arrays of shape (R,). D is for n in images."""

    alpha: np.ndarray
    D: np.ndarray
    C: np.ndarray

    def errors(self, n: np.ndarray) -> np.ndarray:
        """Error at each n, shape (R, P)."""
        return self.D[:, None] * np.asarray(n, float) ** -self.alpha[:, None] + self.C[:, None]


@dataclass(frozen=True)
class BootstrapFit:
    """A least squares fit whose intervals are percentiles of its replicates (row 0 is the fit itself)."""

    replicates: Replicates
    params: Mapping[str, Param]
    rmse_log: float
    left: np.ndarray

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict at each row's n; one more measurement has a resampled residual on top."""
        errors = self.replicates.errors(rows.n)
        noise = np.random.default_rng(20220113).choice(self.left, size=len(errors))
        lower, upper = np.quantile(errors[1:], tails(level), axis=0)
        below, above = np.quantile((errors * np.exp(noise)[:, None])[1:], tails(level), axis=0)
        return Predictions(errors[0], lower, upper, np.minimum(below, lower), np.maximum(above, upper))


def fit_bootstrap(curves: Sequence[Curve], count: int, level: float = 0.95) -> list[BootstrapFit]:
    """Fit the simple law by least squares in logs, with percentile intervals of `count` replicates."""
    out = []
    for curve, told in zip(curves, bootstrap(curves, count), strict=True):
        left = np.log(curve.error / told.errors(curve.n)[0])
        params = {}
        for name, values in (("D", told.D), ("alpha", told.alpha), ("C", told.C)):
            lower, upper = np.quantile(values[1:], tails(level))
            stuck = name == "alpha" and bool(np.any(np.isclose([lower, upper], ALPHA[[0, -1]], rtol=0.1)))
            params[name] = Param(float(values[0]), float(lower), float(upper), UNIDENTIFIED if stuck else OK)
        wide = left * np.sqrt(len(left) / max(len(left) - 3, 1))
        out.append(BootstrapFit(told, params, float(np.sqrt(np.mean(left**2))), wide))
    return out


def bootstrap(curves: Sequence[Curve], count: int = 1000, seed: int = 0) -> list[Replicates]:
    """Residual bootstrap of the simple law's least squares fit in logs.

    Parameters
    ----------
    curves : sequence of Curve
        Of three distinct n or more.
    count : int
        Replicates a curve.
    seed : int
        Of the resampling; each curve has a stream of its own.

    Returns
    -------
    list of Replicates
        One a curve; row 0 is the fit to the measurements themselves.
    """
    streams = np.random.default_rng(seed).spawn(len(curves))
    return [_bootstrap(curve, count, random) for curve, random in zip(curves, streams, strict=True)]


def _bootstrap(curve: Curve, count: int, random: np.random.Generator) -> Replicates:
    """Resample one curve's log residuals, widened by the degrees of freedom that the fit took."""
    own = fit_replicates(curve, curve.error[None])
    fitted = own.errors(curve.n)[0]
    m = len(curve.n)
    root = np.sqrt(curve.weight)
    left = np.log(curve.error / fitted) * root * np.sqrt(m / max(m - 3, 1))
    left = left - left.mean()
    drawn = random.choice(left, size=(count, m)) / root
    return fit_replicates(curve, np.concatenate([curve.error[None], fitted * np.exp(drawn)]))


def fit_replicates(curve: Curve, errors: np.ndarray) -> Replicates:
    """Fit the simple law to replicates of a curve, D and C non-negative.

    Parameters
    ----------
    errors : ndarray, shape (R, m)

    Returns
    -------
    Replicates
    """
    n0 = float(np.exp(np.log(curve.n).mean()))
    power = (curve.n / n0) ** -ALPHA[:, None]  # (A, m)
    scale_y = curve.error
    for _ in range(ROUNDS):
        scale = np.sqrt(curve.weight) / scale_y
        loss = _losses(power * scale, scale, errors * scale)
        alpha = _vertex(loss)
        d, gap = _coefficients((curve.n / n0) ** -alpha[:, None] * scale, scale, errors * scale)
        scale_y = np.maximum(d[0] * (curve.n / n0) ** -alpha[0] + gap[0], 1e-9 * curve.error)
    return Replicates(alpha, d * n0**alpha, gap)


def _losses(p: np.ndarray, one: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Sum of squares of the best non-negative fit at each α (A, m) of each replicate (R, m); shape (A, R)."""
    pp, po, oo = (p**2).sum(axis=1), p @ one, one @ one
    a, b = p @ target.T, (target @ one)[None]  # moments, (A, R) and (1, R)
    det = np.maximum(pp * oo - po**2, 1e-12 * pp * oo)[:, None]
    d, c = (oo * a - po[:, None] * b) / det, (pp[:, None] * b - po[:, None] * a) / det
    both = np.where((d >= 0) & (c >= 0), d * a + c * b, -np.inf)
    alone = np.maximum(a**2 / pp[:, None], b**2 / oo)
    return (target**2).sum(axis=1) - np.maximum(both, alone)


def _coefficients(p: np.ndarray, one: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative D and C of each replicate at its own α; p is (R, m)."""
    pp, po, oo = (p**2).sum(axis=1), p @ one, one @ one
    a, b = (p * target).sum(axis=1), target @ one
    det = np.maximum(pp * oo - po**2, 1e-12 * pp * oo)
    d, c = (oo * a - po * b) / det, (pp * b - po * a) / det
    only_p = a**2 / pp > b**2 / oo
    outside = (d < 0) | (c < 0)
    d = np.where(outside, np.where(only_p, a / pp, 0.0), d)
    return d, np.where(outside, np.where(only_p, 0.0, b / oo), c)


def _vertex(loss: np.ndarray) -> np.ndarray:
    """α where a parabola through the three lowest neighbours of each column has its least, shape (R,)."""
    best = np.clip(loss.argmin(axis=0), 1, len(ALPHA) - 2)
    column = np.arange(loss.shape[1])
    before, here, after = (loss[best + step, column] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    move = np.where(bend > 0, 0.5 * (before - after) / np.where(bend > 0, bend, 1), np.sign(before - after))
    step = np.log(ALPHA[1] / ALPHA[0])
    return np.exp(np.log(ALPHA[best]) + np.clip(move, -1, 1) * step)
