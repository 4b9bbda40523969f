"""The recursion on a diagonal kernel: its exact expectation against simulation and against what is known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from syn2real.theory.recursion import (
    Phase,
    Setting,
    averaged_square,
    expected_errors,
    expected_pretraining,
    finetuning,
    pretraining,
)

SETTING = Setting(0.75, 0.5, 2, count=30)
VARIANTS = {
    "start": SETTING,
    "origin": replace(SETTING, penalty="origin", lambda1="table", zeta=0.3),
    "shared": replace(SETTING, penalty="origin", modes="shared"),
    "head": replace(SETTING, update="head", penalty="origin"),
}


def _simulated_errors(setting: Setting, n: Sequence[int], s: Sequence[int], seeds: int) -> np.ndarray:
    """Return squared errors after fine-tuning of simulated runs, shape (len(n), len(s), seeds)."""
    random, (phi0, phi1) = np.random.default_rng(0), setting.targets
    r0 = expected_pretraining(setting, n)[0].sum(axis=-1)
    phases, before = [pretraining(setting, size) for size in n], np.tile(-phi0, (seeds, 1))
    columns = []
    for size in s:
        error = np.stack([_simulate(phase, before, -phi0, random) for phase in phases])
        start = error - phi1
        pull = start if setting.penalty == "start" else np.broadcast_to(-(phi0 + phi1), start.shape)
        phase = finetuning(setting, size, np.repeat(r0[:, None], seeds, axis=1))
        columns.append((_simulate(phase, start, pull, random) ** 2).sum(axis=-1))
    return np.stack(columns, axis=1)


def _simulate(phase: Phase, error: np.ndarray, pull: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the mean of all iterates (35) of one phase that starts at `error`, pulled to `pull`."""
    shrink, gain = phase.eta * phase.penalty, phase.eta * phase.gamma
    total = error.copy()
    for _ in range(phase.steps):
        signs = random.choice([-1.0, 1.0], error.shape)  # ψ(x) of a fresh sample
        residual = (signs * error).sum(axis=-1, keepdims=True)
        error = (1 - shrink) * error + shrink * pull - gain * signs * residual
        total += error
    return total / (phase.steps + 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_expectation_is_that_of_simulated_runs(name: str) -> None:
    n, s = (2, 4, 8, 16), (4, 8, 16, 32, 64)
    errors = _simulated_errors(VARIANTS[name], n, s, seeds=16)
    _, expected = expected_errors(VARIANTS[name], n, s)
    scores = (errors.mean(axis=-1) - expected) / (errors.std(axis=-1, ddof=1) / 4)
    assert scores.shape == (4, 5) and np.abs(scores).max() < 4


@pytest.mark.parametrize("lambda1", ["table", "s", 0.1, 0.0])
def test_the_penalties_agree_without_pretraining_and_without_penalty(lambda1: str | float) -> None:
    start = replace(SETTING, lambda1=lambda1)
    n = (0, 8) if lambda1 == 0 else (0,)
    one, other = (expected_errors(x, n, (8, 32))[1] for x in (start, replace(start, penalty="origin")))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    if lambda1 == 0.1:
        one, other = (expected_errors(x, (8,), (8, 32))[1] for x in (start, replace(start, penalty="origin")))
        assert np.all(np.abs(one / other - 1) > 1e-3)


def test_a_perfect_start_stays_or_is_pulled_away() -> None:
    """Nothing left to learn: no error under `start`, the bias of the penalty under `origin`."""
    phi, _ = SETTING.targets
    gamma, nothing, penalty = SETTING.gamma, np.zeros(len(phi)), 0.05
    bias = penalty**2 * np.sum((phi / (gamma + penalty)) ** 2)
    shares = []
    for steps in (1024, 16384):
        phase = Phase(
            gamma, np.full(len(phi), 1 / (2 * gamma.sum() + 4 * penalty)), np.array([penalty]), steps
        )
        assert averaged_square(phase, nothing, nothing, nothing).sum() == 0
        shares.append(averaged_square(phase, nothing, nothing, phi**2).sum() / bias)
    assert 0.9 < shares[0] < shares[1] < 1.02 and abs(shares[1] - 1) < 0.02


def test_with_the_rest_frozen_the_error_of_pretraining_stays() -> None:
    head = replace(SETTING, update="head", lambda1="s")
    r0, error = expected_errors(head, (4, 64), (64, 1024, 16384))
    above = error / r0[:, None] - 1
    assert np.all(np.diff(above, axis=1) < 0) and np.all((above[:, -1] > 0) & (above[:, -1] < 0.02))


def test_pretraining_leaves_the_other_block_alone_and_learns_its_own() -> None:
    square, _ = expected_pretraining(SETTING, (4, 64))
    assert np.all(square[:, SETTING.count :] == 0)
    assert square[1].sum() < square[0].sum() < np.sum(SETTING.targets[0] ** 2)


def test_targets_have_their_norms_and_smoothness() -> None:
    phi0, phi1 = replace(SETTING, modes="shared", count=200, phi0=2.0).targets
    assert (np.linalg.norm(phi0), np.linalg.norm(phi1)) == pytest.approx((2.0, 0.3))
    # φ = Σ^r ψ with a square summable ψ: its coefficients fall faster than l^-1/2.
    psi = np.abs(phi1) * np.arange(1, 201) ** (2 * 0.5)
    assert np.polyfit(np.log(np.arange(1, 201)), np.log(psi), 1)[0] == pytest.approx(-0.55)
