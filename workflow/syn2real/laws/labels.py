"""What more labels bring: the full law or that of effective labels, whichever forecasts better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.forms import effective, full
from syn2real.laws.forms.base import Law
from syn2real.laws.methods.least_squares import best_params, predict_best
from syn2real.laws.notes import Scores
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve, split_curves, with_start

VARIES = ("s",)
FARTHEST = 100.0  # times the largest measured s: no more labels are named
FOLDS = {"largest s": "s", "largest n": "n"}
"""What is held out of a table and forecast from the rest."""


@dataclass(frozen=True)
class LabelForecast:
    """The law that forecasts held-out rows best, fitted to all rows.

    Attributes
    ----------
    law : str
        Its name.
    predict : callable
        Error at n images and s labels, arrays that broadcast.
    scores : dict of str to dict of str to float
        By law and by what was held out; empty where too few rows are left to fit.
    """

    law: str
    predict: Callable[[np.ndarray | float, np.ndarray | float], np.ndarray]
    scores: Scores


def label_forecast(frame: pd.DataFrame) -> LabelForecast | None:
    """Choose and fit a law of n and s for a group of measurements that differ in nothing else.

    Parameters
    ----------
    frame : DataFrame
        A checked table (`reading.check_frame`) with n, s and error of one group; also seed and weight.

    Returns
    -------
    LabelForecast or None
        None where neither law can be fitted.
    """
    curves, _ = split_curves(frame, [], varies=VARIES, uses_zero=True)
    laws = {law.name: law for law in (full.LAW, effective.LAW)}
    rows = {name: _rows_of(curves[0], law) for name, law in laws.items()} if curves else {}
    laws = {name: law for name, law in laws.items() if name in rows and law.why_not(rows[name]) is None}
    if not laws:
        return None
    scores = held_out(curves[0], laws)
    best = min(laws, key=lambda name: total(scores.get(name)))
    params = best_params(rows[best], laws[best])
    return LabelForecast(best, lambda n, s: laws[best].predict(params, Rows.at(n, s)), scores)


def labels_needed(curves: Sequence[Curve], n: float, target: float) -> dict[str, Any] | None:
    """Say how many labels reach a target error with n images, by the law that forecasts held-out rows best.

    Parameters
    ----------
    curves : sequence of Curve
        Of a file, with their runs; they differ in s alone.
    n : float
        Pre-training images.
    target : float

    Returns
    -------
    dict or None
        ``{"law", "labels", "most", "held_out"}``: labels is None where the law does not reach the target with
        `most` labels, `FARTHEST` times the largest measured s; held_out is the root mean square log error of
        what was held out, None where nothing could be. None where no law of n and s can be fitted.
    """
    names = ("n", "s", "error", "weight", "seed")
    rows = pd.concat([pd.DataFrame({name: getattr(curve.runs, name) for name in names}) for curve in curves])
    found = label_forecast(rows.loc[:, ~(rows < 0).all()])  # no seed is -1
    if found is None:
        return None
    sizes = np.geomspace(rows["s"][rows["s"] > 0].min(), FARTHEST * rows["s"].max(), 400)
    enough = sizes[found.predict(n, sizes) <= target]
    scores = found.scores.get(found.law)
    return {
        "law": found.law, "labels": float(enough[0]) if len(enough) else None, "most": float(sizes[-1]),
        "held_out": total(scores) if scores else None,
    }  # fmt: skip


def compare(curve: Curve, law: Law) -> Scores:
    """Return what `held_out` does of a law of n and s, the full law and that of effective labels.

    Parameters
    ----------
    curve : Curve
    law : Law
        Fitted to it; where it has the irreducible loss E, the others have it too. Empty for other laws.
    """
    if law.describes != "error" or law.varies != VARIES:
        return {}
    loss = law.constant is not None
    both = (full.WITH_LOSS, effective.WITH_LOSS) if loss else (full.LAW, effective.LAW)
    return held_out(curve, {one.name: one for one in (*both, law)})


def held_out(curve: Curve, laws: Mapping[str, Law]) -> Scores:
    """Return how far laws fitted to the other rows miss those of the largest s, and of the largest n.

    Parameters
    ----------
    curve : Curve
        With several s.
    laws : dict of str to Law
        All are judged on the same rows, those with pre-training and labels.

    Returns
    -------
    dict of str to dict of str to float
        Only what every law can be fitted without.
    """
    out: Scores = {name: {} for name in laws}
    for fold, column in FOLDS.items():
        largest = getattr(curve, column).max()
        misses = {name: _miss(curve, law, column, largest) for name, law in laws.items()}
        for name, miss in misses.items():
            if None not in misses.values() and miss is not None:
                out[name][fold] = miss
    return {name: scores for name, scores in out.items() if scores}


def total(scores: Mapping[str, float] | None) -> float:
    """Return the root mean square over what was held out; 0 where nothing was."""
    return float(np.sqrt(np.mean(np.square([*scores.values()])))) if scores else 0.0


def _miss(curve: Curve, law: Law, column: str, largest: float) -> float | None:
    """Root mean square log error at the largest n or s, fitted without it; None where too little is left."""
    rows = _rows_of(curve, law)
    rest = _where(rows, getattr(rows, column) < largest)
    if law.why_not(rest) is not None:
        return None
    judged = _where(curve, (getattr(curve, column) == largest) & (curve.n > 0) & (curve.s > 0))
    predicted = predict_best(rest, law, Rows(judged.n, judged.s, judged.n_params))
    return float(np.sqrt(np.mean(np.log(judged.error / predicted) ** 2)))


def _rows_of(curve: Curve, law: Law) -> Curve:
    """Return the rows of a curve that a law describes."""
    whole = with_start(curve, VARIES)
    return whole if law.uses_zero else _where(whole, (whole.n > 0) & (whole.s > 0))


def _where(curve: Curve, mask: np.ndarray) -> Curve:
    """Return some rows of a curve, as one fits them without replicates."""
    return replace(curve.where(mask), within=0.0, replicates=0)
