"""Curves that bend at small n: the law in n + κ instead of n, with κ weighed by the evidence.

Below some n a pre-training does nothing yet and the error stays near that of a guess; such a curve follows
D (n + κ)^-α + C, which is the simple law where n is well above κ. κ = 0 is the law itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from syn2real.laws.bayes.batch import Batch
from syn2real.laws.bayes.grid import Prior, log_sum, posterior
from syn2real.laws.bayes.pooling import shares_of_others

STEPS = np.array([0.0, 0.7, 3.0, 10.0, 35.0, 120.0])  # κ over the smallest used n
STRAIGHT = 0.7  # probability of κ = 0 beforehand
FARTHEST = 3.0  # κ may exceed the largest n by this factor: the curve then only begins to fall
PRIOR_CURVES = 4.0  # how many curves `STRAIGHT` counts for when a file's curves share what they know
WORTH = 0.02  # a κ with less weight than this is left out
NODES = (24, 10)


def bend_weights(batch: Batch, prior: Prior, pool: bool) -> np.ndarray:
    """Weigh each κ for each curve.

    Parameters
    ----------
    pool : bool
        Let the other curves of the batch say how common bends are.

    Returns
    -------
    ndarray, shape (B, K)
        Posterior probabilities of `STEPS` times the curve's smallest used n; rows sum to 1.
    """
    # How well each κ explains each curve.
    fits = [posterior(shifted(batch, step), prior, NODES, passes=3) for step in STEPS]
    evidence = np.stack([fit.evidence for fit in fits], axis=1)
    possible = np.stack([_possible(batch, step) for step in STEPS], axis=1)
    start = np.where(np.arange(len(STEPS)) == 0, STRAIGHT, (1 - STRAIGHT) / (len(STEPS) - 1))
    own = _normalise(evidence, np.where(possible, start, 0.0))
    # Again, with how common each κ is among the other curves as prior weights.
    if pool and len(own) > 1:
        relative = np.exp(evidence - evidence.max(axis=1, keepdims=True))
        common = shares_of_others(relative, np.where(possible, start, 0.0), PRIOR_CURVES)
        own = _normalise(evidence, common)
    own = np.where(own < WORTH, 0.0, own)
    return own / own.sum(axis=1, keepdims=True)


def shifted(batch: Batch, step: float) -> Batch:
    """Return the batch with κ = step times each curve's smallest used n."""
    return replace(batch, shift=step * batch.first)


def _possible(batch: Batch, step: float) -> np.ndarray:
    """Say for which curves this κ is considered, shape (B,)."""
    return np.asarray((step * batch.first <= FARTHEST * batch.last) | (step == 0))


def _normalise(evidence: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Posterior probabilities from log evidence and prior weights, both (B, K)."""
    with np.errstate(divide="ignore"):
        weight = evidence + np.log(share)
    return np.exp(weight - log_sum(weight, axis=1)[:, None])
