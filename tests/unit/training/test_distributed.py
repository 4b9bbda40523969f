"""How a step is shared among processes, and that whole runs of two processes are those of one."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from syn2real.errors import InputError, TrainingError
from syn2real.tasks.mulclass.schema import Section as MulclassSection
from syn2real.training import distributed, launch
from syn2real.training.batches import EndlessOrder
from syn2real.training.distributed import StepShare, World, parallel, step_share
from syn2real.training.launch import run_processes
from syn2real.training.pretrain import pretrain
from syn2real.training.step import NormLayers
from syn2real.training.worker import write_failure


def section(batch, group=None):
    return MulclassSection(batch_size=batch, norm_batch_size=group, iterations=10, lr=0.1)


@pytest.mark.parametrize(
    ("batch", "group", "size", "expected"),
    [
        (64, None, 1, (64, 1, 1)),
        (64, None, 4, (16, 1, 4)),  # synchronised over all
        (256, 32, 1, (32, 8, 1)),  # accumulated
        (256, 32, 4, (32, 2, 1)),
        (256, 32, 8, (32, 1, 1)),  # the paper's eight GPUs (A.3)
        (256, 32, 16, (16, 1, 2)),  # each group on two
    ],
)
def test_batch_norms_groups_do_not_depend_on_the_devices(batch, group, size, expected):
    share = step_share(section(batch, group), World(0, size))
    assert (share.images, share.parts, share.spread) == expected
    assert share.images * share.spread == (group or batch)
    assert share.images * share.parts * size == batch
    assert f"batch norm over {group or batch} images" in share.as_text()


@pytest.mark.parametrize(("batch", "group", "size"), [(64, None, 3), (64, 32, 3), (256, 32, 12), (8, 4, 16)])
def test_a_batch_that_cannot_be_divided_is_refused(batch, group, size):
    with pytest.raises(InputError, match=rf"batch_size: a batch of {batch} .* among {size} devices: give"):
        step_share(section(batch, group), World(0, size))


def test_a_group_must_divide_the_batch():
    with pytest.raises(ValueError, match="norm_batch_size: 6 does not divide the batch of 16"):
        section(16, 6)


def test_statistics_are_not_synchronised_on_a_cpu():
    share = StepShare(World(0, 2), images=4, parts=1, spread=2)
    with pytest.raises(InputError, match="norm_batch_size: batch norm is synchronised on GPUs only"):
        parallel(nn.BatchNorm2d(1), share, torch.device("cpu"))


def test_a_layer_that_does_more_than_batch_norm_is_not_replaced_by_batch_norm_alone():
    class BatchNormAct2d(nn.BatchNorm2d):
        """As timm's: with an activation."""

    share = StepShare(World(0, 2), images=4, parts=1, spread=2)
    with pytest.raises(InputError, match="norm_batch_size: BatchNormAct2d cannot be synchronised"):
        parallel(nn.Sequential(BatchNormAct2d(1)), share, torch.device("cuda"))


@pytest.mark.parametrize(("size", "group"), [(1, 4), (2, 4), (4, 4), (8, 4), (2, 2)])
def test_all_processes_together_see_the_one_order(size, group):
    whole = list(EndlessOrder(13, 16, seed=5, start=2, stop=6))
    shares = [step_share(section(16, group), World(rank, size)) for rank in range(size)]
    orders = [EndlessOrder(13, 16, seed=5, start=2, stop=6, share=share) for share in shares]
    parts = shares[0].parts
    assert {len(order) for order in orders} == {4 * parts}
    passes = [list(order) for order in orders]
    for step, batch in enumerate(whole):
        seen = [passes[rank][step * parts + part] for part in range(parts) for rank in range(size)]
        assert list(chain.from_iterable(seen)) == batch


