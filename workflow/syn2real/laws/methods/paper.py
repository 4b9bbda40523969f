"""The paper's own procedure (§4.1 and Appendix D), to reproduce its numbers and to see what they hang on.

The simple law is fitted with linear residuals (as the authors' notebook does; §4.1 says log-log), α and C
within bounds, and one D for all curves, found by alternating medians.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from syn2real.laws.results import AT_BOUND, FIXED, OK, UNIDENTIFIED, Param, Predictions, Rows
from syn2real.laws.table import Curve

ALPHA_BOUNDS = (0.1, 1.5)
C_BOUNDS = (0.0, 1.0)
START = (0.5, 0.5)  # D and α before the first round (Appendix D)
PUBLISHED_COEFFICIENT = 0.48
"""The common D that the paper's own rounds ended at (§4.1)."""
ROUNDS = 100
SETTLED = 1e-3  # a round that moves D and α by less than this share has converged


@dataclass(frozen=True)
class PaperFit:
    """A curve's α and C at the file's common D."""

    params: Mapping[str, Param]
    rmse_log: float
    sigma: float
    df: int
    n: np.ndarray

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict with the delta method's intervals around the point estimate (D taken as known)."""
        from scipy.special import stdtrit

        d, alpha, gap = (self.params[name].value for name in ("D", "alpha", "C"))
        error = d * rows.n**-alpha + gap
        if self.df < 1:
            nothing = np.full(error.shape, np.nan)
            return Predictions(error, nothing, nothing, nothing, nothing)
        cover = covariance(self.n, d, alpha, self.sigma)
        slope = np.stack([-d * np.log(rows.n) * rows.n**-alpha, np.ones_like(rows.n)], axis=1)
        variance = np.einsum("pi,ij,pj->p", slope, cover, slope)
        t = stdtrit(self.df, 0.5 + level / 2)
        mean, one = t * np.sqrt(variance), t * np.sqrt(variance + self.sigma**2)
        return Predictions(error, error - mean, error + mean, error - one, error + one)


def covariance(n: np.ndarray, d: float, alpha: float, sigma: float) -> np.ndarray:
    """Covariance of (α, C) by the delta method, shape (2, 2)."""
    jacobian = np.stack([-d * np.log(n) * n**-alpha, np.ones_like(n)], axis=1)
    return sigma**2 * np.linalg.pinv(jacobian.T @ jacobian)


def fit_paper(curves: Sequence[Curve], level: float = 0.95) -> tuple[list[PaperFit], list[str]]:
    """Fit the simple law as Appendix D does.

    Returns
    -------
    fits : list of PaperFit
    notes : list of str
        The common D, whether it settled, and which bounds bind.
    """
    common, history, settled = common_coefficient(curves)
    alpha, gap = given_coefficient(curves, common)
    fits = [_summary(c, common, a, g, level) for c, a, g in zip(curves, alpha, gap, strict=True)]
    low, high = (int(np.isclose(alpha, bound).sum()) for bound in ALPHA_BOUNDS)
    zero, one = (int(np.isclose(gap, bound).sum()) for bound in C_BOUNDS)
    ways = "converged" if settled else f"did not converge in {ROUNDS} rounds: it ended at {_told(history)}"
    notes = [
        f"paper: common D = {common:.4g} from the start (D, alpha) = {START}; the medians {ways}",
        f"paper: bounds that bind: alpha at {ALPHA_BOUNDS[0]} in {low} and at {ALPHA_BOUNDS[1]} in {high}, "
        f"C at 0 in {zero} and at 1 in {one} of {len(curves)} curves",
    ]
    return fits, notes


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
    for period in range(1, 7):  # a cycle is told by its pairs, not by where it happened to stop
        if np.allclose(past[-1], past[-1 - period], rtol=SETTLED):
            cycle = past[-period:]
            return float(np.mean([d for d, _ in cycle])), cycle, period == 1
    return pair[0], past[-2:], False


def given_rate(curves: Sequence[Curve], alpha: float) -> np.ndarray:
    """D of each curve's linear least squares fit at a common α (C within its bounds), shape (B,)."""
    out = []
    for curve in curves:
        p = curve.n**-alpha
        d, gap = np.linalg.lstsq(np.stack([p, np.ones_like(p)], axis=1), curve.error, rcond=None)[0]
        if not C_BOUNDS[0] <= gap <= C_BOUNDS[1]:
            d = p @ (curve.error - np.clip(gap, *C_BOUNDS)) / (p @ p)
        out.append(max(d, 0.0))
    return np.array(out)


def given_coefficient(
    curves: Sequence[Curve], d: float, bounds: tuple[float, float] = ALPHA_BOUNDS
) -> tuple[np.ndarray, np.ndarray]:
    """α and C of each curve's least squares fit at a common D, both (B,)."""
    pairs = [_one_rate(curve, d, bounds) for curve in curves]
    return np.array([a for a, _ in pairs]), np.array([c for _, c in pairs])


def _one_rate(curve: Curve, d: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Search α on a grid that is drawn closer; C is the clipped mean of what is left."""

    def squares(alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        power = d * curve.n ** -alpha[:, None]
        gap = np.clip((curve.error - power).mean(axis=1), *C_BOUNDS)
        return ((curve.error - power - gap[:, None]) ** 2).sum(axis=1), gap

    low, high = bounds
    for _ in range(8):
        alpha = np.linspace(low, high, 57)
        rss, gap = squares(alpha)
        best = int(rss.argmin())
        low, high = alpha[max(best - 1, 0)], alpha[min(best + 1, 56)]
    return float(alpha[best]), float(gap[best])


def _summary(curve: Curve, d: float, alpha: float, gap: float, level: float) -> PaperFit:
    """Tell α and C with the delta method's intervals, which is what the paper's standard errors are."""
    from scipy.special import stdtrit

    left = curve.error - d * curve.n**-alpha - gap
    df = len(curve.n) - 2
    sigma = float(np.sqrt(left @ left / max(df, 1)))
    half = stdtrit(max(df, 1), 0.5 + level / 2) * np.sqrt(np.diag(covariance(curve.n, d, alpha, sigma)))
    named = []
    for value, width, bounds in ((alpha, half[0], ALPHA_BOUNDS), (gap, half[1], C_BOUNDS)):
        bound = bool(np.isclose(value, bounds).any())
        known = df >= 1 and not bound
        status = AT_BOUND if bound else OK if df >= 1 else UNIDENTIFIED
        lower, upper = (value - width, value + width) if known else (None, None)
        named.append(Param(value, lower, upper, status))
    with np.errstate(invalid="ignore", divide="ignore"):
        rmse = float(np.sqrt(np.mean((np.log(curve.error) - np.log(d * curve.n**-alpha + gap)) ** 2)))
    params = {"D": Param(d, None, None, FIXED), "alpha": named[0], "C": named[1]}
    return PaperFit(params, rmse, sigma, df, curve.n)


def _told(history: list[tuple[float, float]]) -> str:
    """Name the pairs of a cycle."""
    return " and ".join(f"(D {d:.3g}, alpha {a:.3g})" for d, a in history)
