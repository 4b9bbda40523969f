"""The laws. Each is linear in some coefficients once its exponents are given (variable projection)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syn2real.laws.results import Rows

EXPONENT = (0.01, 5.0)


@dataclass(frozen=True)
class Law(ABC):
    """A law: error = basis(exponents) @ coefficients, coefficients non-negative.

    Attributes
    ----------
    name, equation, source : str
        Its name here, its formula, and the paper's number of it.
    exponents : tuple of str
        The nonlinear parameters, searched within `bounds` from `start`.
    coefficients : tuple of str
        The linear parameters of the basis, in its order.
    varies : tuple of str
        The columns it describes besides n: "s" (labels) or "size" (model parameters).
    """

    name: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    exponents: ClassVar[tuple[str, ...]]
    coefficients: ClassVar[tuple[str, ...]]
    varies: ClassVar[tuple[str, ...]] = ()
    bounds: ClassVar[tuple[float, float]] = EXPONENT
    start: ClassVar[float] = 0.45

    @abstractmethod
    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """Columns of the linear part.

        Parameters
        ----------
        exponents : ndarray, shape (..., q)
        rows : Rows
            Of length m.

        Returns
        -------
        ndarray, shape (..., m, k)
        """

    def params(self, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
        """Name the parameters as the paper does; arrays of shape (...)."""
        named = {name: coefficients[..., i] for i, name in enumerate(self.coefficients)}
        return named | {name: exponents[..., i] for i, name in enumerate(self.exponents)}

    def predict(self, params: Mapping[str, float], rows: Rows) -> np.ndarray:
        """Error at each row, shape (m,)."""
        exponents = np.array([params[name] for name in self.exponents])
        return self.basis(exponents, rows) @ np.array([params[name] for name in self.coefficients])


def _power(base: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """base^-exponent, shape (..., m)."""
    return base ** -exponent[..., None]


class Simple(Law):
    """D n^-α + C (eq. 1)."""

    name, equation, source = "simple", "D n^-alpha + C", "(1)"
    exponents, coefficients = ("alpha",), ("D", "C")

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α, 1]."""
        p = _power(rows.n, exponents[..., 0])
        return np.stack([p, np.ones_like(p)], axis=-1)


class Power(Law):
    """D n^-α: no transfer gap (§4.4's comparison)."""

    name, equation, source = "power", "D n^-alpha", "(1) with C = 0, §4.4"
    exponents, coefficients = ("alpha",), ("D",)

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α]."""
        return _power(rows.n, exponents[..., 0])[..., None]


class Full(Law):
    """δ(γ + n^-α) s^-β (eq. 2)."""

    name, equation, source = "full", "delta (gamma + n^-alpha) s^-beta", "(2)"
    exponents, varies = ("alpha", "beta"), ("s",)
    coefficients: ClassVar[tuple[str, ...]] = ("delta", "delta_gamma")

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α s^-β, s^-β]."""
        label = _power(rows.s, exponents[..., 1])
        return np.stack([_power(rows.n, exponents[..., 0]) * label, label], axis=-1)

    def params(self, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
        """δ, γ = (δγ)/δ, α, β."""
        named = super().params(exponents, coefficients)
        with np.errstate(divide="ignore", invalid="ignore"):
            gamma = named.pop("delta_gamma") / named["delta"]
        return {"delta": named["delta"], "gamma": gamma} | {k: v for k, v in named.items() if k != "delta"}

    def predict(self, params: Mapping[str, float], rows: Rows) -> np.ndarray:
        """Error at each row, shape (m,)."""
        effect = params["gamma"] + rows.n ** -params["alpha"]
        return params["delta"] * effect * rows.s ** -params["beta"] + params.get("E", 0.0)


class FullWithLoss(Full):
    """δ(γ + n^-α) s^-β + E, with the irreducible loss of §3."""

    name, equation, source = "full", "delta (gamma + n^-alpha) s^-beta + E", "(2) with E of §3"
    coefficients = ("delta", "delta_gamma", "E")

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α s^-β, s^-β, 1]."""
        two = super().basis(exponents, rows)
        return np.concatenate([two, np.ones_like(two[..., :1])], axis=-1)


class Additive(Law):
    """A n^-α + B s^-β + C, the form the paper argues against (§3.2)."""

    name, equation, source = "additive", "A n^-alpha + B s^-beta + C", "§3.2"
    exponents, coefficients, varies = ("alpha", "beta"), ("A", "B", "C"), ("s",)

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α, s^-β, 1]."""
        p, q = _power(rows.n, exponents[..., 0]), _power(rows.s, exponents[..., 1])
        return np.stack([p, q, np.ones_like(p)], axis=-1)


class Joint(Law):
    """D n^-α + B P^-φ: the transfer gap as a power of the model's parameters P (§4.3), all sizes at once."""

    name, equation, source = "joint", "D n^-alpha + B P^-phi", "(1) with C of §4.3"
    exponents, coefficients, varies = ("alpha", "phi"), ("D", "B"), ("size",)

    def basis(self, exponents: np.ndarray, rows: Rows) -> np.ndarray:
        """[n^-α, P^-φ]."""
        return np.stack([_power(rows.n, exponents[..., 0]), _power(rows.size, exponents[..., 1])], axis=-1)


LAWS: dict[str, Law] = {law.name: law for law in (Simple(), Power(), Full(), Additive(), Joint())}
COLUMN = {"s": "s", "size": "n_params"}
