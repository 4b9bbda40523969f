"""The default fit of the simple law (eq. 1): a posterior on a grid that puts its nodes where the mass is.

With x = log(n / n0), the law's logarithm is ``level + log(1 + u (exp(-α x) - 1))``, where u in [0, 1] is the
share of the error at n0 that more images take away: C = (1 - u) exp(level), D = u exp(level) n0^α. The level
and the noise are integrated in closed form; α and u lie on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from syn2real.laws.bayes.batch import WALKS, Batch, wander, whiten

ALPHA = (0.02, 5.0)  # the range of exponents that is searched
ALPHA_CENTRE, ALPHA_SPREAD = np.log(0.45), 0.75  # α without any pooling: 0.1 to 2 with 95 %
LOG_WALK = np.log([0.36, 0.16, 0.12, 0.1, 0.08, 0.06, 0.06, 0.06])  # how large the deviation is, beforehand
NOISE, NOISE_DF = 0.003, 0.5  # what a lone curve's noise in log error is, beforehand: next to nothing
SHARES = np.array([0.0, 1e-3, 0.03, 0.2, 0.5, 0.8, 0.95, 0.995, 1.0])
ANCHOR = 3  # the walk that, beside none, tells where the nodes of u are needed
STEPS = 6  # Gauss-Newton steps; the nodes only need to lie about right
REACH = 12.0  # standard errors of u that the grid spans on each side


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
    noise, noise_df : ndarray, shape (B or 1,)
        Typical standard deviation of a log error of weight 1 and how many degrees of freedom it counts for.
    """

    centre: np.ndarray = field(default_factory=lambda: np.array([ALPHA_CENTRE]))
    spread: np.ndarray = field(default_factory=lambda: np.array([ALPHA_SPREAD]))
    log_share: np.ndarray = field(default_factory=lambda: np.zeros((1, 1)))
    log_walk: np.ndarray = field(default_factory=lambda: LOG_WALK[None])
    noise: np.ndarray = field(default_factory=lambda: np.array([NOISE]))
    noise_df: np.ndarray = field(default_factory=lambda: np.array([NOISE_DF]))

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
class Posterior:
    """Weighted nodes of B curves.

    Attributes
    ----------
    batch : Batch
    alpha : ndarray, shape (B, A)
    share : ndarray, shape (B, A, U)
        u of the module's docstring.
    log_weight : ndarray, shape (B, Q, A, U)
        Normalised: its exponentials sum to one over each curve.
    rss : ndarray, shape (B, Q, A, U)
        Whitened sum of squares at each node.
    likelihood : ndarray, shape (B, A)
        Log marginal likelihood of α alone, without its prior.
    inverse : ndarray, shape (B, Q, m, m)
    df, scale : ndarray, shape (B,)
        Of the noise: degrees of freedom, and the prior's and replicates' sum of squares.
    evidence : ndarray, shape (B,)
        Log marginal likelihood, comparable between shifts of the same points.
    """

    batch: Batch
    alpha: np.ndarray
    share: np.ndarray
    log_weight: np.ndarray
    rss: np.ndarray
    likelihood: np.ndarray
    inverse: np.ndarray
    df: np.ndarray
    scale: np.ndarray
    evidence: np.ndarray


def log_shape(x: np.ndarray, alpha: np.ndarray, share: np.ndarray) -> np.ndarray:
    """log(1 + u (exp(-α x) - 1)); the arguments broadcast. It is -∞-free: C = 0 gives -α x."""
    return np.log(np.maximum(1 + share * np.expm1(-alpha * x), 1e-300))


