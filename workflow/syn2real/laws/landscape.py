"""How well each pair (α, D) explains a curve: the loss landscape of Appendix D (Figures 13 and 14)."""

from __future__ import annotations

import numpy as np

from syn2real.laws.forms.simple import LAW
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve

ALPHA = np.linspace(0.02, 1.2, 96)
"""Pre-training rates of a landscape; the paper draws 0 to 1."""
COEFFICIENT = np.linspace(0.02, 2.0, 96)
"""Values of D of a landscape; the paper draws 0 to 2."""
PUBLISHED_COEFFICIENT = 0.48
"""The common D that the paper's own rounds ended at (§4.1)."""
GAPS = 65  # values of C on the grid that is searched first
SECTIONS = 50  # golden ones, which narrow the range of C to the last digit


def landscape(curve: Curve, alpha: np.ndarray = ALPHA, coefficient: np.ndarray = COEFFICIENT) -> np.ndarray:
    """Return the smallest root-mean-square of log errors that any transfer gap C ≥ 0 leaves at each (α, D).

    Parameters
    ----------
    curve : Curve
        Errors at m sizes n.
    alpha : ndarray, shape (a,)
        Pre-training rates.
    coefficient : ndarray, shape (d,)
        Values of D.

    Returns
    -------
    ndarray, shape (d, a)
        In units of log error.

    Notes
    -----
    At given (α, D) the loss is a function of C alone, searched on a grid of its range and then refined around
    the best of it by golden sections, because in logs it need not be convex.
    """
    effect = coefficient[:, None, None] * LAW.columns(alpha[:, None], Rows.at(curve.n))[..., 0]
    # The best C of a grid, whose neighbours enclose the best of all.
    grid = np.linspace(0.0, float(curve.error.max()), GAPS)
    losses = np.stack([_loss(curve, effect, np.full(effect.shape[:2], gap)) for gap in grid])
    best = losses.argmin(axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    return np.sqrt(_refine(curve, effect, low, high) / curve.weight.sum())


def _loss(curve: Curve, effect: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Weighted sum of squared log residuals, shape (d, a)."""
    residual = np.log(curve.error) - np.log(effect + gap[..., None])
    return (residual**2) @ curve.weight


def _refine(curve: Curve, effect: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Narrow the range of C by golden sections and return the loss at its end."""
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(SECTIONS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        lower = _loss(curve, effect, left) < _loss(curve, effect, right)
        low, high = np.where(lower, low, left), np.where(lower, right, high)
    return _loss(curve, effect, (low + high) / 2)
