"""The paper in an afternoon, killed once and resumed: what it took against what `check` predicts.

Question: do some hundred real trainings survive a kill of everything with equal numbers, and does their cost
come out within 25 % of what `check --measure` says of it?
Cost: that of `make paper-small`, and a few minutes to measure before and to compare after.
Expected: device hours within 25 %, if the machine is as busy all along; equal points, bit for bit. One
run on two cores of a busy machine: 3.78 device hours predicted and 3.84 taken (pre-training 1.45 and 1.54,
fine-tuning 1.45 and 1.35, rendering 0.87 and 0.95), 2.01 hours on the clock, 3.58 of CPU, 0.65 GB; killed at
133 of 398 trainings; the two pre-trainings that the kill interrupted were compared, and the fine-tunings
after them, and are equal.

In a folder of its own (``--directory``) it copies the workflow, measures steps and views, keeps what
`check` then predicts, and starts the call of `make paper-small`. When a share of the trainings is done
(``--kill-after``) and others are under way, it kills the whole process group with SIGKILL, waits until no
process is left, and makes the same call again. At the end the runs that the kill interrupted are trained in a
second folder, undisturbed, from the same renders, and compared with the resumed ones. A benchmark that was
stopped goes on where it was.

CPU seconds are of all processes below the calls, killed ones included; they wait for nobody. Device hours are
the clock's and hold what other programs took: both are printed. The wall's hours are predicted for as many
jobs side by side as the cores hold, without the starts of jobs and what has no estimate (fits, figures).

Run it with ``python workflow/benchmarks/paper.py``; ``--only-report`` prints the table of a folder that is
done, whoever ran it.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any

import costs

from syn2real.files import read_json, write_json
from syn2real.laws.reading import read_own_csv
from syn2real.plan.estimates import Run, read_finished, runs_of
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_named
from syn2real.plan.runs import REFERENCE, Finetuning, Pretraining
from syn2real.plan.status import log_of
from syn2real.sentences import counted

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs")
"""What a folder that runs the workflow holds."""
PAPER = ("cross-task", "full-law", "model-size", "million-scale", "complexity", "landscapes")
MADE = ("assets", "measured", "renders", "scans", "targets")
"""What of results/ the second folder shares with the first: everything that comes before a training."""
RECORD = "paper.json"
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: whatever a killed process leaves behind becomes a child of this one."""
EVERY = 1.0
"""Seconds between two looks."""
LEFT = 60.0
"""Seconds until the last process of a killed call must be gone."""


