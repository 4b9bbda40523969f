"""The two-layer network: its step, its spectrum, and what it converges to as it gets wider."""

import numpy as np
import pytest
import torch

from syn2real.theory.agreement import Circle, distances, errors
from syn2real.theory.circle import ACTIVATIONS, decay, spectrum, unlearnable
from syn2real.theory.network import Linear, Network, averaged_sgd, infinite, linearised

GRID = 2 * np.pi * np.arange(32) / 32


def test_the_step_is_that_of_autograd() -> None:
    random, eta, penalty, y = np.random.default_rng(0), 0.3, 0.2, 0.7
    network, reference = Network("swish", GRID), Network.start(1, 6, random)
    start = reference + 0.1 * random.standard_normal(reference.shape)
    angle = np.array([[0.4]])
    mean, _ = averaged_sgd(network, start, reference, angle, np.array([[y]]), eta, penalty)
    after = 2 * mean - start  # the mean of two iterates

    theta = torch.tensor(start[0], requires_grad=True)
    a, b, b_, c = theta.reshape(4, -1)
    u = b * np.cos(0.4) + b_ * np.sin(0.4) + c
    output = (a * u * torch.sigmoid(10 * u)).sum() / np.sqrt(6)
    pulled = ((theta - torch.tensor(reference[0])) ** 2).sum()
    (0.5 * (y - output) ** 2 + 0.5 * penalty * pulled).backward()  # (7) for one sample
    np.testing.assert_allclose(after[0], (theta - eta * theta.grad).detach().numpy(), atol=1e-14)


def test_a_start_is_symmetric_and_the_grid_has_the_outputs_of_single_angles() -> None:
    random = np.random.default_rng(1)
    network, start = Network("ramp", GRID), Network.start(3, 8, random)
    assert np.abs(network.values(start)).max() < 1e-15
    moved = start + random.standard_normal(start.shape)
    one_by_one = [network.gradient(moved, np.full(3, angle))[0] for angle in GRID]
    np.testing.assert_allclose(network.values(moved), np.stack(one_by_one, axis=1), atol=1e-14)
    own = linearised(network, start)
    step = 1e-6 * random.standard_normal(start.shape)
    np.testing.assert_allclose(network.values(start + step), own.values(step), atol=1e-11)


def test_features_and_kernel_give_the_same_recursion() -> None:
    """(34) with g as its values at grid and samples, and the kernel between those."""
    random, steps, eta, penalty = np.random.default_rng(2), 40, 0.2, 0.05
    features = random.standard_normal((len(GRID) + steps, 9))
    model = Linear(lambda index: features[index.astype(int)], features[None, : len(GRID)])
    start, y = random.standard_normal((1, 9)), random.standard_normal(steps)
    samples = len(GRID) + np.arange(steps)
    mean, _ = averaged_sgd(model, start, start, samples[None].astype(float), y[None], eta, penalty)

    kernel, reference = features @ features.T, features @ start[0]
    g, total = reference.copy(), reference.copy()
    for sample, label in zip(samples, y, strict=True):
        g = reference + (1 - eta * penalty) * (g - reference) - eta * (g[sample] - label) * kernel[:, sample]
        total += g
    np.testing.assert_allclose(model.values(mean)[0], total[: len(GRID)] / (steps + 1), atol=1e-12)


def test_the_spectrum_is_that_of_relus_closed_form() -> None:
    eigenvalues, d = spectrum("relu", 1024), np.linspace(0, np.pi, 50)
    kernel = eigenvalues[0] + 2 * np.cos(d[:, None] * np.arange(1, 1024)) @ eigenvalues[1:]
    output = ((np.pi - d) * np.cos(d) + np.sin(d)) / (4 * np.pi)
    slope = (np.pi - d) / (2 * np.pi)
    np.testing.assert_allclose(kernel, output + (1 + np.cos(d)) * slope, atol=2e-4)


def test_infinite_width_is_the_limit_of_random_features() -> None:
    network, start = Network("ramp", GRID), Network.start(1, 40_000, np.random.default_rng(3))
    own, limit = linearised(network, start).on_grid[0], infinite(spectrum("ramp", 33), GRID).on_grid[0]
    np.testing.assert_allclose(own @ own.T, limit @ limit.T, atol=0.02)


def test_only_the_ramp_has_a_power_law_and_without_a_bias_half_is_not_learnt() -> None:
    found = {name: spectrum(name, 200) for name in ACTIVATIONS}
    assert [decay(found["ramp"], *span) for span in ((4, 16), (32, 128))] == pytest.approx([4.2, 4], abs=0.01)
    assert [decay(found["relu"], *span) for span in ((4, 16), (32, 128))] == pytest.approx([2.1, 2], abs=0.01)
    for name in ("swish", "tanh"):
        assert abs(decay(found[name], 4, 16) - decay(found[name], 32, 128)) > 10
    for name in ACTIVATIONS:
        assert unlearnable(found[name]) == 0
        assert unlearnable(spectrum(name, 200, bias=False)) == 0.5


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_slope_is_the_derivative(name: str) -> None:
    sigma, slope = ACTIVATIONS[name]
    u = np.linspace(-3, 3, 601) + 0.005
    np.testing.assert_allclose((sigma(u + 1e-6) - sigma(u - 1e-6)) / 2e-6, slope(u), atol=1e-5)


def test_the_distance_to_the_own_kernel_falls_with_the_width_and_with_the_other_penalty_does_not() -> None:
    widths = (64, 128, 256, 512)
    found = distances(Circle(), widths, 128, 128, seeds=4)
    slopes = {name: np.polyfit(np.log(widths), np.log(far), 1)[0] for name, far in found.items()}
    assert slopes["own"] <= -0.8
    assert slopes["origin"] > -0.1 and found["origin"].min() > 10 * found["own"][-1]
    assert -0.8 < slopes["infinite"] < -0.2


def test_a_networks_error_is_about_that_of_infinite_width() -> None:
    network, limit = errors(Circle(phi1=0.15), 128, (16, 256), (16, 256), seeds=8)
    assert network.shape == (2, 2) and np.all(np.abs(np.log(network / limit)) < 0.5)
    assert np.all(np.diff(network, axis=1) < 0)
