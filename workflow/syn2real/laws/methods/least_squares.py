"""Least squares fits of any law, with profile intervals and intervals of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import AT_BOUND, OK, SEED, UNIDENTIFIED, Param, Predictions, Rows, tails
from syn2real.laws.table import Curve
from syn2real.laws.varpro import SMALLEST, Problem, Solution, project, search

DRAWS = 2000
AXIS = {1: 240, 2: 40}  # nodes an exponent of the grid that intervals are read from
PASSES = 6
QUICK = {1: 96, 2: 24}  # nodes an exponent, and passes, of the grid that statuses alone are read from
QUICK_PASSES = 3
NOTHING = 1e-3  # of the way to an interval's limit: a coefficient whose absence costs less lies at 0
WIDEST = 4  # times an exponent's lower end that its upper end may be, to be identified
LARGEST_NOISE = 50  # the noise of a log error is cut here, to stay finite
FAR = 0.9999  # level of the interval that the grid spans
QUIET = 1e-9  # the least standard deviation of log residuals that Huber's loss is given
MAD = 1.4826  # a normal's standard deviation over its median absolute deviation
BRACKETS = 4  # how often an interval's end is narrowed
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
        law, unit = self.problem.law, self.problem.unit
        error = law.columns(self.solution.exponents[0], rows, unit) @ self.solution.coefficients[0]
        if self.df < 1:
            nothing = np.full(error.shape, np.nan)
            return Predictions(error, nothing, nothing, nothing, nothing)
        mean = (law.columns(self.exponents, rows, unit) @ self.coefficients[..., None])[..., 0]
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
    sigma = float(np.sqrt(solution.loss[0] / max(df, 1)))
    surface = _surface(
        problem, _factor(df, FAR), AXIS[len(law.exponents)], PASSES, least=float(solution.loss[0])
    )
    exponents, coefficients = _draws(problem, solution, surface, sigma, df)
    drawn = unscaled(problem, exponents, coefficients)
    params = _params(problem, solution, surface, drawn, df, level)
    rmse = float(np.sqrt(np.mean(_log_residuals(problem, solution) ** 2)))
    return LeastSquares(problem, solution, sigma, df, exponents, coefficients, params, rmse)


def identified_by(curve: Curve, law: Law, *, level: float = 0.95) -> dict[str, str]:
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
    surface = _surface(problem, _factor(df, level), QUICK[len(law.exponents)], QUICK_PASSES)
    return _statuses(problem, surface, df, level)


def _statuses(problem: Problem, surface: Surface, df: int, level: float) -> dict[str, str]:
    """Status of each parameter, as `identified_by` says."""
    law, least, best = problem.law, float(surface.loss.min()), int(surface.loss.argmin())
    exponents, coefficients = surface.mesh[best], surface.coefficients[best]
    limit = least * _factor(df, level)
    ends = [_exponent_interval(surface, place, limit) for place in range(len(exponents))]
    rates = [low is not None and high is not None and high <= WIDEST * low for low, high in ends]
    lost = _lost_without_each(problem, len(surface.axes[0]))
    # An end at 0 is inside the interval where the law without the coefficient fits well enough.
    inside = dict(zip(law.exponents, rates, strict=True)) | {
        name: loss > limit for name, loss in lost.items()
    }
    bound = {
        **dict(zip(law.exponents, np.isclose(exponents[:, None], law.bounds, rtol=1e-3).any(1), strict=True)),
        **{name: loss <= least + NOTHING * (limit - least) for name, loss in lost.items()},
    }
    out = {}
    for name in unscaled(problem, exponents, coefficients):
        # A ratio of coefficients, such as γ, needs all of them.
        own = inside[name] if name in inside else all(inside.values())
        is_known = df >= 1 and own and (name in (law.constant, *law.exponents) or all(rates))
        out[name] = AT_BOUND if bound.get(name, False) else OK if is_known else UNIDENTIFIED
    return out


def _lost_without_each(problem: Problem, nodes: int) -> dict[str, float]:
    """Least loss of the law without each of its coefficients; infinite where nothing is left."""
    names, out = problem.law.coefficients, {}
    for place, name in enumerate(names):
        others = [i for i in range(len(names)) if i != place]
        loss = _surface(problem, 1.0, nodes, QUICK_PASSES, others).loss if others else np.array(np.inf)
        out[name] = float(loss.min())
    return out


def scaled_problem(curve: Curve, law: Law, residual: str) -> tuple[Problem, int]:
    """Return a curve's problem, in units of the geometric means of its rows, and its degrees of freedom."""
    rows = Rows(curve.n, curve.s, curve.n_params)
    # Runs without labels (s = 0) belong to laws of n alone, whose unit they leave open.
    sizes = (np.where(values > 0, values, np.nan) for values in (rows.n, rows.s, rows.n_params))
    unit = Rows(*(np.exp(np.mean(np.log(values)))[None] for values in sizes))
    # The spread of replicates is one of logarithms; that of linear residuals is larger by the errors' size.
    size = float(np.mean(curve.error**2)) if residual == "linear" else 1.0
    problem = Problem(law, rows, unit, curve.error, curve.weight, residual, within=size * curve.within)
    return problem, len(curve.n) - len(law.exponents) - len(law.coefficients) + curve.replicates