def test_running_statistics_move_by_a_steps_mean_whatever_its_parts():
    groups = torch.randn(4, 6, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 + 1
    norm = nn.BatchNorm2d(3, momentum=0.1)
    layers = NormLayers(norm, StepShare(World(), images=6, parts=4, spread=1))
    for part, group in enumerate(groups):
        layers.enter(part)
        norm(group)
    layers.restore()
    means = groups.mean(dim=(1, 3, 4))
    variances = groups.var(dim=(1, 3, 4))
    assert torch.allclose(norm.running_mean, 0.1 * means.mean(0), atol=1e-6)
    assert torch.allclose(norm.running_var, 0.9 + 0.1 * variances.mean(0), atol=1e-6)
    assert norm.momentum == 0.1


def test_one_part_leaves_batch_norm_as_torch_has_it():
    norm = nn.BatchNorm2d(3)
    layers = NormLayers(norm, StepShare(World(), images=6, parts=1, spread=1))
    layers.enter(0)
    assert norm.momentum == 0.1


@pytest.fixture
def arguments(shards, key, resolve, tmp_path):
    """Return a function that makes the arguments of a pre-training whose statistics are over half a batch."""

    def make(folder, ptask="normal", **changes):
        out = tmp_path / folder
        names = {"backbone": "backbone.safetensors", "metrics": "metrics.json", "curve": "curve.csv"}
        numbers = {"batch_size": 4, "norm_batch_size": 2, "iterations": 5, "evaluation_iterations": 2}
        return {
            "key": key | {"ptask": ptask},
            "recipe": resolve("pretrain", ptask, **(numbers | changes)),
            "shards": shards[0],
            "val_shards": shards[1],
            "n": 16,
            "n_val": 8,
            "outputs": {name: str(out / file) for name, file in names.items()},
            "scratch": out / ".scratch",
            "threads": 1,
        }

    return make


def outcome(arguments):
    """Return metrics without time and commit, curve's rows, and backbone of a finished run."""
    outputs = {name: Path(path) for name, path in arguments["outputs"].items()}
    metrics = json.loads(outputs["metrics"].read_text())
    assert metrics.pop("seconds") > 0
    metrics.pop("git_commit")
    rows = [line.split(",") for line in outputs["curve"].read_text().splitlines()[1:]]
    return metrics, rows, load_file(outputs["backbone"])


ADAMW = {"optimiser": "adamw", "lr": 0.001, "layer_decay": 0.8}


@pytest.mark.parametrize(("ptask", "changes"), [("normal", {}), ("mulclass", ADAMW)], ids=["sgd", "adamw"])
def test_two_processes_do_what_one_does(ptask, changes, arguments, capfd):
    """Dropout, augmentation, statistics, accumulation and the best model: all are the same."""
    one, two = arguments("one", ptask, **changes), arguments("two", ptask, **changes)
    pretrain(**one)
    capfd.readouterr()
    run_processes(pretrain, two, processes=2)
    logged = capfd.readouterr().err
    (metrics, rows, backbone), (metrics2, rows2, backbone2) = outcome(one), outcome(two)
    assert (metrics["devices"], metrics["passes"]) == (1, 2)
    assert (metrics2["devices"], metrics2["passes"]) == (2, 1)
    assert metrics["norm_batch_size"] == metrics2["norm_batch_size"] == 2
    assert metrics2["n_test"] == 8
    for row, row2 in zip(rows, rows2, strict=True):
        assert row2[:3] == row[:3]
        assert [float(x) for x in row2[3:] if x] == pytest.approx([float(x) for x in row[3:] if x], rel=1e-4)
    for name in backbone.keys() - {name for name in backbone if name.endswith("num_batches_tracked")}:
        assert torch.allclose(backbone2[name], backbone[name], rtol=1e-3, atol=1e-5), name
    # One process logs.
    assert logged.count("a step is 2 device(s) x 1 pass(es) x 2 images; batch norm over 2 images") == 1
    assert logged.count(f"iteration 5: {metrics['metric']}") == 1
    assert not Path(two["scratch"]).exists()


KILLED = """
import json, sys
from syn2real.training.launch import run_processes
from syn2real.training.pretrain import pretrain

run_processes(pretrain, json.loads(sys.argv[1]), processes=2)
"""


@pytest.mark.slow
def test_two_killed_processes_go_on_to_the_same_digits(arguments):
    whole, broken = arguments("whole", iterations=12), arguments("broken", iterations=12)
    broken["checkpoint_seconds"] = 0
    run_processes(pretrain, whole, processes=2)
    command = [sys.executable, "-c", KILLED, json.dumps(broken, default=str)]
    state = Path(broken["scratch"]) / "state.pt"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as job:
        while not state.exists():
            assert job.poll() is None
            time.sleep(0.02)
        os.kill(job.pid, signal.SIGKILL)  # torchrun and its processes die with it
    iteration = torch.load(state, weights_only=True)["state"]["history"]["iteration"]
    assert 0 < iteration < 12
    run_processes(pretrain, broken, processes=2)
    metrics, rows, backbone = outcome(broken)
    assert (metrics, rows) == outcome(whole)[:2]
    assert all(torch.equal(value, outcome(whole)[2][name]) for name, value in backbone.items())


def test_a_failing_process_ends_the_job_with_its_own_line(arguments):
    given = arguments(
        "failing",
        "mulclass",
        lr=100,
        weight_decay=1,
        iterations=60,
        evaluation_iterations=60,
        warmup_images=0,
    )
    with pytest.raises(TrainingError, match=r"training diverged: the loss is (nan|inf) at iteration \d"):
        run_processes(pretrain, given, processes=2)
    assert not Path(given["outputs"]["metrics"]).exists()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("is damaged", file="shard.tar", key="0.png"), "shard.tar: 0.png: is damaged"),
        (TrainingError("diverged"), "diverged"),
        (OSError("no space left"), r"OSError: no space left \(process 1\)"),
    ],
)
def test_the_first_failure_is_raised(error, line, tmp_path, monkeypatch):
    def fail(command, **_):
        write_failure(tmp_path / "failure.json", error, rank=1)
        write_failure(tmp_path / "failure.json", RuntimeError("connection closed by peer"), rank=0)
        return subprocess.CompletedProcess(command, returncode=1)

    monkeypatch.setattr(launch.subprocess, "run", fail)
    with pytest.raises(type(error) if not isinstance(error, OSError) else RuntimeError, match=f"^{line}$"):
        run_processes(pretrain, {"scratch": tmp_path, "threads": 1}, processes=2)


def test_a_process_that_could_say_nothing_was_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(launch.subprocess, "run", lambda c, **_: subprocess.CompletedProcess(c, 1))
    with pytest.raises(ChildProcessError, match="a training process was killed .*out of memory"):
        run_processes(pretrain, {"scratch": tmp_path, "threads": 1}, processes=2)


def test_alone_without_torchruns_environment():
    with distributed.process_group() as world:
        assert world == World(0, 1) == distributed.current_world() and world.is_main
    assert world.from_main("mine") == "mine"
    assert world.mean(torch.tensor(3.0)) == 3
