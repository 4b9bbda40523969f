"""`syn2real check --measure`: a few steps and views on this machine, timed and kept in results/measured/."""

import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from syn2real.data.own_renders.schema import OwnRenders
from syn2real.data.targets.schema import fold_of
from syn2real.files import write_json
from syn2real.jobs.gpus import count_gpus
from syn2real.plan.assets import asset_folders
from syn2real.plan.estimates import Run, runs_of
from syn2real.plan.labels import labelled_images
from syn2real.plan.measured import measured_file, read_measured, stage_of, step_key, view_key
from syn2real.plan.plan import Plan
from syn2real.plan.runs import Pretraining
from syn2real.render.schema import Rendering
from syn2real.schema import to_params

BESIDE = 4
"""Trainings that are timed side by side, at most: each takes its memory."""
VIEWS = 16
"""Views of a setting that are rendered, at least."""
PHOTOGRAPH = (640, 480)
"""Size of random images where no setting gives one, pixels."""


def measure(plan: Plan) -> Iterator[str]:
    """Time what a plan's runs and shards are made of, each kind once; yield a line for each when it is done.

    What is done is kept at once: a call that was killed has lost the step it was at.
    """
    kept = read_measured() | {"machine": platform.node()}
    for run, (found, problem) in _timed(plan):
        stage, _, task, model = stage_of(run)
        name = f"{stage} {task} {model}"
        if problem:
            yield f"not measured  {name}: {problem}"
            continue
        result = json.loads(found.stdout.splitlines()[-1])
        if kept.setdefault("device", result["device"]) != result["device"]:
            kept |= {"device": result["device"], "steps": {}}
        kept.setdefault("steps", {})[step_key(plan, run)] = result | {"name": name}
        write_json(measured_file(), kept)
        yield (
            f"measured  {name}: {result['seconds']:.3g} s a step, {result['waiting']:.2g} of them waiting "
            f"for images; {result['evaluation_seconds']:.2g} s an image tested; "
            f"{result['bytes'] / 2**30:.2f} GiB ({result['data']}, {result['device']})"
        )
    for setting in plan.rendered(plan.settings):
        value = plan.images_of(setting)
        assert isinstance(value, Rendering)
        view, problem = _view(plan, setting, value)
        if problem:
            yield f"not measured  {setting}: {problem}"
            continue
        kept.setdefault("views", {})[view_key(plan, setting)] = view | {"name": setting}
        write_json(measured_file(), kept)
        yield f"measured  {setting}: {view['seconds']:.3g} s a view, {view['start']:.2g} s to start"


def _timed(plan: Plan) -> Iterator[tuple[Run, tuple[subprocess.CompletedProcess[str], str]]]:
    """Yield a run of each kind with what its steps took, as many side by side as the cores train at once.

    Trainings on all cores share caches and memory: on two cores of a virtual machine a step took a third more
    CPU time beside another training than alone. On a GPU a training is alone.
    """
    kinds = [*{step_key(plan, run): run for run in reversed(runs_of(plan))}.values()]
    threads = max((plan.recipes[stage_of(run)[1]].threads for run in kinds), default=1)
    beside = 1 if count_gpus() else max(1, min(BESIDE, len(os.sched_getaffinity(0)) // threads))
    with ThreadPoolExecutor(beside) as pool:
        requests = (_training(plan, run) for run in kinds)
        yield from zip(kinds, pool.map(partial(_call, "syn2real.training.timing"), requests), strict=True)


def _training(plan: Plan, run: Run) -> dict[str, Any]:
    """Return the request for a run's steps."""
    stage, recipe, task, model = stage_of(run)
    request = {
        **{"task": task, "model": model, "recipe": plan.recipes[recipe].resolve(stage, task, model)},
        **{"threads": plan.recipes[recipe].threads, "size": PHOTOGRAPH},
        **{"shards": [], "shard_images": 0, "target": None},
    }
    if not isinstance(run, Pretraining):
        labels = labelled_images(plan, run.target, run.percent or 100) or 0
        return request | {"target": plan.target_data(fold_of(run.target)[0]), "n": labels}
    request |= {"n": run.n}
    value = plan.images_of(run.setting)
    if isinstance(value, OwnRenders):
        return request
    first = plan.shards(run.setting, "train", value.views)[:1]
    there = all(Path(shard).is_file() for shard in first)
    images = value.scenes_per_shard * value.views
    return request | {"size": value.size, "shards": first if there else [], "shard_images": images}


def _view(plan: Plan, setting: str, value: Rendering) -> tuple[dict[str, float], str]:
    """Return the seconds of a view and of a start, or why they could not be measured."""
    folders = asset_folders(plan, value)
    needed = [*folders["objects"].values(), *([folders["textures"]] if folders["textures"] else [])]
    if absent := [folder for folder in needed if not Path(folder).exists()]:
        return {}, f"{absent[0]} is not there yet; snakemake makes it before it renders"
    scenes = max(2, math.ceil(VIEWS / value.views))
    rendering = to_params(value) | {"scenes_per_shard": scenes}
    began, used = time.monotonic(), _children()
    found, problem = _call("syn2real.render.timing", {"setting": setting, "rendering": rendering, **folders})
    seconds, cpu = time.monotonic() - began, _children() - used
    rate = re.findall(r"([\d.]+) images/s", found.stderr)
    if problem or not rate:
        return {}, problem or "its rate was not printed"
    each = 1 / float(rate[-1])
    start = max(0.0, seconds - scenes * value.views * each)
    share = cpu / seconds
    return {"seconds": each, "start": start, "cpu_seconds": each * share, "cpu_start": start * share}, ""


def _children() -> float:
    """Return the CPU seconds of the processes that this one started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _call(module: str, request: dict[str, Any]) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a module on a request, in a process of its own; return it, and the last line of what went wrong."""
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or [f"ended with exit code {done.returncode}"]
    return done, lines[-1] if done.returncode else ""
