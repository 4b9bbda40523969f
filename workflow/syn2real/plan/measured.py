"""What `syn2real check --measure` found on this machine, and what finished shards took: hours by seconds."""

import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Any

from syn2real.data.arms import RENDERS_ONLY, Arm
from syn2real.data.targets.schema import cut_splits, fold_of
from syn2real.files import digest, read_json
from syn2real.plan.labels import labelled_images, split_images
from syn2real.plan.plan import Plan
from syn2real.plan.runs import RENDER_LOG, Finetuning, Pretraining
from syn2real.schema import to_params
from syn2real.tasks.schema import EVALUATION_UNITS, LENGTH_UNITS, Stage, TrainingSection

FOLDER = Path("results/measured")
READ = 50
"""Logs of a setting that are read at most."""
NO_MATTER = {
    *(*LENGTH_UNITS, *EVALUATION_UNITS),
    *("lr", "momentum", "weight_decay", "warmup_images", "models", "seconds_per_1000_images"),
}
"""What of a section changes no step's duration."""


def measured_file() -> Path:
    """Return the file of this machine."""
    return FOLDER / f"{platform.node() or 'this-machine'}.json"


def read_measured() -> dict[str, Any]:
    """Return what was measured on this machine: `machine`, `device`, `steps` and `views` by their keys."""
    with suppress(OSError, ValueError):
        found = read_json(measured_file())
        if isinstance(found, dict):
            return found
    return {}


def stage_of(run: Pretraining | Finetuning) -> tuple[Stage, str, str, str]:
    """Return stage, recipe, task and backbone of a run."""
    if isinstance(run, Pretraining):
        return "pretrain", run.recipe, run.ptask, run.model
    return "finetune", run.pretraining.recipe, run.ftask, run.pretraining.model


def is_trained(run: Pretraining | Finetuning) -> bool:
    """Whether a run trains anything; one of renders only tests what is there."""
    return isinstance(run, Pretraining) or run.arm != RENDERS_ONLY


def section_of(plan: Plan, run: Pretraining | Finetuning) -> TrainingSection:
    """Return a run's section as it trains by it.

    A length in passes is one in images where the labels are counted; an arm that trains as long as
    pre-training and fine-tuning together has the steps of both.
    """
    stage, recipe, task, model = stage_of(run)
    section = plan.recipes[recipe].section(stage, task, model)
    if isinstance(run, Pretraining) or not is_trained(run):
        return section
    if section.passes and (labels := labelled_images(plan, run.target, run.percent)):
        section = section.with_labels(labels)
    if not Arm.named(run.arm).longer or section.passes is not None:
        return section
    steps = section.total_iterations + plan.updates(recipe, run.pretraining.ptask, model)
    return section.model_validate(section.model_dump() | {"iterations": steps, "images": None})


def step_key(plan: Plan, run: Pretraining | Finetuning) -> str:
    """Return the digest of what the duration of a run's step depends on."""
    stage, recipe, task, model = stage_of(run)
    section = plan.recipes[recipe].section(stage, task, model).model_dump(mode="json", exclude=NO_MATTER)
    return digest([stage, task, model, plan.recipes[recipe].threads, section])


def view_key(plan: Plan, setting: str) -> str:
    """Return the digest of what the duration of a setting's view depends on."""
    return digest(to_params(plan.images_of(setting)))


def measured_hours(
    plan: Plan, run: Pretraining | Finetuning, found: Mapping[str, Any], prefix: str = ""
) -> float | None:
    """Return the hours of a run by its measured steps and tested images; None without them.

    With the prefix `cpu_` they are the CPU's hours, which other programs on the machine hardly change.
    """
    steps = found.get("steps")
    step = steps.get(step_key(plan, run)) if steps else None
    if step is None:
        return None
    section = section_of(plan, run)
    if section.passes is not None:
        return None
    if isinstance(run, Pretraining):
        judged = plan.val_images(run.recipe, run.setting)
    else:
        judged = _tested(plan, run.target)
    length = section.total_iterations if is_trained(run) else 0
    evaluations = max(1, -(-length // section.evaluation_interval))
    tested = evaluations * judged
    return float(length * step[f"{prefix}seconds"] + tested * step[f"{prefix}evaluation_seconds"]) / 3600


def shard_hours(
    plan: Plan, setting: str, found: Mapping[str, Any], *, logs: bool = True
) -> tuple[float | None, str]:
    """Return the hours of rendering a shard of a setting, and what they are read from.

    Finished shards' logs say how fast views were; how long a start takes, what was measured. Without `logs`
    what was measured alone counts.
    """
    value = plan.images_of(setting)
    images = value.views * value.scenes_per_shard
    pattern = RENDER_LOG.format(setting=plan.source(setting), split="*", shard="*")
    files = sorted(Path().glob(pattern))[:READ] if logs else []
    rates = [rate for log in files if (rate := _rate(log))]
    view = found.get("views", {}).get(view_key(plan, setting))
    if rates:
        start = view["start"] if view else 0.0
        return (start + images * mean(1 / rate for rate in rates)) / 3600, "finished shards"
    if view:
        return (view["start"] + images * view["seconds"]) / 3600, "measured views"
    return None, ""


def _tested(plan: Plan, target: str) -> int:
    """Return how many images a run is tested on, of a fold its own; 0 where that is not known before."""
    _, fold, folds = fold_of(target)
    if fold:
        return sum(split_images(plan, target, split) for split in cut_splits(target)) // folds
    return split_images(plan, target, "test")


def _rate(log: Path) -> float | None:
    """Return the images a second of a finished shard by its log, of its last start."""
    try:
        lines = re.findall(r"(\d+) of (\d+) scenes, ([\d.]+) images/s", log.read_text("utf-8", "replace"))
    except OSError:
        return None
    done = bool(lines) and lines[-1][0] == lines[-1][1]
    return float(lines[-1][2]) or None if done else None
