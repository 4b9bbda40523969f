"""Least squares fits of any law, with profile intervals and intervals of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.profiles import Surface, allowance, exponent_interval, lay_grid, profile_interval
from syn2real.laws.results import AT_BOUND, OK, SEED, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve
from syn2real.laws.varpro import SMALLEST, Problem, Solution, search

DRAWS = 2000
AXIS = {1: 240, 2: 40, 3: 16}  # nodes an exponent of the grid that intervals are read from
PASSES = 6
QUICK = {1: 96, 2: 24, 3: 12}  # nodes an exponent, and passes, of the grid that statuses alone are read from
QUICK_PASSES = 3
NOTHING = 1e-3  # of the way to an interval's limit: a coefficient whose absence costs less lies at 0
STATUS_LEVEL = 0.95  # of the profile intervals that statuses are read from
WIDEST = 4  # times an exponent's lower end that its upper end may be, to be identified
LARGEST_NOISE = 50  # the noise of a log error is cut here, to stay finite
FAR = 0.9999  # level of the interval that the grid spans
QUIET = 1e-9  # the least standard deviation of log residuals that Huber's loss is given
MAD = 1.4826  # a normal's standard deviation over its median absolute deviation
RIDGE = 1e-10  # that keeps the covariance of coefficients invertible, in units of their variances


@dataclass(frozen=True)
class LeastSquares:
    """A law fitted to one curve.

    Attributes
    ----------
    problem : Problem
    solution : Solution
        Its coefficients are those of columns over the problem's unit, as all that are called scaled.
    sigma, df : float, int
        Standard deviation of a residual of weight 1 and its degrees of freedom.
    exponents, coefficients : ndarray, shape (S, q) and (S, k)
        Draws of the scaled parameters: exponents by their likelihood, coefficients normal given them.
    """

    problem: Problem
    solution: Solution
    sigma: float
    df: int
    exponents: np.ndarray
    coefficients: np.ndarray
    params: Mapping[str, Param]
    rmse_log: float

    def predict(self, rows: Rows, level: float) -> Predictions:
        """Predict at rows: the fitted law, and equal-tailed intervals of the draws."""
        error = self.problem.columns(self.solution.exponents[0], rows) @ self.solution.coefficients[0]
        if self.df < 1:
            return Predictions.without_intervals(error)
        mean = (self.problem.columns(self.exponents, rows) @ self.coefficients[..., None])[..., 0]
        mean = np.maximum(mean, SMALLEST)
        noise = self.sigma * np.random.default_rng(SEED).standard_t(self.df, (len(mean), 1))
        factor = np.exp(np.clip(noise, -LARGEST_NOISE, LARGEST_NOISE))
        shown = mean + noise if self.problem.residual == "linear" else mean * factor
        low, high = tails(level)
        lower, upper = np.quantile(mean, [low, high], axis=0)
        below, above = np.quantile(shown, [low, high], axis=0)
        return Predictions(error, lower, upper, below, above)


def refuses(law: Law) -> str | None:
    """Say why this method cannot fit a law, or None."""
    if law.describes == "error":
        return None
    return f"fits laws of the error; the {law.name} law is one of the {law.describes}"


def fit(
    curves: Sequence[Curve], law: Law, *, level: float, residual: str = "log", **_: Any
) -> tuple[list[LeastSquares], list[str]]:
    """Fit a law to each curve on its own."""
    fits = [fit_least_squares(curve, law, residual=residual, level=level) for curve in curves]
    return fits, [f"least squares, {residual} residuals, every curve on its own"]


def fit_least_squares(curve: Curve, law: Law, *, residual: str = "log", level: float = 0.95) -> LeastSquares:
    """Fit a law to a curve by variable projection.

    Parameters
    ----------
    residual : {"log", "linear", "huber"}
    level : float
        Of the parameters' profile intervals.
    """
    problem, df = scaled_problem(curve, law, residual)
    if residual == "huber":  # a first fit in logs gives the size of the residuals
        residuals = _log_residuals(problem, search(replace(problem, residual="log")))
        spread = MAD * float(np.median(np.sqrt(problem.weight) * np.abs(residuals)))
        problem = replace(problem, scale=max(spread, QUIET))
    solution = search(problem)
    floored = _floored(problem, curve, float(solution.loss[0]), df)
    solution = replace(solution, loss=solution.loss + floored.within - problem.within)
    problem = floored
    sigma = float(np.sqrt(solution.loss[0] / max(df, 1)))
    surface = lay_grid(
        problem, allowance(df, FAR), AXIS[len(law.exponents)], PASSES, least=float(solution.loss[0])
    )
    exponents, coefficients = _draws(problem, solution, surface, sigma, df)
    drawn = unscaled(problem, exponents, coefficients)
    params = _params(problem, solution, surface, drawn, df, level)
    rmse = float(np.sqrt(np.mean(_log_residuals(problem, solution) ** 2)))
    return LeastSquares(problem, solution, sigma, df, exponents, coefficients, params, rmse)


def identified_by(curve: Curve, law: Law, *, level: float = STATUS_LEVEL) -> dict[str, str]:
    """Status of each parameter by its profile likelihood alone: no prior, no draws.

    A parameter is ok only if its profile interval in logs has both ends inside the parameter's range: above 0
    for a coefficient; for an exponent also with an upper end of at most `WIDEST` times the lower one. What
    scales with an exponent (D, δ, …) is only known as well as the exponent is. With no degree of freedom left
    nothing is.

    Parameters
    ----------
    curve : Curve
        For which `law.why_not` is None.
    law : Law
    level : float
        Of the profile intervals.

    Returns
    -------
    dict of str to str
        ok, at-bound or unidentified, by the parameter's name.
    """
    problem, df = scaled_problem(curve, law, "log")
    surface = lay_grid(problem, allowance(df, level), QUICK[len(law.exponents)], QUICK_PASSES)
    floored = _floored(problem, curve, float(surface.loss.min()), df)
    if floored is not problem:
        problem, surface = (
            floored,
            lay_grid(floored, allowance(df, level), QUICK[len(law.exponents)], QUICK_PASSES),
        )
    return _statuses(problem, surface, df, level)


def _floored(problem: Problem, curve: Curve, least: float, df: int) -> Problem:
    """Raise every loss so that the least one is not below what the curve's `resolution` makes of it."""
    lack = df * float(np.mean(curve.weight * curve.resolution)) - least
    if lack <= 0 or problem.residual != "log":
        return problem
    return replace(problem, within=problem.within + lack)


