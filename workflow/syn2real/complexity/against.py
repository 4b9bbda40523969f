"""The kernel distance of renders from photographs by a reference backbone: which images, which features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from syn2real.backbones.base import Backbone
from syn2real.backbones.schema import ModelName
from syn2real.complexity.distance import KERNEL, MOST, kernel_distance
from syn2real.complexity.features import features, load_reference
from syn2real.complexity.images import SceneImages
from syn2real.data.subsets import draw_from_pool, indices_digest
from syn2real.data.targets.load import load_target
from syn2real.data.targets.scenes import scenes_of
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError
from syn2real.files import digest, file_digest
from syn2real.jobs.provenance import git_commit
from syn2real.tasks.common.images import memory_format
from syn2real.training.device import device_name, pick_device
from syn2real.training.metrics import versions
from syn2real.training.precision import use_tf32
from syn2real.training.seeding import make_deterministic


class TargetImages(SceneImages):
    """The images of one split of a target; its labels do not count.

    Parameters
    ----------
    target : Target
        The target. Photographs are scenes of their own unless its `scene` says otherwise.
    split : {"train", "test"}

    Raises
    ------
    InputError
        As `load_target`.
    """

    def __init__(self, target: Target, split: Split) -> None:
        self._images, self._folder = load_target(target, split, target.channels[0]), Path(target.path)
        names = self._images.names()
        if target.scene is None:
            self.scenes = names
        else:  # as its folds are cut, by names after the split's but for COCO's
            split_names = names if target.layout == "coco" else [f"{split}/{name}" for name in names]
            self.scenes = scenes_of(split_names, target.scene)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self._images[index][0].as_subclass(torch.Tensor)

    def place(self, index: int) -> tuple[Path, str]:
        """Return the target's folder, and the image's name."""
        return self._folder, self._images.names()[index]

    def digest(self) -> str:
        """Return a digest of names and sizes of the images, and of the labels."""
        return self._images.digest()


class Drawn(SceneImages):
    """At most `MOST` images of others, drawn at random by their number alone.

    Raises
    ------
    InputError
        They are of fewer than two scenes.
    """

    def __init__(self, images: SceneImages) -> None:
        if len(set(images.scenes)) < 2:
            problem = f"a distance needs images of two scenes or more, not {len(images)} of one; give more"
            raise InputError(problem, file=images.place(0)[0])
        self._images, self.warnings = images, images.warnings
        self._indices = draw_from_pool(len(images), min(len(images), MOST))
        self.scenes = [images.scenes[index] for index in self._indices]

    def __getitem__(self, index: int) -> torch.Tensor:
        return self._images[int(self._indices[index])]

    def place(self, index: int) -> tuple[Path, str | None]:
        """Return the file of an image, and its key within it where it has one."""
        return self._images.place(int(self._indices[index]))

    def digest(self) -> str:
        """Return a digest of the images and of the draw."""
        return digest([self._images.digest(), indices_digest(len(self._images), self._indices)])


def measure_distances(
    renders: Mapping[str, SceneImages],
    photographs: Mapping[str, SceneImages],
    weights: str | Path,
    model: ModelName,
    *,
    image_size: int,
    threads: int,
) -> dict[str, Any]:
    """Return the kernel distance of each set of renders from each set of photographs.

    What is compared are the pooled features, one vector an image, as the backbone gives them: those of a
    ResNet come after its last ReLU and are not normalised; those of a backbone that ends in a norm are.

    Parameters
    ----------
    renders, photographs : mapping of str to SceneImages
        By name; at most `MOST` of each are taken (see `Drawn`).
    weights : str or Path
        The reference backbone's weights file (see `load_reference`).
    model : str
        The backbone.
    image_size : int
        Side of the square that images are resized to, pixels.
    threads : int
        CPU threads to compute with.

    Returns
    -------
    dict
        Plain data for JSON. `distances`: a row for each pair, with `setting`, `target`, `distance`,
        `standard_error`, and how many `images` of how many `scenes` and how many `photographs` were compared.

    Raises
    ------
    InputError
        The weights do not fit, an image cannot be read, or a set is of fewer than two scenes.
    """
    sets = [{name: Drawn(images) for name, images in named.items()} for named in (renders, photographs)]
    device = pick_device()
    make_deterministic(threads, device)
    use_tf32(device, False)
    backbone = load_reference(weights, model).to(device).to(memory_format=memory_format(device))
    vectors = [
        {name: _vectors(images, backbone, image_size, device) for name, images in of.items()} for of in sets
    ]
    rows = []
    for setting, ours in sets[0].items():
        for target, theirs in sets[1].items():
            found = kernel_distance(vectors[0][setting], vectors[1][target], ours.scenes, theirs.scenes)
            counts = {"images": len(ours), "scenes": len(set(ours.scenes)), "photographs": len(theirs)}
            row = {"distance": found.value, "standard_error": found.standard_error}
            rows.append({"setting": setting, "target": target, **row, **counts})
    digests = [{name: images.digest() for name, images in of.items()} for of in sets]
    return {
        "version": 1,
        "distances": rows,
        "kernel": KERNEL,
        "dimensions": backbone.width,
        "image_size": image_size,
        "model": model,
        "device": device_name(device),
        "versions": versions(),
        "git_commit": git_commit(),
        "inputs": {"images": digests[0], "photographs": digests[1], "weights": file_digest(weights)},
    }


def _vectors(
    images: SceneImages, backbone: Backbone, image_size: int, device: torch.device
) -> NDArray[np.float32]:
    """Return the pooled features of images, in their order."""
    blocks = features(images, backbone, activation="pooled", image_size=image_size, device=device)
    return np.concatenate([block for _, block in blocks])
