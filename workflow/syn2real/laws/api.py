"""`fit_table`: a table of measurements in, the JSON of ``syn2real fit`` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.effect import describe_effect, describe_equal_updates
from syn2real.laws.forms.base import Law, find_law
from syn2real.laws.methods.base import DEFAULT, check_fix_d, find_method
from syn2real.laws.methods.posterior import BayesFit
from syn2real.laws.notes import Scores, bound_notes, held_out_notes, miss_notes
from syn2real.laws.results import (
    NOT_DESCRIBED,
    OK,
    PROVISIONAL,
    VERSION,
    Fit,
    Predictions,
    Rows,
    ceiling,
    check_level,
    number,
    unit_of_result,
)
from syn2real.laws.rows import requested_rows
from syn2real.laws.shape import EVER_FASTER, describe_shape
from syn2real.laws.table import Curve, read_curves, with_start
from syn2real.laws.tested import find_tested

ENOUGH = 5  # sizes from which a constant is more than provisional


def fit_table(
    frame: pd.DataFrame,
    *,
    law: str = "simple",
    method: str = DEFAULT,
    by: Sequence[str] | None = None,
    predict_at: Sequence[float] = (),
    predict_frame: pd.DataFrame | None = None,
    level: float = 0.95,
    pool: bool = True,
    residual: str = "log",
    loss: bool = False,
    fix_d: float | None = None,
    allow_unfitted: bool = False,
    test_size: float | None = None,
    unit: str = "rate",
    file: str | Path | None = None,
    predict_file: str | Path | None = None,
    compare: Callable[[Curve, Law], Scores] | None = None,
) -> dict[str, Any]:
    """Fit a law to every curve of a table.

    Parameters
    ----------
    frame : DataFrame
        Columns ``n`` and ``error``; ``seed``, ``weight``, ``s``, ``n_params`` where there are any; every
        other column sets curves apart, but for those that restate the error or name runs. ``arm`` and
        ``rate`` say how renders are used (`syn2real.laws.arms`).
    law : str
        Its name, such as "simple" or "full": `syn2real fit --help` lists them with their equations.
    method : str
        The name of a method, or "default" for the law's own: a pooled posterior for laws of n with one
        exponent and a constant, least squares for the others.
    by : sequence of str, optional
        The identity columns; every other one is dropped.
    predict_at : sequence of float
        n at which each curve is predicted.
    predict_frame : DataFrame, optional
        Rows to predict: ``n``, and ``s`` and the curves' columns where they set curves apart.
    level : float
        Of all intervals, in (0, 1).
    pool : bool
        Share what is common over the curves (posterior).
    residual : {"log", "linear", "huber"}
        Of least squares; huber is Huber's loss of log residuals.
    loss : bool
        Give the full law the irreducible loss E (§3).
    fix_d : float, optional
        The D that the paper's method holds for all curves (§4.1: 0.48) instead of finding one.
    allow_unfitted : bool
        Take a table none of whose curves can be fitted; each then comes with its reason.
    test_size : float, optional
        Test examples behind each error rate; weighs the rows by their binomial variance.
    unit : {"rate", "percent", "loss"}
        Of the errors: a rate is 1 at most, percentages become rates, a loss has no largest value.
    file, predict_file : str or Path, optional
        Named in error messages.
    compare : callable, optional
        How laws forecast rows that are held out, for each curve, such as `syn2real.laws.labels.compare`.

    Returns
    -------
    dict
        ``{"version", "unit", "notes", "curves": [{"curve", "law", "method", "n_used", "n_min", "n_max",
        "reference", "effect", "equal_updates", "shape", "fit", "reason", "predictions", "held_out"}]}`` of
        plain JSON values; an interval's open end is None, and so is the reference, the mean error without
        pre-training, where there is none. `effect` compares the largest n with n = 0, as
        `syn2real.laws.effect.describe_effect` says, `equal_updates` with photographs alone for as many
        updates; `shape` is in words how the curve differs from any law, or None. A prediction's `error` is
        the forecast, its `law` the law alone at the reported parameters; the default method of the simple law
        adds what it knows of bends and deviations to a forecast. `held_out` is what `compare` returns. Where
        the test photographs are known, by per-image results or by `test_size`, a curve has ``photographs``,
        with the intervals for all photographs like them (``error_lower``, ``constant_lower``, …); every other
        interval is for these.

    Raises
    ------
    InputError
        For bad input, in one line.
    """
    form = find_law(law, loss=loss)
    module = find_method(method, form)
    check_fix_d(fix_d, module, form)
    check_level(level)
    curves, notes = read_curves(
        frame, varies=form.varies, by=by, file=file, allow_unfitted=allow_unfitted, test_size=test_size,
        unit=unit, uses_zero=form.uses_zero,
    )  # fmt: skip
    requested, ignored = requested_rows(curves, form.varies, predict_at, predict_frame, predict_file)
    whole = [with_start(curve, form.varies) if form.uses_zero else curve for curve in curves]
    reasons = [form.why_not(curve) for curve in whole]
    good = [curve for curve, reason in zip(whole, reasons, strict=True) if reason is None]
    options = {"level": level, "pool": pool, "residual": residual, "fix_d": fix_d}
    fits, how = module.fit(good, form, **options) if good else ([], [])
    how = [*how, *bound_notes(form, good, fits), *miss_notes(form, good, fits)]
    fitted, name = iter(fits), module.__name__.rpartition(".")[2].replace("_", "-")
    out = []
    for curve, n, reason, rows in zip(curves, (one.n for one in whole), reasons, requested, strict=True):
        found = next(fitted) if reason is None else None
        out.append(_curve_json(curve, n, form, name, found, reason, rows, level))
        out[-1]["held_out"] = compare(curve, form) if compare and reason is None else {}
        if isinstance(found, BayesFit):
            tested, unread = find_tested(curve, level, test_size)
            out[-1] |= {} if tested is None else {"photographs": tested.as_json(found, level)}
            how += unread
        how += held_out_notes(curve, out[-1]["held_out"])
    notes = [*notes, *ignored, *how]
    return {"version": VERSION, "unit": unit_of_result(unit), "notes": notes, "curves": out}


def parameter_table(fits: dict[str, Any]) -> pd.DataFrame:
    """Return the fits as a table: a row for each curve and parameter, with interval and status.

    Parameters
    ----------
    fits : dict
        The JSON of `syn2real fit`.

    Returns
    -------
    pandas.DataFrame
        The curve's columns, then law, method, parameter, value, lower, upper, status; a curve that could not
        be fitted has one row whose status is the reason.
    """
    rows: list[dict[str, Any]] = []
    for curve in fits["curves"]:
        head = {**curve["curve"], "law": curve["law"], "method": curve["method"]}
        if curve["fit"] is None:
            rows.append({**head, "status": curve["reason"]})
            continue
        for name, estimate in curve["fit"]["params"].items():
            rows.append({**head, "parameter": name, **estimate})
    return pd.DataFrame(rows)


def _curve_json(
    curve: Curve,
    n: np.ndarray,
    law: Law,
    method: str,
    fit: Fit | None,
    reason: str | None,
    rows: Rows,
    level: float,
) -> dict[str, Any]:
    """Return the JSON contract's object of one curve, fitted at sizes n, shape (m,)."""
    first = getattr(fit, "first", 0.0)
    used, shape = n[n >= first], describe_shape(curve)
    if shape is not None and law.uses_zero and shape.startswith(EVER_FASTER):
        shape = None  # that of effective labels does so while the images are worth few of the labels
    sizes = len(np.unique(used))
    predictions: list[dict[str, Any]] = []
    result = None
    if fit is not None:
        params = {name: param.as_json() for name, param in fit.params.items()}
        for name, param in params.items():
            from_sizes = sizes if name == law.constant else None
            param["status"] = _status(param["status"], shape, from_sizes)
        result = {"params": params, "rmse_log": number(fit.rmse_log)}
        if len(rows.n):
            values = {letter: param.value for letter, param in fit.params.items()}
            predictions = _predictions_json(curve, rows, fit.predict(rows, level), law.predict(values, rows))
    return {
        "curve": curve.identity,
        "law": law.name,
        "method": method,
        "n_used": sizes if fit is not None else 0,
        "n_min": float(used.min()) if fit is not None else None,
        "n_max": float(used.max()) if fit is not None else None,
        "reference": number(curve.reference),
        "effect": describe_effect(curve, level),
        "equal_updates": describe_equal_updates(curve, level),
        "shape": shape,
        "fit": result,
        "reason": reason,
        "predictions": predictions,
    }