class Folder:
    """A folder that runs the workflow, and what was recorded of its calls."""

    def __init__(self, path: Path, files: Sequence[str]) -> None:
        self.path, self.files = path.resolve(), [*files]
        self.record: dict[str, Any] = {"calls": []}
        with suppress(OSError):
            self.record = read_json(self.path / RECORD)

    def make(self, source: Path = ROOT) -> None:
        """Copy the workflow from a folder, unless it is there."""
        for part in PARTS:
            original, copy = source / part, self.path / part
            if copy.exists():
                continue
            if original.is_dir():
                shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__", ".snakemake"))
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(original, copy)

    def keep(self) -> None:
        """Write the record."""
        write_json(self.path / RECORD, self.record)

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        """Start a module of Python here, as the leader of a process group of its own."""
        environment = os.environ | {"PYTHONPATH": str(self.path / "workflow")}
        command = [sys.executable, "-m", *arguments]
        return subprocess.Popen(
            command, cwd=self.path, env=environment, text=True, start_new_session=True, **streams
        )

    def snakemake(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Snakemake for the experiments here; what it prints is added to a log."""
        listed = ",".join(f'"{file}"' for file in self.files)
        command = ["snakemake", "--profile", "profiles/local", *arguments]
        with (self.path / "snakemake.log").open("a", encoding="utf-8") as log:
            return self.start(
                *command, "--config", f"experiments=[{listed}]", stdout=log, stderr=subprocess.STDOUT
            )

    def finish(self, *arguments: str) -> None:
        """Call Snakemake, and end this program where the call fails."""
        if self.snakemake(*arguments).wait():
            sys.exit(f"error: snakemake failed; its last lines are in {self.path / 'snakemake.log'}")

    def unlock(self) -> None:
        """Free the folder, as one does after Snakemake was killed."""
        locks = self.path / ".snakemake/locks"
        if locks.is_dir() and any(locks.iterdir()):
            self.finish("--unlock")

    def plan(self) -> Plan:
        """Return the plan of the experiments; paths are relative to this folder."""
        with chdir(self.path):
            return load_named("config/config.yaml", self.files)


def children_cpu() -> float:
    """Return the CPU seconds of all processes below this one that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def reap(seconds: float) -> None:
    """Wait until no process is left below this one; end this program where one outlives its time."""
    end = time.monotonic() + seconds
    with suppress(ChildProcessError):  # none is left
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0 and time.monotonic() > end:
                sys.exit(f"error: processes are still alive {seconds:.0f} s after the call ended")
            if pid == 0:
                time.sleep(0.1)


def measure(folder: Folder) -> None:
    """Time steps and views in a folder without runs."""
    print("measuring steps and views …", flush=True)
    folder.finish("--until", "make_objects", "make_textures", "make_scans")
    if folder.start("syn2real.cli", "check", "--measure", *folder.files).wait():
        sys.exit("error: check --measure failed")
    reap(LEFT)
    folder.record["measured"] = True
    folder.keep()


def predicted_hours(folder: Folder) -> tuple[float, float]:
    """Return the device hours of training and of rendering that `check` predicts from what was measured.

    It reads finished runs and shards first; so it is asked in a copy that has none.
    """
    with tempfile.TemporaryDirectory() as place:
        clean = Folder(Path(place), folder.files)
        for part in PARTS:
            (clean.path / part).symlink_to(folder.path / part)
        kept = folder.path / "results/measured"
        if kept.is_dir():
            shutil.copytree(kept, clean.path / "results/measured")
        asked = clean.start("syn2real.cli", "check", *clean.files, stdout=subprocess.PIPE)
        printed, _ = asked.communicate()
    [total] = [line for line in printed.splitlines() if line.startswith("in total")]
    found = [re.search(rf"{what}: about ([\d.,]+) device hours", total) for what in ("training", "rendering")]
    training, rendering = (float(hours[1].replace(",", "")) if hours else 0.0 for hours in found)
    return training, rendering


def call(folder: Folder, kill_after: float | None) -> None:
    """Make the call of `make paper-small`; kill all of it when a share of the trainings is done."""
    folder.unlock()
    runs = runs_of(folder.plan())
    began, used = time.monotonic(), children_cpu()
    report = ("--report", "results/paper-small.html", "--report-after-run")
    running = folder.snakemake(*report)
    kept = {"killed": False, "wall": 0.0, "cpu": 0.0}
    try:
        while running.poll() is None:
            time.sleep(EVERY)
            due = kill_after is not None and finished(folder, runs) >= kill_after * len(runs)
            if due and any(under_way(folder, runs)):
                kept["killed"] = True
                break
    finally:  # also where this benchmark is stopped
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    if kept["killed"]:
        folder.record["interrupted"] = [run.metrics for run in under_way(folder, runs)]
        print(f"killed after {finished(folder, runs)} of {len(runs)} trainings", flush=True)
    took = time.monotonic() - began
    reap(LEFT)
    folder.record["calls"].append(kept | {"wall": took, "cpu": children_cpu() - used})
    folder.keep()
    if running.returncode and not kept["killed"]:
        sys.exit(f"error: snakemake failed; its last lines are in {folder.path / 'snakemake.log'}")


def finished(folder: Folder, runs: Sequence[Run]) -> int:
    """Return how many runs are done."""
    return sum((folder.path / run.metrics).is_file() for run in runs)


def under_way(folder: Folder, runs: Sequence[Run]) -> Iterator[Run]:
    """Yield the runs that have begun and are not done."""
    for run in runs:
        if (folder.path / log_of(run)).is_file() and not (folder.path / run.metrics).is_file():
            yield run


def again(folder: Folder, second: Folder) -> list[str]:
    """Train the interrupted runs undisturbed in a second folder; return a line for each that is compared.

    Fine-tunings that follow an interrupted pre-training are compared too. The renders are shared as hard
    links: what a training reads is the same file.
    """
    second.make(folder.path)
    for part in MADE:
        if (folder.path / "results" / part).is_dir() and not (second.path / "results" / part).exists():
            shutil.copytree(
                folder.path / "results" / part, second.path / "results" / part, copy_function=os.link
            )
    stopped = set(folder.record.get("interrupted", ()))
    compared = [run for run in runs_of(folder.plan()) if touched(run, stopped)]
    if not compared:
        return ["no training was interrupted: nothing to compare"]
    second.finish(*(run.metrics for run in compared))
    reap(LEFT)
    lines = []
    for run in compared:
        values = [read_json(one.path / run.metrics) for one in (folder, second)]
        numbers = [{k: v[k] for k in ("value", "error", "evaluations", "iterations")} for v in values]
        verdict = "equal" if numbers[0] == numbers[1] else "DIFFERENT"
        how = "interrupted" if run.metrics in stopped else "after an interrupted pre-training"
        lines.append(
            f"{verdict}  {run.folder.removeprefix('results/')}: error {values[0]['error']!r} ({how})"
        )
    return lines


def touched(run: Run, stopped: set[str]) -> bool:
    """Say whether a run was interrupted, or follows one that was."""
    return run.metrics in stopped or (isinstance(run, Finetuning) and run.pretraining.metrics in stopped)


def report(folder: Folder, cores: int, cpu: float | None) -> Iterator[str]:
    """Yield the table of a folder: predicted and actual hours, runs, CPU hours, disk."""
    training, rendering = predicted_hours(folder)
    plan = folder.plan()
    with chdir(folder.path):
        runs = runs_of(plan)
        done = read_finished(runs)
        stages = {name: (p / 3600, a / 3600) for name, p, a in costs.trainings(plan)}
        shards = costs.rendering(plan)[1] / 3600
        predicted_cpu = costs.cpu_seconds(plan) / 3600
        used = {e.complexity.reference for e in plan.run.values() if e.complexity}
        references = [
            REFERENCE.format(reference=name) for name in sorted(used & {*plan.trained_references()})
        ]
        kept = [read_json(f"{path}/metrics.json") for path in references if Path(path).is_dir()]
        rendered = sum(Path(shard).is_file() for shard in plan.needed_shards(plan.settings))
        points = {name: len(read_own_csv(f"results/points/{name}.csv")) for name in points_of(plan)}
    pretrainings = sum(isinstance(run, Pretraining) for run in done)
    yield (
        f"{len(done)} of {counted(len(runs), 'training')} done: {pretrainings} pre-trainings, "
        f"{len(done) - pretrainings} fine-tunings; {counted(len(kept), 'reference backbone')}; "
        f"{counted(rendered, 'shard')} rendered; points: "
        + (", ".join(f"{name} {count}" for name, count in points.items()) or "none yet")
    )
    taken = sum(file.lstat().st_size for file in (folder.path / "results").rglob("*") if file.is_file())
    yield f"disk: {taken / 1e9:.2f} GB in results/"
    reference = sum(metrics["seconds"] for metrics in kept) / 3600
    trained = sum(actual for _, actual in stages.values()) + reference
    threads = min((recipe.threads for recipe in plan.recipes.values()), default=1)
    beside = max(1, cores // threads)
    yield f"{'hours':30}{'predicted':>11}{'actual':>9}{'ratio':>7}"
    for name, values in stages.items():
        yield row(f"  {name}", *values)
    yield row("training, as check says", training, trained)
    yield row("rendering", rendering, shards)
    yield row("device hours in total", training + rendering, trained + shards)
    calls = folder.record["calls"]
    wall = sum(one["wall"] for one in calls) / 3600 or spent(folder)
    name = f"wall, {counted(beside, 'job')} at once"
    yield row(name, (training + rendering) / beside, wall)
    spare = sum(one["cpu"] for one in calls) / 3600 if cpu is None else cpu / 3600
    yield row("CPU, of all processes", predicted_cpu, spare)
    if not calls:
        yield "wall: from the first file of a log to the last result, whatever happened between them"


def points_of(plan: Plan) -> list[str]:
    """Return the experiments whose points are gathered."""
    return [name for name in plan.experiments if Path(f"results/points/{name}.csv").is_file()]


def row(name: str, predicted: float, actual: float) -> str:
    """Return a row of the table."""
    ratio = f"{predicted / actual:7.2f}" if actual and predicted else ""
    return f"{name:30}{predicted:11.3f}{actual:9.3f}{ratio}"


def spent(folder: Folder) -> float:
    """Return the hours from the first log to the last finished run."""
    files = [
        file for file in (folder.path / "results").rglob("*") if file.suffix in (".log", ".json", ".tar")
    ]
    times = [file.stat().st_mtime for file in files]
    return (max(times) - min(times)) / 3600 if times else 0.0


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("paper-small"), help="the folder it runs in")
    parser.add_argument(
        "--experiments", nargs="+", default=[f"config/experiments/small/{name}.yaml" for name in PAPER],
        help="experiment files, relative to the checkout",
    )  # fmt: skip
    parser.add_argument(
        "--kill-after", type=float, default=1 / 3, help="share of the trainings done when all is killed"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of the machine")
    parser.add_argument("--cpu", type=float, metavar="S", help="CPU seconds that it took, where known better")
    parser.add_argument("--only-report", action="store_true", help="print the table of what is there")
    return parser.parse_args()


def main() -> None:
    """Run what is not done yet, and print the table."""
    args = parsed()
    folder = Folder(args.directory, args.experiments)
    if not args.only_report:
        ctypes.CDLL(None).prctl(SUBREAPER, 1)
        folder.make()
        if not folder.record.get("measured"):
            measure(folder)
        if not any(one["killed"] for one in folder.record["calls"]):
            call(folder, args.kill_after)
        call(folder, None)
        lines = again(folder, Folder(args.directory.with_name(f"{args.directory.name}-again"), folder.files))
        print(*lines, sep="\n")
    print(*report(folder, args.cores, args.cpu), sep="\n")


if __name__ == "__main__":
    main()
