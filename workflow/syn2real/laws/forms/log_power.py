"""A slower fall, for comparison: a power of the logarithm of n, with a transfer gap."""

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve

METHOD = "posterior"


class LogPower(Law):
    """D (log n)^-α + C, for n above 1."""

    equation, source = "D (log n)^-alpha + C", "for comparison"
    exponents, coefficients = ("alpha",), ("D", "C")

    def log_columns(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """Logarithm of the columns of D and of C, shape (..., m, 2); NaN where n is not above 1."""
        with np.errstate(invalid="ignore", divide="ignore"):
            fall = -exponents[..., 0, None] * np.log(np.log(rows.n))
        return np.stack([fall, np.zeros_like(fall)], axis=-1)

    def missing(self, curve: Curve) -> str | None:
        """Say what the law needs that a curve of enough n does not have, or None."""
        return super().missing(curve) if curve.n.min() > 1 else "the log-power law needs n above 1"


LAW = LogPower()
