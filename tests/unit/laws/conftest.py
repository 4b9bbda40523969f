"""Curves with known laws."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.table import Curve


@pytest.fixture
def make_curve() -> Callable[..., Curve]:
    """Build a curve from arrays."""

    def build(n: object, error: object, s: object = np.nan, size: object = np.nan) -> Curve:
        n, error = np.asarray(n, float), np.asarray(error, float)
        fill = [np.broadcast_to(np.asarray(v, float), n.shape).copy() for v in (s, size)]
        return Curve({}, n, error, np.ones(len(n)), *fill)

    return build


@pytest.fixture
def points() -> pd.DataFrame:
    """Four curves: two settings by two models; setting b and the bigger model have smaller gaps."""
    random = np.random.default_rng(1)
    rows = []
    for setting, gap in (("a", 0.30), ("b", 0.15)):
        for model, size in (("resnet18", 11.7e6), ("resnet50", 25.6e6)):
            for n in 1000 * 2 ** np.arange(7):
                error = 4 * n**-0.5 + gap * (11.7e6 / size) ** 0.3
                noise = np.exp(0.002 * random.standard_normal())
                rows.append((setting, model, size, n, 500, error * noise))
    return pd.DataFrame(rows, columns=["setting", "model", "n_params", "n", "s", "error"])
