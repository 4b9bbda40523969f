"""The two-layer network (5) with a bias, trained by averaged SGD (6)-(9), and its linearisation.

A model has B runs side by side: parameters are (B, P), and a step takes one angle a run (B,). The recursion
(34) on the network's own kernel (33) is the same SGD on the network linearised at its random start, in both
phases (Proposition 3): its parameters are displacements from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from syn2real.theory.circle import ACTIVATIONS, basis


class Model(Protocol):
    """What averaged SGD trains."""

    def gradient(self, parameters: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the output (B,) and its gradient (B, P) at an angle a run (B,)."""

    def values(self, parameters: np.ndarray) -> np.ndarray:
        """Return the outputs at the grid, shape (B, G)."""


@dataclass(frozen=True)
class Network:
    """g(x) = M^-1/2 Σ a_r σ(b_r·x + c_r) (5); parameters are a, both parts of b, c: shape (B, 4 M).

    Attributes
    ----------
    activation : str
    grid : ndarray, shape (G,)
        Angles at which it is compared and measured.
    """

    activation: str
    grid: np.ndarray

    def gradient(self, parameters: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the output (B,) and its gradient (B, 4 M) at an angle a run (B,)."""
        sigma, slope = ACTIVATIONS[self.activation]
        a, b, b_, c = np.moveaxis(parameters.reshape(len(parameters), 4, -1), 1, 0)
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        scale = np.sqrt(a.shape[1])
        inner = b * cosine + b_ * sine + c
        outer, inward = sigma(inner), a * slope(inner)
        gradient = np.concatenate([outer, inward * cosine, inward * sine, inward], axis=1) / scale
        return (a * outer).sum(axis=1) / scale, gradient

    def values(self, parameters: np.ndarray) -> np.ndarray:
        """Return the outputs at the grid, shape (B, G)."""
        sigma, _ = ACTIVATIONS[self.activation]
        a, b, b_, c = np.moveaxis(parameters.reshape(len(parameters), 4, -1), 1, 0)
        x = np.stack([np.cos(self.grid), np.sin(self.grid), np.ones(len(self.grid))])
        inner = np.stack([b, b_, c], axis=-1) @ x
        return np.asarray((a[:, None] @ sigma(inner))[:, 0] / np.sqrt(a.shape[1]))

    @staticmethod
    def start(runs: int, width: int, random: np.random.Generator) -> np.ndarray:
        """Return random parameters (runs, 4 width) whose output is 0: a = ±1 in pairs that share b; c = 0."""
        angle = np.tile(random.uniform(0, 2 * np.pi, (runs, width // 2)), 2)
        a = np.repeat([1.0, -1.0], width // 2) * np.ones((runs, 1))
        return np.concatenate([a, np.cos(angle), np.sin(angle), np.zeros((runs, width))], axis=1)


@dataclass(frozen=True)
class Linear:
    """g = features · parameters; its SGD is the recursion (34) on the kernel of the features.

    Attributes
    ----------
    features : callable
        From an angle a run (B,) to the features (B, P).
    on_grid : ndarray, shape (B or 1, G, P)
        The features at the grid.
    """

    features: Callable[[np.ndarray], np.ndarray]
    on_grid: np.ndarray

    def gradient(self, parameters: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the output (B,) and its gradient (B, P) at an angle a run (B,)."""
        features = self.features(angle)
        return np.einsum("bp,bp->b", features, parameters), features

    def values(self, parameters: np.ndarray) -> np.ndarray:
        """Return the outputs at the grid, shape (B, G)."""
        return np.asarray((self.on_grid @ parameters[..., None])[..., 0])


def linearised(network: Network, start: np.ndarray) -> Linear:
    """Return a network's linearisation at parameters (B, 4 M): the recursion on its own kernel (33)."""
    runs = len(start)
    grid = [network.gradient(start, np.full(runs, angle))[1] for angle in network.grid]
    return Linear(lambda angle: network.gradient(start, angle)[1], np.stack(grid, axis=1))


def infinite(eigenvalues: np.ndarray, grid: np.ndarray) -> Linear:
    """Return the recursion on k∞ (10), from its eigenvalues by frequency."""
    count = len(eigenvalues)
    root = np.sqrt(np.concatenate([eigenvalues[:1], np.tile(eigenvalues[1:], 2)]))
    return Linear(lambda angle: root * basis(angle, count), (root * basis(grid, count))[None])


def averaged_sgd(
    model: Model,
    start: np.ndarray,
    reference: np.ndarray,
    angles: np.ndarray,
    targets: np.ndarray,
    eta: float,
    penalty: float,
    *,
    path: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Train by (8)-(9), a fresh sample a step, and average the iterates (6).

    Parameters
    ----------
    model : Model
    start, reference : ndarray, shape (B, P)
        Parameters at the start, and those that the penalty pulls to.
    angles, targets : ndarray, shape (B, T)
        The samples.
    eta, penalty : float
        Learning rate η and λ.
    path : bool
        Keep the outputs at the grid of every iterate.

    Returns
    -------
    mean : ndarray, shape (B, P)
        Of all T + 1 iterates, the start included.
    outputs : ndarray, shape (T + 1, B, G), or (0,) without `path`
    """
    parameters, total, outputs = start.copy(), start.copy(), []
    if path:
        outputs.append(model.values(parameters))
    for angle, y in zip(angles.T, targets.T, strict=True):
        output, gradient = model.gradient(parameters, angle)
        # (9): towards the reference by ηλ, then down the gradient of half the squared residual.
        parameters += -eta * penalty * (parameters - reference) - eta * (output - y)[:, None] * gradient
        total += parameters
        if path:
            outputs.append(model.values(parameters))
    return total / (angles.shape[1] + 1), np.array(outputs)
