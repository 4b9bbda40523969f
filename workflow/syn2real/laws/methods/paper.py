"""The paper's own procedure (§4.1 and Appendix D), to reproduce its numbers and to see what they hang on.

The simple law is fitted with linear residuals (as the authors' notebook does; §4.1 says log-log), α and C
within bounds, and one D for all curves: found by alternating medians, or held, as the paper's figures hold
0.48. The full law is fitted by least squares with linear residuals, which give Appendix C.2's numbers. The
law of the model's size is the line of least squares in logs through the models' gaps (Figure 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from syn2real.laws.arms import ARM, BACKBONE
from syn2real.laws.forms.base import Law
from syn2real.laws.forms.full import Full
from syn2real.laws.forms.simple import LAW, Simple
from syn2real.laws.forms.size import Size
from syn2real.laws.methods import least_squares
from syn2real.laws.methods.by_model import SMALLEST_GAP
from syn2real.laws.results import (
    AT_BOUND,
    FIXED,
    OK,
    SETTLED,
    UNIDENTIFIED,
    UNSETTLED,
    Fit,
    Param,
    Predictions,
    Rows,
)
from syn2real.laws.table import Curve, split_models

LAWS = ("simple", "full", "size")
"""The laws that the paper fits."""
HOLDS = ("simple", "size")
"""Those of them that have its common D."""
ALPHA_BOUNDS = (0.1, 1.5)
C_BOUNDS = (0.0, 1.0)
START = (0.5, 0.5)  # D and α before the first round (Appendix D)
ROUNDS = 100
STILL = 1e-3  # a round that moves D and α by less than this share has converged
LONGEST_CYCLE = 6  # rounds after which the medians may return to where they were
NODES, ZOOMS = 57, 8  # of the grid on which α is searched, and how often it is laid again around the best


@dataclass(frozen=True)
class PaperFit:
    """A curve's α and C at the file's common D; `n` are the sizes it was fitted at, shape (m,)."""

    params: Mapping[str, Param]
    rmse_log: float
    sigma: float
    df: int
    n: np.ndarray

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict with the delta method's intervals around the point estimate (D taken as known)."""
        from scipy.special import stdtrit

        params = {name: param.value for name, param in self.params.items()}
        error = LAW.predict(params, rows)
        if self.df < 1:
            return Predictions.without_intervals(error)
        cover = covariance(self.n, params["D"], params["alpha"], self.sigma)
        slope = jacobian(rows.n, params["D"], params["alpha"])
        variance = np.einsum("pi,ij,pj->p", slope, cover, slope)
        t = stdtrit(self.df, 0.5 + level / 2)
        mean, one = t * np.sqrt(variance), t * np.sqrt(variance + self.sigma**2)
        return Predictions(error, error - mean, error + mean, error - one, error + one)


