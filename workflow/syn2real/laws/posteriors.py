"""The curves of a table with draws of their parameters, for statements about several curves at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from syn2real.laws.forms import simple
from syn2real.laws.forms.base import Law
from syn2real.laws.methods import posterior
from syn2real.laws.methods.least_squares import predict_best
from syn2real.laws.results import SEED, Rows
from syn2real.laws.shape import NO_FALL, curve_noise, describe_shape
from syn2real.laws.table import Curve, read_curves

DESCRIBED, NO_LAW, NOTHING_FALLS = "described", "not described", "nothing falls"
TOO_FEW, NO_NOISE = "too few sizes", "noise unknown"
PARAMETERS = len(simple.LAW.exponents) + len(simple.LAW.coefficients)
MISSED, SURE = 0.1, 0.99
"""Part of its fall by which a curve lies off its law at most, unless noise explains it (one-sided)."""


@dataclass(frozen=True)
class CurveDraws:
    """A curve, what its errors look like, and draws of the simple law's parameters.

    Attributes
    ----------
    identity : dict
        What sets the curve apart.
    state : str
        ``described``: a law may describe it; ``not described``: no law does, see `shape`; ``nothing falls``
        beyond the noise; ``too few sizes``; ``noise unknown``.
    shape : str or None
        As `shape.describe_shape` has it, or how far the curve lies off the law.
    params : dict of str to ndarray, shape (S,)
        Draws of D, alpha and C, in an order of each curve's own; empty where nothing could be fitted.
    fall : float
        Part of the error at the smallest n by which it is lower at the largest.
    rmse_log : float
        Root mean square of the log errors about the law nearest to them; NaN where nothing could be fitted.
    """

    identity: dict[str, Any]
    state: str
    shape: str | None
    params: dict[str, np.ndarray]
    fall: float
    rmse_log: float


def draw_curves(points: pd.DataFrame) -> list[CurveDraws]:
    """Fit the simple law to every curve by its default method, as `api.fit_table` does, and draw from it.

    Parameters
    ----------
    points : DataFrame
        A points table.
    """
    curves, _ = read_curves(points, allow_unfitted=True)
    good = [simple.LAW.why_not(curve) is None for curve in curves]
    fits, _ = posterior.fit([c for c, ok in zip(curves, good, strict=True) if ok], simple.LAW, level=0.95)
    count = min((len(fit.draws.alpha) for fit in fits), default=0)
    fitted, out = iter(fits), []
    for place, (curve, ok) in enumerate(zip(curves, good, strict=True)):
        fit, shape = next(fitted) if ok else None, describe_shape(curve)
        misses = _misses(curve) if ok else np.full(1, np.nan)
        miss = float(np.sqrt(np.mean(misses**2)))
        if ok and shape is None and _is_off(curve, misses):
            shape = f"it lies {miss:.0%} off the law, which is over a tenth of its fall and no noise"
        params = {} if fit is None else _shuffled(fit.draws.params, place, count)
        state = TOO_FEW if fit is None else _state(curve, shape)
        fall = 1 - float(curve.error[-1] / curve.error[0])
        out.append(CurveDraws(curve.identity, state, shape, params, fall, miss))
    return out


def _shuffled(params: dict[str, np.ndarray], place: int, count: int) -> dict[str, np.ndarray]:
    """Return `count` draws in a random order: those of each curve stand in the order of its grid."""
    order = np.random.default_rng([SEED, place]).permutation(len(params["alpha"]))[:count]
    return {name: draws[order] for name, draws in params.items()}


def _state(curve: Curve, shape: str | None) -> str:
    """Name the state of a curve that can be fitted."""
    if shape is not None:
        return NOTHING_FALLS if shape.startswith(NO_FALL) else NO_LAW
    return NO_NOISE if curve_noise(curve) is None else DESCRIBED


def _misses(curve: Curve) -> np.ndarray:
    """Return the log errors over those of the simple law nearest to them, (m,)."""
    best = predict_best(curve, simple.LAW, Rows(curve.n, curve.s, curve.n_params))
    return np.asarray(np.log(curve.error / np.array(best)))


def _is_off(curve: Curve, misses: np.ndarray) -> bool:
    """Say whether a curve lies off the law by much of its fall, and by more than its noise.

    The noise is that of replicates: the scatter about another smooth curve, which stands in where there are
    none, holds what that curve misses.
    """
    freedom, noise = len(misses) - PARAMETERS, curve_noise(curve)
    fall = abs(float(np.log(curve.error[-1] / curve.error[0])))
    if freedom < 1 or noise is None or np.sqrt(np.mean(misses**2)) <= MISSED * fall:
        return False
    variance, count = noise.variance, noise.freedom
    if curve.replicates:
        variance = np.maximum(curve.within / curve.replicates / curve.weight, curve.resolution)
        count = curve.replicates
    square = float((misses**2 / np.maximum(variance, 1e-18)).sum()) / freedom
    return square > float(stats.f.ppf(SURE, freedom, min(count, 1e6)))


def cell_misses(curve: Curve, law: Law) -> np.ndarray | None:
    """Return the log error of each cell over what a law says that was fitted to the others, (m,).

    None where a law cannot be fitted without some cell.

    Parameters
    ----------
    curve : Curve
        Read with what the law varies with.
    law : Law
    """
    cells = np.arange(len(curve.n))
    if any(law.why_not(curve.where(cells != i)) is not None for i in cells):
        return None
    rows = Rows(curve.n, curve.s, curve.n_params)
    found = [predict_best(curve.where(cells != i), law, rows)[i] for i in cells]
    return np.asarray(np.log(curve.error / np.array(found)))
