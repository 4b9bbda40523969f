"""Draws from a curve's posterior: every interval, probability and required n is a statistic of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from syn2real.laws.bayes.batch import WALKS, Batch, log_fall, parameters, wander, whiten
from syn2real.laws.bayes.grid import TINY, Posterior, Prior, Scatter, log_shape
from syn2real.laws.forms.base import Law
from syn2real.laws.results import SEED, Rows

DRAWS = 2000
LARGEST_LOG, LARGEST_NOISE = 700, 50  # logs of errors and of their noise are cut here, to stay finite


@dataclass(frozen=True)
class Draws:
    """S draws of one curve's law, its noise and its deviation from the law.

    Attributes
    ----------
    law : Law
    alpha, decline_share, level, sigma : ndarray, shape (S,)
        As in `grid`; `level` is the log of the error at n0, `sigma` the noise of one log error.
    pick : ndarray of int, shape (S,)
        Which of `batch.WALKS` each draw has.
    n, t, y, weight : ndarray, shape (m,)
        The used points, their doublings since the first, their log errors and weights.
    n0, shift : float
        As in `batch.Batch`.
    test_size : float
        Examples behind each error rate, whose binomial noise no measurement goes below; infinite if unknown.
    weighted_residuals : ndarray, shape (S, m)
        V⁻¹ times the residuals, what the deviation at any n is predicted from.
    inverse : ndarray, shape (Q, m, m)
    normal : ndarray, shape (2, S)
        Standard normals of the deviation and of one more measurement.
    """

    law: Law
    alpha: np.ndarray
    decline_share: np.ndarray
    level: np.ndarray
    sigma: np.ndarray
    pick: np.ndarray
    n: np.ndarray
    t: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    n0: float
    shift: float
    test_size: float
    weighted_residuals: np.ndarray
    inverse: np.ndarray
    normal: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """The law's constant (C of eq. 1) of each draw, shape (S,)."""
        return np.exp(self.level) * (1 - self.decline_share)

    @property
    def coefficient(self) -> np.ndarray:
        """The law's falling coefficient (D of eq. 1) of each draw, shape (S,)."""
        place = self.law.coefficients.index(parameters(self.law)[0])
        column = self.law.log_columns(self.alpha[:, None], Rows.at(self.n0))[:, 0, place]
        return np.exp(self.level - column) * self.decline_share

    def deviation(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the log deviation from the law at each n, both (S, P)."""
        t = np.clip(np.log2(np.maximum(n, TINY) / self.n[0]), 0, None)
        # A Gaussian process given the residuals at the used points, one kind of walk at a time.
        cross = wander(t[:, None], self.t[None, :])  # (Q, P, m)
        mean = np.empty((len(self.alpha), len(t)))
        spread = np.empty_like(mean)
        for kind in np.unique(self.pick):
            mine, c = self.pick == kind, cross[kind]
            mean[mine] = self.weighted_residuals[mine] @ c.T
            prior = wander(t, t)[kind]
            spread[mine] = np.sqrt(np.clip(prior - ((c @ self.inverse[kind]) * c).sum(axis=1), 0, None))
        return mean, spread * self.sigma[:, None]

    def log_law(self, n: np.ndarray) -> np.ndarray:
        """Log error of the law alone at each n, shape (S, P)."""
        fall = log_fall(self.law, self.alpha, np.asarray(n, float) + self.shift, np.array([self.n0]))
        return self.level[:, None] + log_shape(np.expm1(fall), self.decline_share[:, None])

    def errors(self, n: np.ndarray) -> np.ndarray:
        """Expected test error at each n (law and deviation, no noise of measurement), shape (S, P)."""
        mean, spread = self.deviation(np.asarray(n, float))
        log_error = self.log_law(n) + mean + spread * self.normal[0][:, None]
        return np.exp(np.clip(log_error, -LARGEST_LOG, LARGEST_LOG))

    def measurements(self, n: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """What one more measurement of weight `weight` would show at each n, shape (S, P)."""
        errors = self.errors(n)
        variance = np.maximum(self.sigma[:, None] ** 2 / weight, binomial(errors, self.test_size))
        noise = np.sqrt(variance) * self.normal[1][:, None]
        return errors * np.exp(np.clip(noise, -LARGEST_NOISE, LARGEST_NOISE))


class Mixture:
    """Draws of one curve from several posteriors (one a κ of `bend`), put after one another."""

    def __init__(self, parts: Sequence[Draws]) -> None:
        self.parts, self.law = list(parts), parts[0].law
        self.alpha = self._join(lambda part: part.alpha)
        self.gap = self._join(lambda part: part.gap)
        self.coefficient = self._join(lambda part: part.coefficient)
        self.sigma = self._join(lambda part: part.sigma)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The law's parameters of each draw by name, each (S,)."""
        return dict(zip(parameters(self.law), (self.coefficient, self.alpha, self.gap), strict=True))

    def log_law(self, n: np.ndarray) -> np.ndarray:
        """See `Draws.log_law`."""
        return self._join(lambda part: part.log_law(n))

    def errors(self, n: np.ndarray) -> np.ndarray:
        """See `Draws.errors`."""
        return self._join(lambda part: part.errors(n))

    def measurements(self, n: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """See `Draws.measurements`."""
        return self._join(lambda part: part.measurements(n, weight))

    def _join(self, get: Callable[[Draws], np.ndarray]) -> np.ndarray:
        return np.concatenate([get(part) for part in self.parts])


def draw(fitted: Posterior, row: int, count: int = DRAWS) -> Draws:
    """Draw from one curve's posterior; the same curve gives the same draws wherever it stands in a file.

    Systematic resampling of the grid's nodes and stratified normals keep the scatter of quantiles small.
    """
    batch = fitted.batch
    used = batch.used[row]
    random = np.random.default_rng(SEED)
    # Nodes by systematic resampling of their weights.
    weight = np.exp(fitted.log_weight[row])
    total = np.cumsum(weight.reshape(-1))
    spots = (np.arange(count) + 0.5) / count * total[-1]
    node = np.minimum(np.searchsorted(total, spots), len(total) - 1)
    pick, a, u = np.unravel_index(node, weight.shape)
    alpha, share = fitted.alpha[row][a], fitted.decline_share[row][a, u]
    n, y = batch.n[row, used], batch.y[row, used]
    n0, shift = float(batch.n0[row]), float(batch.shift[row])
    inverse = fitted.inverse[row][:, used][:, :, used]
    gain = np.expm1(log_fall(batch.law, alpha, n + shift, np.array([n0])))
    residuals = y - log_shape(gain, share[:, None])
    # The best level of each draw, by its walk's V⁻¹; then the noise, and the level given it.
    mass = inverse.sum(axis=-1)  # (Q, m): 1' V⁻¹
    whole = mass.sum(axis=-1)[pick]
    centre = (residuals * mass[pick]).sum(axis=-1) / whole
    sigma = _noise(fitted, row, fitted.rss[row].reshape(-1)[node], random)
    # The scatter of a few measurements may be less than what the test set's size alone makes of it.
    test_size = float(batch.test_size[row])
    sigma = np.maximum(sigma, np.sqrt(np.mean(batch.weight[row, used] * binomial(np.exp(y), test_size))))
    normal = np.stack([random.permutation(standard_normal(count)) for _ in range(3)])
    level = centre + sigma / np.sqrt(whole) * normal[2]
    weighted = np.einsum("sij,sj->si", inverse[pick], residuals - level[:, None])
    t = np.log2(n / n[0])
    return Draws(
        batch.law, alpha, share, level, sigma, pick, n, t, y, batch.weight[row, used], n0, shift, test_size,
        weighted, inverse, normal[:2],
    )  # fmt: skip


def _noise(fitted: Posterior, row: int, rss: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw the noise of a log error of weight 1 given each draw's whitened sum of squares, shape (S,)."""
    noise = fitted.noise.take([row])
    log_share = np.stack(noise.parts(rss[None]))[:, 0]  # (C, S)
    share = np.exp(log_share - log_share.max(axis=0)).cumsum(axis=0)
    part = (random.random(len(rss)) * share[-1] > share).sum(axis=0)
    return np.sqrt((noise.scale[0, part] + rss) / random.chisquare(noise.df[0, part]))


def binomial(error: np.ndarray, test_size: float) -> np.ndarray:
    """Variance of the log of an error rate on so many test examples; 0 where their number is unknown."""
    return np.clip(1 - error, 0, 1) / np.maximum(error * test_size, TINY)


def draw_flat(batch: Batch, row: int, prior: Prior, count: int = DRAWS) -> Draws:
    """Draw forecasts that repeat a curve's last value: no law, and a deviation that walks at random."""
    one = batch.take([row])
    inverse, project, _ = whiten(one)
    walk = int(WALKS[:, 0].argmax())
    squares = ((project[0, walk] @ (one.y[0] * one.used[0])) ** 2).sum()
    fitted = Posterior(
        batch=one,
        alpha=np.ones((1, 1)),
        decline_share=np.zeros((1, 1, 1)),
        log_weight=np.where(np.arange(len(WALKS)) == walk, 0.0, -np.inf).reshape(1, -1, 1, 1),
        rss=np.full((1, len(WALKS), 1, 1), squares),
        likelihood=np.zeros((1, 1)),
        inverse=inverse,
        noise=Scatter.of(one, prior.take(np.array([0]))),
        evidence=np.zeros(1),
    )
    return draw(fitted, 0, count)


@lru_cache(maxsize=64)
def standard_normal(count: int) -> np.ndarray:
    """Stratified standard normals, sorted."""
    quantile = NormalDist().inv_cdf  # scipy.special would take a quarter of a second to import
    return np.array([quantile((k + 0.5) / count) for k in range(count)])
