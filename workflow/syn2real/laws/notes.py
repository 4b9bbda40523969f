"""What a fit has to say beside its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import AT_BOUND, Fit, Rows
from syn2real.laws.student import student_t
from syn2real.laws.table import Curve

BEYOND = (
    "lower bound {bound:g} of its range: the error falls more slowly still, or not at all",
    "upper bound {bound:g} of its range: the error falls faster still",
)

Scores = dict[str, dict[str, float]]
"""Root mean square of the log errors held out, by law and by what was held out."""
RARE = 0.01  # probability that noise alone takes any cell of a table as far from its law
UNKNOWN_NOISE = 0.01  # standard deviation of a log error that is assumed where nothing shows it


def bound_notes(law: Law, curves: Sequence[Curve], fits: Sequence[Fit]) -> list[str]:
    """Say of each exponent in which curves it lies on a bound of its range.

    Parameters
    ----------
    curves, fits : sequence of Curve and of Fit
        In the same order.
    """
    notes = []
    for name in (exponent for exponent in law.exponents if exponent not in law.scales):
        for bound, words in zip(law.bounds, BEYOND, strict=True):
            where = [
                name_of(curve)
                for curve, fit in zip(curves, fits, strict=True)
                if fit.params[name].status == AT_BOUND and abs(fit.params[name].value / bound - 1) < 0.01
            ]
            if where:
                notes.append(f"{name} lies on the {words.format(bound=bound)} ({'; '.join(where)})")
    return notes


def name_of(curve: Curve) -> str:
    """Name a curve by its columns and their values."""
    return ", ".join(f"{column} {value}" for column, value in curve.identity.items()) or "the curve"


def miss_notes(law: Law, curves: Sequence[Curve], fits: Sequence[Fit]) -> list[str]:
    """Say which cell (n, s) a law of several columns misses by more than the noise, and by how much.

    The noise is the spread between replicates, or the binomial one of the test set, or else taken for 1 %.

    Parameters
    ----------
    curves, fits : sequence of Curve and of Fit
        In the same order.
    """
    if not law.varies or law.describes != "error":
        return []
    notes = []
    for curve, fit in zip(curves, fits, strict=True):
        values = {name: param.value for name, param in fit.params.items()}
        miss = np.log(curve.error / law.predict(values, Rows(curve.n, curve.s, curve.n_params)))
        reach, source = _noise(curve)
        beyond = np.abs(miss) > reach
        if beyond.any():
            worst = int((np.abs(miss) / reach).argmax())
            size = abs(float(np.expm1(miss[worst])))
            side = "above" if miss[worst] > 0 else "below"
            notes.append(
                f"the {law.name} law misses {beyond.sum()} of {len(miss)} cells by more than the noise "
                f"({source}); the worst, {_cell(law, curve, worst)}, lies {size:.1%} {side} it "
                f"({name_of(curve)})"
            )
    return notes


def _noise(curve: Curve) -> tuple[np.ndarray, str]:
    """How far noise alone takes the cells of a curve from their law in log error, (m,), and what shows it."""
    tail = 1 - RARE / (2 * len(curve.n))
    floor = np.broadcast_to(curve.floor, curve.n.shape)
    if curve.replicates:
        variance = curve.within / curve.replicates / curve.weight
        return student_t(curve.replicates, tail) * np.sqrt(
            np.maximum(variance, floor)
        ), "as seen between replicates"
    if (floor > 0).all():
        return student_t(np.inf, tail) * np.sqrt(floor), "that of the test set"
    return student_t(np.inf, tail) * np.full(
        curve.n.shape, UNKNOWN_NOISE
    ), f"taken for {UNKNOWN_NOISE:.0%}, for want of seeds or --test-size"


def _cell(law: Law, curve: Curve, place: int) -> str:
    """Name a row by what the law varies with."""
    return ", ".join(f"{name} = {getattr(curve, name)[place]:,.0f}" for name in ("n", *law.varies))


def held_out_notes(curve: Curve, scores: Scores) -> list[str]:
    """Say how laws forecast what was held out of a curve."""
    folds = dict.fromkeys(fold for one in scores.values() for fold in one)
    parts = [
        f"{fold}: " + ", ".join(f"{law} {one[fold]:.3f}" for law, one in scores.items()) for fold in folds
    ]
    where = name_of(curve)
    return [f"rms log error of what is held out and forecast, {'; '.join(parts)} ({where})"] if parts else []
