"""The full law (eq. 2): pre-training images n and fine-tuning images s multiply."""

from collections.abc import Mapping

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import Rows


class Full(Law):
    """δ (γ + n^-α) s^-β."""

    equation, source = "delta (gamma + n^-alpha) s^-beta", "(2)"
    terms = {"delta": {"n": "alpha", "s": "beta"}, "delta_gamma": {"s": "beta"}}

    def named(self, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
        """Return δ, γ = (δγ) / δ and the rest."""
        params = super().named(exponents, coefficients)
        with np.errstate(divide="ignore", invalid="ignore"):
            gamma = params.pop("delta_gamma") / params["delta"]
        return {"delta": params.pop("delta"), "gamma": gamma} | params

    def coefficients_of(self, params: Mapping[str, np.ndarray | float]) -> list[np.ndarray | float]:
        """Return δ, δγ and the rest."""
        return super().coefficients_of({**params, "delta_gamma": params["delta"] * params["gamma"]})

    def predict(self, params: Mapping[str, np.ndarray | float], rows: Rows) -> np.ndarray:
        """Error at each row; parameters of a fit with the irreducible loss E count it."""
        if "E" in params and self is not WITH_LOSS:
            return WITH_LOSS.predict(params, rows)
        return super().predict(params, rows)


class FullWithLoss(Full):
    """δ (γ + n^-α) s^-β + E, with the irreducible loss of §3."""

    equation, source = "delta (gamma + n^-alpha) s^-beta + E", "(2) with E of §3"
    terms = {**Full.terms, "E": {}}


LAW, WITH_LOSS = Full(), FullWithLoss()
