"""`fit_table`: a table of measurements in, the JSON of ``syn2real fit`` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.bootstrap import fit_bootstrap
from syn2real.laws.forms import base as forms
from syn2real.laws.methods.by_model import fit_size, models
from syn2real.laws.methods.least_squares import fit_least_squares, missing
from syn2real.laws.methods.paper import fit_paper
from syn2real.laws.methods.posterior import fit_simple
from syn2real.laws.results import Fit, Predictions, Rows, number
from syn2real.laws.table import Curve, check_frame, identity_columns, split_curves, weigh_by_test_size

VERSION = 1
LAWS = (*forms.LAWS, "size")
DROPPED = {"s": "s", "size": "model"}  # the identity column that a law in s, or in size, describes
METHODS = ("default", "paper", "least-squares")
FEWEST = 3  # distinct n that a law in n needs


def fit_table(
    frame: pd.DataFrame,
    *,
    law: str = "simple",
    method: str = "default",
    by: Sequence[str] | None = None,
    predict_at: Sequence[float] = (),
    predict_frame: pd.DataFrame | None = None,
    level: float = 0.95,
    pool: bool = True,
    residual: str = "log",
    loss: bool = False,
    bootstrap: int = 0,
    allow_unfitted: bool = False,
    test_size: float | None = None,
    file: str | Path | None = None,
    predict_file: str | Path | None = None,
) -> dict[str, Any]:
    """Fit a law to every curve of a table.

    Parameters
    ----------
    frame : DataFrame
        Columns ``n`` and ``error``; ``seed``, ``weight``, ``s``, ``n_params`` where there are any; every
        column that is none of `table.NEVER_IDENTITY` sets curves apart.
    law : str
        One of `LAWS`.
    method : {"default", "paper", "least-squares"}
        default: a pooled posterior for the simple law, least squares for the others; paper: Appendix D for
        the simple law, linear least squares for the full one (Appendix C.2).
    by : sequence of str, optional
        The identity columns; every other one is dropped.
    predict_at : sequence of float
        n at which each curve is predicted.
    predict_frame : DataFrame, optional
        Rows to predict: ``n``, and ``s`` and the curves' columns where they set curves apart.
    level : float
        Of all intervals, in (0, 1).
    pool : bool
        Share what is common over the curves (default method of the simple law).
    residual : {"log", "linear", "huber"}
        Of least squares; huber is Huber's loss of log residuals.
    loss : bool
        Give the full law the irreducible loss E (§3).
    bootstrap : int
        Replicates for the intervals of the simple law's least squares; 0: profile intervals.
    allow_unfitted : bool
        Take a table none of whose curves can be fitted; each then comes with its reason.
    test_size : float, optional
        Test examples behind each error rate; weighs the rows by their binomial variance.
    file, predict_file : str or Path, optional
        Named in error messages.

    Returns
    -------
    dict
        ``{"version", "notes", "curves": [{"curve", "law", "method", "n_used", "n_min", "n_max",
        "reference", "fit", "reason", "predictions"}]}`` of plain JSON values; an interval's open end is None,
        and so is the reference, the mean error without pre-training, where there is none.

    Raises
    ------
    InputError
        For bad input, in one line.
    """
    curves, notes = read_curves(
        frame, law=law, by=by, file=file, allow_unfitted=allow_unfitted, test_size=test_size
    )
    if not 0 < level < 1:
        raise InputError(f"{level} is not between 0 and 1", key="level")
    wanted = wanted_rows(curves, law, predict_at, predict_frame, predict_file, notes)
    form = forms.FullWithLoss() if law == "full" and loss else forms.LAWS.get(law)
    reasons = [why_not(curve, law, form) for curve in curves]
    good = [curve for curve, reason in zip(curves, reasons, strict=True) if reason is None]
    fits, more = fit_curves(
        good,
        law=law,
        form=form,
        method=method,
        level=level,
        pool=pool,
        residual=residual,
        bootstrap=bootstrap,
    )
    results = iter(fits)
    out = []
    for curve, reason, rows in zip(curves, reasons, wanted, strict=True):
        fit = next(results) if reason is None else None
        out.append(_curve_json(curve, law, method, fit, reason, rows, level))
    return {"version": VERSION, "notes": notes + more, "curves": out}


def read_curves(
    frame: pd.DataFrame,
    *,
    law: str = "simple",
    by: Sequence[str] | None,
    file: str | Path | None,
    allow_unfitted: bool = False,
    test_size: float | None = None,
) -> tuple[list[Curve], list[str]]:
    """Check a table and split it into curves; refuse it where none has three distinct n, unless allowed."""
    if law not in LAWS:
        raise InputError(f"no such law; choose one of {', '.join(LAWS)}", key=law)
    varies = ("size",) if law == "size" else forms.LAWS[law].varies
    need = ["n", "error", *(forms.COLUMN[axis] for axis in varies)]
    checked = check_frame(frame, file, require=need)
    if test_size is not None:
        checked = weigh_by_test_size(checked, test_size, file)
    columns = identity_columns(checked, [DROPPED[axis] for axis in varies], by, file)
    curves, notes = split_curves(checked, columns, file, varies)
    most = max((len(np.unique(curve.n)) for curve in curves), default=0)
    if most < FEWEST and not allow_unfitted:
        raise InputError(
            f"no curve has {FEWEST} distinct n above 0 (the most is {most}); measure more sizes, or name the "
            "columns that set curves apart with --by",
            file=file,
            key="n",
        )
    return curves, notes


def why_not(curve: Curve, law: str = "simple", form: forms.Law | None = None) -> str | None:
    """Say why a curve cannot be fitted, or None where it can."""
    distinct = len(np.unique(curve.n))
    if distinct < FEWEST:
        return f"{distinct} distinct n above 0; a fit needs {FEWEST}"
    if law == "size":
        enough = len(models(curve))
        return None if enough >= 2 else f"{enough} model sizes with {FEWEST} distinct n; the size law needs 2"
    return missing(curve, form) if form is not None and law != "simple" else None


def fit_curves(
    curves: Sequence[Curve],
    *,
    law: str,
    form: forms.Law | None,
    method: str,
    level: float,
    pool: bool,
    residual: str,
    bootstrap: int = 0,
) -> tuple[Sequence[Fit], list[str]]:
    """Fit curves that can be fitted, and say what is worth knowing about how."""
    if method not in METHODS:
        raise InputError(f"no such method; choose one of {', '.join(METHODS)}", key=method)
    if method == "paper" and law not in ("simple", "full"):
        raise InputError("the paper fits the simple and the full law only", key="--method paper")
    if not curves:
        return [], []
    if bootstrap:
        if law != "simple" or method != "least-squares" or residual != "log":
            raise InputError("is for --law simple --method least-squares --residual log", key="--bootstrap")
        return fit_bootstrap(curves, bootstrap, level), [f"percentile intervals of {bootstrap} replicates"]
    if law == "simple" and method == "paper":
        return fit_paper(curves, level)
    if law == "simple" and method == "default":
        return fit_simple(curves, pool=pool, level=level), _pool_notes(curves, pool)
    if law == "size" or form is None:
        return [fit_size(curve, pool=pool, level=level) for curve in curves], []
    if method == "paper":
        residual = "linear"  # Appendix C.2's numbers come from linear residuals
    fits = [fit_least_squares(curve, form, residual=residual, level=level) for curve in curves]
    return fits, [f"least squares, {residual} residuals, every curve on its own"]


def _pool_notes(curves: Sequence[Curve], pool: bool) -> list[str]:
    """Name the partial pooling where there is any."""
    if pool and len(curves) > 1:
        return [f"alpha, noise and deviations are pooled over {len(curves)} curves (--no-pool: each alone)"]
    return []


def wanted_rows(
    curves: Sequence[Curve],
    law: str,
    predict_at: Sequence[float],
    predict_frame: pd.DataFrame | None,
    file: str | Path | None,
    notes: list[str],
) -> list[Rows]:
    """Return the rows to predict of each curve."""
    at = np.asarray(list(predict_at), float)
    if np.any(~np.isfinite(at) | (at <= 0)):
        raise InputError("predictions need n above 0", key="--predict-at")
    rows = [_at(curve, at, law) for curve in curves]
    if predict_frame is None:
        return rows
    wish = check_frame(predict_frame, file, require=("n",))
    if (wish["n"] <= 0).any():
        raise InputError("predictions need n above 0", file=file, key="n")
    columns = [c for c in curves[0].identity if c in wish.columns]
    place: dict[tuple[Any, ...], list[int]] = {}
    keys = list(zip(*(wish[c] for c in columns), strict=True)) if columns else [()] * len(wish)
    for index, key in enumerate(keys):
        place.setdefault(tuple(map(_label, key)), []).append(index)
    out, met = [], 0
    for curve, before in zip(curves, rows, strict=True):
        mine = place.get(tuple(_label(curve.identity[c]) for c in columns), [])
        met += len(mine)
        part = wish.iloc[mine]
        out.append(_join(before, _rows(curve, part)))
    if len(columns) == len(curves[0].identity) and met < len(wish):
        notes.append(f"{len(wish) - met} rows of the predict file belong to no curve")
    return out


def _label(value: Any) -> Any:
    """Make 1, 1.0 and "1" the same label."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _at(curve: Curve, n: np.ndarray, law: str) -> Rows:
    """Rows at given n, for every s or size of a curve whose law is one in s or size."""
    varies = ("size",) if law == "size" else forms.LAWS[law].varies
    s = curve.s if "s" in varies else np.full(1, _only(curve.s))
    size = curve.size if "size" in varies else np.full(1, _only(curve.size))
    places = np.array(sorted({(a, b) for a in _filled(s) for b in _filled(size)}))
    places[places < 0] = np.nan
    return Rows(np.tile(n, len(places)), np.repeat(places[:, 0], len(n)), np.repeat(places[:, 1], len(n)))


