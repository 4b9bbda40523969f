"""CPU seconds from a command's start to its end, and the packages whose imports take them.

Question: what does a command or a job of seconds spend on imports?
Cost: about a minute and a half on one core (``--repeats 1`` for a glance).
Expected: `--help` under 0.15 s, `advise` on ten curves about 0.6 s; a training job's start is torch and, as
much again, torch._dynamo, which torchvision (``ops/roi_align.py``) and every optimiser of torch import.

Every command runs with bytecode, which a first run writes. Seconds are the median of user and system time. A
package's share is that in the time which ``python -X importtime`` counts, with all that it is the first to
import; so shares overlap.

Run it with ``python workflow/benchmarks/imports.py``.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": str(ROOT / "workflow"),
    "OMP_NUM_THREADS": "1",
}
TRAINING = "syn2real.training.launch, syn2real.training.pretrain, syn2real.backbones.resnet, syn2real.tasks"


def commands(table: Path) -> dict[str, list[str]]:
    """Return the arguments of Python for each command."""
    line = ["-m", "syn2real.cli"]
    return {
        "syn2real --help": [*line, "--help"],
        "advise, ten curves": [*line, "advise", str(table), "--target-error", "0.15"],
        "check": [*line, "check"],
        "training, classification": ["-c", f"import {TRAINING}.sinclass.task"],
        "training, detection": ["-c", f"import {TRAINING}.objdet.task"],
        "figure": ["-c", "import syn2real.report.figures.curves"],
        "render worker, no Blender": ["-c", "import syn2real.render.worker"],
    }


def write_curves(path: Path) -> None:
    """Write ten curves of six sizes with three seeds."""
    noise = random.Random(0)
    rows = [
        f"s{k},{n},{seed},{0.1 + (0.6 + 0.2 * k) * n**-0.5 * noise.lognormvariate(0, 0.04)}"
        for k in range(10)
        for n in (50, 100, 200, 400, 800, 1600)
        for seed in range(3)
    ]
    path.write_text("\n".join(["setting,n,seed,error", *rows]) + "\n", encoding="utf-8")


def run(*arguments: str) -> tuple[float, str]:
    """Run Python; return its CPU seconds and what it wrote on standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def packages(importtime: str) -> list[tuple[str, float]]:
    """Return the share of each package in the time of all imports, with what it imports, greatest first."""
    total, found = 0, {}
    for line in importtime.splitlines():
        itself, _, rest = line.removeprefix("import time:").partition("|")
        if itself.strip().isdigit():
            inclusive, _, module = rest.partition("|")
            total += int(itself)
            if module.count(".") < 2 and not module.strip().startswith("syn2real"):
                found[module.strip()] = int(inclusive)
    return [(name, time / total) for name, time in sorted(found.items(), key=lambda item: -item[1])]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="of each command (default: %(default)s)")
    parser.add_argument("--packages", type=int, default=6, help="to name (default: %(default)s)")
    args = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, one thread, bytecode")
    print(" CPU s  command: packages' shares of its imports")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "points.csv"
        write_curves(table)
        for name, command in commands(table).items():
            run(*command)
            seconds = statistics.median(run(*command)[0] for _ in range(args.repeats))
            found = packages(run("-X", "importtime", *command)[1])[: args.packages]
            shown = ", ".join(f"{package} {share:.0%}" for package, share in found)
            print(f"{seconds:6.2f}  {name}: {shown}", flush=True)


if __name__ == "__main__":
    main()
