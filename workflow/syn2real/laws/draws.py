"""Draws from a curve's posterior: every interval, probability and required n is a statistic of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syn2real.laws.batch import RATIOS
from syn2real.laws.posterior import Posterior, log_shape

DRAWS = 2000


@dataclass(frozen=True)
class Draws:
    """S draws of one curve's law, its noise and its deviation from the law.

    Attributes
    ----------
    alpha, share, level, sigma, ratio : ndarray, shape (S,)
        As in `posterior`; `level` is the log of the error at n0, `sigma` the noise of one log error.
    n, t : ndarray, shape (m,)
        The used points, and their doublings since the first.
    left : ndarray, shape (S, m)
        V⁻¹ times the residuals, what the deviation at any n is predicted from.
    inverse : ndarray, shape (Q, m, m)
    pick : ndarray of int, shape (S,)
        Which of `RATIOS` each draw has.
    """

    alpha: np.ndarray
    share: np.ndarray
    level: np.ndarray
    sigma: np.ndarray
    pick: np.ndarray
    n: np.ndarray
    t: np.ndarray
    n0: float
    left: np.ndarray
    inverse: np.ndarray
    normal: np.ndarray

    @property
    def C(self) -> np.ndarray:  # noqa: N802 - the paper's name
        """Transfer gap of each draw, shape (S,)."""
        return np.exp(self.level) * (1 - self.share)

    @property
    def D(self) -> np.ndarray:  # noqa: N802 - the paper's name
        """Coefficient of each draw, shape (S,)."""
        return np.exp(self.level + self.alpha * np.log(self.n0)) * self.share

    def deviation(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the log deviation from the law at each n, both (S, P)."""
        t = np.clip(np.log2(np.maximum(n, 1e-300) / self.n[0]), 0, None)
        cross = np.minimum(t[:, None], self.t[None, :])
        ratio = RATIOS[self.pick][:, None]
        mean = ratio * (self.left @ cross.T)
        explained = np.stack([((cross @ inverse) * cross).sum(axis=1) for inverse in self.inverse])[self.pick]
        spread = np.sqrt(np.clip(ratio * t - ratio**2 * explained, 0, None))
        return mean, spread * self.sigma[:, None]

    def errors(self, n: np.ndarray) -> np.ndarray:
        """Expected test error at each n (law and deviation, no noise of measurement), shape (S, P)."""
        n = np.asarray(n, float)
        mean, spread = self.deviation(n)
        x = np.log(n / self.n0)
        law = self.level[:, None] + log_shape(x[None, :], self.alpha[:, None], self.share[:, None])
        return np.exp(np.clip(law + mean + spread * self.normal[0][:, None], -700, 700))

    def measurements(self, n: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """What one more measurement of weight `weight` would show at each n, shape (S, P)."""
        noise = self.sigma / np.sqrt(weight) * self.normal[1]
        return self.errors(n) * np.exp(np.clip(noise, -50, 50))[:, None]

    def required(self, target: float) -> np.ndarray:
        """Images at which each draw's law reaches `target`, infinite where it never does; shape (S,).

        The deviation at the largest measured n stays, as it does in expectation.
        """
        mean, spread = self.deviation(self.n[-1:])
        carried = (mean + spread * self.normal[0][:, None])[:, 0]
        rest = np.expm1(np.log(target) - self.level - carried) + self.share  # u exp(-α x) must come to this
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.log(self.share / np.where(rest > 0, rest, np.nan)) / self.alpha
        return np.where(rest > 0, self.n0 * np.exp(np.clip(x, -700, 600)), np.inf)


def draw(fitted: Posterior, row: int, count: int = DRAWS) -> Draws:
    """Draw from one curve's posterior; the same curve gives the same draws wherever it stands in a file.

    Systematic resampling of the grid's nodes and stratified normals keep the scatter of quantiles small.
    """
    batch = fitted.batch
    used = batch.used[row]
    random = np.random.default_rng(20220113)
    weight = np.exp(fitted.log_weight[row])
    total = np.cumsum(weight.reshape(-1))
    spots = (np.arange(count) + 0.5) / count * total[-1]
    node = np.minimum(np.searchsorted(total, spots), len(total) - 1)
    pick, a, u = np.unravel_index(node, weight.shape)
    alpha, share = fitted.alpha[row][a], fitted.share[row][a, u]
    n, y = batch.n[row, used], batch.y[row, used]
    n0 = float(batch.n0[row])
    inverse = fitted.inverse[row][:, used][:, :, used]
    residual = y - log_shape(np.log(n / n0)[None], alpha[:, None], share[:, None])
    mass = inverse.sum(axis=-1)  # (Q, m): 1' V⁻¹
    whole = mass.sum(axis=-1)[pick]
    centre = (residual * mass[pick]).sum(axis=-1) / whole
    squares = fitted.scale[row] + fitted.rss[row].reshape(-1)[node]
    sigma = np.sqrt(squares / random.permutation(_chi_square(fitted.df[row], count)))
    normal = np.stack([random.permutation(_normal(count)) for _ in range(3)])
    level = centre + sigma / np.sqrt(whole) * normal[2]
    left = np.einsum("sij,sj->si", inverse[pick], residual - level[:, None])
    t = np.log2(n / n[0])
    return Draws(alpha, share, level, sigma, pick, n, t, n0, left, inverse, normal[:2])


def _normal(count: int) -> np.ndarray:
    """Stratified standard normals, sorted."""
    from scipy.special import ndtri

    return ndtri((np.arange(count) + 0.5) / count)


def _chi_square(df: float, count: int) -> np.ndarray:
    """Stratified chi-squares, sorted."""
    from scipy.special import gammaincinv

    return 2 * gammaincinv(df / 2, (np.arange(count) + 0.5) / count)
