"""Partial pooling: what the curves of one file say of each other's α, noise and deviations.

Every curve's prior comes from the *other* curves (p(α | all) is proportional to the curve's own likelihood
times the mixture that the others leave), so nothing is counted twice and a lone curve has the plain prior.
Arms (`laws.arms`) are pooled as settings and tasks are: what is shared is how α, noise and deviations are
distributed over a file's curves, as widely as these show; D and C are each curve's own.
"""

from __future__ import annotations

from math import lgamma

import numpy as np

from syn2real.laws.bayes.batch import Batch
from syn2real.laws.bayes.grid import (
    ALPHA_CENTRE,
    LOG_WALK,
    NOISE,
    NOISE_DF,
    Posterior,
    Prior,
    log_sum,
    posterior,
)

CENTRES = np.log(np.geomspace(0.1, 2.0, 15))
SPREADS = np.array([0.2, 0.35, 0.55, 0.8])
CENTRE_SPREAD = 0.5  # of a file's typical log α around the plain prior's
SPREAD_SHARE = np.array([0.2, 0.3, 0.3, 0.2])
MOST_CURVES = 20.0  # curves of one file share backbones and images: more of them count as this many
ROUNDS = 12
NODES = (24, 10)
WALK_WEIGHT = 2.0  # how many curves the plain prior of the deviations' size counts for
LIKELY_BETWEEN, LEAST_BETWEEN = 0.5, 0.3  # variance of the log noise variance between curves
OWN_NOISE_DF = 0.5  # degrees of freedom of the plain prior, beside what other curves say
MOST_NOISE_DF = 4.0  # degrees of freedom that other curves' noise counts for at most


def plain_prior() -> Prior:
    """Return the prior of a curve about which no other says anything."""
    centre, spread, log_share = _hyper()
    return Prior(centre, spread, log_share[None])


def pooled_prior(batch: Batch) -> Prior:
    """Return each curve's prior given the other curves of the batch.

    Parameters
    ----------
    batch : Batch
        The curves of one file.

    Returns
    -------
    Prior
        A row a curve.
    """
    if len(batch.n) < 2:
        return plain_prior()
    plain = plain_prior()
    # Three passes: a grid too coarse for a sharp curve would miss its peak, and call the rest wandering.
    noise, noise_df = _noise(posterior(batch, plain, NODES, passes=3))
    prior = Prior(plain.centre, plain.spread, plain.log_share, plain.log_walk, noise, noise_df)
    rough = posterior(batch, prior, NODES, passes=3)
    temper = min(1.0, MOST_CURVES / len(batch.n))
    return Prior(
        plain.centre, plain.spread, _others_alpha(rough, temper), _others_walk(rough), noise, noise_df
    )


def _hyper() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centre, spread and log prior weight of each candidate for the file's law of log α, (K,)."""
    centre, spread = (grid.reshape(-1) for grid in np.meshgrid(CENTRES, SPREADS, indexing="ij"))
    share = np.tile(np.log(SPREAD_SHARE), len(CENTRES))
    log_share = share - 0.5 * ((centre - ALPHA_CENTRE) / CENTRE_SPREAD) ** 2
    return centre, spread, log_share - log_sum(log_share, axis=0)


def _others_alpha(rough: Posterior, temper: float) -> np.ndarray:
    """Log weight of each candidate after the other curves' evidence, shape (B, K)."""
    centre, spread, log_share = _hyper()
    log_alpha = np.log(rough.alpha)[:, :, None]
    density = -0.5 * ((log_alpha - centre) / spread) ** 2 - np.log(spread)  # (B, A, K)
    step = np.log(np.gradient(log_alpha, axis=1))
    evidence = log_sum(rough.likelihood[:, :, None] + density + step, axis=1)
    others = (evidence.sum(axis=0) - evidence) * temper
    weight = log_share + others
    return weight - log_sum(weight, axis=1)[:, None]


