"""Will more synthetic images reach the target? Probabilities, the lever to pull, what to measure next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.effect import describe_effect
from syn2real.laws.forms.simple import LAW
from syn2real.laws.levers import BLIND, Lever, choose_lever
from syn2real.laws.methods import posterior
from syn2real.laws.methods.posterior import BayesFit
from syn2real.laws.results import VERSION, number, tails
from syn2real.laws.shape import describe_shape
from syn2real.laws.table import Curve, read_curves

CLASSES = ("reached", "within", "beyond", "unreachable")
SURE = 0.8  # a verdict needs this probability; below it, more points decide
DOUBLINGS = 6  # of the most measured n are considered for the next measurement
LIMIT = 100.0  # without --max-images, so many times the most measured counts as within reach


@dataclass(frozen=True)
class Goal:
    """The error to reach and what images and runs cost.

    Attributes
    ----------
    target_error : float
    max_images : float or None
        The most images that can be made; None: `LIMIT` times the most measured of the curve.
    cost_per_image, cost_per_run : float or None
        In any one unit. A run costs as much as rendering the curve's largest set, unless said otherwise.
    """

    target_error: float
    max_images: float | None = None
    cost_per_image: float = 1.0
    cost_per_run: float | None = None
    level: float = 0.95

    def limit(self, curve: Curve) -> float:
        """Return the most images that count as within reach for this curve."""
        return self.max_images if self.max_images is not None else LIMIT * float(curve.n.max())


def advise_table(
    frame: pd.DataFrame,
    target_error: float,
    *,
    max_images: float | None = None,
    cost_per_image: float = 1.0,
    cost_per_run: float | None = None,
    by: Sequence[str] | None = None,
    level: float = 0.95,
    pool: bool = True,
    allow_unfitted: bool = False,
    test_size: float | None = None,
    file: str | Path | None = None,
) -> dict[str, Any]:
    """Advise on every curve of a table.

    Parameters
    ----------
    frame : DataFrame
        As for `fit_table`.
    target_error : float
        The test error to reach.
    max_images : float, optional
        The most images that can be made; by default a hundred times the curve's largest measured n.
    cost_per_image, cost_per_run : float
        Of rendering one image and of one pre-training with its fine-tuning, in any one unit.
    by, level, pool, allow_unfitted, test_size, file
        As for `fit_table`.

    Returns
    -------
    dict
        ``{"version", "notes", "target_error", "max_images", "curves": [{"curve", "verdict", "probabilities",
        "required_n", "next_n", "lever", "effect", "shape", ...}]}``; effect and shape as in `fit_table`.

    Raises
    ------
    InputError
        For bad input, in one line.
    """
    goal = Goal(target_error, max_images, cost_per_image, cost_per_run, level)
    _check(goal)
    curves, notes = read_curves(frame, by=by, file=file, allow_unfitted=allow_unfitted, test_size=test_size)
    reasons = [LAW.why_not(curve) for curve in curves]
    good = [curve for curve, reason in zip(curves, reasons, strict=True) if reason is None]
    fits = iter(posterior.fit(good, LAW, pool=pool, level=level)[0])
    found = [next(fits) if reason is None else None for reason in reasons]
    forecasts = [CurveForecast(curve, goal, fit) for curve, fit in zip(curves, found, strict=True)]
    if max_images is None:
        notes.append(f"without --max-images, {LIMIT:g} times a curve's largest measured n is within reach")
    out = [
        _advice(one, forecasts, goal, why)
        | {"effect": describe_effect(one.curve, level), "shape": describe_shape(one.curve)}
        for one, why in zip(forecasts, reasons, strict=True)
    ]
    return {
        "version": VERSION,
        "notes": notes,
        "target_error": target_error,
        "max_images": max_images,
        "level": level,
        "curves": out,
    }


class CurveForecast:
    """What a curve's posterior forecasts for a goal: the required n in each of its draws."""

    def __init__(self, curve: Curve, goal: Goal, fit: BayesFit | None) -> None:
        self.curve, self.fit, self.limit = curve, fit, goal.limit(curve)
        self.most = float(curve.n.max())
        self.required = fit.draws.required(goal.target_error) if fit else np.empty(0)
        self.at_limit = float(np.median(fit.draws.errors(np.array([self.limit])))) if fit else np.nan

    @property
    def probabilities(self) -> dict[str, float]:
        """Probabilities of `CLASSES`; they sum to 1."""
        need = self.required
        reached = float(np.mean(need <= self.most))
        never = float(np.mean(np.isinf(need)))
        within = float(np.mean((need > self.most) & (need <= self.limit)))
        return dict(
            zip(CLASSES, (reached, within, max(1 - reached - never - within, 0.0), never), strict=True)
        )

    @property
    def median(self) -> float | None:
        """Median required n of the draws that reach the target; None where none does.

        Where the target is not reached already, only larger sets than the measured ones count.
        """
        reaching = self.required[np.isfinite(self.required)]
        if self.probabilities["reached"] < SURE:
            reaching = reaching[reaching > self.most]
        return float(np.median(reaching)) if len(reaching) else None

    @property
    def reachable(self) -> float:
        """Probability that the target is reached with the most images there can be."""
        return float(np.mean(self.required <= self.limit)) if self.fit else 0.0


