"""How far the two-layer network is from the recursion that stands for it, and what errors it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from syn2real.theory.circle import basis, decay, spectrum, target
from syn2real.theory.exponents import lambda0_power, lambda1_powers
from syn2real.theory.network import Linear, Model, Network, averaged_sgd, infinite, linearised

FREQUENCIES = 33  # of k∞ and of the targets: 0 to 32
GRID = 64  # angles at which functions are compared
MEASURED = (4, 16)
"""Frequencies over which ξ is measured."""


@dataclass(frozen=True)
class Circle:
    """Two targets on the unit circle, and how a network is pre-trained and fine-tuned on them.

    Attributes
    ----------
    activation : str
        One of `circle.ACTIVATIONS`.
    r0, r1, zeta : float
        Smoothness of the targets (A3), and η1 ~ s^-ζ.
    phi0, phi1 : float
        Norms of the targets.
    seed : int
        Of the targets' signs and of all samples and networks.
    """

    activation: str = "ramp"
    r0: float = 0.75
    r1: float = 0.5
    zeta: float = 0.0
    phi0: float = 0.5
    phi1: float = 0.2
    seed: int = 0

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Of k∞ by frequency (12), shape (FREQUENCIES,)."""
        return spectrum(self.activation, FREQUENCIES)

    @cached_property
    def xi(self) -> float:
        """ξ of (A4), measured."""
        return decay(self.eigenvalues, *MEASURED)

    @cached_property
    def targets(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of φ0 and of φ0 + φ1 on `circle.basis`."""
        random = np.random.default_rng([self.seed, 0])
        first = target(self.eigenvalues, self.r0, self.phi0, random)
        return first, first + target(self.eigenvalues, self.r1, self.phi1, random)

    @property
    def grid(self) -> np.ndarray:
        """Angles at which functions are compared, shape (GRID,)."""
        return np.asarray(2 * np.pi * np.arange(GRID) / GRID)

    def rates(self, phase: int, samples: int) -> tuple[float, float]:
        """Return η and λ of pre-training (0) or of fine-tuning (1); λ1 by its power of s alone."""
        in_s, _ = lambda1_powers(self.r0, self.r1, self.zeta)
        penalty = samples ** (in_s if phase else lambda0_power(self.r0, self.xi))
        diagonal = self.eigenvalues[0] + 2 * self.eigenvalues[1:].sum()  # k∞(x, x)
        return (samples**-self.zeta if phase else 1.0) / (2 * diagonal + 4 * penalty), penalty

    def samples(self, phase: int, runs: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return angles and labels of a phase, each (runs, count)."""
        random = np.random.default_rng([self.seed, 1 + phase, count])
        angles = random.uniform(0, 2 * np.pi, (runs, count))
        return angles, basis(angles, FREQUENCIES) @ self.targets[phase]


def distances(circle: Circle, widths: Sequence[int], n: int, s: int, seeds: int) -> dict[str, np.ndarray]:
    """Return how far networks are from recursions on the same samples.

    Parameters
    ----------
    circle : Circle
    widths : sequence of int
        M.
    n, s : int
        Samples of the two phases.
    seeds : int
        Networks a width.

    Returns
    -------
    dict of str to ndarray, shape (len(widths),)
        The largest difference over all iterates of both phases and all grid points, mean over seeds: to the
        recursion on the network's ``own`` kernel, to that on the kernel of ``infinite`` width, and to that on
        its own kernel with the penalty of (34) as printed, ``origin``.
    """
    phases = (circle.samples(0, seeds, n), circle.samples(1, seeds, s))
    limit = infinite(circle.eigenvalues, circle.grid)
    zero = np.zeros((seeds, limit.on_grid.shape[-1]))
    far = _path(circle, limit, zero, phases)
    found: dict[str, list[float]] = {"own": [], "infinite": [], "origin": []}
    for width in widths:
        network = Network(circle.activation, circle.grid)
        start = Network.start(seeds, width, np.random.default_rng([circle.seed, 3, width]))
        own, nowhere = linearised(network, start), np.zeros(start.shape)
        trained = _path(circle, network, start, phases)
        others = {
            "own": _path(circle, own, nowhere, phases),
            "infinite": far,
            "origin": _path(circle, own, nowhere, phases, origin=True),
        }
        for name, path in others.items():
            found[name].append(float(np.abs(trained - path).max(axis=(0, 2)).mean()))
    return {name: np.array(values) for name, values in found.items()}


def errors(
    circle: Circle, width: int, n: Sequence[int], s: Sequence[int], seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean squared errors after fine-tuning with penalty `start`.

    Returns
    -------
    network, infinite : ndarray, shape (len(n), len(s))
        Of networks, and of the recursion on k∞ with the same samples; means over seeds.
    """
    network = Network(circle.activation, circle.grid)
    limit = infinite(circle.eigenvalues, circle.grid)
    start = Network.start(seeds, width, np.random.default_rng([circle.seed, 3, width]))
    zero = np.zeros((seeds, limit.on_grid.shape[-1]))
    results = []
    model: Network | Linear
    for model, first in ((network, start), (limit, zero)):
        before = [_train(circle, model, 0, first, first, circle.samples(0, seeds, size)) for size in n]
        pretrained = np.concatenate(before)  # all n and seeds go on together
        columns = []
        for size in s:
            given = circle.samples(1, len(pretrained), size)
            after = model.values(_train(circle, model, 1, pretrained, pretrained, given))
            wrong = after - basis(circle.grid, FREQUENCIES) @ circle.targets[1]
            columns.append((wrong**2).mean(axis=1).reshape(len(n), seeds).mean(axis=1))
        results.append(np.stack(columns, axis=1))
    return results[0], results[1]


def _train(
    circle: Circle,
    model: Model,
    phase: int,
    start: np.ndarray,
    reference: np.ndarray,
    samples: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the averaged parameters of one phase."""
    return averaged_sgd(model, start, reference, *samples, *circle.rates(phase, samples[0].shape[1]))[0]


def _path(
    circle: Circle,
    model: Model,
    start: np.ndarray,
    phases: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    *,
    origin: bool = False,
) -> np.ndarray:
    """Return the outputs at the grid of all iterates of both phases, shape (n + s + 2, runs, GRID)."""
    outputs, parameters, reference = [], start, start
    for phase, (angles, labels) in enumerate(phases):
        rates = circle.rates(phase, angles.shape[1])
        mean, path = averaged_sgd(model, parameters, reference, angles, labels, *rates, path=True)
        outputs.append(path)
        # Fine-tuning starts from the averaged parameters, and is pulled to them or to zero.
        parameters, reference = mean, (start if origin else mean)
    return np.concatenate(outputs)
