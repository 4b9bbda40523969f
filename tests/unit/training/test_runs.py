"""Whole runs on small shards and targets: what they leave behind, and that a killed one loses nothing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fixtures.interruptions import stopped_after
from syn2real.backbones.base import build_backbone
from syn2real.data.subsets import draw_from_pool, indices_digest
from syn2real.errors import InputError, TrainingError
from syn2real.training.finetune import finetune
from syn2real.training.pretrain import pretrain
from syn2real.training.run import Run

# A subprocess that kills itself: at the end of a step, or with a resume state half replaced.
MIOU = "mIoU (classes in truth or prediction)"
KILLED = """
import json, os, signal, sys
from pathlib import Path
from syn2real.training import checkpoints, progress
from syn2real.training.pretrain import pretrain

arguments, where, when = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
calls = []

def dies(original):
    def call(*args):
        result = original(*args)
        calls.append(1)
        if len(calls) == when:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

if where == "step":
    progress.Progress.step = dies(progress.Progress.step)
else:
    checkpoints.torch.save = dies(checkpoints.torch.save)
pretrain(**arguments)
"""


@pytest.fixture
def arguments(shards, key, resolve, tmp_path):
    """Return a function that makes the arguments of a pre-training."""

    def make(ptask, folder, **changes):
        out = tmp_path / folder
        settings = {"n": 16} | changes
        return {
            "key": key | {"ptask": ptask, "n": settings["n"]},
            "recipe": resolve("pretrain", ptask, **settings.pop("recipe", {})),
            "shards": [str(path) for path in shards[0]],
            "val_shards": [str(path) for path in shards[1]],
            "n_val": 8,
            "outputs": {
                "backbone": str(out / "backbone.safetensors"),
                "metrics": str(out / "metrics.json"),
                "curve": str(out / "curve.csv"),
            },
            "scratch": str(out / ".scratch"),
            "threads": 1,
        } | settings

    return make


def result(arguments):
    """Return what a run wrote: metrics without time and commit, curve, backbone's bytes."""
    outputs = {name: Path(path) for name, path in arguments["outputs"].items()}
    metrics = json.loads(outputs["metrics"].read_text())
    assert metrics.pop("seconds") > 0
    metrics.pop("git_commit")
    return metrics, outputs["curve"].read_text(), outputs["backbone"].read_bytes()


@pytest.mark.parametrize("ptask", ["mulclass", "objdet", "semseg", "normal"])
def test_pretraining_hands_on_the_best_backbone(ptask, arguments, tmp_path):
    n, pool = (11, {"of": "s", "images": 16}) if ptask == "objdet" else (16, None)
    pretrain(**arguments(ptask, "run", n=n, pool=pool))
    metrics, curve, _ = result(arguments(ptask, "run"))
    assert metrics["pool"] == (pool and pool | {"digest": indices_digest(16, draw_from_pool(16, n))})
    evaluations = metrics["evaluations"]
    assert [e["iteration"] for e in evaluations] == ([2, 4] if ptask == "mulclass" else [2, 3])
    assert metrics["value"] == metrics["best"]["value"] == max(e["value"] for e in evaluations)
    assert metrics["error"] == 1 - metrics["value"]
    assert (metrics["n_train"], metrics["n_test"], metrics["n_params"]) == (n, 8, 11176512)
    rows = curve.splitlines()
    assert rows[0] == "iteration,images,lr,loss,value"
    assert len(rows) == 1 + metrics["iterations"]
    assert rows[2].endswith(f",{evaluations[0]['value']}") and rows[1].endswith(",")
    build_backbone("resnet18").load(tmp_path / "run" / "backbone.safetensors")
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"backbone.safetensors", "metrics.json", "curve.csv", "tensorboard"}


