"""The recursion (34)-(35) on a diagonal kernel: its exact expectation.

The features are ψ_l(x) = ±1, independent and equally likely, so that k(x, x') = Σ γ_l ψ_l(x) ψ_l(x') with
γ_l = l^-ξ has a constant diagonal, and second moments close mode by mode. A function is its vector of
coefficients; e = g - φ is its error.

There are two penalties. `start` pulls to the function that a phase starts from: the text of (7) and (9),
elastic weight consolidation. `origin` pulls to the zero function: (34) as printed, for which Theorem 2 is
proved. In pre-training, which starts from zero, they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syn2real.theory.exponents import lambda0_power, lambda1_powers

MARGIN = 0.05
"""Added to the power of a target's coefficients: with l^(-ξr - 1/2) itself (A3) is missed by a logarithm."""


@dataclass(frozen=True)
class Setting:
    """What is pre-trained and fine-tuned on a diagonal kernel.

    Attributes
    ----------
    r0, r1, xi, zeta : float
        Smoothness of the targets (A3), decay of the spectrum (A4), and η1 ~ s^-ζ.
    phi0, phi1 : float
        Norms of the two targets.
    penalty : {"start", "origin"}
        What fine-tuning is pulled to.
    lambda1 : {"table", "s"} or float
        As Table 1 has it, by its power of s alone (R0 = 1), or fixed; 0 is no penalty.
    update : {"all", "head"}
        What fine-tuning updates: all modes, or those of φ1 with the rest frozen.
    modes : {"apart", "shared"}
        φ1 has a block of modes of its own, which pre-training leaves alone, or those of φ0.
    count : int
        Modes of a block.
    seed : int
        Of the signs of φ1's coefficients.
    """

    r0: float
    r1: float
    xi: float
    zeta: float = 0.0
    phi0: float = 1.0
    phi1: float = 0.3
    penalty: str = "start"
    lambda1: str | float = "s"
    update: str = "all"
    modes: str = "apart"
    count: int = 200
    seed: int = 0

    @property
    def gamma(self) -> np.ndarray:
        """Eigenvalues (12), shape (L,): those of φ0's block, then those of φ1's own where it has one."""
        block = np.arange(1.0, self.count + 1) ** -self.xi
        return np.tile(block, 2) if self.modes == "apart" else block

    @property
    def targets(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of φ0 and φ1, each (L,)."""
        first, second = np.zeros(len(self.gamma)), np.zeros(len(self.gamma))
        index = np.arange(1.0, self.count + 1)
        first[: self.count] = normed(index ** (-self.xi * self.r0 - 0.5 - MARGIN), self.phi0)
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], self.count)
        second[-self.count :] = signs * normed(index ** (-self.xi * self.r1 - 0.5 - MARGIN), self.phi1)
        return first, second

    @property
    def pretrained(self) -> np.ndarray:
        """Which modes pre-training updates, shape (L,)."""
        return np.arange(len(self.gamma)) < self.count

    @property
    def finetuned(self) -> np.ndarray:
        """Which modes fine-tuning updates, shape (L,)."""
        here = np.arange(len(self.gamma)) >= len(self.gamma) - self.count
        return here if self.update == "head" else np.ones(len(self.gamma), bool)

    def penalty_of(self, s: float, r0: np.ndarray) -> np.ndarray:
        """Return λ1 for s samples after pre-trainings of error R0, as an array of R0's shape."""
        if not isinstance(self.lambda1, str):
            return np.full(np.shape(r0), float(self.lambda1))
        in_s, in_r0 = lambda1_powers(self.r0, self.r1, self.zeta)
        return np.asarray(
            s**in_s * (np.ones(np.shape(r0)) if self.lambda1 == "s" else np.asarray(r0) ** in_r0)
        )


@dataclass(frozen=True)
class Phase:
    """One phase of averaged SGD.

    Attributes
    ----------
    gamma : ndarray, shape (L,)
        Eigenvalues.
    eta : ndarray, shape (..., L)
        Learning rate; 0 for frozen modes.
    penalty : ndarray, shape (..., 1)
        λ.
    steps : int
        T, the number of samples.
    """

    gamma: np.ndarray
    eta: np.ndarray
    penalty: np.ndarray
    steps: int


def pretraining(setting: Setting, n: int) -> Phase:
    """Return the phase of pre-training: λ0 as before (13), η0 = 1 / (2 k(x, x) + 4 λ0)."""
    penalty = np.array([float(max(n, 1)) ** lambda0_power(setting.r0, setting.xi)])
    return _phase(setting.gamma, setting.pretrained, penalty, 1.0, n)


def finetuning(setting: Setting, s: int, r0: np.ndarray) -> Phase:
    """Return the phase of fine-tuning after errors R0 (...): η1 = s^-ζ / (2 k(x, x) + 4 λ1)."""
    penalty = setting.penalty_of(s, r0)[..., None]
    return _phase(setting.gamma, setting.finetuned, penalty, s**-setting.zeta, s)


def expected_errors(setting: Setting, n: Sequence[int], s: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected squared errors of pre-training and of fine-tuning, exactly.

    Parameters
    ----------
    setting : Setting
    n, s : sequence of int
        Samples of the two phases.

    Returns
    -------
    r0 : ndarray, shape (len(n),)
        E|φ̂0 - φ0|², R0 of (16).
    error : ndarray, shape (len(n), len(s))
        E|g - φ|² after fine-tuning, φ = φ0 + φ1.
    """
    phi0, phi1 = setting.targets
    square, mean = expected_pretraining(setting, n)
    r0 = square.sum(axis=-1)
    # Hand-over: the same function, its error now counted from φ0 + φ1.
    start, start_mean = square - 2 * phi1 * mean + phi1**2, mean - phi1
    if setting.penalty == "start":
        moments = (start, start, start)
    else:
        total = phi0 + phi1
        moments = (start, -total * start_mean, np.broadcast_to(total**2, start.shape))
    columns = [averaged_square(finetuning(setting, size, r0), *moments).sum(axis=-1) for size in s]
    return r0, np.stack(columns, axis=-1)


def expected_pretraining(setting: Setting, n: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return E ē² and E ē of each mode after pre-training, each (len(n), L); ē = φ̂0 - φ0."""
    phi0, _ = setting.targets
    # It starts from zero: the error is -φ0, and so is what the penalty pulls it to.
    phases = [pretraining(setting, size) for size in n]
    square = np.stack([averaged_square(phase, phi0**2, phi0**2, phi0**2) for phase in phases])
    return square, np.stack([averaged_mean(phase, -phi0, -phi0) for phase in phases])


def averaged_square(phase: Phase, square: np.ndarray, cross: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Return E ē² of each mode for the mean ē of all iterates, the start included (35).

    With u = c - φ for the function c that the penalty pulls to, one step of (34) is
    e' = (1 - ηλ) e + ηλ u - η γ ψ Σ_m ψ_m e_m.

    Parameters
    ----------
    phase : Phase
    square, cross, pull : ndarray, shape (..., L)
        E e², E e u and E u² at the start.

    Returns
    -------
    ndarray, shape (..., L)
    """
    gamma, eta, shrink = phase.gamma, phase.eta, phase.eta * phase.penalty
    keep = 1 - shrink - eta * gamma  # b - ηγ: what is left of a mode's mean
    own = (1 - shrink) * (1 - shrink - 2 * eta * gamma)
    mixed, fixed, noise = 2 * shrink * keep, shrink**2 * pull, (eta * gamma) ** 2
    drift = shrink * pull
    shape = np.broadcast_shapes(keep.shape, np.shape(square))
    square, cross = np.broadcast_to(square, shape).copy(), np.broadcast_to(cross, shape).copy()
    past = np.zeros(shape)  # E (sum of e so far) e
    past_pull = np.zeros(shape)  # E (sum of e so far) u
    total = square.copy()  # E (sum of e so far)²
    for _ in range(phase.steps):
        # The sum takes in the present iterate, then its product with the next one follows.
        past += square
        past *= keep
        past_pull += cross
        past += shrink * past_pull
        # ψ² = 1 and signs are independent, so the squared residual's mean is the sum over modes.
        residual = square.sum(axis=-1, keepdims=True)
        square *= own
        square += mixed * cross
        square += fixed
        square += noise * residual
        cross *= keep
        cross += drift
        total += 2 * past
        total += square
    return total / (phase.steps + 1) ** 2


def averaged_mean(phase: Phase, mean: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Return E ē of each mode from E e and E u at the start, each (..., L); a geometric sum."""
    gamma, eta, penalty, steps = phase.gamma, phase.eta, phase.penalty, phase.steps
    # Frozen modes stay; the others approach λ u / (λ + γ) by the factor 1 - η (λ + γ) a step.
    moved = eta * (penalty + gamma)
    limit = np.where(moved > 0, penalty * pull / (penalty + gamma), mean)
    weight = np.where(
        moved > 0, -np.expm1((steps + 1) * np.log1p(-moved)) / np.where(moved > 0, moved, 1), 0.0
    )
    return np.asarray(limit + (mean - limit) * weight / (steps + 1))


def _phase(gamma: np.ndarray, updated: np.ndarray, penalty: np.ndarray, rate: float, steps: int) -> Phase:
    """Return a phase that updates some modes; k(x, x) = Σ γ_l whatever it updates."""
    return Phase(gamma, updated * rate / (2 * gamma.sum() + 4 * penalty), penalty, steps)


def normed(values: np.ndarray, norm: float) -> np.ndarray:
    """Return a vector of a given norm."""
    return np.asarray(norm * values / np.linalg.norm(values))
