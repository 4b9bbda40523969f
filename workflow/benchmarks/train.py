"""Seconds of a whole training step of each task, against the same model in torchvision's reference loop.

Question: what does our loop cost or save?
Cost: five minutes on one core; on a GPU, with the recipe's sizes, about four (``--turns 7``: one and a half).
Expected: never slower than the reference on a CPU. On a GPU it was hoped to have 1.5 times the speed of its
fp32 and that of its ``--amp``. On an H100 the means are 1.54 and 1.15; three of six tasks fall short: objdet
(1.37 ± 0.02, 1.06 ± 0.03), semseg (1.260 ± 0.002, 0.946 ± 0.001), whose loss of 173 classes takes six tenths
of a step, and sinclass (0.83 ± 0.02, 0.92 ± 0.04), whose 16 images of 224² leave the GPU waiting for the CPU.

Both models start from the same weights. The batches are in memory as each loader leaves them: bytes for
ours, which normalises on the device, float32 for the reference, whose loader does. The reference is
`train_one_epoch` of references/classification, detection and segmentation, with the segmentation's own
`criterion`: no channels-last, torch's default optimiser, the loss looked at in every step; multi-label
classification, normals and depth, which they have not, run in their loops with our loss. Ours computes in
what a recipe's `mixed16` means on the device: on a CPU that is fp32, with deterministic algorithms. Sizes and
the detector's numbers are paper.yaml's on a GPU; on a CPU images are small and the detector is the demo's.
Steps are taken in turns, timed in CPU seconds on a CPU; the ratio, the reference's time over ours, is the
mean over the turns, with its standard error.

Run it with ``python workflow/benchmarks/train.py``; with ``--device cuda`` on a GPU.
"""

from __future__ import annotations

import argparse
import copy
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional as F

from syn2real.backbones.base import Backbone
from syn2real.config.recipe import Recipe
from syn2real.tasks.base import Task, build_model, task_class
from syn2real.tasks.common.dense import enlarged
from syn2real.tasks.common.images import memory_format
from syn2real.tasks.schema import read_section
from syn2real.training.optimiser import learning_rate, set_learning_rate
from syn2real.training.precision import use_fast_kernels, use_tf32
from syn2real.training.seeding import make_deterministic
from syn2real.training.step import compute_gradient, prepare

RECIPES = Path(__file__).parents[2] / "config" / "recipes"
CLASSES = [f"class{k}" for k in range(173)]
SIZES = {"sinclass": 224, "mulclass": 640, "objdet": 640, "semseg": 480, "normal": 480, "depth": 480}
"""The tasks, and the sizes of images in paper.yaml, pixels; depth has that of normals."""
Step = Callable[[], Any]


def random_batch(name: str, batch: int, size: int) -> tuple[Any, Any]:
    """Return images and annotations as the task's `collate` leaves them."""
    images = torch.randint(0, 256, (batch, size, size, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    corner, side = torch.rand(batch, 10, 2) * size * 0.7, 4 + torch.rand(batch, 10, 2) * size * 0.25
    labels = torch.randint(1, len(CLASSES) + 1, (batch, 10))
    targets: Any = {
        "sinclass": lambda: labels[:, 0] - 1,
        "mulclass": lambda: F.one_hot(labels - 1, len(CLASSES)).amax(dim=1).float(),
        "objdet": lambda: [
            {"boxes": boxes, "labels": own}
            for boxes, own in zip(torch.cat([corner, corner + side], dim=2), labels, strict=True)
        ],
        "semseg": lambda: torch.randint(0, len(CLASSES), (batch, size, size), dtype=torch.uint8),
        "normal": lambda: torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8),
        "depth": lambda: 1 + torch.rand(batch, size, size),
    }[name]()
    return images, targets


def our_step(
    task: Task, backbone: Backbone, model: nn.Module, batch: tuple[Any, Any], device: torch.device
) -> Step:
    """Return a step as the training loop takes it."""
    model.to(device).to(memory_format=memory_format(device)).train()
    setup = prepare(task, backbone, model, seed=0, device=device)
    batch = pinned(batch, device)

    def step() -> None:
        make_deterministic(torch.get_num_threads(), device)
        use_fast_kernels(device)
        use_tf32(device, setup.section.tf32)
        set_learning_rate(setup.optimiser, learning_rate(setup.section, 0))
        setup.optimiser.zero_grad(set_to_none=True)
        compute_gradient(setup, [batch], iteration=0)
        setup.scaler.step(setup.optimiser)
        setup.scaler.update()

    return step


def reference_step(
    name: str, task: Task, model: nn.Module, batch: tuple[Any, Any], device: torch.device, *, amp: bool
) -> Step:
    """Return a step as torchvision's `train_one_epoch` takes it."""
    loss_of = criterion if name == "semseg" else task.loss
    model.to(device).train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda _: 1.0)
    scaler = torch.amp.GradScaler(device.type) if amp else None
    images, targets = pinned(task.move(batch, torch.device("cpu")), device)  # what their loader does itself
    meters: list[float] = []

    def step() -> None:
        torch.use_deterministic_algorithms(False)
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = False
        moved = on_device(images, device), on_device(targets, device)
        with torch.autocast(device.type, dtype=torch.float16, enabled=amp):
            loss = torch.stack(list(loss_of(model, *moved).values())).sum()
        optimiser.zero_grad()
        if scaler is not None:
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
        else:
            loss.backward()
            optimiser.step()
        schedule.step()
        meters.append(loss.item())

    return step


