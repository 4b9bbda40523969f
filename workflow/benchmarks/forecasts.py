"""Are first rounds of three to seven sizes forecast well, and do verdicts come true, law or no law?

Question: is the forecast better than what a user would use instead (least squares, a straight line through
the last three points in logs, the last value), do its intervals cover, and do verdicts come true?
Cost: about twelve minutes on two idle cores (``--curves 100`` for a glance).
Expected: mean error below each rival's and in no row a quarter above the best; coverage 0.92 to 0.97;
verdicts (given from a probability of 0.8 on) right in at least 0.8 of each row; the Brier score of one
decision never worse with more sizes.

The distribution: the first size is 100 to 5,000 images, the next ones twice as large (a third of the curves:
four times); errors start at 0.1 to 0.97; the noise of a run is 1 to 10 % (evenly in logs); images take 5 to
100 % of the error. Shapes: `law` D n^-α + C with α from 0.05 to 1.5; `bend` the same in n + κ with κ of 0.5
to 10 times the first size; `plateau` a law that stops falling between twice the first size and 8 times the
last; `log n` a straight line in log n that falls by 0.5 to 8 % of the start at each doubling; `U` a law that
rises by 0.5 to 5 % a doubling from some size on. The target lies 10 % above to 50 % below the error at the
largest size, and 2 to 100 times that size can be made.

Run it with ``python workflow/benchmarks/forecasts.py``.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from syn2real.laws.forecast import CurveForecast, Goal
from syn2real.laws.forms.simple import LAW
from syn2real.laws.methods import posterior
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve
from syn2real.laws.verdicts import SURE

SHAPES = ("law", "bend", "plateau", "log n", "U")
POINTS, SEEDS = (3, 4, 5, 7), (1, 3)
AHEAD = 4.0  # forecasts are made at so many times the largest measured n
RIVALS = 500  # curves of a row that the rivals forecast: curve_fit is slow
BATCH = 50

Errors = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """A simulated curve, the error behind it, and what is asked of it."""

    curve: Curve
    error: Errors
    noise: float
    goal: Goal


def expected_error(random: np.random.Generator, shape: str, first: float, most: float) -> Errors:
    """Draw a curve of a shape (see the module's docstring)."""
    alpha, start, share = (
        np.exp(random.uniform(*np.log([0.05, 1.5]))),
        *random.uniform([0.1, 0.05], [0.97, 1.0]),
    )
    knee, rise = np.exp(random.uniform(*np.log([2 * first, 8 * most]))), random.uniform(0.005, 0.05)
    kappa, fall = (
        first * np.exp(random.uniform(*np.log([0.5, 10]))),
        np.exp(random.uniform(*np.log([0.005, 0.08]))),
    )

    def law(n: np.ndarray) -> np.ndarray:
        return start * (1 - share + share * (n / first) ** -alpha)

    shapes: dict[str, Errors] = {
        "law": law,
        "bend": lambda n: start * (1 - share + share * ((n + kappa) / (first + kappa)) ** -alpha),
        "plateau": lambda n: law((n**-4.0 + knee**-4.0) ** -0.25),
        "log n": lambda n: start * np.maximum(1 - fall * np.log2(n / first), 0.03),
        "U": lambda n: law(n) * (1 + np.minimum(rise * np.log2(1 + (n / knee) ** 2) / 2, 0.5)),
    }
    return shapes[shape]


def simulate(random: np.random.Generator, shape: str, points: int, seeds: int) -> Truth:
    """Draw a curve, its measurements and a goal."""
    first, step = np.exp(random.uniform(*np.log([100, 5000]))), random.choice([2.0, 2.0, 4.0])
    n = np.round(first * step ** np.arange(points))
    error = expected_error(random, shape, n[0], n[-1])
    noise = np.exp(random.uniform(*np.log([0.01, 0.1])))
    logs = np.log(error(n))[:, None] + noise * random.standard_normal((points, seeds))
    mean, nothing = logs.mean(axis=1), np.full(points, np.nan)
    within = float(((logs - mean[:, None]) ** 2).sum())
    curve = Curve(
        {}, n, np.exp(mean), np.full(points, float(seeds)), nothing, nothing, within, points * (seeds - 1)
    )
    target = float(error(n[-1:])[0]) * (1 - random.uniform(-0.1, 0.5))
    return Truth(curve, error, noise, Goal(target, n[-1] * np.exp(random.uniform(*np.log([2, 100])))))


def least_squares(curve: Curve, n: float) -> float:
    """Forecast by a free fit of the law in logs, as curve_fit gives it."""
    from scipy.optimize import curve_fit

    n0 = float(np.exp(np.log(curve.n).mean()))

    def law(x: np.ndarray, d: float, alpha: float, gap: float) -> np.ndarray:
        return np.log(np.maximum(d * (x / n0) ** -alpha + gap, 1e-12))

    start = (max(curve.error[0] - curve.error[-1], 1e-4), 0.5, 0.9 * curve.error.min())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounds = ([0, 0.01, 0], [10, 5, 10])
            best, _ = curve_fit(law, curve.n, np.log(curve.error), start, bounds=bounds, max_nfev=500)
    except (RuntimeError, ValueError):
        return float(curve.error.mean())
    return float(np.exp(law(np.array([n]), *best)[0]))


def local_power(curve: Curve, n: float) -> float:
    """Forecast by a straight line through the last three points in logs."""
    return float(np.exp(np.polyval(np.polyfit(np.log(curve.n[-3:]), np.log(curve.error[-3:]), 1), np.log(n))))


def reached(truth: Truth, n: float) -> bool:
    """Say whether some set from the largest measured one to n images meets the target."""
    sizes = np.geomspace(truth.curve.n[-1], max(n, truth.curve.n[-1]), 40)
    return bool((truth.error(sizes) <= truth.goal.target_error).any())


def verdict(forecast: CurveForecast, truth: Truth) -> float:
    """Return whether the verdict comes true; NaN where none is given."""
    if forecast.chance(forecast.most) >= SURE:
        return float(reached(truth, 0))
    if forecast.reachable >= SURE:
        return float(reached(truth, forecast.limit))
    if 1 - forecast.reachable >= SURE:
        return float(not reached(truth, forecast.limit))
    return np.nan


def row(job: tuple[str, int, int, int]) -> pd.DataFrame:
    """Simulate one row's curves and hold every answer against the truth."""
    shape, points, seeds, count = job
    random = np.random.default_rng([SHAPES.index(shape), points, seeds])
    truths, out = [simulate(random, shape, points, seeds) for _ in range(count)], []
    for start in range(0, count, BATCH):
        some = truths[start : start + BATCH]
        fits, _ = posterior.fit([truth.curve for truth in some], LAW, level=0.95, pool=False)
        for place, (truth, fit) in enumerate(zip(some, fits, strict=True), start):
            n = AHEAD * truth.curve.n[-1]
            mean = float(truth.error(np.array([n]))[0])
            shown = mean * np.exp(truth.noise * random.standard_normal())
            predicted, forecast = fit.predict(Rows.at(n), 0.95), CurveForecast(truth.curve, truth.goal, fit)
            rivals = {"least squares": least_squares, "local power": local_power} if place < RIVALS else {}
            out.append({
                "ours": predicted.error[0] - mean, "last value": truth.curve.error[-1] - mean,
                **{name: rival(truth.curve, n) - mean for name, rival in rivals.items()},
                "cover": float(predicted.predict_lower[0] <= shown <= predicted.predict_upper[0]),
                "right": verdict(forecast, truth),
                "brier": (forecast.reachable - reached(truth, forecast.limit)) ** 2,
            })  # fmt: skip
    return pd.DataFrame(out).assign(shape=shape, points=points, seeds=seeds)


def more_points(job: tuple[str, int, int]) -> pd.DataFrame:
    """Take one decision from the first 3, 4, 5 and 7 sizes of the same curves."""
    shape, seeds, count = job
    random, out = np.random.default_rng([SHAPES.index(shape), seeds]), []
    truths = [simulate(random, shape, POINTS[-1], seeds) for _ in range(count)]
    for points in POINTS:
        curves = [first_sizes(truth.curve, points) for truth in truths]
        fits, _ = posterior.fit(curves, LAW, level=0.95, pool=False)
        for truth, curve, fit in zip(truths, curves, fits, strict=True):
            chance = CurveForecast(curve, truth.goal, fit).reachable
            sizes = np.geomspace(curve.n[0], truth.goal.max_images, 60)
            hit = (truth.error(sizes[sizes >= truth.curve.n[-1]]) <= truth.goal.target_error).any()
            out.append({"shape": shape, "seeds": seeds, "points": points, "brier": (chance - hit) ** 2})
    return pd.DataFrame(out)


def first_sizes(curve: Curve, points: int) -> Curve:
    """Return the first sizes of a curve, with their part of the replicates' scatter."""
    part = points / len(curve.n)
    kept = curve.where(np.arange(len(curve.n)) < points)
    return replace(kept, within=curve.within * part, replicates=int(curve.replicates * part))


def table(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return root-mean-square errors, coverage, and how many verdicts are given and right."""
    groups = frame.groupby(by, sort=False)
    names = ["ours", "least squares", "local power", "last value"]
    # On the curves that every rival has forecast.
    squares = frame.dropna(subset=names)[[*by, *names]].groupby(by, sort=False)
    out = 1000 * squares.agg(lambda column: np.sqrt((column**2).mean()))
    out["cover"], out["given"] = groups["cover"].mean(), groups["right"].count() / groups.size()
    out["right"] = groups["right"].mean()
    out["standard error"] = groups["right"].sem()
    out["brier"], out["curves"] = groups["brier"].mean(), groups.size()
    return out.round(3)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", type=int, default=2000, help="of each row (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="(default: %(default)s)")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.processes) as pool:
        jobs = [(*place, args.curves) for place in product(SHAPES, POINTS, SEEDS)]
        frame = pd.concat(pool.map(row, jobs))
        prefixes = [(*place, max(args.curves // 5, 1)) for place in product(SHAPES, SEEDS)]
        nested = pd.concat(pool.map(more_points, prefixes))
    with pd.option_context("display.width", 200, "display.max_columns", 40, "display.max_rows", 200):
        print(f"Forecasts at {AHEAD:g} times the largest n (root-mean-square error in 0.001) and verdicts")
        for by in (["shape", "points", "seeds"], ["points"]):
            print(f"\n{table(frame, by).to_string()}")
        print(f"\nOver all\n{table(frame.assign(all='all'), ['all']).to_string()}")
        scores = nested.pivot_table(index=["shape", "seeds"], columns="points", values="brier", sort=False)
        print(f"\nBrier score of one decision by how many sizes are measured\n{scores.round(3).to_string()}")
        print(scores.mean().round(3).to_string())


if __name__ == "__main__":
    main()
