"""Student's t: SciPy is the oracle."""

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit

from syn2real.laws.student import student_t


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 15, 200, 2000, 2001, 1e9])
@pytest.mark.parametrize("probability", [1e-5, 0.4, 0.5, 0.6, 0.9, 0.975, 0.9958333, 1 - 1e-5])
def test_quantiles_are_scipys(freedom, probability):
    assert student_t(freedom, probability) == pytest.approx(stdtrit(freedom, probability), rel=1e-8)


def test_infinite_freedom_is_the_normal_distribution():
    assert student_t(np.inf, 0.975) == pytest.approx(ndtri(0.975), rel=1e-12)