def criterion(model: nn.Module, images: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Return the loss of references/segmentation, of all outputs at the images' size."""
    outputs = {name: enlarged(coarse, images.shape[-2:]) for name, coarse in model(images).items()}
    losses = {name: F.cross_entropy(values, masks, ignore_index=255) for name, values in outputs.items()}
    return {"out": losses["out"], "aux": 0.5 * losses["aux"]}


def on_device(values: Any, device: torch.device) -> Any:
    """Move a tensor, or the tensors of a list or a dictionary, as torchvision's loops do."""
    if isinstance(values, Tensor):
        return values.to(device, non_blocking=True)
    if isinstance(values, dict):
        return {key: on_device(value, device) for key, value in values.items()}
    return [on_device(value, device) for value in values]


def pinned(values: Any, device: torch.device) -> Any:
    """Return a batch in memory that a GPU copies from directly, as a loader's `pin_memory` leaves it."""
    if device.type != "cuda":
        return values
    if isinstance(values, Tensor):
        return values.pin_memory()
    if isinstance(values, dict):
        return {key: pinned(value, device) for key, value in values.items()}
    return type(values)(pinned(value, device) for value in values)


def seconds(step: Step, repeats: int, device: torch.device) -> float:
    """Return the seconds of a step: the CPU's, or a GPU's by the clock."""
    cuda = device.type == "cuda"
    wait, clock = (torch.cuda.synchronize, time.perf_counter) if cuda else (lambda: None, time.process_time)
    wait()
    began = clock()
    for _ in range(repeats):
        step()
    wait()
    return (clock() - began) / repeats


def compare(name: str, args: argparse.Namespace, size: int) -> list[dict[str, float]]:
    """Return the seconds of a step of ours and of each kind of reference, of each turn."""
    device = torch.device(args.device)
    path = RECIPES / ("paper.yaml" if device.type == "cuda" else "demo.yaml")
    recipe = Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    stage = "finetune" if name == "sinclass" else "pretrain"
    alike = "normal" if name == "depth" else name  # which the recipes do not have
    numbers = recipe.resolve(stage, alike, args.model) | {"precision": "mixed16"}
    numbers |= {"batch_size": args.batch, "norm_batch_size": None}
    if name == "objdet":
        numbers |= {"image_size": size}
    task = task_class(name)(read_section(name, numbers), CLASSES)
    torch.manual_seed(0)
    backbone, model = build_model(task, args.model)
    batch = random_batch(name, args.batch, size)
    kinds = {"fp32": False} | ({"amp": True} if device.type == "cuda" else {})
    steps = {"ours": our_step(task, *copy.deepcopy((backbone, model)), batch, device)}
    for kind, amp in kinds.items():
        steps[kind] = reference_step(name, task, copy.deepcopy(model), batch, device, amp=amp)
    for step in steps.values():
        seconds(step, 2, device)
    repeats = 5 if device.type == "cuda" else 1
    turns = []
    for turn in range(args.turns):
        order = list(steps.items())[:: 1 if turn % 2 else -1]
        turns.append({kind: seconds(step, repeats, device) for kind, step in order})
    return turns


def main() -> None:
    """Print the table."""
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda" if cuda else "cpu", help="(default: %(default)s)")
    parser.add_argument("--model", default="resnet50" if cuda else "resnet18", help="(default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16 if cuda else 8, help="images (default: %(default)s)")
    parser.add_argument("--size", type=int, help="of images, pixels (default: the recipe's; on a CPU 128)")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=21, help="of each side (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    where = torch.cuda.get_device_name() if args.device == "cuda" else f"CPU, {args.threads} thread(s)"
    versions = f"torch {torch.__version__}, Python {sys.version.split()[0]}"
    print(f"{where}, {versions}, {args.model}, batch {args.batch}")
    means: dict[str, list[float]] = {}
    for name, own_size in SIZES.items():
        size = args.size or (own_size if args.device == "cuda" else 128)
        turns = compare(name, args, size)
        line = f"{name:9} {size:4}²"
        for kind in turns[0]:
            line += f"   {kind} {1000 * statistics.median(turn[kind] for turn in turns):8.1f} ms"
            if kind != "ours":
                ratios = [turn[kind] / turn["ours"] for turn in turns]
                error = statistics.stdev(ratios) / math.sqrt(len(ratios))
                means.setdefault(kind, []).append(statistics.mean(ratios))
                line += f", ratio {means[kind][-1]:.3f} ± {error:.3f}"
        print(line, flush=True)
    for kind, values in means.items():
        print(f"geometric mean of the ratios to {kind}: {math.prod(values) ** (1 / len(values)):.2f}")


if __name__ == "__main__":
    main()