def _statuses(problem: Problem, surface: Surface, df: int, level: float) -> dict[str, str]:
    """Status of each parameter, as `identified_by` says."""
    law, least, best = problem.law, float(surface.loss.min()), int(surface.loss.argmin())
    exponents, coefficients = surface.mesh[best], surface.coefficients[best]
    limit = least * allowance(df, level)
    ends = [exponent_interval(surface, place, limit) for place in range(len(exponents))]
    rates = [low is not None and high is not None and high <= WIDEST * low for low, high in ends]
    lost = _lost_without_each(problem, len(surface.axes[0]))
    # An end at 0 is inside the interval where the law without the coefficient fits well enough.
    inside = dict(zip(law.exponents, rates, strict=True)) | {
        name: loss > limit for name, loss in lost.items()
    }
    bound = {
        **dict(zip(law.exponents, np.isclose(exponents[:, None], law.ranges, rtol=1e-3).any(1), strict=True)),
        **{name: loss <= least + NOTHING * (limit - least) for name, loss in lost.items()},
    }
    out = {}
    for name in unscaled(problem, exponents, coefficients):
        # A ratio of coefficients, such as γ, needs all of them.
        own = inside[name] if name in inside else all(inside.values())
        is_known = df >= 1 and own and (name in (law.constant, *law.exponents) or all(rates))
        # With an exponent at its bound the coefficients make up for it.
        is_known &= name in law.exponents or not any(bound[e] for e in law.exponents)
        out[name] = AT_BOUND if bound.get(name, False) else OK if is_known else UNIDENTIFIED
    return out


def _lost_without_each(problem: Problem, nodes: int) -> dict[str, float]:
    """Least loss of the law without each of its coefficients; infinite where nothing is left."""
    names, out = problem.law.coefficients, {}
    for place, name in enumerate(names):
        others = [i for i in range(len(names)) if i != place]
        loss = lay_grid(problem, 1.0, nodes, QUICK_PASSES, others).loss if others else np.array(np.inf)
        out[name] = float(loss.min())
    return out


def scaled_problem(curve: Curve, law: Law, residual: str) -> tuple[Problem, int]:
    """Return a curve's problem, in units of the geometric means of its rows, and its degrees of freedom."""
    rows = Rows(curve.n, curve.s, curve.n_params)
    # Of what is above 0: rows without pre-training or labels have no geometric mean.
    some = (values[values > 0] for values in (rows.n, rows.s, rows.n_params))
    unit = Rows.at(*(np.exp(np.mean(np.log(values))) if len(values) else np.nan for values in some))
    # The spread of replicates is one of logarithms; that of linear residuals is larger by the errors' size.
    size = float(np.mean(curve.error**2)) if residual == "linear" else 1.0
    problem = Problem(law, rows, unit, curve.error, curve.weight, residual, within=size * curve.within)
    return problem, len(curve.n) - len(law.exponents) - len(law.coefficients) + curve.replicates


def _log_residuals(problem: Problem, solution: Solution) -> np.ndarray:
    """Logarithms of measured over fitted errors, shape (m,)."""
    f = problem.columns(solution.exponents[0]) @ solution.coefficients[0]
    return np.log(problem.error / np.maximum(f, SMALLEST))


