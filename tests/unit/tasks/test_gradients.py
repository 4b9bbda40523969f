"""The gradient of a step is the same in one pass, in several, and on several processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from syn2real.tasks.base import build_model
from syn2real.training.batches import training_batches
from syn2real.training.distributed import StepShare, World
from syn2real.training.seeding import seed_everything
from syn2real.training.step import compute_gradient, prepare

CPU = torch.device("cpu")

# The gradients of all tasks, in two processes that torchrun starts.
TWO = """
import sys, torch
from test_gradients import gradient
from syn2real.training.distributed import StepShare, process_group

given = torch.load(sys.argv[1], weights_only=False)
with process_group() as world:
    share = StepShare(world, images=4, parts=1, spread=1)
    found = {name: gradient(task, halves, share) for name, (task, halves) in given.items()}
    if world.is_main:
        torch.save(found, sys.argv[2])
"""


def freeze(model):
    """Batch norm by running statistics, no dropout: a gradient that is a mean over images or pixels."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Dropout):
            module.eval()
    return model


def gradient(task, batches, share):
    """Return (loss, gradient by name) of the passes of one process."""
    seed_everything(0, "initialisation")
    backbone, model = build_model(task, "resnet18")
    setup = prepare(task, backbone, freeze(model), seed=0, device=CPU, share=share)
    if share.world.size > 1:
        batches = [batches[share.world.rank]]
    loss = compute_gradient(setup, batches, iteration=0)
    return loss, {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.fixture
def halves(smoke_task, samples):
    """Return a function that gives a task and the two halves of a batch, uneven in what is labelled."""

    def make(name):
        task = smoke_task(name, batch_size=8, norm_batch_size=4)
        batches = training_batches(samples(name), task, seed=0, start=0, device=CPU)
        first, (images, targets) = next(batches), next(batches)
        if name == "semseg":
            targets[1:] = 255  # a mean over each half's own labelled pixels would weigh them wrongly
        if name == "normal":
            targets[1:, 2] = 0
        return task, [first, (images, targets)]

    return make


def close(found, expected):
    """Whether gradients are equal but for the order of additions."""
    assert found[0].item() == pytest.approx(expected[0].item(), rel=1e-5)
    scale = max(g.abs().max() for g in expected[1].values())
    assert scale > 0 and found[1].keys() == expected[1].keys()
    for name, value in expected[1].items():
        assert torch.allclose(found[1][name], value, rtol=1e-3, atol=1e-5 * scale), name
    return True


def joined_batch(halves):
    return tuple(torch.cat(parts) for parts in zip(*halves, strict=True))


@pytest.mark.parametrize("name", ["mulclass", "sinclass", "semseg", "normal"])
def test_two_passes_are_one(name, halves):
    task, batches = halves(name)
    whole = gradient(task, [joined_batch(batches)], StepShare(World(), images=8, parts=1, spread=1))
    assert close(gradient(task, batches, StepShare(World(), images=4, parts=2, spread=1)), whole)


def test_two_processes_are_one(halves, tmp_path):
    """The detector samples anchors at random, by the part of the batch: it is compared in two passes."""
    names = ["mulclass", "sinclass", "semseg", "normal", "objdet"]
    given = {name: halves(name) for name in names}
    torch.save(given, tmp_path / "given.pt")
    (tmp_path / "two.py").write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = [tmp_path / "two.py", tmp_path / "given.pt", tmp_path / "found.pt"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = torch.load(tmp_path / "found.pt")
    for name, (task, batches) in given.items():
        passes = StepShare(World(), images=4, parts=2, spread=1)
        assert close(found[name], gradient(task, batches, passes)), name
        if name != "objdet":
            one = StepShare(World(), images=8, parts=1, spread=1)
            assert close(found[name], gradient(task, [joined_batch(batches)], one)), name


@pytest.mark.parametrize("name", ["mulclass", "sinclass", "objdet"])
def test_micro_batches_add_up_to_the_batch_where_no_batch_norm_trains(name, smoke_task, samples, monkeypatch):
    """The detector's losses are means over as many samples an image; which ones is no longer drawn here."""
    monkeypatch.setattr(torch, "randperm", lambda n, device=None: torch.arange(n, device=device))
    found = []
    for size in (None, 4, 2):
        task = smoke_task(name, batch_size=8, norm_batch_size=None, norm="frozen", micro_batch_size=size)
        seed_everything(0, "initialisation")
        backbone, model = build_model(task, "resnet18")
        setup = prepare(task, backbone, model.train(), seed=0, device=CPU)
        assert setup.share.images == (size or 8) and "held as loaded" in setup.share.as_text()
        batches = training_batches(samples(name), task, seed=0, start=0, device=CPU, share=setup.share)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        loss = compute_gradient(setup, [next(batches) for _ in range(setup.share.parts)], iteration=0)
        norms = {key for key in before if "running" in key or "num_batches" in key}
        assert norms and all(torch.equal(before[key], model.state_dict()[key]) for key in norms)
        grads = {key: p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
        assert not any("bn" in key or "downsample.1" in key for key in grads)
        found.append((loss, grads))
    assert close(found[1], found[0]) and close(found[2], found[0])
