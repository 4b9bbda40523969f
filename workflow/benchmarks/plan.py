"""What it costs to plan an experiment of many jobs, against an empty workflow of as many.

Question: how large may an experiment be, and what of its plan are our rules?
Cost: about ten minutes on one core and 1 GB of memory (``--jobs 2000 --turns 1`` for a glance).
Expected: time and memory grow with the number of jobs, to at most 2.7 and 1.4 times those of the empty
workflow.

Ours is a dry run of the demo with as many seeds as that takes: few shards, then as many pre-trainings as
fine-tunings. The empty workflow is the same chain of jobs, and says nothing of them but input, output and a
command: no params, resources, logs or environments. Both print the table of jobs alone, as ``make
plan-paper`` does (``--logger rich --quiet rules progress``). The third is ours with ``--quiet rules``, for
which Snakemake works out what it would print of each job. Each plan is a process of its own with its
bytecode, in turns. Seconds are the CPU's, user and system, memory the largest resident size, both means over
the turns; the ratio is the mean over the turns, with its standard error.

What is left above the empty workflow is mostly Snakemake's: it looks for the script of every job (in
`ScriptProcessor`, a quarter of the plan by cProfile), and asks for the signature of the same functions every
time (`get_function_params`, a twelfth). Its issue 1575 is on the time that plans take; by issue 2973
``--quiet`` prints no table of jobs with its own logger.

Run it with ``python workflow/benchmarks/plan.py``.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from environment import WITH_BYTECODE

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "config" / "experiments" / "demo.yaml"
TABLE_ALONE = ["--logger", "rich", "--quiet", "rules", "progress"]

EMPTY = """
RUNS = range({runs})


rule all:
    input:
        expand("finetune/{{run}}", run=RUNS),


rule finetune:
    input:
        "pretrain/{{run}}",
    output:
        "finetune/{{run}}",
    shell:
        "touch {{output}}"


rule pretrain:
    input:
        expand("render/{{shard}}", shard=range(3)),
    output:
        "pretrain/{{run}}",
    shell:
        "touch {{output}}"


rule render:
    output:
        "render/{{shard}}",
    shell:
        "touch {{output}}"
"""


def plan(folder: Path, *options: str) -> dict[str, float]:
    """Plan the workflow of a folder; return the number of jobs, CPU seconds and MiB."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", *options]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=WITH_BYTECODE,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    total = re.search(r"^\s*total\s+(\d+)\s*$", printed, re.MULTILINE)
    if process.returncode or not total:
        sys.exit(printed)
    seconds = usage.ru_utime + usage.ru_stime
    return {"jobs": int(total[1]), "seconds": seconds, "mib": usage.ru_maxrss / 1024}


def contenders(jobs: int, folder: Path) -> dict[str, tuple[Path, list[str]]]:
    """Write an experiment and an empty workflow of some number of jobs; return how each is planned."""
    demo = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    # Ten pre-trainings and eleven fine-tunings a seed: five sizes of two settings, and n = 0.
    demo |= {"seeds": [*range(round(jobs / 21))]}
    experiment = folder / "experiment.yaml"
    experiment.write_text(yaml.safe_dump(demo), encoding="utf-8")
    (folder / "Snakefile").write_text(EMPTY.format(runs=jobs // 2), encoding="utf-8")
    ours = ["--config", f"experiment={experiment}"]
    return {
        "ours": (ROOT, [*ours, *TABLE_ALONE]),
        "ours, --quiet rules": (ROOT, [*ours, "--quiet", "rules"]),
        "empty": (folder, TABLE_ALONE),
    }


def measure(jobs: int, turns: int) -> None:
    """Print what each costs at one number of jobs."""
    with tempfile.TemporaryDirectory() as name:
        plans = contenders(jobs, Path(name))
        done: dict[str, list[dict[str, float]]] = {kind: [] for kind in plans}
        for _ in range(turns):
            for kind, (folder, options) in plans.items():
                done[kind].append(plan(folder, *options))
    for kind, runs in done.items():
        jobs, seconds, mib = (
            statistics.mean(run[what] for run in runs) for what in ("jobs", "seconds", "mib")
        )
        line = f"{kind:20}{jobs:8,.0f}{seconds:10.1f}{1000 * seconds / jobs:8.2f}{mib:8.0f}"
        for what in ("seconds", "mib"):
            ratios = [
                (run[what] / run["jobs"]) / (empty[what] / empty["jobs"])
                for run, empty in zip(runs, done["empty"], strict=True)
            ]
            error = statistics.stdev(ratios) / math.sqrt(turns) if turns > 1 else math.nan
            line += f"{statistics.mean(ratios):8.2f} ± {error:.2f}"
        print(line, flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--jobs", type=int, nargs="+", default=[2000, 10_000, 30_000], help="default: %(default)s"
    )
    parser.add_argument("--turns", type=int, default=3, help="of each (default: %(default)s)")
    args = parser.parse_args()
    print(f"{'':20}{'jobs':>8}{'CPU s':>10}{'ms/job':>8}{'MiB':>8}{'x empty, time':>15}{'x empty, MiB':>15}")
    for jobs in args.jobs:
        measure(jobs, args.turns)


if __name__ == "__main__":
    main()
