"""A few steps of a training, timed in a process of their own (`syn2real check --measure`).

Reads a request as JSON on stdin, and prints seconds and memory as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages
from syn2real.data.rendered import RenderedImages
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.jobs.child import die_with_parent, exit_now
from syn2real.tasks.base import build_model, task_class
from syn2real.tasks.common.images import memory_format
from syn2real.tasks.schema import channel_of, read_section
from syn2real.training.batches import annotated, evaluation_batches, training_batches
from syn2real.training.device import device_name, pick_device
from syn2real.training.loop import _step
from syn2real.training.precision import autocast, use_fast_kernels, use_tf32
from syn2real.training.seeding import make_deterministic
from syn2real.training.step import Setup, prepare

WARM, STEPS, SECONDS = 3, 40, 6.0
"""Steps that are not timed, and at most so many, or steps of so many seconds, that are."""
IMAGES, CLASSES = 64, 20
"""Of random data."""
WHOLE = {"images": None, "passes": None, "iterations": 10_000_000, "small_first": None}
"""A length beyond what is timed."""


class RandomImages(AnnotatedImages):
    """Encoded noise with random labels of a channel, for a data set that is not there yet."""

    def __init__(self, channel: str, width: int, height: int) -> None:
        self.channel, self.size = channel, (width, height)
        self.classes = [f"class{k}" for k in range(CLASSES)]
        random = np.random.default_rng(0)
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        self.encoded = cv2.imencode(".png", cv2.resize(coarse, self.size, interpolation=cv2.INTER_LINEAR))[1]

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        image = cv2.imdecode(self.encoded, cv2.IMREAD_COLOR)
        return tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)), self._value(index)

    def digest(self) -> str:
        """Return the same for all."""
        return "random"

    def _value(self, index: int) -> Any:
        (width, height), label = self.size, index % CLASSES
        values = {
            "label": lambda: label,
            "objects": lambda: {
                **{"image_id": index, "width": width, "height": height},
                "objects": [
                    {"class": label, "bbox": [0, 0, width / k, height / k], "area": width * height / k**2}
                    for k in (2, 3, 4)
                ],
            },
            "class-map": lambda: np.full((height, width), label, np.uint8),
            "normals": lambda: np.full((height, width, 3), 200, np.uint8),
            "depth": lambda: np.full((height, width), 1.5, np.float32),
        }
        if self.channel not in values:
            raise InputError(f"there are no random images of the channel {self.channel}; make the data first")
        return values[self.channel]()


def load(request: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the experiment's own images where they are there, else random ones, and which they are."""
    channel = channel_of(request["task"])
    try:
        if request["shards"]:
            return RenderedImages(
                [Path(p) for p in request["shards"]], request["n"], channel
            ), "its own images"
        if request["target"]:
            return load_splits(Target.model_validate(request["target"]), channel)[0], "its own images"
    except (InputError, OSError):
        pass  # not there yet, or `check` says what is wrong
    return RandomImages(channel, *request["size"]), "random images"


def set_up(request: Mapping[str, Any], classes: list[str]) -> Setup:
    """Build what a run trains with."""
    device = pick_device()
    section = read_section(request["task"], request["recipe"] | WHOLE)
    make_deterministic(request["threads"], device)
    use_fast_kernels(device)
    use_tf32(device, section.tf32)
    task = task_class(request["task"])(section, classes)
    backbone, model = build_model(task, request["model"])
    model.to(device).to(memory_format=memory_format(device))
    return prepare(task, backbone, model, seed=0, device=device)


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the seconds of a step, those of it that wait for images, of an evaluated image, and the memory.

    Parameters
    ----------
    request : mapping
        `task`, `model`, `recipe` (its section, resolved), `threads`; `shards` with
        `shard_images` images, or the `target`'s definition, where there are some; `size` of random images,
        (width, height) in pixels; `n` images that a run learns from, which decide what it keeps in memory.
    """
    data, kind = load(request)
    setup = set_up(request, data.classes)
    samples = annotated(data, setup.task)
    first = samples[0][0]
    samples.keeps = samples.keeps and first.nbytes * request["n"] <= setup.section.cache_mib * 2**20
    batches = training_batches(samples, setup.task, 0, 0, setup.device, setup.share)
    setup.model.train()
    # Every image once before, so that those are kept in memory that a run would keep.
    warm = WARM if not samples.keeps else max(WARM, min(len(data), 5000) // setup.section.batch_size + 1)
    began, waits, at = time.monotonic(), 0.0, 0
    for at in range(warm):
        _step(setup, batches, at)
        if at >= WARM and time.monotonic() - began > SECONDS:
            break
    _wait(setup.device)
    began, used, done = time.monotonic(), time.process_time(), 0
    while done < STEPS and (done < WARM or time.monotonic() - began < SECONDS):
        waits += _step(setup, batches, at + 1 + done)[2]
        done += 1
    _wait(setup.device)
    seconds, cpu_seconds = (time.monotonic() - began) / done, (time.process_time() - used) / done
    return {
        **{"seconds": seconds, "cpu_seconds": cpu_seconds, "waiting": waits / done},
        **_evaluation(setup, samples),
        **{"bytes": _memory(setup.device), "device": device_name(setup.device), "data": kind},
    }


def _evaluation(setup: Setup, samples: Any) -> dict[str, float]:
    """Return the seconds of an image of the evaluation, without the metric itself."""
    setup.model.eval()
    images, began, used = 0, time.monotonic(), time.process_time()
    with torch.no_grad(), autocast(setup.device, setup.precision):
        for batch in evaluation_batches(samples, setup.task, setup.device):
            moved, _ = setup.task.move(batch, setup.device)
            setup.model(moved)
            images += len(moved)
            if time.monotonic() - began > SECONDS / 3:
                break
    _wait(setup.device)
    each = {"evaluation_seconds": time.monotonic() - began}
    each |= {"cpu_evaluation_seconds": time.process_time() - used}
    return {name: value / max(1, images) for name, value in each.items()}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(device: torch.device) -> int:
    """Return the peak memory in bytes: the GPU's, or this process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    die_with_parent()
    print(json.dumps(measure(json.load(sys.stdin))))
    exit_now(0)
