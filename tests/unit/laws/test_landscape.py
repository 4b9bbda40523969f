"""The loss landscape over (α, D): zero where the curve came from, and never above a search in C by scipy."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from syn2real.laws.landscape import landscape
from syn2real.laws.table import Curve

N = 1000.0 * 2 ** np.arange(7)


def _curve(error: np.ndarray) -> Curve:
    nothing = np.full(N.shape, np.nan)
    return Curve({}, N, error, np.ones(N.shape), nothing, nothing)


def test_the_loss_vanishes_at_the_parameters_a_curve_was_made_from() -> None:
    alpha, coefficient = np.array([0.2, 0.4, 0.6]), np.array([0.25, 0.5, 1.0])
    loss = landscape(_curve(0.5 * N**-0.4 + 0.5), alpha, coefficient)
    assert loss.shape == (3, 3)
    assert loss[1, 1] == pytest.approx(0, abs=1e-9)
    assert np.delete(loss.ravel(), 4).min() > 1e-4


def test_each_place_has_the_best_gap() -> None:
    noisy = (0.5 * N**-0.4 + 0.3) * np.exp(np.random.default_rng(0).normal(0, 0.02, N.shape))
    alpha, coefficient = np.array([0.1, 0.5, 1.0]), np.array([0.1, 0.5, 2.0])
    loss = landscape(_curve(noisy), alpha, coefficient)
    for row, d in enumerate(coefficient):
        for column, a in enumerate(alpha):

            def squares(gap: float, d: float = d, a: float = a) -> float:
                return float(np.mean((np.log(noisy) - np.log(d * N**-a + gap)) ** 2))

            found = minimize_scalar(squares, bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
            best = min(found.fun, squares(0.0))
            assert loss[row, column] == pytest.approx(np.sqrt(best), rel=1e-5)


def test_weights_count() -> None:
    error = 0.5 * N**-0.4 + 0.5
    error[-1] = 0.6
    heavy = _curve(error)
    light = Curve({}, N, error, np.array([1, 1, 1, 1, 1, 1, 1e-9]), heavy.s, heavy.n_params)
    place = np.array([0.4]), np.array([0.5])
    assert landscape(light, *place)[0, 0] < 1e-3 < landscape(heavy, *place)[0, 0]
