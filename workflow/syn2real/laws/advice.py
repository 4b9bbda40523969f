"""Will more synthetic images reach the target? Probabilities, the lever to pull, what to measure next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.effect import describe_effect, describe_equal_updates
from syn2real.laws.forecast import CurveForecast, Goal, claim
from syn2real.laws.forms.simple import LAW
from syn2real.laws.levers import Lever, choose_lever
from syn2real.laws.methods import posterior
from syn2real.laws.results import VERSION, check_level, number, unit_of_result
from syn2real.laws.shape import EVER_FASTER, describe_shape, off_the_rest
from syn2real.laws.table import Curve, read_curves
from syn2real.laws.tested import Tested, find_tested
from syn2real.laws.verdicts import BINS, DOUBLINGS, LIKELY, LIMIT, NO_CHANCE, SURE, say, verdict


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
    unit: str = "rate",
    file: str | Path | None = None,
) -> dict[str, Any]:
    """Advise on every curve of a table.

    Parameters
    ----------
    frame : DataFrame
        As for `syn2real.laws.fit`.
    target_error : float
        The test error to reach, in the unit of the table's errors.
    max_images : float, optional
        The most images that can be made; by default a hundred times the curve's largest measured n.
    cost_per_image, cost_per_run : float
        Of rendering one image and of one pre-training with its fine-tuning, in any one unit.
    by, level, pool, allow_unfitted, test_size, unit, file
        As for `syn2real.laws.fit`.

    Returns
    -------
    dict
        ``{"version", "unit", "notes", "target_error", "target", "max_images", "curves": [{"curve", "verdict",
        "kind", "probabilities", "required_n", "cost", "next_n", "lever", "effect", "equal_updates", "shape",
        ...}]}``; unit, effect, equal_updates and shape as in `syn2real.laws.fit`. The kind is the verdict in
        one word, without its numbers. The cost is that of one run with the median required n and of rendering
        what the largest measured set lacks; 0 where that set is enough. ``target`` is the target in words.
        The interval of ``error_at_largest_n`` is the forecast's there.
        ``photographs``, where there is any, is as in `syn2real.laws.fit`, with the probability of what the
        verdict is about on these photographs and on all like them (``p_these``, ``p_all``), whether the
        verdict is sure for all of them (``sure``), and how many photographs would make it so (``settles``).

    Raises
    ------
    InputError
        For bad input, in one line.
    """
    goal = Goal(target_error, max_images, cost_per_image, cost_per_run, level)
    table = forecast_table(
        frame, goal, pool=pool, test_size=test_size, unit=unit,
        by=by, allow_unfitted=allow_unfitted, file=file,
    )  # fmt: skip
    return advise_of(table)


@dataclass(frozen=True)
class Forecasts:
    """The curves of a table with all that an answer needs, whatever the goal.

    Attributes
    ----------
    goal : Goal
        Of rates where the table has percentages.
    unit : str
        Of the table.
    curves : list of CurveForecast
    reasons : list of str or None
        Why a curve has no fit.
    shapes : list of str or None
        As `shape.describe_shape` has them.
    tested : list of Tested or None
        The photographs of each curve.
    notes : list of str
    """

    goal: Goal
    unit: str
    curves: list[CurveForecast]
    reasons: list[str | None]
    shapes: list[str | None]
    tested: list[Tested | None]
    notes: list[str]


def forecast_table(
    frame: pd.DataFrame,
    goal: Goal,
    *,
    pool: bool = True,
    test_size: float | None = None,
    unit: str = "rate",
    **reading: Any,
) -> Forecasts:
    """Fit and forecast every curve of a table; the goal is in its unit, all else as for `advise_table`."""
    check_goal(goal, unit)
    if unit == "percent":
        goal = replace(goal, target_error=goal.target_error / 100)
    curves, notes = read_curves(frame, test_size=test_size, unit=unit, **reading)
    reasons = [LAW.why_not(curve) for curve in curves]
    good = [curve for curve, reason in zip(curves, reasons, strict=True) if reason is None]
    fits = iter(posterior.fit(good, LAW, pool=pool, level=goal.level)[0])
    found = [next(fits) if reason is None else None for reason in reasons]
    forecasts = [CurveForecast(curve, goal, fit) for curve, fit in zip(curves, found, strict=True)]
    if any(one.limit < one.most for one in forecasts):
        notes.append("--max-images lies below a measured n, which counts as within reach all the same")
    if goal.max_images is None:
        notes.append(f"without --max-images, {LIMIT:g} times a curve's largest measured n is within reach")
    tested: list[Tested | None] = []
    for one in forecasts:
        known, unread = (None, []) if one.fit is None else find_tested(one.curve, goal.level, test_size)
        tested.append(known)
        notes += unread
    shapes = [describe_shape(curve) for curve in curves]
    return Forecasts(goal, unit, forecasts, reasons, shapes, tested, notes)


def advise_of(table: Forecasts) -> dict[str, Any]:
    """Return the advice on every curve, as `advise_table` does."""
    goal, out = table.goal, []
    for one, why, shape, tested in zip(table.curves, table.reasons, table.shapes, table.tested, strict=True):
        seen = {
            "effect": describe_effect(one.curve, goal.level),
            "equal_updates": describe_equal_updates(one.curve, goal.level),
            "shape": shape,
        }
        out.append(_advice(one, table.curves, shape, why) | seen | _photographs(one, tested))
    return {
        "version": VERSION,
        "unit": unit_of_result(table.unit),
        "notes": table.notes,
        "target_error": goal.target_error,
        "target": target_text(goal.target_error, table.unit),
        "max_images": goal.max_images,
        "level": goal.level,
        "curves": out,
    }


def target_text(target: float, unit: str) -> str:
    """Return a target in words; a rate is followed by its percentage where the table has percentages."""
    return say("target_percent" if unit == "percent" else "target", target=target, percent=100 * target)


def check_goal(goal: Goal, unit: str) -> None:
    """Refuse a goal that makes no sense."""
    for key, value in (
        ("--target-error", goal.target_error),
        ("--max-images", goal.max_images),
        ("--cost-per-image", goal.cost_per_image),
        ("--cost-per-run", goal.cost_per_run),
    ):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise InputError(say("not_positive", value=value), key=key)
    check_level(goal.level)
    most = {"rate": 1, "percent": 100}.get(unit, np.inf)
    if goal.target_error > most:
        hint = "give --unit percent for percentages, --unit loss for losses"
        kind = "percentage" if unit == "percent" else "error rate"
        what = say("above", value=goal.target_error, most=most, kind=kind)
        raise InputError(f"{what}; {hint}", key="--target-error")


def _advice(
    forecast: CurveForecast, forecasts: Sequence[CurveForecast], shape: str | None, reason: str | None
) -> dict[str, Any]:
    """Return one curve's object of the JSON contract."""
    curve = forecast.curve
    if forecast.fit is None:
        return {
            "curve": curve.identity, "verdict": verdict("undetermined"), "kind": "undetermined",
            "reason": reason, "detail": reason, "probabilities": None, "required_n": None,
            "next_n": next_size(curve), "lever": None,
        }  # fmt: skip
    chances = forecast.probabilities
    others = [other for other in forecasts if other is not forecast and other.fit]
    lever, next_n = _decide(forecast, others, chances, shape)
    middle, lower, upper = map(number, forecast.at_limit)
    _, *interval = map(number, forecast.at(forecast.most))
    return {
        "curve": curve.identity,
        "verdict": lever.name if lever.kind == "lever" else verdict(lever.kind, n=next_n),
        "kind": lever.kind,
        "reason": None,
        "probabilities": chances,
        "required_n": {**forecast.required_n, "p_unreachable": chances["unreachable"]},
        "cost": 0.0 if lever.kind == "reached" else number(forecast.cost(forecast.required(0.5))),
        "next_n": next_n,
        "lever": lever.name,
        "detail": lever.detail,
        "never": forecast.never,
        "met_at": forecast.met_at,
        "largest_n": forecast.most,
        "limit_n": forecast.limit,
        "farthest_n": forecast.farthest,
        "error_at_largest_n": number(float(curve.error[-1])),
        "error_at_largest_n_lower": interval[0],
        "error_at_largest_n_upper": interval[1],
        "error_at_limit": middle,
        "error_at_limit_lower": lower,
        "error_at_limit_upper": upper,
        "levers": lever.tried,
    }


