"""How far a configuration's runs are, read from the files that they leave: nothing is locked or written."""

import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any, TextIO

from syn2real.backbones.schema import RANDOM
from syn2real.data.arms import BACKBONE, LONGER
from syn2real.data.targets.schema import fold_of
from syn2real.errors import one_line
from syn2real.plan.estimates import Estimates, Run, hours_text, read_done, runs_of
from syn2real.plan.measured import shard_hours
from syn2real.plan.plan import Plan
from syn2real.plan.runs import (
    ADVICE,
    CLAIMS,
    IMPORT_LOG,
    PILOT,
    PILOT_PRETRAIN,
    PILOT_RATES,
    RENDER_LOG,
    Finetuning,
    Pretraining,
)
from syn2real.sentences import counted

FRESH = 300
"""Seconds after its log's last line in which a job counts as running; a training writes four a minute."""
EVERY = 55
"""Seconds between two lines of `report_progress`."""
SHOWN = 10
"""Failed runs that are listed."""
STATES = ("done", "running", "failed", "interrupted", "waiting")
STAGES = ((Pretraining, "pre-trainings"), (Finetuning, "fine-tunings"))


def log_of(run: Run) -> Path:
    """Return a run's log."""
    return Path("results/logs") / f"{run.folder.removeprefix('results/')}.log"


@dataclass(frozen=True)
class Found:
    """A run and what it has left behind.

    Attributes
    ----------
    run : Pretraining or Finetuning
        The run.
    state : {"done", "running", "failed", "interrupted", "waiting"}
        By its metrics, else by its log.
    last : str
        The log's last line, of a run that is not done.
    metrics : dict
        What metrics.json holds, of a run that is done.
    """

    run: Run
    state: str
    last: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)


def _of_kind(plan: Plan, kind: type[Run]) -> list[Run]:
    """Return the pre-trainings or the fine-tunings of a plan."""
    return [run for run in runs_of(plan) if isinstance(run, kind)]


def look(run: Run) -> Found:
    """Return what a run has left behind."""
    if metrics := read_done(run):
        return Found(run, "done", metrics=metrics)
    return Found(run, *_by_log(log_of(run)))


def _by_log(log: Path) -> tuple[str, str]:
    """Return the state of a job that is not done, and its log's last line."""
    try:
        age, lines = time.time() - log.stat().st_mtime, log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return "waiting", ""
    last = one_line(next((line for line in reversed(lines) if line.strip()), ""))
    if last.startswith("error: "):
        return "failed", last
    return "running" if age < FRESH else "interrupted", last


def status_lines(plan: Plan) -> Iterator[str]:
    """Yield what `syn2real status` prints of a plan."""
    yield from (f"{name}: a table of measurements, no runs" for name in plan.measured)
    failed = _failed_shards(plan)
    if shards := plan.needed_shards(plan.settings):
        yield f"shards        {_count(shards)} done{f', {len(failed):,} failed' if failed else ''}"
    every: list[Found] = []
    for kind, stage in STAGES:
        found = [look(run) for run in _of_kind(plan, kind)]
        counts = Counter(one.state for one in found)
        if found:
            yield f"{stage:14}{', '.join(f'{counts[state]:,} {state}' for state in STATES if counts[state])}"
        every += found
    if measured := {file for record in plan.experiments.values() for file in record.complexities}:
        yield f"complexity    {_count(measured)} done"
    failed |= {log_of(one.run): one.last for one in every if one.state == "failed"}
    yield from (f"failed        {log}: {last}" for log, last in [*failed.items()][:SHOWN])
    if len(failed) > SHOWN:
        yield f"              and {len(failed) - SHOWN:,} more"
    yield from _errors(every)
    if every:
        yield _left(plan, every)
    yield _disk()
    left = any(one.state != "done" for one in every)
    yield from answers(plan, note=", from before the runs that are left" if left else "")


def _failed_shards(plan: Plan) -> dict[Path, str]:
    """Return the logs of the shards that failed, and their last lines."""
    found: dict[Path, str] = {}
    own = plan.own_renders()
    for setting in plan.settings:
        template = IMPORT_LOG if setting in own else RENDER_LOG
        for shard in map(Path, sorted(plan.needed_shards([setting]))):
            source, split, name = shard.with_suffix("").parts[-3:]
            log = Path(template.format(setting=source, split=split, shard=name.removeprefix("shard-")))
            state, last = ("done", "") if shard.is_file() else _by_log(log)
            if state == "failed":
                found[log] = last
    return found


def _count(paths: Collection[str]) -> str:
    """Return how many of some files are there."""
    return f"{sum(Path(path).is_file() for path in paths):,} of {len(paths):,}"


