"""A law of effective labels: pre-training images are worth labels, and the error falls with their sum."""

from typing import ClassVar

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import Rows


class Effective(Law):
    """c (s + k n^a)^-b: n images are worth k n^a labels, which counts for less where s is large."""

    equation, source = "c (s + k n^a)^-b", "for comparison with (2)"
    exponents, varies = ("a", "b", "k"), ("s",)
    coefficients: tuple[str, ...] = ("c",)
    scales: ClassVar[tuple[str, ...]] = ("k",)
    uses_zero: ClassVar[bool] = True

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ranges of a and b, and of the labels that the unit's n is worth over the unit's s."""
        return self.bounds, self.bounds, (1e-4, 1e4)

    def natural(self, exponents: np.ndarray, unit: Rows) -> np.ndarray:
        """Return a, b and k in labels."""
        k = exponents[..., 2] * unit.s[0] * unit.n[0] ** -exponents[..., 0]
        return np.stack([exponents[..., 0], exponents[..., 1], k], axis=-1)

    def log_columns(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """Logarithm of the column of c, and of E where the law has it, shape (..., m, k)."""
        a, b, k = (exponents[..., i, None] for i in range(3))
        with np.errstate(over="ignore"):
            fall = -b * np.log(rows.s + k * rows.n**a)
        return np.stack([fall, *(np.zeros_like(fall) for _ in self.coefficients[1:])], axis=-1)


class EffectiveWithLoss(Effective):
    """c (s + k n^a)^-b + E, with the irreducible loss of §3."""

    equation, source = "c (s + k n^a)^-b + E", "for comparison with (2), with E of §3"
    coefficients = ("c", "E")


LAW, WITH_LOSS = Effective(), EffectiveWithLoss()
