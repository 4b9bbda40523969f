"""Variable projection: for given exponents a law is linear, so only the exponents are searched.

Everything is vectorised over V problems (values at which a parameter is held) and G nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from syn2real.laws.forms.base import Law
from syn2real.laws.results import Rows

RESIDUALS = ("log", "linear", "huber")
HUBER = 1.345  # 95 % efficiency for normal noise
ZOOMS = {
    1: 7,
    2: 9,
    3: 16,
}  # how often the grid is laid again around the best, by how many exponents there are
NODES = {1: 48, 2: 18, 3: 12}  # nodes an exponent, by how many exponents there are
REWEIGH = 4  # Gauss-Newton steps of a residual in logs
STEP = 0.05  # of the first simplex, in the logarithms of exponents
BLOCK = 400_000  # numbers of columns held at once
SMALLEST = 1e-300  # what takes the logarithm of 0
RIDGE = 1e-13  # that keeps two columns of the same direction solvable, in units of their length
LEAST_SHARE = 1e-9  # of a measured error that a law's error may fall to while residuals are made linear


@dataclass(frozen=True)
class Problem:
    """What is fitted.

    Attributes
    ----------
    law : Law
    rows : Rows
        Of length m.
    unit : Rows
        One row, over which the columns are taken: coefficients of order one cure the numerics.
    error, weight : ndarray, shape (m,)
        Weight is the relative inverse variance of the residual.
    residual : str
        One of `RESIDUALS`; huber is Huber's loss of the log residual.
    scale : float
        The residual's standard deviation, which Huber's loss needs.
    within : float
        Weighted sum of squares between replicates, which no law explains and every loss contains.
    """

    law: Law
    rows: Rows
    unit: Rows
    error: np.ndarray
    weight: np.ndarray
    residual: str = "log"
    scale: float = np.inf
    within: float = 0.0

    def columns(self, exponents: np.ndarray, rows: Rows | None = None) -> np.ndarray:
        """The law's columns at rows over those at the unit; (..., q) to (..., m, k)."""
        return self.law.columns(self.law.natural(exponents, self.unit), rows or self.rows, self.unit)


@dataclass(frozen=True)
class Solution:
    """Best exponents (V, q), coefficients (V, k) and loss (V,) of V problems."""

    exponents: np.ndarray
    coefficients: np.ndarray
    loss: np.ndarray