def _errors(found: Sequence[Found]) -> Iterator[str]:
    """Yield the mean errors measured so far, a line a curve; of folds each is a run."""
    curves: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        if isinstance(one.run, Finetuning) and one.state == "done":
            before = one.run.pretraining
            name = f"{before.setting}, {before.ptask}" if before.n else "no pre-training"
            name += f" as long as {before.ptask}'s" if one.run.arm == LONGER else ""
            name += (
                f" -> {one.run.ftask} on {fold_of(one.run.target)[0]}, {one.run.percent:g} % of its labels"
            )
            name += f", {one.run.arm}" if one.run.arm not in (BACKBONE, LONGER) else ""
            weights = "" if before.initial == RANDOM else f" from {before.initial} weights"
            curves[f"{name}, {before.model}{weights} by {before.recipe}"][before.n].append(
                one.metrics["error"]
            )
    for name, sizes in curves.items():
        points = (f"n = {n:,}: {mean(e):.3f} ({counted(len(e), 'run')})" for n, e in sorted(sizes.items()))
        yield f"errors        {name}: {'; '.join(points)}"


def _left(plan: Plan, found: Sequence[Found]) -> str:
    """Return the device hours left, and what they are read from."""
    estimates = Estimates(plan, {one.run: one.metrics for one in found if one.state == "done"})
    left = [estimates.of(one.run) for one in found if one.state != "done"]
    parts = [f"{counted(len(left), 'training')}, {estimates.text(left)}"] if left else []
    shards = [*_rendering_left(plan, estimates)]
    if shards:
        known = [hours for hours in shards if hours is not None]
        time = (
            f"about {hours_text(sum(known))} device hours" if len(known) == len(shards) else "an unknown time"
        )
        parts.append(f"{counted(len(shards), 'shard')} to render, {time}")
    return f"left          {'; '.join(parts) or 'nothing'}"


def _rendering_left(plan: Plan, estimates: Estimates) -> Iterator[float | None]:
    """Yield the hours of each shard that is not rendered yet; None where nothing says."""
    for setting in plan.rendered(plan.settings):
        missing = sum(not Path(shard).is_file() for shard in plan.needed_shards([setting]))
        if missing:
            yield from [shard_hours(plan, setting, estimates.measured)[0]] * missing


def _disk() -> str:
    """Return what `results` takes, and what is free."""
    taken = 0
    for file in Path("results").rglob("*"):
        with suppress(OSError):  # a job may have renamed it
            taken += file.lstat().st_size
    return (
        f"disk          {taken / 1e9:,.2f} GB in results/, {shutil.disk_usage('.').free / 1e9:,.1f} GB free"
    )


def answers(plan: Plan, note: str = "") -> Iterator[str]:
    """Yield the result of each pilot and the answer of each experiment that has one, and where to read on."""
    for name in plan.experiments:
        for what, template in (
            (f"pilot of {name}", PILOT),
            (f"learning rates of {name}", PILOT_RATES),
            (f"pre-training lengths of {name}", PILOT_PRETRAIN),
            (f"answer of {name}", ADVICE),
        ):
            file = Path(f"{template.format(experiment=name)}.md")
            if not file.is_file():
                continue
            sentences = file.read_text("utf-8", "replace").partition("\n## ")[0].replace("**", "")
            yield f"{what} ({file}{note if template == ADVICE else ''}):"
            yield from (f"  {line}" for line in sentences.splitlines() if line.startswith("- "))
    table = Path(f"{CLAIMS}.md")
    if any(record.asked.claims for record in plan.experiments.values()) and table.is_file():
        yield f"the paper's claims ({table}): {table.read_text('utf-8', 'replace').splitlines()[2]}"


def _awaited(plan: Plan, runs: Collection[Run]) -> dict[str, set[str]]:
    """Return the files of shards and of runs whose number shows the progress."""
    files = {stage: {run.metrics for run in runs if isinstance(run, kind)} for kind, stage in STAGES}
    return {"shards": plan.needed_shards(plan.settings)} | files


def report_progress(plan: Plan, runs: Collection[Run], stream: TextIO, every: float = EVERY) -> None:
    """Print a line of progress of some runs about every minute, from a thread that ends with the process."""
    awaited = {stage: files for stage, files in _awaited(plan, runs).items() if files}

    def work() -> None:
        started = time.monotonic()
        while True:
            time.sleep(every)
            minutes = (time.monotonic() - started) / 60
            done = ", ".join(f"{_count(files)} {stage}" for stage, files in awaited.items())
            print(f"after {minutes:.0f} min: {done}", file=stream, flush=True)

    threading.Thread(target=work, daemon=True).start()
