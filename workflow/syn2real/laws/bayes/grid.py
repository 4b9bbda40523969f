"""A curve's posterior on a grid that puts its nodes where the mass is.

For a law D f(n, α) + C, such as the simple one (eq. 1) with f = n^-α, the law's logarithm is
``level + log(1 + u (f(n) / f(n0) - 1))``, where u in [0, 1] is the share of the error at n0 that more images
take away: C = (1 - u) exp(level), D = u exp(level) / f(n0). The level and the noise are integrated in closed
form; α and u lie on a grid. For each α, ``f(n) / f(n0) - 1`` is the `gain` below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma

import numpy as np

from syn2real.laws.bayes.batch import WALKS, Batch, wander, whiten

ALPHA = (0.02, 5.0)  # the range of exponents that is searched
ALPHA_CENTRE, ALPHA_SPREAD = np.log(0.45), 0.75  # α without any pooling: 0.1 to 2 with 95 %
LOG_WALK = np.log([0.36, 0.16, 0.12, 0.1, 0.08, 0.06, 0.06, 0.06])  # how large the deviation is, beforehand
# What a lone curve's noise in log error is, beforehand: next to nothing or some percent, equally likely.
NOISE, NOISE_DF = np.array([0.003, 0.04]), np.array([0.5, 3.0])
SHARES = np.array([0.0, 1e-3, 0.03, 0.2, 0.5, 0.8, 0.95, 0.995, 1.0])
ANCHOR = 3  # the walk that, beside none, decides where the nodes of u are needed
STEPS = 6  # Gauss-Newton steps; the nodes only need to lie about right
REACH = 12.0  # standard errors of u that the grid spans on each side
DROP = 16.0  # of the log density below its top, beyond which the grid of α need not reach
TINY = 1e-300  # what takes the logarithm of 0, and divides by it


@dataclass(frozen=True)
class Prior:
    """What is assumed before a curve is seen: of α, the deviation's size and the noise.

    Attributes
    ----------
    centre, spread : ndarray, shape (K,)
        A mixture of normals over log α: means and standard deviations.
    log_share : ndarray, shape (B or 1, K)
        Log weight of each normal, a row a curve.
    log_walk : ndarray, shape (B or 1, Q)
        Log probability of each of `batch.WALKS`.
    noise, noise_df : ndarray, shape (B or 1, C)
        A mixture, in equal parts: typical standard deviations of a log error of weight 1, and the degrees of
        freedom that each counts for.
    """

    centre: np.ndarray = field(default_factory=lambda: np.array([ALPHA_CENTRE]))
    spread: np.ndarray = field(default_factory=lambda: np.array([ALPHA_SPREAD]))
    log_share: np.ndarray = field(default_factory=lambda: np.zeros((1, 1)))
    log_walk: np.ndarray = field(default_factory=lambda: LOG_WALK[None])
    noise: np.ndarray = field(default_factory=lambda: NOISE[None])
    noise_df: np.ndarray = field(default_factory=lambda: NOISE_DF[None])

    def density(self, alpha: np.ndarray) -> np.ndarray:
        """Log density of log α, up to a constant, the shape of `alpha`: (B, A)."""
        z = (np.log(alpha)[..., None] - self.centre) / self.spread
        return log_sum(self.log_share[:, None] - np.log(self.spread) - 0.5 * z**2, axis=-1)

    def take(self, rows: np.ndarray) -> Prior:
        """Return the prior of the given curves."""

        def pick(value: np.ndarray) -> np.ndarray:
            return value if len(value) == 1 else value[rows]

        shares, ratios = pick(self.log_share), pick(self.log_walk)
        return Prior(self.centre, self.spread, shares, ratios, pick(self.noise), pick(self.noise_df))


@dataclass(frozen=True)
class Scatter:
    """What is known of the noise beside the residuals: a mixture of C scaled inverse chi-squares.

    Attributes
    ----------
    df, scale : ndarray, shape (B, C)
        Degrees of freedom, those of the residuals included, and the prior's and replicates' sum of squares.
    log_share : ndarray, shape (B, C)
        Log weight of each part, before the residuals' sum of squares is known.
    """

    df: np.ndarray
    scale: np.ndarray
    log_share: np.ndarray

    @classmethod
    def of(cls, batch: Batch, prior: Prior) -> Scatter:
        """Join a prior with the replicates and the number of points of each curve."""
        start, own = prior.noise_df * prior.noise**2, (batch.replicates + batch.count - 1)[:, None]
        df, scale = prior.noise_df + own, start + batch.within[:, None]
        # What integrating the noise out leaves beside the power of the sum of squares.
        log_share = _log_gamma(df / 2) - _log_gamma(prior.noise_df / 2) + prior.noise_df / 2 * np.log(start)
        return cls(df, scale, log_share)

    def take(self, rows: list[int]) -> Scatter:
        """Return what is known of the given curves."""
        return Scatter(self.df[rows], self.scale[rows], self.log_share[rows])

    def parts(self, squares: np.ndarray) -> list[np.ndarray]:
        """Log marginal likelihood of a sum of squares (B, ...) by each part, up to a constant."""
        shape = (len(squares),) + (1,) * (squares.ndim - 1)
        columns = (part.T.reshape(-1, *shape) for part in (self.log_share, self.df, self.scale))
        return [share - 0.5 * df * np.log(scale + squares) for share, df, scale in zip(*columns, strict=True)]

    def log_likelihood(self, squares: np.ndarray) -> np.ndarray:
        """Log marginal likelihood of a sum of squares, the shape of `squares`: (B, ...)."""
        return np.logaddexp.reduce(self.parts(squares))

    def variances(self, squares: np.ndarray) -> np.ndarray:
        """Return typical variances of the noise by each part, (B, Q, A) to (B, C Q, A)."""
        columns = zip(self.df.T[..., None, None], self.scale.T[..., None, None], strict=True)
        return np.concatenate([(scale + squares) / df for df, scale in columns], axis=1)


@dataclass(frozen=True)
class Posterior:
    """Weighted nodes of B curves.

    Attributes
    ----------
    batch : Batch
    alpha : ndarray, shape (B, A)
    decline_share : ndarray, shape (B, A, U)
        u of the module's docstring, the decline's share.
    log_weight : ndarray, shape (B, Q, A, U)
        Normalised: its exponentials sum to one over each curve.
    rss : ndarray, shape (B, Q, A, U)
        Whitened sum of squares at each node.
    likelihood : ndarray, shape (B, A)
        Log marginal likelihood of α alone, without its prior.
    inverse : ndarray, shape (B, Q, m, m)
    noise : Scatter
    evidence : ndarray, shape (B,)
        Log marginal likelihood, comparable between shifts of the same points.
    """

    batch: Batch
    alpha: np.ndarray
    decline_share: np.ndarray
    log_weight: np.ndarray
    rss: np.ndarray
    likelihood: np.ndarray
    inverse: np.ndarray
    noise: Scatter
    evidence: np.ndarray


def log_shape(gain: np.ndarray, share: np.ndarray) -> np.ndarray:
    """log(1 + u gain), the law's logarithm less its level; the arguments broadcast."""
    return np.log(np.maximum(1 + share * gain, TINY))