def _check(goal: Goal) -> None:
    """Refuse a goal that makes no sense."""
    for key, value in (
        ("--target-error", goal.target_error),
        ("--max-images", goal.max_images),
        ("--cost-per-image", goal.cost_per_image),
        ("--cost-per-run", goal.cost_per_run),
    ):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise InputError(f"{value} is not a positive number", key=key)
    if not 0 < goal.level < 1:
        raise InputError(f"{goal.level} is not between 0 and 1", key="--level")


def _advice(
    forecast: CurveForecast, forecasts: Sequence[CurveForecast], goal: Goal, reason: str | None
) -> dict[str, Any]:
    """Return one curve's object of the JSON contract."""
    curve = forecast.curve
    if forecast.fit is None:
        return {
            "curve": curve.identity, "verdict": "undetermined", "reason": reason, "probabilities": None,
            "required_n": None, "next_n": next_size(curve), "lever": None, "detail": reason,
        }  # fmt: skip
    chances = forecast.probabilities
    lever, next_n = _decide(forecast, forecasts, chances, goal)
    low, high = tails(goal.level)
    need = np.sort(forecast.required)
    lower, upper = (need[min(int(q * len(need)), len(need) - 1)] for q in (low, high))
    return {
        "curve": curve.identity,
        "verdict": lever.verdict,
        "reason": None,
        "probabilities": chances,
        "required_n": {
            "lower": number(lower), "median": number(forecast.median), "upper": number(upper),
            "p_unreachable": chances["unreachable"],
        },
        "next_n": next_n,
        "lever": lever.name,
        "detail": lever.detail,
        "largest_n": forecast.most,
        "limit_n": forecast.limit,
        "error_at_largest_n": number(float(curve.error[-1])),
        "error_at_limit": number(forecast.at_limit),
        "p_reach_by_lever": lever.chances,
    }  # fmt: skip


def _decide(
    forecast: CurveForecast, forecasts: Sequence[CurveForecast], chances: dict[str, float], goal: Goal
) -> tuple[Lever, float | None]:
    """Choose between done, more images, another lever, and another measurement."""
    if chances["reached"] >= SURE:
        return Lever("reached already", None, "the largest measured n meets the target"), None
    if chances["reached"] + chances["within"] >= SURE:
        return Lever("render more", "render more", "more images of the same rendering meet the target"), None
    if chances["beyond"] + chances["unreachable"] >= SURE:
        lever = choose_lever(forecast, [other for other in forecasts if other is not forecast and other.fit])
        return lever, (forecast.curve.n.max() if lever.verdict == BLIND else None)
    next_n = best_next(forecast, goal)
    detail = f"one more measurement at n = {next_n:,.0f} says most about it for its cost"
    return Lever(f"undetermined: measure n = {next_n:.0f} next", None, detail), next_n


def best_next(forecast: CurveForecast, goal: Goal) -> float:
    """Return the n whose measurement removes most variance from the decision per cost.

    The decision is whether the target is reached within the limit. What a measurement at n would say of it
    is the variance, over the draws, of its probability given the value measured there.
    """
    fit, most = forecast.fit, forecast.most
    assert fit is not None
    doublings = most * 2.0 ** np.arange(1, DOUBLINGS + 1)
    top = max(min(forecast.limit, doublings[-1]), most)
    candidates = np.unique(np.concatenate([forecast.curve.n, np.minimum(doublings, top)]))
    shown = fit.draws.measurements(candidates)
    decision = (forecast.required <= forecast.limit).astype(float)
    explained = np.array([_explained(value, decision) for value in shown.T])
    run = goal.cost_per_run if goal.cost_per_run is not None else goal.cost_per_image * most
    cost = run + goal.cost_per_image * np.maximum(candidates - most, 0)
    return float(candidates[int(np.argmax(explained / cost))])


def _explained(value: np.ndarray, decision: np.ndarray, bins: int = 25) -> float:
    """Variance of `decision` explained by `value`, less what chance alone would explain."""
    parts = np.array_split(decision[np.argsort(value, kind="stable")], bins)
    means = np.array([part.mean() for part in parts])
    chance = decision.var() * bins / len(decision)
    return max(float(means.var()) - chance, 1e-12)


def next_size(curve: Curve) -> float:
    """Return a sensible n to measure on a curve that has too few."""
    return float(2 * curve.n.max())