def _params(
    problem: Problem,
    solution: Solution,
    surface: Surface,
    drawn: Mapping[str, np.ndarray],
    df: int,
    level: float,
) -> dict[str, Param]:
    """Name the parameters in the curve's own units, with intervals.

    Exponents and the constants of laws in n alone have profile intervals; what scales with an exponent
    (D, δ, γ, …) has the quantiles of draws along the ridge they share.
    """
    law, out = problem.law, {}
    limit = float(solution.loss[0]) * allowance(df, level)
    ends = {e: exponent_interval(surface, i, limit) for i, e in enumerate(law.exponents)}
    loose = any(end is None for pair in ends.values() for end in pair)
    statuses = _statuses(problem, surface, df, STATUS_LEVEL)
    for name, value in unscaled(problem, solution.exponents, solution.coefficients).items():
        lower, upper = None, None
        if df < 1 or (loose and name not in (law.constant, *law.exponents)):
            pass
        elif name in ends and name not in law.scales:
            lower, upper = ends[name]
        elif name == law.constant and len(law.exponents) == 1:
            lower, upper = profile_interval(problem, solution, name, df, level)
            lower = lower or 0.0
        else:
            lower, upper = map(float, np.nanquantile(drawn[name], tails(level)))
        out[name] = Param(float(value[0]), lower, upper, statuses[name])
    return out


def unscaled(problem: Problem, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters in the curve's own units from scaled ones; arrays (...)."""
    exponents = problem.law.natural(exponents, problem.unit)
    one = problem.law.columns(exponents, problem.unit)[..., 0, :]  # where the scaled columns are 1
    with np.errstate(divide="ignore", over="ignore"):
        return problem.law.named(exponents, coefficients / one)


def _nearest(curve: Curve, law: Law) -> tuple[Problem, Solution]:
    """Return a law's problem of least squares in logs, scaled, and its solution."""
    problem, _ = scaled_problem(curve, law, "log")
    return problem, search(problem)


def best_params(curve: Curve, law: Law) -> dict[str, float]:
    """Return the least squares parameters of a law in logs, without intervals.

    Parameters
    ----------
    curve : Curve
        For which `law.why_not` is None.
    """
    problem, found = _nearest(curve, law)
    return {name: float(v[0]) for name, v in unscaled(problem, found.exponents, found.coefficients).items()}


def predict_best(curve: Curve, law: Law, rows: Rows) -> np.ndarray:
    """Return what the least squares fit of a law in logs to a curve says at rows, (P,).

    By its coefficients, not by its parameters: without any fall γ = (δγ) / δ of the full law is infinite.

    Parameters
    ----------
    curve : Curve
        For which `law.why_not` is None.
    """
    problem, found = _nearest(curve, law)
    return np.maximum(problem.columns(found.exponents[0], rows) @ found.coefficients[0], SMALLEST)


def _draws(
    problem: Problem, solution: Solution, surface: Surface, sigma: float, df: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw exponents from the grid by their likelihood and coefficients given them, (S, q) and (S, k)."""
    if df < 1:
        return solution.exponents, solution.coefficients
    law, random = problem.law, np.random.default_rng(SEED)
    k = len(law.coefficients)
    # Exponents: nodes of the grid, by systematic resampling of their likelihood.
    tiny = 1e-12 * float((problem.error**2).mean()) if problem.residual == "linear" else 1e-12
    fall = np.log((surface.loss + tiny) / (surface.loss.min() + tiny))
    total = np.cumsum(np.exp(-0.5 * (df + len(law.exponents)) * fall))
    node = np.minimum(np.searchsorted(total, (np.arange(DRAWS) + 0.5) / DRAWS * total[-1]), len(total) - 1)
    exponents, centre = surface.mesh[node], surface.coefficients[node]
    # Coefficients: normal around each node's best, by the curvature J'J there of residuals in their unit.
    columns = problem.columns(exponents)
    f = np.maximum((columns @ centre[..., None])[..., 0], SMALLEST)
    rows = columns * (np.sqrt(problem.weight) / (1.0 if problem.residual == "linear" else f))[..., None]
    gram = np.swapaxes(rows, 1, 2) @ rows
    size = np.sqrt(np.einsum("sii->si", gram)) + SMALLEST
    root = np.linalg.cholesky(gram / size[:, :, None] / size[:, None, :] + RIDGE * np.eye(k))
    # The noise is not known either: its draws make the coefficients those of Student's t.
    normal = random.standard_normal((DRAWS, k, 1))
    spread = sigma * np.sqrt(df / random.chisquare(df, DRAWS))
    step = np.linalg.solve(np.swapaxes(root, 1, 2), normal)[..., 0] / size
    return exponents, np.maximum(centre + spread[:, None] * step, 0.0)
