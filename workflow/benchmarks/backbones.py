"""Seconds of a training step of each backbone family, against its library's own plain loop.

Question: what does our loop cost or save on ConvNeXt, ViT, Swin and EfficientNet?
Cost: a minute and a half of one core (``--turns 15``).
Expected: never slower than the library's own loop, as for the ResNets (`train.py`).

Both classify the same images from the same weights. Ours is a step of single-label classification as the
training loop takes it: bytes, normalised on the device, deterministic algorithms. timm's is that of its own
`train.py`: a float batch as its loader leaves it, AdamW by `create_optimizer_v2` with layer-wise decay, the
loss looked at in every step. For the ResNet it is `train_one_epoch` of torchvision's references, with SGD on
both sides. Steps are taken in turns, timed in CPU seconds; the ratio, the library's time over ours, is the
mean over the turns, with its standard error.

Run it with ``python workflow/benchmarks/backbones.py``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from typing import Any

import timm
import torch
from timm.optim import create_optimizer_v2
from torch import nn
from train import Step, our_step, random_batch, reference_step, seconds

from syn2real.tasks.base import build_model, task_class
from syn2real.tasks.schema import read_section

MODELS = (
    "resnet18",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "swin_tiny_patch4_window7_224",
    "efficientnet_b0",
)
OPTIONS = {
    "vit_tiny_patch16_224": {"dynamic_img_size": True},
    "swin_tiny_patch4_window7_224": {"strict_img_size": False},
}
"""What lets timm's own take images of another size."""
CLASSES = [f"class{k}" for k in range(173)]
ADAMW = {"optimiser": "adamw", "layer_decay": 0.75, "weight_decay": 0.05}
CPU = torch.device("cpu")


def timm_step(model: nn.Module, images: Any, labels: Any) -> Step:
    """Return a step as timm's `train_one_epoch` takes it."""
    model.train()
    optimiser = create_optimizer_v2(model, opt="adamw", lr=1e-4, weight_decay=0.05, layer_decay=0.75)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda _: 1.0)
    loss_of, meters = nn.CrossEntropyLoss(), []

    def step() -> None:
        torch.use_deterministic_algorithms(False)
        loss = loss_of(model(images), labels)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        meters.append(loss.item())

    return step


def compare(name: str, batch_size: int, size: int, turns: int) -> list[tuple[float, float]]:
    """Return the seconds of a step of ours and of the library's, of each turn."""
    torchvisions = name.startswith("resnet")
    numbers = {"iterations": 1000, "lr": 1e-4, "batch_size": batch_size, "crop": size}
    numbers |= {} if torchvisions else ADAMW
    task = task_class("sinclass")(read_section("sinclass", numbers), CLASSES)
    torch.manual_seed(0)
    backbone, model = build_model(task, name)
    batch = random_batch("sinclass", batch_size, size)
    if torchvisions:
        _, other = build_model(task, name)
        other.load_state_dict(model.state_dict())
        steps = [our_step(task, backbone, model, batch, CPU)]
        steps.append(reference_step("sinclass", task, other, batch, CPU, amp=False))
    else:
        whole = timm.create_model(name, num_classes=len(CLASSES), **OPTIONS.get(name, {}))
        whole.load_state_dict(backbone.state(), strict=False)
        whole.get_classifier().load_state_dict(model.last.state_dict())
        steps = [our_step(task, backbone, model, batch, CPU)]
        steps.append(timm_step(whole, *task.move(batch, CPU)))
    for step in steps:
        seconds(step, 2, CPU)
    found = []
    for turn in range(turns):
        order = (0, 1) if turn % 2 else (1, 0)
        times = {which: seconds(steps[which], 1, CPU) for which in order}
        found.append((times[0], times[1]))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="(default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="images (default: %(default)s)")
    parser.add_argument("--size", type=int, default=112, help="of images, pixels (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=15, help="of each side (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    versions = f"torch {torch.__version__}, timm {timm.__version__}, Python {sys.version.split()[0]}"
    print(f"CPU, 1 thread, {versions}, {args.batch} images of {args.size}²")
    for name in args.models:
        turns = compare(name, args.batch, args.size, args.turns)
        ratios = [other / ours for ours, other in turns]
        error = statistics.stdev(ratios) / math.sqrt(len(ratios))
        ours, other = (1000 * statistics.median(turn[side] for turn in turns) for side in (0, 1))
        print(
            f"{name:30} ours {ours:7.1f} ms, the library's loop {other:7.1f} ms, "
            f"ratio {statistics.mean(ratios):.3f} ± {error:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