def solve_nonnegative(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least squares with non-negative coefficients, by trying every support (k is 3 at most).

    Parameters
    ----------
    columns : ndarray, shape (..., m, k)
    target : ndarray, shape (..., m)

    Returns
    -------
    ndarray, shape (..., k)
    """
    k = columns.shape[-1]
    # Normal equations of columns of length one.
    size = np.sqrt((columns**2).sum(axis=-2)) + SMALLEST
    unit = columns / size[..., None, :]
    gram = np.swapaxes(unit, -1, -2) @ unit
    moment = (np.swapaxes(unit, -1, -2) @ target[..., None])[..., 0]
    # The support whose unconstrained solution is non-negative and explains most is the constrained one.
    best = np.zeros(moment.shape)
    best_gain = np.zeros(moment.shape[:-1])  # how much the sum of squares falls
    for count in range(1, k + 1):
        for support in map(list, combinations(range(k), count)):
            part = gram[..., support, :][..., support] + RIDGE * np.eye(count)
            one = moment[..., support]
            found = np.linalg.solve(part, one[..., None])[..., 0] if count > 1 else one / part[..., 0]
            gain = (found * one).sum(axis=-1)
            better = (found >= 0).all(axis=-1) & (gain > best_gain)
            best_gain = np.where(better, gain, best_gain)
            whole = np.zeros(moment.shape)
            whole[..., support] = found
            best = np.where(better[..., None], whole, best)
    return best / size


def project(
    problem: Problem, exponents: np.ndarray, offset: np.ndarray, free: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Profile the coefficients out at every node.

    Parameters
    ----------
    exponents : ndarray, shape (V, G, q)
    offset : ndarray, shape (V, G, m)
        What the coefficients that are held contribute.
    free : list of int
        The coefficients that are not held.

    Returns
    -------
    coefficients : ndarray, shape (V, G, len(free))
    loss : ndarray, shape (V, G)
    """
    columns = problem.columns(exponents)[..., free]
    y, root = problem.error, np.sqrt(problem.weight)
    # Linear residuals are solved at once; those in logs start from relative ones, (y - f) / y.
    scale = root if problem.residual == "linear" else root / y
    c = _solve(columns, y - offset, np.broadcast_to(scale, columns.shape[:-1]))
    best, best_loss = c, _loss(problem, y, offset + _times(columns, c))
    if problem.residual == "linear":
        return best, best_loss
    for _ in range(REWEIGH):
        # Around the present f, log y - log f(c) is (f (log(y / f) + 1) - f(c)) / f: least squares again.
        f = np.maximum(offset + _times(columns, c), LEAST_SHARE * y)
        residuals = np.log(y / f)
        pull = root * _huber_weight(problem, root * residuals)
        c = _solve(columns, f * (residuals + 1) - offset, pull / f)
        # A step may overshoot, so the best of all is kept.
        loss = _loss(problem, y, offset + _times(columns, c))
        better = loss < best_loss
        best, best_loss = np.where(better[..., None], c, best), np.where(better, loss, best_loss)
    return best, best_loss


def search(problem: Problem, held: dict[str, np.ndarray] | None = None) -> Solution:
    """Find the best exponents on a grid that is laid again and again around them.

    Parameters
    ----------
    held : dict of str to ndarray, shape (V,), optional
        Parameters of the law (exponents or coefficients) held at values.

    Returns
    -------
    Solution
    """
    held = held or {}
    count = max([1, *(len(values) for values in held.values())])
    size = len(problem.rows.n) * NODES[len(problem.law.exponents)] ** len(problem.law.exponents)
    step = max(BLOCK // size, 1)
    parts = []
    for start in range(0, count, step):
        part = {name: values[start : start + step] for name, values in held.items()}
        parts.append(_search(problem, min(step, count - start), part))
    found = Solution(
        np.concatenate([part.exponents for part in parts]),
        np.concatenate([part.coefficients for part in parts]),
        np.concatenate([part.loss for part in parts]),
    )
    return found if held or len(problem.law.exponents) < 3 else _polish(problem, found)


def _search(problem: Problem, count: int, held: dict[str, np.ndarray]) -> Solution:
    """Search V problems at once, what is held (V,)."""
    law = problem.law
    free = [i for i, name in enumerate(law.coefficients) if name not in held]
    # The whole range of each exponent, in logs; one that is held has a range of no width.
    low, high = (np.tile(ends, (count, 1)) for ends in np.log(law.ranges).T)
    for i, name in enumerate(law.exponents):
        if name in held:
            low[:, i] = high[:, i] = np.log(held[name])
    floor, ceiling = low, high
    rows = np.arange(count)
    for _ in range(ZOOMS[len(law.exponents)]):
        nodes = _grid(low, high)  # (V, G, q)
        c, loss = project(problem, np.exp(nodes), _offset(problem, np.exp(nodes), held), free)
        # Next time, a node and a half on each side of the best.
        best = loss.argmin(axis=1)
        centre = nodes[rows, best]
        half = 1.5 * (high - low) / (NODES[len(law.exponents)] - 1)
        low, high = np.maximum(centre - half, floor), np.minimum(centre + half, ceiling)
    whole = np.zeros((count, len(law.coefficients)))
    whole[:, free] = c[rows, best]
    for i, name in enumerate(law.coefficients):
        if name in held:
            whole[:, i] = held[name]
    return Solution(np.exp(centre), whole, loss[rows, best])


def _polish(problem: Problem, found: Solution) -> Solution:
    """Go on from the best node of a grid too coarse for a valley across three exponents."""
    from scipy.optimize import minimize

    free, start = list(range(len(problem.law.coefficients))), np.log(found.exponents[0])

    def at(log_exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exponents = np.exp(log_exponents)[None, None]
        return project(problem, exponents, np.zeros((1, 1, len(problem.error))), free)

    # Every corner of the first simplex is a step along one exponent from the start.
    simplex = start + STEP * np.vstack([np.zeros(len(start)), np.eye(len(start))])
    bounds = np.log(problem.law.ranges)
    options = {"initial_simplex": simplex, "xatol": 1e-9, "fatol": np.inf, "maxiter": 1000}
    best = minimize(
        lambda x: float(at(x)[1][0, 0]), start, method="Nelder-Mead", bounds=bounds, options=options
    )
    coefficients, loss = at(best.x)
    return Solution(np.exp(best.x)[None], coefficients[0], loss[0])


def _grid(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Every combination of equally spaced exponents (in logs); (V, q) to (V, G, q)."""
    q = low.shape[1]
    steps = np.linspace(0, 1, NODES[q])
    corners = np.stack([axis.reshape(-1) for axis in np.meshgrid(*[steps] * q, indexing="ij")], axis=-1)
    return np.asarray(low[:, None] + (high - low)[:, None] * corners)


def _offset(problem: Problem, exponents: np.ndarray, held: dict[str, np.ndarray]) -> np.ndarray:
    """What the held coefficients contribute, shape (V, G, m)."""
    names = problem.law.coefficients
    fixed = [i for i, name in enumerate(names) if name in held]
    shape = (*exponents.shape[:2], len(problem.rows.n))
    if not fixed:
        return np.zeros(shape)
    columns = problem.columns(exponents)
    return sum((columns[..., i] * held[names[i]][:, None, None] for i in fixed), np.zeros(shape))


def _solve(columns: np.ndarray, target: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Non-negative least squares of rows scaled by `scale` (..., m)."""
    return solve_nonnegative(columns * scale[..., None], target * scale)


def _times(columns: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Columns times coefficients, shape (..., m)."""
    return (columns @ c[..., None])[..., 0]


def _huber_weight(problem: Problem, residuals: np.ndarray) -> np.ndarray:
    """Square root of Huber's weight of each residual; 1 for the other losses."""
    if problem.residual != "huber":
        return np.ones_like(residuals)
    return np.sqrt(np.minimum(1, HUBER * problem.scale / np.maximum(np.abs(residuals), SMALLEST)))


def _loss(problem: Problem, y: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Sum of squares (or of Huber's loss, doubled) of the residuals and between replicates, shape (...)."""
    if problem.residual == "linear":
        return (problem.weight * (y - f) ** 2).sum(axis=-1) + problem.within
    residuals = np.sqrt(problem.weight) * np.log(y / np.maximum(f, SMALLEST))
    if problem.residual == "log":
        return (residuals**2).sum(axis=-1) + problem.within
    # Huber: quadratic up to the knee, linear beyond it.
    knee, size = HUBER * problem.scale, np.abs(residuals)
    return np.where(size <= knee, size**2, 2 * knee * size - knee**2).sum(axis=-1) + problem.within