def _status(status: str, shape: str | None, sizes: int | None) -> str:
    """Return a parameter's status in view of the curve's shape; `sizes` is how many a constant is from."""
    if status != OK:
        return status
    if shape is not None:
        return NOT_DESCRIBED
    return PROVISIONAL if sizes is not None and sizes < ENOUGH else OK


def _predictions_json(
    curve: Curve, rows: Rows, predicted: Predictions, law: np.ndarray
) -> list[dict[str, Any]]:
    """Return one object a predicted row; the forecast of an error rate is 1 at most."""
    top = ceiling(curve.error, curve.unit)
    columns: list[tuple[str, Callable[[int], float]]] = [
        ("n", lambda i: rows.n[i]),
        ("s", lambda i: rows.s[i]),
        ("n_params", lambda i: rows.n_params[i]),
        ("error", lambda i: min(predicted.error[i], top)),
        ("lower", lambda i: min(predicted.lower[i], top)),
        ("upper", lambda i: min(predicted.upper[i], top)),
        ("predict_lower", lambda i: min(predicted.predict_lower[i], top)),
        ("predict_upper", lambda i: min(predicted.predict_upper[i], top)),
        ("law", lambda i: law[i]),
    ]
    return [{name: number(value(i)) for name, value in columns} for i in range(len(rows.n))]
