"""What the covariance of many features costs, in time and memory, against what a user would use instead.

Question: is one pass over blocks as fast as BLAS's own product of the whole, at a fraction of the memory?
Cost: about five minutes on one core and 3 GB of memory (``--images 8000 --dimensions 512`` for a glance).
Expected: ours within 1.2 times BLAS's product alone, and at a tenth of np.cov's memory; with the standard
error within twice: 20 factors of Cholesky and 0.65 GB of fresh memory, whatever the number of images.

Every contender runs in a process of its own with one thread, alternating with the others, and starts from
the same float32 features on disk, which it maps into memory. Time is the CPU's for the covariance alone, the
ratio the mean over the rounds with its standard error. Memory is the largest resident size less what the
process held before, and less the pages of the map, which the system may drop.

Run it with ``python workflow/benchmarks/complexity.py``.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from environment import ONE_THREAD

BLOCK = 2048
"""Images a block."""


def blas(x: np.ndarray) -> object:
    """BLAS's own cost: the product of centred doubles, which are made beforehand."""
    return x.T @ x


def ours(x: np.ndarray) -> object:
    """The covariance in one pass over blocks."""
    from syn2real.complexity.covariance import Covariance, workspace

    covariance, rows = Covariance(x.shape[1]), workspace(x.shape[1])
    for start in range(0, len(x), BLOCK):
        covariance.update(x[start : start + BLOCK], rows)
    return covariance


def ours_in_groups(x: np.ndarray) -> list[Any]:
    """The same in 20 groups of scenes of ten images: what the standard error is made from."""
    from syn2real.complexity.scenes import SceneGroups

    groups = SceneGroups(range(-(-len(x) // 10)), x.shape[1])
    for scene, start in enumerate(range(0, len(x), 10)):
        groups.update(scene, x[start : start + 10])
    return groups.finished()


def ours_with_error(x: np.ndarray) -> object:
    """The groups, and the standard error of the entropy made from them."""
    from syn2real.complexity.entropy import standard_error

    return standard_error(ours_in_groups(x), 0.001)


def numpy_cov(x: np.ndarray) -> object:
    """What most people call."""
    return np.cov(x, rowvar=False)


def sklearn_empirical(x: np.ndarray) -> object:
    """scikit-learn's empirical covariance, which computes in the features' own single precision."""
    from sklearn.covariance import EmpiricalCovariance

    return EmpiricalCovariance(store_precision=False).fit(x)


def sklearn_ledoit_wolf(x: np.ndarray) -> object:
    """scikit-learn's Ledoit and Wolf, in single precision too."""
    from sklearn.covariance import LedoitWolf

    return LedoitWolf(store_precision=False).fit(x)


CONTENDERS: dict[str, Callable[[np.ndarray], object]] = {
    "BLAS's product": blas,
    "ours": ours,
    "ours, 20 groups": ours_in_groups,
    "ours, standard error": ours_with_error,
    "np.cov": numpy_cov,
    "sklearn empirical": sklearn_empirical,
    "sklearn Ledoit-Wolf": sklearn_ledoit_wolf,
}


class PeakMemory:
    """The largest anonymous memory of this process while a block runs, in MiB above its start."""

    def __enter__(self) -> PeakMemory:
        self.start = self.peak = _anonymous()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.peak = max(self.peak, _anonymous())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def mib(self) -> float:
        """The peak above the start."""
        return (self.peak - self.start) / 1024


def _anonymous() -> int:
    """Return the resident memory that belongs to no file, KiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0])


def contend(name: str, path: Path) -> None:
    """Run one contender in this process and print its seconds and MiB as JSON."""
    x = np.load(path, mmap_mode="r")
    x.sum()  # the file is in memory: its reading is not measured
    CONTENDERS[name](np.asarray(x[:2048, :64], dtype=np.float64 if name == "BLAS's product" else np.float32))
    if name == "BLAS's product":
        x = np.asarray(x, dtype=np.float64)
        x -= x.mean(axis=0)
    with PeakMemory() as memory:
        start = time.thread_time()
        result = CONTENDERS[name](x)
        seconds = time.thread_time() - start
    del result
    print(json.dumps({"seconds": seconds, "mib": memory.mib}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=64_000, help="default: %(default)s")
    parser.add_argument("--dimensions", type=int, default=2048, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="of all contenders (default: %(default)s)")
    parser.add_argument("--contend", help=argparse.SUPPRESS)
    parser.add_argument("--features", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contend:
        contend(args.contend, args.features)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        features = np.lib.format.open_memmap(path, "w+", np.float32, (args.images, args.dimensions))
        random = np.random.default_rng(0)
        for start in range(0, args.images, BLOCK):
            part = features[start : start + BLOCK]
            part[:] = np.maximum(random.standard_normal(part.shape, dtype=np.float32), 0)
        features.flush()
        del features
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(args.rounds):
            for name in CONTENDERS:
                command = [sys.executable, __file__, "--contend", name, "--features", str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=ONE_THREAD)
                runs[name].append(json.loads(done.stdout))
    report(runs, f"{args.images:,} x {args.dimensions:,} float32, {args.rounds} rounds")


def report(runs: dict[str, list[dict[str, float]]], title: str) -> None:
    """Print medians, and the rounds' ratios: their mean and its standard error."""

    def ratio(name: str, other: str, what: str) -> str:
        pairs = zip(runs[name], runs[other], strict=True)
        ratios = [one[what] / max(two[what], 1e-9) for one, two in pairs]
        error = statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.nan
        return f"{statistics.mean(ratios):.2f} ± {error:.2f}"

    print(f"{title}\n{'':20} {'CPU s':>8} {'x BLAS':>12} {'MiB':>8} {'x np.cov':>12}")
    for name, done in runs.items():
        seconds = statistics.median(run["seconds"] for run in done)
        mib = statistics.median(run["mib"] for run in done)
        times, memory = ratio(name, "BLAS's product", "seconds"), ratio(name, "np.cov", "mib")
        print(f"{name:20} {seconds:8.2f} {times:>12} {mib:8.0f} {memory:>12}")


if __name__ == "__main__":
    main()
