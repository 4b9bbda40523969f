"""What every fit gives back: parameters with intervals and a status, and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from syn2real.errors import InputError

VERSION = 1
"""Of the JSON contracts."""
OK, FIXED, AT_BOUND, UNIDENTIFIED = "ok", "fixed", "at-bound", "unidentified"
PROVISIONAL, NOT_DESCRIBED = "provisional", "not-described"
SETTLED, UNSETTLED = "settled", "not-settled"
HIGHEST_LEVEL = 0.999  # of an interval: the draws are some thousands
SEED = 20220113
"""Of all random numbers in the fits, so that the same measurements give the same digits."""


@dataclass(frozen=True)
class Param:
    """A parameter's value, its interval (None: that end is open) and its status.

    Status is ``ok``; ``fixed`` (held at a given value); ``settled`` and ``not-settled`` (one value for all
    curves, which rounds of estimates came to, or did not); ``at-bound`` (the estimate lies on the bound of
    its range); ``unidentified`` (the measurements leave an end of its interval open); ``provisional`` (a
    constant from so few sizes that later errors often lie below it); or ``not-described`` (the curve has a
    shape that no law has). The standard error is that of least squares, where the method is the paper's.
    """

    value: float
    lower: float | None
    upper: float | None
    status: str = OK
    standard_error: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON contract's object; it has a standard error only where the method gives one."""
        estimate = {
            "value": number(self.value),
            "lower": number(self.lower),
            "upper": number(self.upper),
            "status": self.status,
        }
        if self.standard_error is None:
            return estimate
        return estimate | {"standard_error": number(self.standard_error)}


class Fit(Protocol):
    """A fitted curve."""

    @property
    def params(self) -> Mapping[str, Param]:
        """Parameters by name."""

    @property
    def rmse_log(self) -> float:
        """Root mean square of the log residuals."""

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict the error at each row with its intervals."""


@dataclass(frozen=True)
class Rows:
    """Where a law is asked for: images, labels and model parameters, each (P,), NaN where not given."""

    n: np.ndarray
    s: np.ndarray
    n_params: np.ndarray

    @classmethod
    def at(cls, n: Any = np.nan, s: Any = np.nan, n_params: Any = np.nan) -> Rows:
        """Rows of what is given, broadcast against each other."""
        values = (np.atleast_1d(np.asarray(value, float)) for value in (n, s, n_params))
        return cls(*np.broadcast_arrays(*values))

    def over(self, unit: Rows) -> Rows:
        """Return the ratios to other rows."""
        return Rows(self.n / unit.n, self.s / unit.s, self.n_params / unit.n_params)


@dataclass(frozen=True)
class Predictions:
    """Expected error, its confidence interval, and the interval of one more measurement; each (P,)."""

    error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    predict_lower: np.ndarray
    predict_upper: np.ndarray

    @classmethod
    def without_intervals(cls, error: np.ndarray) -> Predictions:
        """Return expected errors, (P,), whose intervals are not known."""
        return cls(error, *[np.full(error.shape, np.nan)] * 4)


def identified(estimate: Mapping[str, Any]) -> bool:
    """Say whether the measurements support an estimate, given as the JSON contract's object."""
    return estimate["status"] in (OK, FIXED, SETTLED)


def number(value: float | None) -> float | None:
    """Return a finite float, or None for what JSON cannot hold."""
    return float(value) if value is not None and np.isfinite(value) else None


def ceiling(error: Any, unit: str = "rate") -> float:
    """Return what no forecast exceeds: 1 where measured errors, of any shape, are rates; else infinity."""
    return 1.0 if unit != "loss" and np.max(error) <= 1 else np.inf


def unit_of_result(unit: str) -> str:
    """Return the unit of the errors in a result: percentages of a table are rates there."""
    return "loss" if unit == "loss" else "rate"


def check_level(level: float) -> None:
    """Refuse a level that no interval has, or that draws and profiles cannot resolve."""
    if not 0 < level <= HIGHEST_LEVEL:
        hint = f"; did you mean {level / 100:g}?" if 1 < level <= 100 * HIGHEST_LEVEL else ""
        raise InputError(f"{level} is not between 0 and {HIGHEST_LEVEL}{hint}", key="--level")


def tails(level: float) -> tuple[float, float]:
    """Probabilities below an interval's two ends."""
    return (1 - level) / 2, (1 + level) / 2