def _slope(x: np.ndarray, alpha: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the derivative of `log_shape` in the share u."""
    gain = np.expm1(-alpha * x)
    return gain / np.maximum(1 + share * gain, 1e-300)


def _rows(project: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Apply P (B, Q, m, m) to rows (B, Q or 1, K, m)."""
    return value @ np.swapaxes(project, -1, -2)


def best_share(
    batch: Batch, project: np.ndarray, alpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Profile u out for every α by Gauss-Newton steps from the best of a coarse grid.

    Parameters
    ----------
    project : ndarray, shape (B, Q, m, m)
    alpha : ndarray, shape (B, A)

    Returns
    -------
    share, rss, stiff : ndarray, shape (B, Q, A)
        The best u in [0, 1], its sum of squares, and the curvature ‖P ∂g/∂u‖² there.
    """
    x, a = batch.x[:, None, None, :], alpha[:, None, :, None]
    y, mask = batch.y[:, None, None, :], batch.used[:, None, None, :]

    def squares(u: np.ndarray) -> np.ndarray:
        return (_rows(project, (y - log_shape(x, a, u[..., None])) * mask) ** 2).sum(axis=-1)

    shape = (len(alpha), project.shape[1], alpha.shape[1])
    tried = np.stack([squares(np.full((len(alpha), 1, alpha.shape[1]), u)) for u in SHARES])
    pick = tried.argmin(axis=0)
    share, rss = np.broadcast_to(SHARES[pick], shape).copy(), tried.min(axis=0)
    damp = np.ones(shape)
    for _ in range(STEPS):
        tangent = _rows(project, _slope(x, a, share[..., None]) * mask)
        left = _rows(project, (y - log_shape(x, a, share[..., None])) * mask)
        stiff = (tangent**2).sum(axis=-1)
        new = np.clip(share + damp * (tangent * left).sum(axis=-1) / np.maximum(stiff, 1e-300), 0, 1)
        new_rss = squares(new)
        better = new_rss <= rss
        share, rss = np.where(better, new, share), np.where(better, new_rss, rss)
        damp = np.where(better, np.minimum(damp * 2, 1), damp / 4)
    tangent = _rows(project, _slope(x, a, share[..., None]) * mask)
    return share, rss, (tangent**2).sum(axis=-1)


def _reach(batch: Batch, alpha: np.ndarray) -> np.ndarray:
    """Log of the spread of (n/n0)^-α over the points, shape (B, A).

    A prior that is flat in the decline over the measured range, whatever α is, has this Jacobian in u.
    """
    p = np.exp(np.clip(-alpha[..., None] * batch.x[:, None, :], -50, 50))
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
        How often the α grid is drawn closer around the mass; 1 leaves it as it is, the same for all curves.
    """
    inverse, project, log_norm = whiten(batch, walks)
    log_norm = log_norm + prior.log_walk
    scale = prior.noise_df * prior.noise**2 + batch.within
    df = prior.noise_df + batch.replicates + batch.count - 1
    alpha = np.tile(np.geomspace(*ALPHA, nodes[0]), (len(batch.n), 1))
    anchors = [
        0,
        min(ANCHOR, len(walks) - 1),
    ]  # the best u hardly depends on the walk: two tell where nodes go
    for again in range(passes):
        share, rss, stiff = best_share(batch, project[:, anchors], alpha)
        if again < passes - 1:
            rough = _laplace(share, rss, stiff, df, scale, log_norm[:, anchors]) + _reach(batch, alpha)
            alpha = _closer(alpha, rough + prior.density(alpha), nodes[0])
    grid, cell = _share_grid(share, rss, stiff, df, scale, nodes[1])
    flat = grid.reshape(len(grid), 1, -1, 1)
    a = np.repeat(alpha, nodes[1], axis=1)[:, None, :, None]
    left = (batch.y[:, None, None] - log_shape(batch.x[:, None, None], a, flat)) * batch.used[:, None, None]
    squares = (_rows(project, left) ** 2).sum(axis=-1).reshape(len(grid), -1, *grid.shape[1:])
    power = -0.5 * df[:, None, None, None] * np.log(scale[:, None, None, None] + squares)
    power = power + log_norm[:, :, None, None] + cell[:, None] + _reach(batch, alpha)[:, None, :, None]
    likelihood = log_sum(np.moveaxis(power, 2, 1).reshape(len(grid), nodes[0], -1), axis=-1)
    step = np.log(np.gradient(np.log(alpha), axis=1))
    weight = power + (prior.density(alpha) + step)[:, None, :, None]
    total = log_sum(weight.reshape(len(grid), -1), axis=-1)
    weight = weight - total[:, None, None, None]
    return Posterior(batch, alpha, grid, weight, squares, likelihood, inverse, df, scale, total)


def _laplace(
    share: np.ndarray,
    rss: np.ndarray,
    stiff: np.ndarray,
    df: np.ndarray,
    scale: np.ndarray,
    log_norm: np.ndarray,
) -> np.ndarray:
    """Integrate u roughly (a normal cut to [0, 1]) and sum over the deviation's sizes; shape (B, A)."""
    d, s = df[:, None, None], scale[:, None, None]
    spread = np.sqrt((s + rss) / d / np.maximum(stiff, 1e-300))
    width = np.minimum(spread, 1.0)
    value = -0.5 * d * np.log(s + rss) + np.log(width) + log_norm[:, :, None]
    return log_sum(np.moveaxis(value, 1, 2), axis=-1)


def _closer(alpha: np.ndarray, log_density: np.ndarray, nodes: int, drop: float = 16.0) -> np.ndarray:
    """Return a grid over the part of each α grid whose density is within `drop` of the top."""
    keep = log_density > log_density.max(axis=1, keepdims=True) - drop
    last = alpha.shape[1] - 1
    low = np.maximum(keep.argmax(axis=1) - 1, 0)
    high = np.minimum(last - keep[:, ::-1].argmax(axis=1) + 1, last)
    rows = np.arange(len(alpha))
    start, stop = np.log(alpha[rows, low]), np.log(alpha[rows, high])
    return np.exp(start[:, None] + (stop - start)[:, None] * np.linspace(0, 1, nodes))


def _share_grid(
    share: np.ndarray, rss: np.ndarray, stiff: np.ndarray, df: np.ndarray, scale: np.ndarray, nodes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Place u nodes around the best ones, dense near them; return them and log quadrature cells (B, A, U)."""
    spread = np.sqrt((scale[:, None, None] + rss) / df[:, None, None] / np.maximum(stiff, 1e-300))
    best = np.take_along_axis(share, rss.argmin(axis=1)[:, None], axis=1)[:, 0]
    low = np.clip((share - REACH * spread).min(axis=1), 0, 1)
    high = np.clip((share + REACH * spread).max(axis=1), 0, 1)
    high = np.where(high - low < 1e-12, np.minimum(low + 1e-12, 1), high)
    # sinh spacing: a node in three lies within a standard error or two, the rest reach for the tails
    left, right = np.arcsinh((best - low) / _safe(spread)), np.arcsinh((high - best) / _safe(spread))
    z = -left[..., None] + (left + right)[..., None] * np.linspace(0, 1, nodes)
    grid = np.clip(best[..., None] + np.sinh(z) * _safe(spread)[..., None], low[..., None], high[..., None])
    edges = np.concatenate([grid[..., :1], (grid[..., 1:] + grid[..., :-1]) / 2, grid[..., -1:]], axis=-1)
    return grid, np.log(np.maximum(np.diff(edges, axis=-1), 1e-300))


def _safe(spread: np.ndarray) -> np.ndarray:
    """The smallest spread over the deviation's sizes, kept above rounding; (B, Q, A) to (B, A)."""
    return np.clip(spread.min(axis=1), 1e-12, 1.0)


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
    weight = np.exp(fitted.log_weight).reshape(*fitted.log_weight.shape[:2], -1)  # (B, Q, K)
    alpha = np.repeat(fitted.alpha, fitted.share.shape[2], axis=1)[:, :, None]
    share = fitted.share.reshape(len(n), -1)[:, :, None]
    shape = log_shape(batch.x[:, None], alpha, share)
    left = (batch.y[:, None] - shape) * batch.used[:, None]  # (B, K, m)
    mass = fitted.inverse.sum(axis=-1)  # (B, Q, m)
    centre = np.einsum("bqm,bkm->bqk", mass, left) / mass.sum(axis=-1)[..., None]
    beyond = log_shape(
        np.log((n + batch.shift[:, None]) / batch.n0[:, None])[:, None], alpha, share
    )  # (B, K, P)
    law = np.einsum("bqk,bkp->bp", weight, beyond) + np.einsum("bqk,bqk->b", weight, centre)[:, None]
    # The mean residual of each deviation's size, carried on by the random walk.
    rest = (
        np.einsum("bqk,bkm->bqm", weight, left)
        - np.einsum("bqk,bqk->bq", weight, centre)[..., None] * batch.used[:, None]
    )
    t = np.clip(np.log2(n / batch.first[:, None]), 0, None)
    cross = wander(t[:, :, None], batch.t[:, None, :], walks)
    carried = np.einsum("qbpm,bqmk,bqk->bp", cross, fitted.inverse, rest, optimize=True)
    return law + carried