@dataclass(frozen=True)
class SizeFit:
    """A line in logs through the gaps of several models; `alpha` and `n_params` are theirs, shape (k,)."""

    law: Law
    d: float
    alpha: np.ndarray
    n_params: np.ndarray
    params: Mapping[str, Param]
    rmse_log: float

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict with the gap of the line and the effect of n of the model nearest in size; no intervals."""
        nearest = np.abs(np.log(self.n_params[:, None] / rows.n_params)).argmin(axis=0)
        gap = self.law.predict({name: param.value for name, param in self.params.items()}, rows)
        return Predictions.without_intervals(gap + self.d * rows.n ** -self.alpha[nearest])


def refuses(law: Law) -> str | None:
    """Say why this method cannot fit a law, or None."""
    return None if law.name in LAWS else f"the paper fits the laws {', '.join(LAWS)} only"


def fit(
    curves: Sequence[Curve], law: Law, *, level: float, fix_d: float | None = None, **_: Any
) -> tuple[Sequence[Fit], list[str]]:
    """Fit the simple law as Appendix D does, the full law as Appendix C.2 does, that of the size as Figure 4.

    The common D is that of the paper's arm, where other arms (`laws.arms`) are in the table too.

    Parameters
    ----------
    fix_d : float, optional
        The common D to hold; by default it is found by `common_coefficient`.

    Returns
    -------
    fits : sequence of Fit
        One a curve.
    notes : list of str
        The common D, whether it was held or settled, and which bounds bind.
    """
    if isinstance(law, Full):
        return least_squares.fit(curves, law, level=level, residual="linear")
    groups = [split_models(curve) if isinstance(law, Size) else [curve] for curve in curves]
    alone = [curve for group in groups for curve in group]
    paper = [curve for curve in alone if curve.identity.get(ARM, BACKBONE) == BACKBONE]
    d, how = _coefficient(paper or alone, fix_d)
    alpha, gap = given_coefficient(alone, d.value)
    low, high = (int(np.isclose(alpha, bound).sum()) for bound in ALPHA_BOUNDS)
    zero, one = (int(np.isclose(gap, bound).sum()) for bound in C_BOUNDS)
    notes = [
        how,
        f"paper: bounds that bind: alpha at {ALPHA_BOUNDS[0]} in {low} and at {ALPHA_BOUNDS[1]} in {high}, "
        f"C at 0 in {zero} and at 1 in {one} of {len(alone)} curves",
    ]
    if isinstance(law, Simple):
        return [_summary(c, d, a, g, level) for c, a, g in zip(curves, alpha, gap, strict=True)], notes
    ends = np.cumsum([len(group) for group in groups])[:-1]
    split = zip(groups, np.split(alpha, ends), np.split(gap, ends), strict=True)
    return [_line_of_gaps(law, group, d.value, a, g, level) for group, a, g in split], notes


def _coefficient(curves: Sequence[Curve], fix_d: float | None) -> tuple[Param, str]:
    """Return the D that is held, or the common one, and a note that says which."""
    if fix_d is not None:
        return Param(fix_d, None, None, FIXED), f"paper: D = {fix_d:.4g} for all curves, held as given"
    common, history, settled = common_coefficient(curves)
    cycle = " and ".join(f"(D {d:.3g}, alpha {a:.3g})" for d, a in history)
    ways = "settled" if settled else f"did not settle in {ROUNDS} rounds: they ended at {cycle}"
    note = f"paper: common D = {common:.4g} from the start (D, alpha) = {START}; the medians {ways}"
    return Param(common, None, None, SETTLED if settled else UNSETTLED), note


def jacobian(n: np.ndarray, d: float, alpha: float) -> np.ndarray:
    """Derivatives of the simple law in α and in C at each n, shape (m, 2)."""
    power, one = LAW.columns(np.array([alpha]), Rows.at(n)).T
    return np.stack([-d * np.log(n) * power, one], axis=1)


def covariance(n: np.ndarray, d: float, alpha: float, sigma: float) -> np.ndarray:
    """Covariance of (α, C) by the delta method, shape (2, 2)."""
    slope = jacobian(n, d, alpha)
    return sigma**2 * np.linalg.pinv(slope.T @ slope)


def common_coefficient(
    curves: Sequence[Curve], start: tuple[float, float] = START, bounds: tuple[float, float] = ALPHA_BOUNDS
) -> tuple[float, list[tuple[float, float]], bool]:
    """Find one D for all curves by alternating medians (Appendix D).

    Each round fits D n^-α̂ + C (α̂ common) and D̂ n^-α + C (D̂ common) to every curve, then replaces D̂ and
    α̂ by the medians.

    Returns
    -------
    coefficient : float
        The last D, or the mean over the cycle where the medians end in one.
    history : list of (float, float)
        The distinct (D, α) of that cycle; one pair where it settled.
    settled : bool
    """
    pair, past = start, [start]
    for _ in range(ROUNDS):
        d = float(np.median(given_rate(curves, pair[1])))
        alpha = float(np.median(given_coefficient(curves, pair[0], bounds)[0]))
        pair = (d, alpha)
        past.append(pair)
    # A cycle is known by its pairs, not by where the rounds happened to stop.
    for period in range(1, LONGEST_CYCLE + 1):
        if np.allclose(past[-1], past[-1 - period], rtol=STILL):
            cycle = past[-period:]
            return float(np.mean([d for d, _ in cycle])), cycle, period == 1
    return pair[0], past[-2:], False


def given_rate(curves: Sequence[Curve], alpha: float) -> np.ndarray:
    """D of each curve's linear least squares fit at a common α (C within its bounds), shape (B,)."""
    out = []
    for curve in curves:
        columns = LAW.columns(np.array([alpha]), Rows.at(curve.n))
        d, gap = np.linalg.lstsq(columns, curve.error, rcond=None)[0]
        if not C_BOUNDS[0] <= gap <= C_BOUNDS[1]:
            power = columns[:, 0].copy()  # numpy rounds a product of strided arrays otherwise
            d = power @ (curve.error - np.clip(gap, *C_BOUNDS)) / (power @ power)
        out.append(max(d, 0.0))
    return np.array(out)


