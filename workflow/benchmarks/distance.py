"""Whether the standard error of the kernel distance is the true one, where the distance is known.

Question: how often does the distance of two normal distributions lie within ±1.96 standard errors of its
estimate, by the jackknife and by the paper's averages over subsets?
Cost: about four minutes on one core.
Expected: about 95 % by the jackknife, its error up to √2 too large where the sets are alike and that of
repeated measurements elsewhere; fewer by subsets.

Run it with ``python workflow/benchmarks/distance.py``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from syn2real.complexity.distance import kernel_distance

SUBSETS, SIZE = 10, 50
"""Of the averages over subsets; the paper has 100 subsets of 1,000 of more images."""


@dataclass(frozen=True)
class Case:
    """Two normal distributions, and how many images are drawn of each."""

    name: str
    shift: float
    """Of the mean, in the units of its coordinates."""
    scale: float
    """Of the second distribution's deviations."""
    dimensions: int = 256
    images: int = 100
    views: int = 1
    """Of a scene of the first; four fifths of the variance is the scene's."""


CASES = (
    Case("alike", 0.0, 1.0),
    Case("near", 0.25, 1.0),
    Case("far", 1.0, 1.0),
    Case("wider", 0.0, 1.3),
    Case("alike, 4 views", 0.0, 1.0, views=4),
    Case("near, 4 views", 0.25, 1.0, views=4),
    Case("near, 16 dimensions", 0.25, 1.0, dimensions=16),
    Case("near, 30 images", 0.25, 1.0, images=30),
    Case("near, 400 images", 0.25, 1.0, images=400),
)


def moments(x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the mean of the kernel over two normal distributions, each a mean and a covariance."""
    (m, s), (n, t), d = x, y, len(x[0])
    both, trace = m @ n, np.trace(s @ t)
    second = both**2 + n @ s @ n + m @ t @ m + trace
    third = both**3 + 3 * both * (m @ t @ m) + 3 * (both * (trace + n @ s @ n) + 2 * m @ t @ s @ n)
    return float(third / d**3 + 3 * second / d**2 + 3 * both / d + 1)


def by_subsets(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> float:
    """Return the standard error of the mean distance of random subsets."""
    size = min(SIZE, len(x) // 2)
    values = [
        kernel_distance(x[random.choice(len(x), size, False)], y[random.choice(len(y), size, False)]).value
        for _ in range(SUBSETS)
    ]
    return float(np.std(values, ddof=1) / SUBSETS**0.5)


def measure(case: Case, repetitions: int) -> dict[str, float]:
    """Return the known distance, and what repeated measurements give."""
    random = np.random.default_rng(0)
    d = case.dimensions
    root = random.normal(size=(d, d)) * np.arange(1, d + 1) ** -0.7
    root *= 0.5 * (d / (root**2).sum()) ** 0.5
    mean = 0.5 * np.abs(random.normal(size=d))
    there = mean + case.shift * random.normal(size=d)
    one, two = (mean, root @ root.T), (there, case.scale**2 * root @ root.T)
    truth = moments(one, one) + moments(two, two) - 2 * moments(one, two)
    scenes = np.repeat(np.arange(case.images // case.views), case.views)
    share = 0.8 if case.views > 1 else 0.0
    found, subsets = [], []
    for _ in range(repetitions):
        renders, photographs = random.normal(size=(2, case.images, d))
        of_scene = random.normal(size=(len(set(scenes)), d))[scenes]
        renders = (1 - share) ** 0.5 * renders + share**0.5 * of_scene
        x, y = mean + renders @ root.T, there + case.scale * photographs @ root.T
        found.append(kernel_distance(x, y, scenes))
        subsets.append(by_subsets(x, y, random))
    values = np.array([one.value for one in found])
    errors = np.array([one.standard_error for one in found], float)
    off = np.abs(values - truth) / 1.96
    return {
        "known": truth,
        "mean": values.mean(),
        "its s.e.": values.std(ddof=1) / repetitions**0.5,
        "deviation": values.std(ddof=1),
        "jackknife": float((errors**2).mean() ** 0.5),
        "covers %": 100 * float(np.mean(off <= errors)),
        "subsets": float(np.mean(np.square(subsets)) ** 0.5),
        "they cover %": 100 * float(np.mean(off <= np.array(subsets))),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=400, help="of each case (default: %(default)s)")
    args = parser.parse_args()
    for case in CASES:
        found = measure(case, args.repetitions).items()
        print(f"{case.name}: {', '.join(f'{key} {value:.3g}' for key, value in found)}", flush=True)


if __name__ == "__main__":
    main()