def _others_walk(rough: Posterior) -> np.ndarray:
    """Log probability of each kind of deviation after the other curves, shape (B, Q)."""
    flat = rough.log_weight.reshape(*rough.log_weight.shape[:2], -1)
    evidence = np.exp(log_sum(flat, axis=-1) - LOG_WALK)
    return np.log(shares_of_others(evidence, np.exp(LOG_WALK), WALK_WEIGHT))


def shares_of_others(evidence: np.ndarray, prior: np.ndarray, prior_curves: float) -> np.ndarray:
    """How common each of K kinds is among the other curves of a file.

    Expectation-maximisation of a Dirichlet-multinomial mixture, and at the end each curve's own part is
    taken out.

    Parameters
    ----------
    evidence : ndarray, shape (B, K)
        Marginal likelihood of each kind for each curve, up to a factor a curve.
    prior : ndarray, shape (K,) or (B, K)
        Shares beforehand; a kind with share 0 stays impossible.
    prior_curves : float
        How many curves the prior counts for.

    Returns
    -------
    ndarray, shape (B, K)
        Rows sum to 1.
    """
    prior = np.broadcast_to(prior, evidence.shape)
    temper = min(1.0, MOST_CURVES / len(evidence))
    share = prior
    for _ in range(ROUNDS):
        # Each curve's probabilities of the kinds, then how common they are over all curves.
        own = share * evidence
        own = own / own.sum(axis=1, keepdims=True)
        share = np.where(prior > 0, prior_curves * prior + temper * own.sum(axis=0), 0.0)
        share = share / share.sum(axis=1, keepdims=True)
    others = np.where(prior > 0, prior_curves * prior + temper * (own.sum(axis=0) - own), 0.0)
    return others / others.sum(axis=1, keepdims=True)


def _noise(rough: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """Typical noise of the other curves and the degrees of freedom it counts for, both (B, C)."""
    squares = rough.rss[:, 0].min(axis=(1, 2)) + rough.batch.within
    df = np.maximum(rough.batch.count - 3, 0) + rough.batch.replicates
    use = (df >= 1) & (squares > 0)
    d = np.where(use, df, 1.0)
    # The log variance of each curve, free of the bias E log χ²_d, and its sampling variance.
    bias, sampled = _log_chi_square(d)
    log_variance = np.log(np.where(use, squares, 1.0)) - bias
    # Its weighted mean over the other curves, each of which varies by LIKELY_BETWEEN beside the sampling.
    weight = np.where(use, 1 / (sampled + LIKELY_BETWEEN), 0.0)
    total, first = weight.sum() - weight, (weight * log_variance).sum() - weight * log_variance
    many = use.sum() - use
    mean = np.where(many > 0, first / np.maximum(total, 1e-12), 0.0)
    # How the others vary among themselves says how much they bind: a chi-square of d has log variance 2 / d.
    scatter = (weight * (log_variance[None] - mean[:, None]) ** 2 * (1 - np.eye(len(d)))).sum(axis=1)
    sampling = (weight * sampled).sum() - weight * sampled
    between = np.maximum((scatter - sampling) / np.maximum(total, 1e-12), LEAST_BETWEEN)
    df = np.minimum(2 / between, MOST_NOISE_DF) * many / (many + 2)
    known = (many > 0)[:, None]
    noise = np.where(known, np.exp(mean / 2)[:, None], NOISE)
    return noise, np.where(known, OWN_NOISE_DF + df[:, None], NOISE_DF)


def _log_chi_square(d: np.ndarray, h: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the log of a chi-square of d degrees of freedom, both (B,).

    They are derivatives of log Γ; differences of the standard library's keep scipy.special from being
    imported, which takes longer than the fits of a small file.
    """
    low, here, high = (np.array([lgamma(v / 2 + step) for v in d]) for step in (-h, 0.0, h))
    return np.log(2) + (high - low) / (2 * h), (high - 2 * here + low) / h**2
