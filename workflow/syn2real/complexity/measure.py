"""The complexity of images by a reference backbone: features to entropy, with everything that decides it."""

from pathlib import Path
from typing import Any

from syn2real.backbones.schema import ModelName
from syn2real.complexity.entropy import measure_entropy
from syn2real.complexity.features import features, load_reference
from syn2real.complexity.images import SceneImages
from syn2real.complexity.scenes import SceneGroups
from syn2real.complexity.schema import FLOOR, Activation
from syn2real.errors import InputError
from syn2real.files import file_digest
from syn2real.jobs.provenance import git_commit
from syn2real.tasks.common.images import memory_format
from syn2real.training.device import device_name, pick_device
from syn2real.training.metrics import versions
from syn2real.training.precision import use_tf32
from syn2real.training.seeding import make_deterministic


def measure_images(
    images: SceneImages,
    weights: str | Path,
    model: ModelName,
    *,
    activation: Activation,
    image_size: int,
    floor: float = FLOOR,
    threads: int,
) -> dict[str, Any]:
    """Return the complexity of images (§4.5): `measure_entropy` and what it is of.

    Parameters
    ----------
    images : SceneImages
        The images.
    weights : str or Path
        The reference backbone's weights file (see `load_reference`).
    model : str
        Its depth.
    activation : {"pooled", "map"}
        What a vector is (see `features`).
    image_size : int
        Side of the square that images are resized to, pixels.
    floor : float
        σ², added to every eigenvalue (see `syn2real.complexity.entropy`).
    threads : int
        CPU threads to compute with.

    Returns
    -------
    dict
        Plain data for JSON.

    Raises
    ------
    InputError
        The weights do not fit, an image cannot be read, or no feature differs between the images.
    """
    device = pick_device()
    make_deterministic(threads, device)
    use_tf32(device, False)
    backbone = load_reference(weights, model).to(device).to(memory_format=memory_format(device))
    groups = SceneGroups(images.scenes, backbone.width if activation == "pooled" else backbone.channels[-1])
    for scene, block in features(
        images, backbone, activation=activation, image_size=image_size, device=device
    ):
        groups.update(scene, block)
    measured = measure_entropy(groups, floor)
    if measured["dead_channels"] == measured["dimensions"]:
        problem = f"none of {measured['dimensions']} channels differs between the {len(images)} images; "
        problem += "give images that differ, or a trained network's weights"
        raise InputError(problem, file=weights)
    return {
        "version": 1,
        **measured,
        "images": len(images),
        "activation": activation,
        "image_size": image_size,
        "model": model,
        "device": device_name(device),
        "versions": versions(),
        "git_commit": git_commit(),
        "inputs": {"images": images.digest(), "weights": file_digest(weights)},
    }