def _log_residuals(problem: Problem, solution: Solution) -> np.ndarray:
    """Logarithms of measured over fitted errors, shape (m,)."""
    f = problem.columns(solution.exponents[0]) @ solution.coefficients[0]
    return np.log(problem.error / np.maximum(f, SMALLEST))


def profile(problem: Problem, name: str, values: np.ndarray) -> np.ndarray:
    """Loss at each held value of a parameter, everything else fitted; shape (V,)."""
    return search(problem, {name: values}).loss


def profile_interval(
    problem: Problem, solution: Solution, name: str, df: int, level: float
) -> tuple[float | None, float | None]:
    """Interval of a scaled parameter by its profile: loss ≤ best · (1 + t² / df).

    An end that the parameter's range does not close is None.
    """
    law = problem.law
    place = law.exponents.index(name) if name in law.exponents else law.coefficients.index(name)
    best = float((solution.exponents if name in law.exponents else solution.coefficients)[0, place])
    limit = float(solution.loss[0]) * _factor(df, level)
    top = law.bounds[1] if name in law.exponents else 2 * float(problem.error.max())
    bottom = law.bounds[0] if name in law.exponents else 0.0
    return _end(problem, name, best, bottom, limit), _end(problem, name, best, top, limit)


def _end(problem: Problem, name: str, best: float, bound: float, limit: float) -> float | None:
    """Where the profile crosses `limit` between the best value and a bound; None where it does not."""
    inside, outside = best, bound
    if abs(outside - inside) < 1e-12:
        return None
    # First over all scales between the best value and the bound, then evenly within the bracket found.
    reach = np.geomspace(1e-5, 1, 24)
    for _ in range(BRACKETS):
        values = inside + (outside - inside) * reach
        held = np.maximum(values, 1e-12) if name in problem.law.exponents else values
        over = profile(problem, name, held) > limit
        if not over.any():
            return None
        first = int(over.argmax())
        inside, outside = (values[first - 1] if first else inside), values[first]
        reach = np.linspace(1 / 16, 1, 16)
    return float((inside + outside) / 2)


@dataclass(frozen=True)
class Surface:
    """The loss on a grid of exponents, coefficients profiled out.

    Attributes
    ----------
    axes : list of ndarray
        Nodes of each exponent.
    coefficients : ndarray, shape (G, k)
    loss : ndarray, shape (G,)
    """

    axes: list[np.ndarray]
    coefficients: np.ndarray
    loss: np.ndarray

    @property
    def mesh(self) -> np.ndarray:
        """The nodes, shape (G, q)."""
        return np.stack([axis.reshape(-1) for axis in np.meshgrid(*self.axes, indexing="ij")], axis=-1)

    def profile(self, place: int) -> np.ndarray:
        """Loss along one exponent, the others fitted."""
        cube = self.loss.reshape([len(axis) for axis in self.axes])
        return cube.min(axis=tuple(i for i in range(cube.ndim) if i != place))


