"""Do intervals for all photographs like the tested ones cover, where the truth is known?

Question: how often do nominal 95 % intervals of the error at the largest n, and of C, hold the values of the
population that the test photographs were drawn from? Beside them today's intervals, which speak of the tested
photographs alone, and the binomial bound that needs no per-image results (rates only).
Every curve has its own law, 5 to 8 sizes and 1 to 4 seeds. Rates: each photograph has its own error that
stays and its own that falls; its luck is correlated over n. AP: objects and false alarms of photographs of
unequal difficulty, at a skill for which the population's AP follows the law.
Cost: about five minutes on one core (``--curves 50`` for a glance).
Expected: 92 to 98 % for the population's error; up to 99 % for C, whose interval is wide for other reasons.

Run it with ``python workflow/benchmarks/photographs.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
import pandas as pd

from syn2real.laws.forms.simple import LAW
from syn2real.laws.methods import posterior
from syn2real.laws.photographs import Photographs, from_resamples, multiplicities
from syn2real.laws.table import Curve, split_curves

FILE = 24  # curves fitted at once, each on its own
POPULATION = 60_000  # photographs that stand for all
SPREADS = (0.5, 1.0, 1.5)  # of the photographs' difficulty, for detections


@dataclass(frozen=True)
class Truth:
    """A law of the population, and runs at n, shape (m,), with so many seeds, of error `law`, shape (m,)."""

    alpha: float
    C: float
    n: np.ndarray
    seeds: int
    law: np.ndarray
    luck: float  # correlation over n of what a run gets right by luck
    noise: float  # of a run as a whole, in log error


def draw_truth(random: np.random.Generator) -> Truth:
    """Draw a law: α in [0.2, 0.8], images take 10 to 80 % of an error of 0.15 to 0.8."""
    n = 1000 * 2.0 ** (np.arange(random.integers(5, 9)) * random.choice([1.0, 1.5]))
    alpha, start = random.uniform(0.2, 0.8), random.uniform(0.15, 0.8)
    share = np.exp(random.uniform(np.log(0.1), np.log(0.8)))
    law = start * (1 - share + share * (n / n[0]) ** -alpha)
    seeds = int(random.integers(1, 5))
    return Truth(alpha, start * (1 - share), n, seeds, law, random.uniform(0, 0.8), random.uniform(0, 0.02))


def walk(random: np.random.Generator, count: int, truth: Truth) -> np.ndarray:
    """Return standard normals correlated over n, shape (m, count)."""
    out = random.standard_normal((len(truth.n), count), dtype=np.float32)
    for j in range(1, len(out)):
        out[j] = truth.luck * out[j - 1] + np.sqrt(1 - truth.luck**2) * out[j]
    return out


Errors = Callable[[np.ndarray], np.ndarray]
"""Multiplicities (B, N) to the errors of a curve's runs, (B, M): the seeds after one another."""


def rates(random: np.random.Generator, truth: Truth, photographs: int) -> Errors:
    """Simulate right and wrong: the photographs' rates are of beta distributions, nearly all or none."""
    unequal = np.exp(random.uniform(np.log(0.2), np.log(3)))
    falls = (truth.law[0] - truth.C) / (1 - truth.C)
    stays, part = (
        random.beta(mean * unequal, (1 - mean) * unequal, photographs) for mean in (truth.C, falls)
    )
    fall = (truth.law - truth.C) / (truth.law[0] - truth.C)
    wrong = []
    for _ in range(truth.seeds):
        rate = (stays + (1 - stays) * part * fall[:, None]) * np.exp(
            truth.noise * random.standard_normal((len(fall), 1))
        )
        wrong.append(walk(random, photographs, truth) < _normal_quantile(rate))
    table = np.concatenate(wrong).astype(np.float32)
    return lambda times: times.astype(np.float32) @ table.T / photographs


def _normal_quantile(rate: np.ndarray) -> np.ndarray:
    """Return the standard normal quantile of rates, from a table."""
    grid = np.linspace(1e-4, 1 - 1e-4, 2001)
    values = np.interp(rate, grid, _quantiles())
    return np.where(rate < grid[0], -np.inf, np.where(rate > grid[-1], np.inf, values))


@cache
def _quantiles() -> np.ndarray:
    return np.array([NormalDist().inv_cdf(p) for p in np.linspace(1e-4, 1 - 1e-4, 2001)])


