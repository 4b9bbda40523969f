"""The power of log n: recovered from its own values, and not defined where log n is not above 0."""

import numpy as np
import pytest

from syn2real.laws.forms.log_power import LAW
from syn2real.laws.methods.least_squares import fit_least_squares
from syn2real.laws.results import Rows

TRUTH = {"D": 2.0, "alpha": 1.2, "C": 0.1}
N = 1000.0 * 2 ** np.arange(9)


def test_least_squares_recovers_it(make_curve) -> None:  # type: ignore[no-untyped-def]
    np.testing.assert_allclose(LAW.predict(TRUTH, Rows.at(N)), 2 * np.log(N) ** -1.2 + 0.1)
    params = fit_least_squares(make_curve(N, LAW.predict(TRUTH, Rows.at(N))), LAW).params
    assert {name: param.value for name, param in params.items()} == pytest.approx(TRUTH, rel=1e-8)


def test_a_curve_with_a_single_image_is_refused(make_curve) -> None:  # type: ignore[no-untyped-def]
    assert LAW.why_not(make_curve([1, 2, 4, 8], [0.5, 0.4, 0.3, 0.2])) == "the log-power law needs n above 1"