def _photographs(forecast: CurveForecast, tested: Tested | None) -> dict[str, Any]:
    """Return what is known of a curve's photographs, as a key of the JSON contract."""
    if forecast.fit is None or tested is None:
        return {}
    said = claim(forecast, tested.photographs)
    verdict = {"p_these": said.these, "p_all": said.others, "sure": said.sure, "settles": said.settles}
    return {"photographs": tested.as_json(forecast.fit, forecast.goal.level) | verdict}


def _decide(
    forecast: CurveForecast,
    others: Sequence[CurveForecast],
    chances: dict[str, float],
    shape: str | None,
) -> tuple[Lever, float | None]:
    """Choose between done, more images, another lever, and another measurement."""
    if chances["reached"] >= SURE:
        return Lever("reached", None, say("why_reached")), None
    if forecast.reachable >= SURE and chances["reached"] >= LIKELY:
        return Lever("probably", None, say("why_probably", n=forecast.most)), forecast.most
    if forecast.reachable >= SURE:
        return Lever("more", verdict("more"), say("why_more")), None
    lever = choose_lever(forecast, others)
    open_n = open_size(forecast.curve, shape)
    if open_n is not None and lever.name is None:
        detail = say("open_shape") + (f"; {lever.detail}" if lever.tried else "")
        return Lever(_measure(forecast, open_n), None, detail, lever.tried), open_n
    if 1 - forecast.reachable < SURE:
        next_n = best_next(forecast)
        return Lever(_measure(forecast, next_n), None, _why(forecast, next_n)), next_n
    if lever.name is None and not forecast.never and forecast.reachable > NO_CHANCE:
        next_n = best_next(forecast)
        return replace(lever, detail=f"{lever.detail}; {_why(forecast, next_n)}"), next_n
    return lever, None


