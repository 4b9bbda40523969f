"""Inputs on the unit circle: activations, the spectrum of the network's kernel (10), targets.

With x = (cos θ, sin θ) the kernel depends on the angle between two inputs alone, so its eigenfunctions are
Fourier's. A trainable bias is needed: without one, half of the frequencies have the eigenvalue 0 for every
activation tried here, so that no amount of data teaches them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from syn2real.theory.recursion import MARGIN, normed

Function = Callable[[np.ndarray], np.ndarray]
POINTS = 4096  # angles of the Fourier transform
ZERO = 1e-20  # an eigenvalue below this share of the largest is 0 but for rounding


def _logistic(u: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-u)))


ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "ramp": (
        lambda u: np.where(u < 2, np.maximum(u, 0) ** 2 / 2, 2 * u - 2),
        lambda u: np.clip(u, 0, 2),
    ),
    "relu": (lambda u: np.maximum(u, 0), lambda u: (u > 0).astype(float)),
    "swish": (
        lambda u: u * _logistic(10 * u),
        lambda u: _logistic(10 * u) * (1 + 10 * u * (1 - _logistic(10 * u))),
    ),
    "tanh": (np.tanh, lambda u: 1 - np.tanh(u) ** 2),
}
"""σ and σ' by name. ramp satisfies (A1) and its spectrum (A4); relu fails (A1), swish and tanh (A4)."""


def spectrum(activation: str, count: int, *, bias: bool = True) -> np.ndarray:
    """Return the eigenvalues (12) of k∞ (10) on the circle.

    Parameters
    ----------
    activation : str
        One of `ACTIVATIONS`.
    count : int
        How many frequencies, at most 1,024.
    bias : bool
        With a trainable bias, which adds E σ'σ' to the kernel.

    Returns
    -------
    ndarray, shape (count,)
        Of frequencies 0, 1, …; each but the first belongs to two eigenfunctions, cosine and sine.
    """
    angle = 2 * np.pi * np.arange(POINTS) / POINTS
    # b is uniform, so E σ(b·x) σ(b·x') is the autocorrelation of σ(cos θ): its power spectrum.
    power, slope = (
        (np.abs(np.fft.rfft(f(np.cos(angle)))[: count + 1]) / POINTS) ** 2 for f in ACTIVATIONS[activation]
    )
    # x·x' = cos of the angle between shifts frequencies by one, both ways.
    below = np.concatenate([slope[1:2], slope[: count - 1]])
    return np.asarray(power[:count] + (below + slope[1:]) / 2 + (slope[:count] if bias else 0.0))


def decay(eigenvalues: np.ndarray, first: int, last: int) -> float:
    """Return ξ of (A4): minus the slope of ln γ on ln k over frequencies `first` to `last`."""
    k = np.arange(first, last + 1)
    return -float(np.polyfit(np.log(k), np.log(eigenvalues[k]), 1)[0])


def unlearnable(eigenvalues: np.ndarray) -> float:
    """Return the share of the frequencies 3 to 10 whose eigenvalue is 0, so that they cannot be learnt."""
    return float(np.mean(eigenvalues[3:11] < ZERO * eigenvalues.max()))


def basis(angles: np.ndarray, count: int) -> np.ndarray:
    """Return the eigenfunctions at angles (...), shape (..., 2 count - 1): 1, then cosines, then sines."""
    phase = angles[..., None] * np.arange(1, count)
    ones = np.ones((*np.shape(angles), 1))
    return np.concatenate([ones, np.sqrt(2) * np.cos(phase), np.sqrt(2) * np.sin(phase)], axis=-1)


def target(eigenvalues: np.ndarray, r: float, norm: float, random: np.random.Generator) -> np.ndarray:
    """Return coefficients on `basis`, (2 count - 1,), of a target in the range of Σ^r (A3), signs drawn."""
    count = len(eigenvalues)
    frequency = np.concatenate([[1.0], np.tile(np.arange(1.0, count), 2)])
    gamma = np.concatenate([eigenvalues[:1], np.tile(eigenvalues[1:], 2)])
    values = gamma**r * frequency ** -(0.5 + MARGIN) * random.choice([-1.0, 1.0], len(gamma))
    return normed(values, norm)