def _surface(
    problem: Problem,
    factor: float,
    nodes: int,
    passes: int,
    free: list[int] | None = None,
    least: float | None = None,
) -> Surface:
    """Lay a grid of exponents again and again around where the loss is near its least.

    Parameters
    ----------
    factor : float
        Nodes whose loss is at most this multiple of the least lie within the next grid.
    nodes : int
        Of each exponent.
    free : list of int, optional
        The coefficients that are not held at 0; all unless given.
    least : float, optional
        The least loss, where it is known better than from the grid.
    """
    law = problem.law
    axes = [np.geomspace(*law.bounds, nodes) for _ in law.exponents]
    for again in range(passes):
        mesh = Surface(axes, np.empty(0), np.empty(0)).mesh[None]
        offset = np.zeros((1, mesh.shape[1], len(problem.error)))
        c, loss = project(problem, mesh, offset, list(range(len(law.coefficients))) if free is None else free)
        surface = Surface(axes, c[0], loss[0])
        if again < passes - 1:
            lowest = float(loss.min())
            # A grid that still misses the valley keeps what lies near its own least.
            goal = lowest if least is None else least
            reach = goal * factor + 3 * max(lowest - goal, 0.0)
            axes = [narrow_axis(surface, i, reach) for i in range(len(axes))]
    return surface


def narrow_axis(surface: Surface, place: int, limit: float) -> np.ndarray:
    """Nodes over the part of an axis where the profile is below `limit`, a node more on each side."""
    axis, loss = surface.axes[place], surface.profile(place)
    near = np.flatnonzero(loss <= limit)
    near = near if len(near) else np.array([loss.argmin()])
    return np.geomspace(axis[max(near[0] - 1, 0)], axis[min(near[-1] + 1, len(axis) - 1)], len(axis))


def _factor(df: int, level: float) -> float:
    """How much the loss may exceed its least within a profile interval."""
    from scipy.special import stdtrit

    if df < 1:
        return 1.0
    return 1 + float(stdtrit(df, (1 + level) / 2)) ** 2 / df


def _exponent_interval(surface: Surface, place: int, limit: float) -> tuple[float | None, float | None]:
    """Where the profile along an exponent crosses `limit`; an end at the exponent's bound is None."""
    axis, loss = np.log(surface.axes[place]), surface.profile(place)
    best = int(loss.argmin())

    def crossing(side: np.ndarray) -> float | None:
        over = np.flatnonzero(loss[side] > limit)
        if len(over) == 0 or over[0] == 0:
            return None
        near, far = side[over[0] - 1], side[over[0]]
        part = (limit - loss[near]) / (loss[far] - loss[near])
        return float(np.exp(axis[near] + part * (axis[far] - axis[near])))

    return crossing(np.arange(best, -1, -1)), crossing(np.arange(best, len(axis)))


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
    limit = float(solution.loss[0]) * _factor(df, level)
    ends = {e: _exponent_interval(surface, i, limit) for i, e in enumerate(law.exponents)}
    loose = any(end is None for pair in ends.values() for end in pair)
    statuses = _statuses(problem, surface, df, level)
    for name, value in unscaled(problem, solution.exponents, solution.coefficients).items():
        lower: float | None
        upper: float | None
        lower, upper = map(float, np.nanquantile(drawn[name], tails(level)))
        if df < 1 or (loose and name not in (law.constant, *law.exponents)):
            lower, upper = None, None
        elif name in ends:
            lower, upper = ends[name]
        elif name == law.constant and len(law.exponents) == 1:
            lower, upper = profile_interval(problem, solution, name, df, level)
            lower = lower or 0.0
        out[name] = Param(float(value[0]), lower, upper, statuses[name])
    return out


def unscaled(problem: Problem, exponents: np.ndarray, coefficients: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters in the curve's own units from scaled ones; arrays (...)."""
    one = problem.law.columns(exponents, problem.unit)[..., 0, :]  # where the scaled columns are 1
    with np.errstate(divide="ignore", over="ignore"):
        return problem.law.named(exponents, coefficients / one)


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