def share_slope(gain: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the derivative of `log_shape` in the share u."""
    return gain / np.maximum(1 + share * gain, TINY)


def _rows(project: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Apply P (B, Q, m, m) to rows (B, Q or 1, K, m)."""
    return value @ np.swapaxes(project, -1, -2)


def best_share(
    batch: Batch, project: np.ndarray, gain: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Profile u out for every α by Gauss-Newton steps from the best of a coarse grid.

    Parameters
    ----------
    project : ndarray, shape (B, Q, m, m)
    gain : ndarray, shape (B, A, m)

    Returns
    -------
    share, rss, stiff : ndarray, shape (B, Q, A)
        The best u in [0, 1], its sum of squares, and the curvature ‖P ∂g/∂u‖² there.
    """
    gain = gain[:, None]
    y, mask = batch.y[:, None, None, :], batch.used[:, None, None, :]

    def whitened(value: np.ndarray) -> np.ndarray:
        return _rows(project, value * mask)

    def squares(u: np.ndarray) -> np.ndarray:
        return (whitened(y - log_shape(gain, u[..., None])) ** 2).sum(axis=-1)

    # The best of a few shares, the same for all.
    curves, _, rates, _ = gain.shape
    shape = (curves, project.shape[1], rates)
    tried = np.stack([squares(np.full((curves, 1, rates), u)) for u in SHARES])
    pick = tried.argmin(axis=0)
    share, rss = np.broadcast_to(SHARES[pick], shape).copy(), tried.min(axis=0)
    # Gauss-Newton steps, shorter after one that made things worse.
    damp = np.ones(shape)
    for _ in range(STEPS):
        tangent = whitened(share_slope(gain, share[..., None]))
        residuals = whitened(y - log_shape(gain, share[..., None]))
        stiff = (tangent**2).sum(axis=-1)
        new = np.clip(share + damp * (tangent * residuals).sum(axis=-1) / np.maximum(stiff, TINY), 0, 1)
        new_rss = squares(new)
        better = new_rss <= rss
        share, rss = np.where(better, new, share), np.where(better, new_rss, rss)
        damp = np.where(better, np.minimum(damp * 2, 1), damp / 4)
    tangent = whitened(share_slope(gain, share[..., None]))
    return share, rss, (tangent**2).sum(axis=-1)


def _reach(batch: Batch, log_fall: np.ndarray) -> np.ndarray:
    """Log of the spread of f(n) / f(n0) over the points, (B, A, m) to (B, A).

    A prior that is flat in the decline over the measured range, whatever α is, has this Jacobian in u.
    """
    p = np.exp(np.clip(log_fall, -50, 50))
    used, count = batch.used[:, None, :], batch.count[:, None]
    mean = (p * used).sum(axis=-1) / count
    spread = np.sqrt((used * (p - mean[..., None]) ** 2).sum(axis=-1) / count)
    # Relative decline: what matters is the ratio to the level that the curve would have.
    return np.log(np.maximum(spread, 1e-12) / np.maximum(mean, 1))


def posterior(
    batch: Batch,
    prior: Prior,
    nodes: tuple[int, int] = (40, 24),
    walks: np.ndarray = WALKS,
    passes: int = 3,
) -> Posterior:
    """Compute the posterior of each curve's (α, u, deviation) on an adapted grid.

    Parameters
    ----------
    nodes : (int, int)
        How many α, and how many u for each α.
    passes : int
        How often the grid of α is laid around the mass; 1 leaves it as it is, the same for all curves.
    """
    # What the level's integral leaves, and the noise's: an inverse gamma prior joined with the replicates.
    inverse, project, log_norm = whiten(batch, walks)
    log_norm = log_norm + prior.log_walk
    noise = Scatter.of(batch, prior)
    # Lay the grid of α around the mass, with the best u of each α; that hardly depends on the walk.
    alpha = np.tile(np.geomspace(*ALPHA, nodes[0]), (len(batch.n), 1))
    anchors = [0, min(ANCHOR, len(walks) - 1)]
    for again in range(passes):
        log_fall = batch.log_fall(alpha)
        gain, reach = np.expm1(log_fall), _reach(batch, log_fall)
        share, rss, stiff = best_share(batch, project[:, anchors], gain)
        if again < passes - 1:
            rough = _laplace(share, rss, stiff, noise, log_norm[:, anchors]) + reach
            alpha = refine_alpha_grid(alpha, rough + prior.density(alpha), nodes[0])
    # Lay the grid of u for each α, and take the whitened sum of squares at every node.
    grid, cell = _share_grid(share, rss, stiff, noise, nodes[1])
    shape = log_shape(np.repeat(gain, nodes[1], axis=1), grid.reshape(len(grid), -1, 1))
    residuals = ((batch.y[:, None] - shape) * batch.used[:, None])[:, None]
    squares = (_rows(project, residuals) ** 2).sum(axis=-1).reshape(len(grid), -1, *grid.shape[1:])
    # The noise integrated out leaves powers of that sum; then the prior of α.
    power = (
        noise.log_likelihood(squares) + log_norm[:, :, None, None] + cell[:, None] + reach[:, None, :, None]
    )
    likelihood = log_sum(np.moveaxis(power, 2, 1).reshape(len(grid), nodes[0], -1), axis=-1)
    step = np.log(np.gradient(np.log(alpha), axis=1))
    weight = power + (prior.density(alpha) + step)[:, None, :, None]
    total = log_sum(weight.reshape(len(grid), -1), axis=-1)
    weight = weight - total[:, None, None, None]
    return Posterior(batch, alpha, grid, weight, squares, likelihood, inverse, noise, total)


def _laplace(
    share: np.ndarray, rss: np.ndarray, stiff: np.ndarray, noise: Scatter, log_norm: np.ndarray
) -> np.ndarray:
    """Integrate u roughly (a normal cut to [0, 1]) and sum over the deviation's sizes; shape (B, A)."""
    parts = len(noise.df.T)
    spread = np.sqrt(noise.variances(rss) / np.maximum(np.tile(stiff, (1, parts, 1)), TINY))
    width = np.log(np.minimum(spread, 1.0)) + np.tile(log_norm, parts)[:, :, None]
    value = np.concatenate(noise.parts(rss), axis=1) + width
    return log_sum(np.moveaxis(value, 1, 2), axis=-1)


def refine_alpha_grid(alpha: np.ndarray, log_density: np.ndarray, nodes: int) -> np.ndarray:
    """Return a grid over the part of each α grid whose log density is within `DROP` of the top."""
    keep = log_density > log_density.max(axis=1, keepdims=True) - DROP
    last = alpha.shape[1] - 1
    low = np.maximum(keep.argmax(axis=1) - 1, 0)
    high = np.minimum(last - keep[:, ::-1].argmax(axis=1) + 1, last)
    rows = np.arange(len(alpha))
    start, stop = np.log(alpha[rows, low]), np.log(alpha[rows, high])
    return np.exp(start[:, None] + (stop - start)[:, None] * np.linspace(0, 1, nodes))


def _share_grid(
    share: np.ndarray, rss: np.ndarray, stiff: np.ndarray, noise: Scatter, nodes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Place u nodes around the best ones, dense near them; return them and log quadrature cells (B, A, U)."""
    parts = (1, len(noise.df.T), 1)
    spread = np.sqrt(noise.variances(rss) / np.maximum(np.tile(stiff, parts), TINY))
    best = np.take_along_axis(share, rss.argmin(axis=1)[:, None], axis=1)[:, 0]
    low = np.clip((np.tile(share, parts) - REACH * spread).min(axis=1), 0, 1)
    high = np.clip((np.tile(share, parts) + REACH * spread).max(axis=1), 0, 1)
    high = np.where(high - low < 1e-12, np.minimum(low + 1e-12, 1), high)
    # Spacing by sinh: a node in three lies within a standard error or two, the rest reach for the tails
    below, above = np.arcsinh((best - low) / _safe(spread)), np.arcsinh((high - best) / _safe(spread))
    z = -below[..., None] + (below + above)[..., None] * np.linspace(0, 1, nodes)
    grid = np.clip(best[..., None] + np.sinh(z) * _safe(spread)[..., None], low[..., None], high[..., None])
    edges = np.concatenate([grid[..., :1], (grid[..., 1:] + grid[..., :-1]) / 2, grid[..., -1:]], axis=-1)
    return grid, np.log(np.maximum(np.diff(edges, axis=-1), TINY))


def _safe(spread: np.ndarray) -> np.ndarray:
    """The smallest spread over noises and deviations, kept above rounding; (B, C Q, A) to (B, A)."""
    return np.clip(spread.min(axis=1), 1e-12, 1.0)


def _log_gamma(value: np.ndarray) -> np.ndarray:
    """Log of the gamma function, by the standard library: scipy.special takes long to import."""
    return np.vectorize(lgamma, otypes=[float])(value)


def log_sum(value: np.ndarray, axis: int) -> np.ndarray:
    """Log of the sum of exponentials along an axis."""
    top = value.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(value - top).sum(axis=axis))


def forecast(fitted: Posterior, n: np.ndarray, walks: np.ndarray = WALKS) -> np.ndarray:
    """Posterior mean of the log error at other n of each curve.

    Parameters
    ----------
    n : ndarray, shape (B, P)

    Returns
    -------
    ndarray, shape (B, P)
    """
    batch = fitted.batch
    # One axis of K nodes, α by u.
    weight = np.exp(fitted.log_weight).reshape(*fitted.log_weight.shape[:2], -1)  # (B, Q, K)
    share = fitted.decline_share.reshape(len(n), -1)[:, :, None]
    times = fitted.decline_share.shape[2]
    gain = np.repeat(np.expm1(batch.log_fall(fitted.alpha)), times, axis=1)
    gain_beyond = np.repeat(np.expm1(batch.log_fall_at(fitted.alpha, n)), times, axis=1)
    residuals = (batch.y[:, None] - log_shape(gain, share)) * batch.used[:, None]  # (B, K, m)
    # The best level of each node and walk, and with it the law at the other n.
    mass = fitted.inverse.sum(axis=-1)  # (B, Q, m)
    centre = np.einsum("bqm,bkm->bqk", mass, residuals) / mass.sum(axis=-1)[..., None]
    beyond = log_shape(gain_beyond, share)  # (B, K, P)
    law = np.einsum("bqk,bkp->bp", weight, beyond) + np.einsum("bqk,bqk->b", weight, centre)[:, None]
    # The mean residual of each deviation's size, carried on by the random walk.
    rest = (
        np.einsum("bqk,bkm->bqm", weight, residuals)
        - np.einsum("bqk,bqk->bq", weight, centre)[..., None] * batch.used[:, None]
    )
    t = np.clip(np.log2(n / batch.first[:, None]), 0, None)
    cross = wander(t[:, :, None], batch.t[:, None, :], walks)
    carried = np.einsum("qbpm,bqmk,bqk->bp", cross, fitted.inverse, rest, optimize=True)
    return law + carried