def open_size(curve: Curve, shape: str | None) -> float | None:
    """Return the n to measure where a size lies off the rest, or the error falls ever faster; else None."""
    if shape is None:
        return None
    return next_size(curve) if shape.startswith(EVER_FASTER) else off_the_rest(curve)[0]


def _measure(forecast: CurveForecast, n: float) -> str:
    """Return the kind of verdict that another measurement decides."""
    return "repeat" if n in forecast.curve.n else "measure"


def _why(forecast: CurveForecast, n: float) -> str:
    """Say what the next measurement is for."""
    return say(f"why_{_measure(forecast, n)}", n=n)


def best_next(forecast: CurveForecast) -> float:
    """Return the n whose measurement removes most variance from the decision per cost.

    The decision is whether the target is reached at the limit. What a measurement at n would say of it is the
    variance, over the draws, of its probability given the value measured there. Where no measurement says
    more than chance would, twice the largest n is the next.
    """
    fit, most, goal = forecast.fit, forecast.most, forecast.goal
    assert fit is not None
    top = max(forecast.limit, most)
    larger = np.minimum(most * 2.0 ** np.arange(1, DOUBLINGS + 1), top)
    candidates = np.unique(np.concatenate([forecast.curve.n, larger]))
    shown = fit.forecast.measurements(candidates)
    at_limit = fit.forecast.errors(np.array([top]))[:, 0]
    decision = (at_limit <= goal.target_error).astype(float)
    explained = np.array([_explained(value, decision) for value in shown.T])
    cost = np.array([forecast.cost(n) for n in candidates])
    if not explained.any():
        return next_size(forecast.curve)
    return float(candidates[int(np.argmax(explained / cost))])


def _explained(value: np.ndarray, decision: np.ndarray, bins: int = BINS) -> float:
    """Variance of `decision` explained by `value`, beyond twice what chance alone would explain."""
    parts = np.array_split(decision[np.argsort(value, kind="stable")], bins)
    means = np.array([part.mean() for part in parts])
    chance = decision.var() * bins / len(decision)
    explained = float(means.var())
    return explained - chance if explained > 2 * chance else 0.0


def next_size(curve: Curve) -> float:
    """Return a sensible n to measure on a curve that has too few."""
    return float(2 * curve.n.max())
