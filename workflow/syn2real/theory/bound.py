"""The bound itself: the nine terms (16) with constants 1, minimised over λ1, and its exponents at any size.

All is in logarithms: at the sizes where the exponents of Table 1 are reached, s^-2 underflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TERMS = ("a0", "a1", "b", "c", "d", "e", "f", "g", "h")
"""The terms of (16)."""
HALVINGS = 80  # of the range of ln λ1: to 1e-21 of it


@dataclass(frozen=True)
class Minimum:
    """The bound, least over λ1; arrays of shape (...).

    Attributes
    ----------
    log_lambda, log_bound : ndarray
        Natural logarithms of λ1 and of the bound.
    nu, beta : ndarray
        The powers of R0 and of 1/s that it has there: its local exponents.
    """

    log_lambda: np.ndarray
    log_bound: np.ndarray
    nu: np.ndarray
    beta: np.ndarray


def term_powers(r0: float, r1: float, xi: float, zeta: float) -> np.ndarray:
    """Return the powers of s, λ1 and R0 in each term of (16), shape (9, 3); η1 = s^-ζ.

    (c) and (f) have r0, as their proof (46), (47) has it; (16) prints r1.
    """
    steps = -2 * (1 - zeta)  # (T η1)^-2
    return np.array(
        [
            [0, 2 * r0, 0],
            [0, 2 * r1, 0],
            [-1, -1, 1],
            [-1, 2 * r0 - 1, 0],
            [-1, 0, 0],
            [steps, -2, 1],
            [steps, 2 * r0 - 2, 0],
            [steps, -1, 0],
            [-1, -1 / xi, 0],
        ]
    )


def log_bound(
    powers: np.ndarray, log_s: np.ndarray, log_lambda: np.ndarray, log_r0: np.ndarray
) -> np.ndarray:
    """Return the logarithm of the sum of the terms.

    Parameters
    ----------
    powers : ndarray, shape (9, 3)
        Of `term_powers`.
    log_s, log_lambda, log_r0 : ndarray, shape (...)
        Natural logarithms of s, λ1 and R0, broadcast against each other.

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(np.logaddexp.reduce(_log_terms(powers, log_s, log_lambda, log_r0), axis=-1))


def minimise(powers: np.ndarray, log_s: np.ndarray, log_r0: np.ndarray) -> Minimum:
    """Minimise the bound over λ1 in (0, 1], 1 being the largest eigenvalue.

    The sum is convex in ln λ1, so its slope is searched for 0 by halving.

    Parameters
    ----------
    powers : ndarray, shape (9, 3)
        Of `term_powers`.
    log_s, log_r0 : ndarray, shape (...)
        Natural logarithms of s ≥ 1 and of R0, broadcast against each other.
    """
    log_s, log_r0 = np.broadcast_arrays(np.asarray(log_s, float), np.asarray(log_r0, float))
    low, high = -3.0 * log_s, np.zeros(log_s.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        # Where the sum still falls, the least one lies to the right.
        falls = _shares(powers, log_s, middle, log_r0) @ powers[:, 1] < 0
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    # By the envelope theorem λ1 may be held: an exponent is the mean of the terms', weighed by their shares.
    shares = _shares(powers, log_s, high, log_r0)
    value = log_bound(powers, log_s, high, log_r0)
    return Minimum(high, value, shares @ powers[:, 2], -(shares @ powers[:, 0]))


@dataclass(frozen=True)
class Recovered:
    """Exponents read off the minimised bound by regression on ln s and ln R0."""

    nu: float
    beta: float
    lambda_s: float
    lambda_r0: float


def recover(
    r0: float,
    r1: float,
    xi: float,
    zeta: float,
    *,
    decades: tuple[float, float],
    log10_r0: tuple[float, float] = (-4.0, -1.0),
) -> Recovered:
    """Read the exponents off the minimised bound.

    Parameters
    ----------
    r0, r1, xi, zeta : float
        As for `exponents.exponents`.
    decades : (float, float)
        Common logarithms of the smallest and the largest s.
    log10_r0 : (float, float)
        The same of R0.
    """
    s, r = np.meshgrid(np.linspace(*decades, 13), np.linspace(*log10_r0, 7), indexing="ij")
    log_s, log_r0 = s.ravel() * np.log(10), r.ravel() * np.log(10)
    least = minimise(term_powers(r0, r1, xi, zeta), log_s, log_r0)
    design = np.stack([np.ones(log_s.size), log_s, log_r0], axis=1)
    # Both regressions at once: columns are ln bound and ln λ1.
    (_, in_s, in_r0), *_ = np.linalg.lstsq(design, np.stack([least.log_bound, least.log_lambda], axis=1))
    return Recovered(float(in_r0[0]), -float(in_s[0]), float(in_s[1]), float(in_r0[1]))


def _log_terms(
    powers: np.ndarray, log_s: np.ndarray, log_lambda: np.ndarray, log_r0: np.ndarray
) -> np.ndarray:
    """Return the logarithm of each term, shape (..., 9)."""
    sizes = np.stack(np.broadcast_arrays(log_s, log_lambda, log_r0), axis=-1)
    return np.asarray(sizes @ powers.T)


def _shares(powers: np.ndarray, log_s: np.ndarray, log_lambda: np.ndarray, log_r0: np.ndarray) -> np.ndarray:
    """Return what part of the sum each term is, shape (..., 9)."""
    logs = _log_terms(powers, log_s, log_lambda, log_r0)
    terms = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(terms / terms.sum(axis=-1, keepdims=True))
