"""Profiles of a least squares loss: where it stays low along one parameter, all others fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syn2real.laws.student import student_t
from syn2real.laws.varpro import Problem, Solution, project, search

BRACKETS = 4  # how often an interval's end is narrowed


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
    limit = float(solution.loss[0]) * allowance(df, level)
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


def lay_grid(
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
    axes = [np.geomspace(*ends, nodes) for ends in law.ranges]
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
            axes = [_narrow_axis(surface, i, reach) for i in range(len(axes))]
    return surface


def _narrow_axis(surface: Surface, place: int, limit: float) -> np.ndarray:
    """Nodes over the part of an axis where the profile is below `limit`, a node more on each side."""
    axis, loss = surface.axes[place], surface.profile(place)
    near = np.flatnonzero(loss <= limit)
    near = near if len(near) else np.array([loss.argmin()])
    return np.geomspace(axis[max(near[0] - 1, 0)], axis[min(near[-1] + 1, len(axis) - 1)], len(axis))


def allowance(df: int, level: float) -> float:
    """How much the loss may exceed its least within a profile interval."""
    if df < 1:
        return 1.0
    return 1 + student_t(df, (1 + level) / 2) ** 2 / df


def exponent_interval(surface: Surface, place: int, limit: float) -> tuple[float | None, float | None]:
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