def given_coefficient(
    curves: Sequence[Curve], d: float, bounds: tuple[float, float] = ALPHA_BOUNDS
) -> tuple[np.ndarray, np.ndarray]:
    """α and C of each curve's least squares fit at a common D, both (B,)."""
    pairs = [_one_rate(curve, d, bounds) for curve in curves]
    return np.array([a for a, _ in pairs]), np.array([c for _, c in pairs])


def _one_rate(curve: Curve, d: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Search α on a grid that is laid again around the best; C is the clipped mean of the rest."""
    rows = Rows.at(curve.n)
    low, high = bounds
    for _ in range(ZOOMS):
        alpha = np.linspace(low, high, NODES)
        effect = d * LAW.columns(alpha[:, None], rows)[..., 0]
        gap = np.clip((curve.error - effect).mean(axis=1), *C_BOUNDS)
        squares = ((curve.error - effect - gap[:, None]) ** 2).sum(axis=1)
        best = int(squares.argmin())
        low, high = alpha[max(best - 1, 0)], alpha[min(best + 1, NODES - 1)]
    return float(alpha[best]), float(gap[best])


def _summary(curve: Curve, d: Param, alpha: float, gap: float, level: float) -> PaperFit:
    """Give α and C the standard errors of least squares, which the paper draws, and intervals from them."""
    from scipy.special import stdtrit

    predicted = LAW.predict({"D": d.value, "alpha": alpha, "C": gap}, Rows.at(curve.n))
    residuals = curve.error - predicted
    df = len(curve.n) - 2
    sigma = float(np.sqrt(residuals @ residuals / max(df, 1)))
    errors = np.sqrt(np.diag(covariance(curve.n, d.value, alpha, sigma)))
    reach = float(stdtrit(max(df, 1), 0.5 + level / 2))
    named = []
    for value, error, bounds in ((alpha, errors[0], ALPHA_BOUNDS), (gap, errors[1], C_BOUNDS)):
        bound = bool(np.isclose(value, bounds).any())
        status = AT_BOUND if bound else OK if df >= 1 else UNIDENTIFIED
        width = reach * error
        lower, upper = (value - width, value + width) if df >= 1 and not bound else (None, None)
        named.append(Param(value, lower, upper, status, float(error) if df >= 1 else None))
    with np.errstate(invalid="ignore", divide="ignore"):
        rmse = float(np.sqrt(np.mean((np.log(curve.error) - np.log(predicted)) ** 2)))
    return PaperFit({"D": d, "alpha": named[0], "C": named[1]}, rmse, sigma, df, curve.n)


def _line_of_gaps(
    law: Law, models: Sequence[Curve], d: float, alpha: np.ndarray, gap: np.ndarray, level: float
) -> SizeFit:
    """Fit log C = log B - φ log P by least squares, with Student's intervals where there are three models."""
    from scipy.stats import linregress, t

    sizes = np.array([model.n_params[0] for model in models])
    smallest = SMALLEST_GAP * min(float(model.error.min()) for model in models)
    x, y = np.log(sizes), np.log(np.maximum(gap, smallest))
    line = linregress(x, y)
    reach = float(t.ppf(0.5 + level / 2, len(x) - 2)) if len(x) > 2 else float("nan")
    log_b, phi = float(line.intercept), -float(line.slope)
    wide, half = reach * float(line.intercept_stderr), reach * float(line.stderr)
    status = OK if (phi - half) * (phi + half) > 0 else UNIDENTIFIED
    (coefficient,), (exponent,) = law.coefficients, law.exponents
    ends = (float(np.exp(log_b - wide)), float(np.exp(log_b + wide)))
    params = {
        coefficient: Param(float(np.exp(log_b)), *ends, status),
        exponent: Param(phi, phi - half, phi + half, status),
    }
    residuals = y - log_b + phi * x
    return SizeFit(law, d, alpha, sizes, params, float(np.sqrt(np.mean(residuals**2))))
