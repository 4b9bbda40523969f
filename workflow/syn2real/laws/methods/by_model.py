"""The transfer gap as a power of the model's size (§4.3, Figure 4): C = B P^-φ over a curve's models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from syn2real.laws.methods.posterior import BayesFit, fit_simple
from syn2real.laws.results import OK, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve


@dataclass(frozen=True)
class SizeFit:
    """The simple law of each model, and a power law through their transfer gaps.

    Attributes
    ----------
    sizes : ndarray, shape (k,)
        Model parameters, ascending.
    fits : list of BayesFit
        One a size.
    log_b, phi : ndarray, shape (S,)
        Draws of log B and φ.
    """

    sizes: np.ndarray
    fits: Sequence[BayesFit]
    log_b: np.ndarray
    phi: np.ndarray
    params: Mapping[str, Param]
    rmse_log: float

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Gap of the power law plus the effect of n of the model nearest in size."""
        low, high = tails(level)
        parts = []
        for n, size in zip(rows.n, rows.size, strict=True):
            fit = self.fits[int(np.argmin(np.abs(np.log(self.sizes / size))))]
            d, alpha = fit.draws.D[: len(self.phi)], fit.draws.alpha[: len(self.phi)]
            effect = np.random.default_rng(0).permutation(d * n**-alpha)
            count = min(len(effect), len(self.phi))
            mean = np.exp(self.log_b[:count] - self.phi[:count] * np.log(size)) + effect[:count]
            noise = np.random.default_rng(1).standard_normal(count) * np.median(fit.draws.sigma)
            shown = mean * np.exp(noise)
            parts.append([np.median(mean), *np.quantile(mean, [low, high]), *np.quantile(shown, [low, high])])
        return Predictions(*np.array(parts).reshape(-1, 5).T)


def models(curve: Curve) -> list[Curve]:
    """Split a curve over models into one a model size, ascending; sizes with fewer than 3 n are left out."""
    out = []
    for size in np.unique(curve.size):
        mine = curve.size == size
        arrays = {name: getattr(curve, name)[mine] for name in ("n", "error", "weight", "s", "size")}
        if len(np.unique(arrays["n"])) >= 3:
            out.append(replace(curve, within=0.0, replicates=0, **arrays))
    return out


def fit_size(curve: Curve, *, pool: bool = True, level: float = 0.95) -> SizeFit:
    """Fit the simple law to each model of a curve, then log C against log P.

    The draws of φ hold both what each C leaves open and how the C scatter around the line.
    """
    parts = models(curve)
    fits = fit_simple(parts, pool=pool, level=level)
    sizes = np.array([part.size[0] for part in parts])
    count = min(len(fit.draws.C) for fit in fits)
    gaps = np.stack([np.random.default_rng(i).permutation(fit.draws.C)[:count] for i, fit in enumerate(fits)])
    floor = 1e-6 * float(curve.error.min())
    y, x = np.log(np.maximum(gaps, floor)), np.log(sizes)
    slope, centre = _line(x, y)
    middle = np.median(y, axis=1)
    best_slope, best_centre = _line(x, middle[:, None])
    left = middle - best_centre[0] - best_slope[0] * (x - x.mean())
    scatter = float(np.sqrt(left @ left / max(len(x) - 2, 1)))
    random = np.random.default_rng(20220113)
    wide = float(np.sqrt(np.sum((x - x.mean()) ** 2)))
    slope = slope + scatter / wide * random.standard_t(max(len(x) - 2, 1), count)
    log_b = centre - slope * x.mean()
    low, high = tails(level)
    status = OK if np.quantile(-slope, low) * np.quantile(-slope, high) > 0 else UNIDENTIFIED
    ends = {"B": np.quantile(np.exp(log_b), [low, high]), "phi": np.quantile(-slope, [low, high])}
    values = {"B": float(np.exp(best_centre[0] - best_slope[0] * x.mean())), "phi": -float(best_slope[0])}
    params = {name: Param(values[name], float(a), float(b), status) for name, (a, b) in ends.items()}
    return SizeFit(sizes, fits, log_b, -slope, params, float(np.sqrt(np.mean(left**2))))


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and value at the mean x of the least squares line of each column of y (k, S)."""
    away = x - x.mean()
    return away @ y / (away @ away), y.mean(axis=0)
