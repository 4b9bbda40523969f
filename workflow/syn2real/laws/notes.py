"""What a fit has to say beside its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from syn2real.laws.forms.base import Law
from syn2real.laws.results import AT_BOUND, Fit
from syn2real.laws.table import Curve

BEYOND = (
    "lower bound {bound:g} of its range: the error falls more slowly still, or not at all",
    "upper bound {bound:g} of its range: the error falls faster still",
)


def bound_notes(law: Law, curves: Sequence[Curve], fits: Sequence[Fit]) -> list[str]:
    """Say of each exponent in which curves it lies on a bound of its range.

    Parameters
    ----------
    curves, fits : sequence of Curve and of Fit
        In the same order.
    """
    notes = []
    for name in law.exponents:
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