def _filled(values: np.ndarray) -> list[float]:
    """Values with -1 for what is not known, which can be compared."""
    return [float(value) for value in np.where(np.isnan(values), -1.0, values)]


def _rows(curve: Curve, part: pd.DataFrame) -> Rows:
    """Rows of a predict file, with the curve's own s and size where the file has none."""
    n = part["n"].to_numpy(float)
    s = part["s"].to_numpy(float) if "s" in part else np.full(n.shape, _only(curve.s))
    size = part["n_params"].to_numpy(float) if "n_params" in part else np.full(n.shape, _only(curve.size))
    return Rows(n, s, size)


def _join(one: Rows, two: Rows) -> Rows:
    """Put rows after one another."""
    return Rows(*(np.concatenate(pair) for pair in ((one.n, two.n), (one.s, two.s), (one.size, two.size))))


def _only(values: np.ndarray) -> float:
    """Return the one value there is, or NaN."""
    distinct = np.unique(values[np.isfinite(values)])
    return float(distinct[0]) if len(distinct) == 1 else np.nan


def _curve_json(
    curve: Curve, law: str, method: str, fit: Fit | None, reason: str | None, rows: Rows, level: float
) -> dict[str, Any]:
    """Return one curve's object of the JSON contract."""
    first = getattr(fit, "first", 0.0)
    used = curve.n[curve.n >= first]
    predictions: list[dict[str, Any]] = []
    told = None
    if fit is not None:
        params = {name: param.as_json() for name, param in fit.params.items()}
        told = {"params": params, "rmse_log": number(fit.rmse_log)}
        if len(rows.n):
            predictions = _predictions_json(rows, fit.predict(rows, level))
    return {
        "curve": curve.identity,
        "law": law,
        "method": method,
        "n_used": len(np.unique(used)) if fit is not None else 0,
        "n_min": float(used.min()) if fit is not None else None,
        "n_max": float(used.max()) if fit is not None else None,
        "reference": number(curve.reference),
        "fit": told,
        "reason": reason,
        "predictions": predictions,
    }


def _predictions_json(rows: Rows, told: Predictions) -> list[dict[str, Any]]:
    """Return one object a predicted row."""
    columns: list[tuple[str, Callable[[int], float]]] = [
        ("n", lambda i: rows.n[i]),
        ("s", lambda i: rows.s[i]),
        ("n_params", lambda i: rows.size[i]),
        ("error", lambda i: told.error[i]),
        ("lower", lambda i: told.lower[i]),
        ("upper", lambda i: told.upper[i]),
        ("predict_lower", lambda i: told.predict_lower[i]),
        ("predict_upper", lambda i: told.predict_upper[i]),
    ]
    return [{name: number(value(i)) for name, value in columns} for i in range(len(rows.n))]
