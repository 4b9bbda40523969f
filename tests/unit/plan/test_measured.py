"""`check --measure`: what is timed, kept, and read again."""

import json
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syn2real.cli import main
from syn2real.plan.estimates import Estimate, Estimates, read_finished, runs_of
from syn2real.plan.measure import measure
from syn2real.plan.measured import (
    measured_file,
    measured_hours,
    read_measured,
    shard_hours,
    step_key,
    view_key,
)
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_named
from syn2real.plan.runs import Pretraining
from syn2real.tasks.schema import Override, tasks_of
from syn2real.training import timing

ROOT = Path(__file__).resolve().parents[3]
EXPERIMENT = "config/experiments/smoke.yaml"
STEP = {
    "seconds": 3.0,
    "waiting": 1.0,
    "evaluation_seconds": 0.5,
    "bytes": 2**30,
    "device": "card",
    "data": "x",
}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The smoke experiment's plan in a folder without results."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("syn2real.plan.costs.missing_blender", lambda _: [])  # needs a process
    monkeypatch.setattr("syn2real.plan.measure.count_gpus", lambda: 0)
    return load_named("config/config.yaml", [EXPERIMENT])


def _write(path: str | Path, value: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def _first(plan: Plan) -> Pretraining:
    run = runs_of(plan)[0]
    assert isinstance(run, Pretraining)
    return run


def test_finished_runs_on_this_device_come_before_measured_steps_before_the_recipe(plan: Plan) -> None:
    run = _first(plan)

    def estimate() -> Estimate:
        return Estimates(plan, read_finished([run])).of(run)

    assert estimate().source == "the recipe's assumption"
    _write(measured_file(), {"device": "card", "steps": {step_key(plan, run): STEP}})
    section = plan.recipes[run.recipe].section("pretrain", run.ptask, run.model)
    evaluations = -(-section.total_iterations // section.evaluation_interval)
    seconds = 3 * section.total_iterations + 0.5 * evaluations * plan.val_images(run.recipe, run.setting)
    assert estimate() == Estimate(seconds / 3600, "measured steps on card")
    _write(run.metrics, {"seconds": 60.0, "device": "another card"})
    assert estimate().source == "measured steps on card"
    _write(run.metrics, {"seconds": 60.0, "device": "card"})
    assert estimate() == Estimate(60 / 3600, "finished runs on card")
    _write(run.metrics, {"seconds": 0.0, "device": "card", "diverged": True})
    assert estimate().source == "measured steps on card", "it ended early"


def test_hours_of_a_network_that_the_recipe_does_not_state_are_called_a_resnets(plan: Plan) -> None:
    run = replace(_first(plan), model="vit_tiny_patch16_224")
    assert Estimates(plan, {}).of(run).source == "the recipe's assumption for a ResNet"
    section = plan.recipes[run.recipe].require("pretrain", run.ptask)
    section.models[run.model] = Override(seconds_per_1000_images=7)
    assert Estimates(plan, {}).of(run).source == "the recipe's assumption"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_file_is_as_none(plan: Plan, text: str) -> None:
    _write(measured_file(), text)
    assert measured_hours(plan, _first(plan), read_measured()) is None


def test_rendering_is_by_finished_shards_before_measured_views(plan: Plan) -> None:
    setting = _first(plan).setting
    value = plan.images_of(setting)
    images = value.views * value.scenes_per_shard
    assert shard_hours(plan, setting, {}) == (None, "")
    found = {"views": {view_key(plan, setting): {"start": 2.0, "seconds": 0.25}}}
    assert shard_hours(plan, setting, found) == ((2 + images / 4) / 3600, "measured views")
    log = f"results/logs/render/{setting}/train/shard-000000.log"
    _write(log, "Blender is ready\n1 of 8 scenes, 9.00 images/s\n")
    assert shard_hours(plan, setting, found)[1] == "measured views"
    _write(log, "Blender is ready\n1 of 8 scenes, 9.00 images/s\n8 of 8 scenes, 2.00 images/s\n")
    assert shard_hours(plan, setting, found) == ((2 + images / 2) / 3600, "finished shards")


def test_each_kind_is_timed_once_and_kept_and_what_fails_is_said(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []

    def run(command: list[str], input: str, **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(json.loads(input))
        fails = asked[-1]["task"] == "objdet"
        return subprocess.CompletedProcess(
            command, int(fails), json.dumps(STEP), "Traceback\nout of memory\n"
        )

    monkeypatch.setattr("syn2real.plan.measure.subprocess.run", run)
    assert main(["check", "--measure", EXPERIMENT]) == 0
    out = capsys.readouterr().out
    assert len(asked) == len({(one["task"], json.dumps(one["recipe"])) for one in asked})
    assert "not measured  finetune objdet resnet18: out of memory" in out
    assert "measured  pretrain mulclass resnet18: 3 s a step, 1 of them waiting for images; " in out
    assert "not measured  smoke: results/assets/" in out and "is not there yet" in out
    assert "measured steps on card" in out
    kept = read_measured()
    assert kept["device"] == "card" and len(kept["steps"]) == sum(one["task"] != "objdet" for one in asked)


@pytest.mark.parametrize(("cores", "gpus", "most"), [(1, 0, 1), (2, 0, 2), (64, 0, 4), (64, 1, 1)])
def test_as_many_are_timed_side_by_side_as_train_at_once(
    cores: int, gpus: int, most: int, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, running = threading.Lock(), [0]
    counts = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        with lock:
            running[0] += 1
            counts.append(running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return subprocess.CompletedProcess(command, 0, json.dumps(STEP), "")

    monkeypatch.setattr("syn2real.plan.measure.subprocess.run", run)
    monkeypatch.setattr("syn2real.plan.measure.count_gpus", lambda: gpus)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(cores))
    printed = [line for line in measure(plan) if line.startswith("measured")]
    assert max(counts) == most
    assert len(printed) == len(counts) == 7


@pytest.mark.parametrize("task", tasks_of("pretrain"))
def test_steps_of_each_task_are_timed_on_random_images(
    task: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "STEPS", 1)
    monkeypatch.setattr(timing, "WARM", 1)
    monkeypatch.setattr(timing, "SECONDS", 0.1)
    recipe = load_named("config/config.yaml", ["config/experiments/smoke.yaml"]).recipes["smoke"]
    alike = "normal" if task == "depth" else task  # which the recipe does not have
    request = {
        **{"task": task, "model": "resnet18", "recipe": recipe.resolve("pretrain", alike, "resnet18")},
        **{"threads": 1, "shards": [], "shard_images": 0, "target": None, "size": (48, 40), "n": 8},
    }
    found = timing.measure(request)
    assert found["seconds"] > 0 and found["evaluation_seconds"] > 0 and found["bytes"] > 0
    assert found["data"] == "random images"
