"""Which estimate of the entropy separates two settings, and which standard error is the true one.

Question: is the entropy with a floor better than shrinkage, and the jackknife over groups of scenes better
than a bootstrap, where the truth is known?
Cost: about ten minutes on one core (``--repetitions 12`` for a glance).
Expected: the floor's difference of two settings is the largest in units of its standard deviation; the
jackknife's error is that of repeated measurements to a sixth, the bootstraps' are not where images are few.

Features are simulated: scenes draw 40 hidden causes, with normal or long tails, and their views add to these;
two random layers with rectifiers make features of them, some channels nearly dead. In the second setting a
quarter of the causes hardly varies.

Run it with ``python workflow/benchmarks/entropy.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.covariance import ledoit_wolf_shrinkage, oas

from syn2real.complexity.covariance import Covariance
from syn2real.complexity.entropy import entropy, lifted_entropy
from syn2real.complexity.scenes import GROUPS, jackknife
from syn2real.complexity.schema import FLOOR

CAUSES, VARIED = 40, 30
REPLICATES = 50
"""Bootstrap replicates of a measurement."""


@dataclass(frozen=True)
class Case:
    """How many images of what kind."""

    name: str
    scenes: int
    views: int
    dimensions: int
    tails: int
    """Degrees of freedom of Student's t; 0 is normal."""


CASES = (
    Case("few images", 160, 2, 256, 0),
    Case("few images, long tails", 160, 2, 256, 8),
    Case("few images, tails without end", 160, 2, 256, 3),
    Case("many views, long tails", 200, 10, 128, 8),
)


def layers(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two random layers and the thresholds of the features: the reference backbone."""
    random = np.random.default_rng(0)
    first = random.normal(size=(CAUSES, 200)) * (np.arange(1, CAUSES + 1)[:, None] ** -0.7)
    return first, random.normal(size=(200, case.dimensions)) / 14, random.normal(0.5, 0.6, case.dimensions)


def draw(case: Case, random: np.random.Generator, varied: int) -> np.ndarray:
    """Return features, shape (scenes, views, d), of a setting in which so many causes vary."""
    shape = (case.scenes, 1, CAUSES)
    causes = random.standard_t(case.tails, shape) if case.tails else random.normal(size=shape)
    causes = causes + 0.6 * random.normal(size=(case.scenes, case.views, CAUSES))
    causes[..., varied:] *= 0.3
    first, second, threshold = layers(case)
    return np.maximum(np.maximum(causes @ first, 0) @ second - threshold, 0)


def covariance(features: np.ndarray) -> Covariance:
    """Return the covariance of features of any leading shape."""
    made = Covariance(features.shape[-1])
    made.update(features.reshape(-1, features.shape[-1]))
    return made


def shrunk(features: np.ndarray, shrinkage: float) -> float:
    """Return the entropy of a covariance drawn towards a multiple of the identity."""
    whole = covariance(features)
    sample = whole.scatter / whole.count
    d = len(sample)
    return entropy((1 - shrinkage) * sample + shrinkage * np.trace(sample) / d * np.eye(d))


ESTIMATES: dict[str, Callable[[np.ndarray], float]] = {
    "floor 0.001": lambda x: lifted_entropy(covariance(x), FLOOR),
    "floor 0.01": lambda x: lifted_entropy(covariance(x), 10 * FLOOR),
    "OAS": lambda x: shrunk(x, float(oas(x.reshape(-1, x.shape[-1]))[1])),
    "Ledoit-Wolf": lambda x: shrunk(x, float(ledoit_wolf_shrinkage(x.reshape(-1, x.shape[-1])))),
}


def errors(features: np.ndarray, random: np.random.Generator) -> dict[str, float]:
    """Return the standard errors of the entropy with its default floor."""

    def statistic(sample: Covariance) -> float:
        return lifted_entropy(sample, FLOOR)

    groups = [covariance(part) for part in np.array_split(features, GROUPS)]
    scenes = len(features)
    by_scene = [
        statistic(covariance(features[random.integers(0, scenes, scenes)])) for _ in range(REPLICATES)
    ]
    by_group = [
        statistic(Covariance.of(groups[k] for k in random.integers(0, GROUPS, GROUPS)))
        for _ in range(REPLICATES)
    ]
    error = jackknife(groups, statistic)
    assert error is not None
    return {
        "jackknife": error,
        "bootstrap of scenes": float(np.std(by_scene, ddof=1)),
        "bootstrap of groups": float(np.std(by_group, ddof=1)),
    }


def measure(case: Case, repetitions: int) -> tuple[pd.Series, pd.Series]:
    """Return how far the two settings lie apart by each estimate, and the errors beside the true one."""
    rows, all_errors = [], []
    for repetition in range(repetitions):
        random = np.random.default_rng([1, repetition])
        both = [draw(case, random, varied) for varied in (CAUSES, VARIED)]
        rows.append({(name, k): f(x) for name, f in ESTIMATES.items() for k, x in enumerate(both)})
        if repetition < repetitions / 4:
            all_errors.append(errors(both[0], random))
    frame = pd.DataFrame(rows)
    spread = frame.std(ddof=1)
    apart = {}
    for name in ESTIMATES:
        pooled = np.sqrt((spread[name, 0] ** 2 + spread[name, 1] ** 2) / 2)
        apart[name] = (frame[name, 0] - frame[name, 1]).mean() / pooled
    true, found = spread["floor 0.001", 0], pd.DataFrame(all_errors)
    one = {"jackknife, spread of one": found["jackknife"].std(ddof=1)}
    known_to = {"true, known to": true / np.sqrt(2 * (repetitions - 1))}
    return pd.Series(apart), pd.Series({"true": true} | known_to | found.mean().to_dict() | one)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=240, help="of each case (default: %(default)s)")
    args = parser.parse_args()
    results = {case.name: measure(case, args.repetitions) for case in CASES}
    tables = {
        "Difference of two settings' H, in its standard deviations": {n: t[0] for n, t in results.items()},
        f"Standard error of H (floor {FLOOR:g}), nats": {n: t[1] for n, t in results.items()},
    }
    for title, columns in tables.items():
        print(f"\n{title}\n{pd.DataFrame(columns).round(2).to_string()}")


if __name__ == "__main__":
    main()