@dataclass(frozen=True)
class Scene:
    """Objects and false alarms: the photograph of each, its difficulty, and whether it is an object."""

    place: np.ndarray
    difficulty: np.ndarray
    real: np.ndarray
    photographs: int

    @classmethod
    def draw(cls, random: np.random.Generator, photographs: int, spread: float) -> Scene:
        """Draw one to several objects and about two false alarms a photograph."""
        objects, alarms = 1 + random.poisson(1.5, photographs), random.poisson(2.0, photographs)
        place = np.concatenate([np.repeat(np.arange(photographs), many) for many in (objects, alarms)])
        hard = spread * random.standard_normal(photographs)
        return cls(place, hard[place], np.arange(len(place)) < objects.sum(), photographs)

    def average_precision(self, skill: float, luck: np.ndarray, times: np.ndarray) -> np.ndarray:
        """AP, the area under the precision's envelope, with photographs counted so often, (B, N) to (B,)."""
        score = np.where(self.real, skill, 0) - self.difficulty * np.where(self.real, 1, -0.5) + luck
        seen = score > -1.0  # the detector's threshold; objects below it are missed
        order = np.flatnonzero(seen)[np.argsort(-score[seen])]
        weight = times[:, self.place[order]].astype(np.float32)
        found = np.cumsum(weight * self.real[order], axis=1)
        precision = found / np.maximum(np.cumsum(weight, axis=1), 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        objects = np.bincount(self.place[self.real], minlength=self.photographs)
        return (envelope * weight * self.real[order]).sum(axis=1) / np.maximum(times @ objects, 1)


@cache
def skills(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return skills by falling error of the population, and those errors."""
    random = np.random.default_rng([1, int(10 * spread)])
    scene, once = Scene.draw(random, POPULATION, spread), np.ones((1, POPULATION))
    luck = random.standard_normal(len(scene.place))
    grid = np.linspace(-5, 9, 57)
    return grid, np.array([1 - scene.average_precision(skill, luck, once)[0] for skill in grid])


def detections(random: np.random.Generator, truth: Truth, photographs: int) -> Errors:
    """Simulate detections whose population has the law's AP."""
    spread = float(random.choice(SPREADS))
    scene, (skill, error) = Scene.draw(random, photographs, spread), skills(spread)
    runs = []
    for _ in range(truth.seeds):
        asked = truth.law * np.exp(truth.noise * random.standard_normal(len(truth.n)))
        at = np.interp(-asked, -error, skill)
        runs += list(zip(at, walk(random, len(scene.place), truth), strict=True))
    return lambda times: np.stack([1 - scene.average_precision(s, luck, times) for s, luck in runs], axis=1)


def answers(simulate: Callable[..., Errors], photographs: int, seed: int) -> list[dict[str, float]]:
    """Simulate a file of curves and compare their intervals with the population."""
    random = np.random.default_rng([seed, photographs])
    truths, curves, tested = [], [], []
    times = np.concatenate([np.ones((1, photographs)), multiplicities(photographs)])
    for index in range(FILE):
        truth = draw_truth(random)
        errors = simulate(random, truth, photographs)
        n, run = np.tile(truth.n, truth.seeds), np.repeat(np.arange(truth.seeds), len(truth.n))
        seen = np.maximum(errors(times), 0.5 / photographs)
        frame = pd.DataFrame({"n": n, "seed": run, "error": seen[0]})
        truths.append(truth)
        curves.append(split_curves(frame.assign(curve=index), ["curve"])[0][0])
        tested.append(from_resamples(seen, n, run, photographs))
    return _compare(truths, curves, tested)


def _compare(
    truths: Sequence[Truth], curves: Sequence[Curve], tested: Sequence[Photographs]
) -> list[dict[str, float]]:
    """Say of each curve which intervals hold the population's values, and how wide they are."""
    out = []
    fits, _ = posterior.fit(curves, LAW, level=0.95, pool=False)
    for truth, fit, test in zip(truths, fits, tested, strict=True):
        draws = {"error": fit.draws.errors(truth.n[-1:])[:, 0], "C": fit.draws.gap}
        true = {"error": float(truth.law[-1]), "C": truth.C}
        found = {"v N": test.variance * test.count}
        none, binomial = Photographs(test.count, 0.0), Photographs(test.count, 1 / test.count)
        for kind, one in (("today", none), ("photographs", test), ("binomial", binomial)):
            for name, values in draws.items():
                low, high = np.quantile(one.moved(values), [0.025, 0.975])
                low, high = posterior.pressed(np.array([low, high])) if name == "C" else (low, high)
                found[f"{name} {kind}"] = float(low <= true[name] <= high)
                found[f"width of {name} {kind}"] = float(high - low)
        alpha = fit.estimates["alpha"]
        found["alpha"] = float((alpha.lower or 0) <= truth.alpha <= (alpha.upper or np.inf))
        out.append(found)
    return out


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", type=int, default=1000, help="of each setting (default: %(default)s)")
    files = -(-parser.parse_args().curves // FILE)
    rows = {}
    for name, simulate in (("rate", rates), ("AP", detections)):
        for photographs in (100, 1000):
            found = [one for seed in range(files) for one in answers(simulate, photographs, seed)]
            rows[name, photographs] = pd.DataFrame(found).mean()
            print(f"{name}, {photographs} photographs: {len(found)} curves", flush=True)
    table = pd.DataFrame(rows).T.rename_axis(["error", "photographs"])
    wide = [column for column in table if str(column).startswith(("width", "v N"))]
    with pd.option_context("display.width", 200, "display.max_columns", 40):
        print(f"\nCoverage of nominal 95 % intervals\n{table.drop(columns=wide).round(3).to_string()}")
        print(f"\nMean widths, and variance over the binomial one\n{table[wide].round(3).to_string()}")


if __name__ == "__main__":
    main()
