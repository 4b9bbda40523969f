"""The transfer gap against the model's size (§4.3, Figure 4): a line in logs through the models' gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from syn2real.laws.forms import simple
from syn2real.laws.forms.base import Law
from syn2real.laws.methods import posterior
from syn2real.laws.methods.posterior import BayesFit
from syn2real.laws.results import OK, SEED, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve, split_models

SMALLEST_GAP = 1e-6  # in units of the smallest error: what takes the logarithm of a gap of 0


@dataclass(frozen=True)
class SizeFit:
    """The simple law of each model, and a power law through their transfer gaps.

    Attributes
    ----------
    law : Law
        Of the transfer gap.
    n_params : ndarray, shape (k,)
        Model parameters, ascending.
    fits : sequence of BayesFit
        One a model.
    log_b, phi : ndarray, shape (S,)
        Draws of log B and φ.
    """

    law: Law
    n_params: np.ndarray
    fits: Sequence[BayesFit]
    log_b: np.ndarray
    phi: np.ndarray
    params: Mapping[str, Param]
    rmse_log: float

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Gap of the power law plus the effect of n of the model nearest in size."""
        low, high = tails(level)
        parts = []
        for n, size in zip(rows.n, rows.n_params, strict=True):
            fit = self.fits[int(np.argmin(np.abs(np.log(self.n_params / size))))]
            draws = fit.draws.params | {"C": np.zeros(1)}
            effect = simple.LAW.predict(draws, Rows.at(n))[: len(self.phi), 0]
            # The draws of the effect and of the gap belong to no pairs; one stream each, so rows agree.
            effect = np.random.default_rng(0).permutation(effect)
            mean = self._gaps(size)[: len(effect)] + effect
            noise = np.random.default_rng(1).standard_normal(len(mean)) * np.median(fit.draws.sigma)
            shown = mean * np.exp(noise)
            parts.append([np.median(mean), *np.quantile(mean, [low, high]), *np.quantile(shown, [low, high])])
        return Predictions(*np.array(parts).reshape(-1, 5).T)

    def _gaps(self, size: float) -> np.ndarray:
        """Transfer gap of a model of some size in each draw, shape (S,); in logs, as B may be huge."""
        log_column = self.law.log_columns(self.phi[:, None], Rows.at(n_params=size))[:, 0, 0]
        return np.exp(self.log_b + log_column)


def refuses(law: Law) -> str | None:
    """Say why this method cannot fit a law, or None."""
    if law.describes == "transfer gap" and law.varies == ("n_params",) and len(law.exponents) == 1:
        return None
    return f"fits laws of the transfer gap in the model's size; the {law.name} law is another"


def fit(
    curves: Sequence[Curve], law: Law, *, level: float, pool: bool = True, **_: Any
) -> tuple[list[SizeFit], list[str]]:
    """Fit a law of the transfer gap to curves of several models each (see `fit_models`)."""
    return [fit_models(curve, law, pool=pool, level=level) for curve in curves], []


def fit_models(curve: Curve, law: Law, *, pool: bool, level: float) -> SizeFit:
    """Fit the simple law to each model of a curve, then log C against log P.

    The draws of φ hold both what each C leaves open and how the C scatter around the line.
    """
    models = split_models(curve)
    fits, _ = posterior.fit(models, simple.LAW, pool=pool, level=level)
    sizes = np.array([model.n_params[0] for model in models])
    # One line through the models' gaps for each draw.
    count = min(len(one.draws.gap) for one in fits)
    gaps = np.stack(
        [np.random.default_rng(i).permutation(one.draws.gap)[:count] for i, one in enumerate(fits)]
    )
    y, x = np.log(np.maximum(gaps, SMALLEST_GAP * float(curve.error.min()))), np.log(sizes)
    slope, centre = _line(x, y)
    # The line through the medians, and how far they lie from it.
    middle = np.median(y, axis=1)
    best_slope, best_centre = _line(x, middle[:, None])
    residuals = middle - best_centre[0] - best_slope[0] * (x - x.mean())
    df = max(len(x) - 2, 1)
    scatter = float(np.sqrt(residuals @ residuals / df))
    # The scatter makes the slope as uncertain again, by Student's t.
    reach = float(np.sqrt(np.sum((x - x.mean()) ** 2)))
    slope = slope + scatter / reach * np.random.default_rng(SEED).standard_t(df, count)
    log_b = centre - slope * x.mean()
    low, high = tails(level)
    (b,), (phi,) = law.coefficients, law.exponents
    status = OK if np.quantile(-slope, low) * np.quantile(-slope, high) > 0 else UNIDENTIFIED
    ends = {b: np.quantile(np.exp(log_b), [low, high]), phi: np.quantile(-slope, [low, high])}
    values = {b: float(np.exp(best_centre[0] - best_slope[0] * x.mean())), phi: -float(best_slope[0])}
    params = {name: Param(values[name], float(a), float(z), status) for name, (a, z) in ends.items()}
    return SizeFit(law, sizes, fits, log_b, -slope, params, float(np.sqrt(np.mean(residuals**2))))


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and value at the mean x of the least squares line of each column of y (k, S)."""
    away = x - x.mean()
    return away @ y / (away @ away), y.mean(axis=0)