def killed(arguments, where, when):
    """Run a pre-training in a process that kills itself."""
    command = [sys.executable, "-c", KILLED, json.dumps(arguments), where, str(when)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_twice_the_digits_are_those_of_the_whole_run(arguments):
    """DeepLabV3 drops out at random, and processes load its data: every generator's state counts."""
    recipe = {"recipe": {"iterations": 7, "evaluation_iterations": 3, "workers": 1}}
    whole = arguments("normal", "whole", **recipe)
    pretrain(**whole)
    broken = arguments("normal", "broken", **recipe, checkpoint_seconds=0)
    for where, when in (("step", 4), ("save", 2)):
        killed(broken, where, when)
    pretrain(**broken)
    assert result(broken) == result(whole)


def test_a_stopped_adamw_goes_on_to_the_same_digits(arguments):
    changes = {"optimiser": "adamw", "lr": 0.001, "layer_decay": 0.8, "iterations": 5}
    whole = arguments("mulclass", "whole", recipe=changes)
    pretrain(**whole)
    stopped = arguments("mulclass", "stopped", recipe=changes, checkpoint_seconds=0)
    with stopped_after(3):
        pretrain(**stopped)
    pretrain(**stopped)
    assert result(stopped) == result(whole)


@pytest.mark.slow
@pytest.mark.parametrize("ptask", ["objdet", "semseg"])
def test_killed_at_every_iteration_the_digits_are_those_of_the_whole_run(ptask, arguments):
    recipe = {"recipe": {"iterations": 5, "evaluation_iterations": 2, "norm_batch_size": 2}}
    whole = arguments(ptask, "whole", **recipe)
    pretrain(**whole)
    broken = arguments(ptask, "broken", **recipe, checkpoint_seconds=0)
    state = Path(broken["scratch"]) / "state.pt"
    for iteration in range(1, 4):
        killed(broken, "save", 2)  # a process saves one step, and dies while it saves the next
        assert torch.load(state, weights_only=True)["state"]["history"]["iteration"] == iteration
    pretrain(**broken)
    assert result(broken) == result(whole)


def test_workers_and_cache_change_no_digit(arguments):
    plain = arguments("mulclass", "plain")
    pretrain(**plain)
    values = []
    for folder, changes in (("workers", {"workers": 2}), ("no-cache", {"cache_mib": 0})):
        other = arguments("mulclass", folder, recipe=changes)
        pretrain(**other)
        values.append(result(other))
    for metrics, curve, backbone in values:
        assert (curve, backbone) == result(plain)[1:]
        assert metrics["evaluations"] == result(plain)[0]["evaluations"]


def test_seeds_differ_and_a_data_set_may_be_smaller_than_a_batch(arguments):
    curves = []
    for seed in (0, 1):
        given = arguments("mulclass", f"seed{seed}", n=2)
        given["key"]["seed"] = seed
        pretrain(**given)
        curves.append(result(given)[1])
    assert curves[0] != curves[1]


def test_divergence_stops_with_the_iteration_and_leaves_no_result(arguments, tmp_path):
    diverging = {"lr": 100, "weight_decay": 1, "iterations": 60, "warmup_images": 0}
    given = arguments("mulclass", "run", recipe=diverging)
    with pytest.raises(TrainingError, match=r"diverged: the loss is (nan|inf) at iteration \d+"):
        pretrain(**given)
    assert not {"metrics.json", "backbone.safetensors"} & {p.name for p in (tmp_path / "run").iterdir()}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_shard_is_named_in_one_line(workers, arguments, tmp_path):
    given = arguments("mulclass", "run", recipe={"workers": workers})
    shard = Path(given["shards"][0])
    shard.write_bytes(shard.read_bytes().replace(b"\x89PNG", b"\x89GNP"))
    with pytest.raises(InputError) as raised:
        pretrain(**given)
    assert str(raised.value).startswith(f"{shard}: ") and "Traceback" not in str(raised.value)
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.parametrize("ptask", ["mulclass", "objdet", "semseg"])
def test_classes_that_the_first_images_lack_have_their_outputs(ptask, arguments):
    """Two images show the first two of three classes; the last of all eight shows none at all."""
    given = arguments(ptask, "few", n=2)
    pretrain(**given)
    metrics = result(given)[0]
    assert (metrics["n_train"], metrics["n_test"]) == (2, 8)


def finetuning(key, resolve, target, output, backbone=None, percent=50.0, ftask="sinclass", **changes):
    return {
        "key": key | {"ftask": ftask, "target": "boxes", "s_percent": percent},
        "recipe": resolve("finetune", ftask, **changes),
        "target": target,
        "backbone": backbone,
        "percent": percent,
        "outputs": {"metrics": output},
        "scratch": output.parent / ".scratch",
        "threads": 1,
    }


def test_finetuning_with_and_without_a_backbone(arguments, key, resolve, image_folder, tmp_path):
    given = arguments("mulclass", "pretrained")
    pretrain(**given)
    metrics = {}
    for name, backbone in (("scratch", None), ("backbone", given["outputs"]["backbone"])):
        output = tmp_path / name / "metrics.json"
        finetune(**finetuning(key, resolve, image_folder, output, backbone, evaluation_iterations=3))
        metrics[name] = json.loads(output.read_text())
        left = {path.name for path in output.parent.iterdir()}
        assert left == {"metrics.json", "per_image.npz", "tensorboard"}
    for one in metrics.values():
        assert [e["iteration"] for e in one["evaluations"]] == [3, 4]
        assert one["value"] == one["evaluations"][-1]["value"]
        assert (one["n_train"], one["n_test"]) == (30, 12)
    assert metrics["scratch"]["subset_digest"] == metrics["backbone"]["subset_digest"]
    assert "backbone" in metrics["backbone"]["inputs"] and "backbone" not in metrics["scratch"]["inputs"]


@pytest.mark.parametrize(
    ("ftask", "layout", "metric"),
    [("objdet", "coco", "mAP@[.5:.95]"), ("semseg", "coco", MIOU), ("semseg", "ade20k", MIOU)],
)
def test_dense_targets(ftask, layout, metric, arguments, key, resolve, stand_in, tmp_path):
    given = arguments("mulclass", "pretrained")
    pretrain(**given)
    target = {"layout": layout, "path": str(stand_in / layout), "stand_in": True}
    output = tmp_path / "finetuned" / "metrics.json"
    finetune(**finetuning(key, resolve, target, output, given["outputs"]["backbone"], ftask=ftask))
    metrics = json.loads(output.read_text())
    assert metrics["metric"] == metric
    assert 0 <= metrics["value"] < 1 and metrics["error"] == 1 - metrics["value"]
    assert (metrics["n_train"], metrics["n_test"], metrics["shortfall"]) == (8, 8, None)


def test_a_backbone_of_another_depth_is_refused(arguments, key, resolve, image_folder, tmp_path):
    given = arguments("mulclass", "pretrained")
    pretrain(**given)
    backbone = given["outputs"]["backbone"]
    assert len(load_file(backbone)) == 120
    wrong = finetuning(key | {"model": "resnet34"}, resolve, image_folder, tmp_path / "m.json", backbone)
    with pytest.raises(InputError, match="does not fit a resnet34"):
        finetune(**wrong)


def test_a_release_takes_up_the_states_of_the_one_before_and_other_packages_do_not(monkeypatch):
    def identity(**packages: str) -> str:
        monkeypatch.setattr("syn2real.training.run.versions", lambda: packages)
        return Run("pretrain", {}, "mulclass", {}, {}, {}, Path("scratch"), 1, 0.0).identity

    before = identity(syn2real="1.0", torch="2.0")
    assert identity(syn2real="1.1", torch="2.0") == before != identity(syn2real="1.0", torch="2.1")
