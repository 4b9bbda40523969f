"""Features of images: the last activations of a reference backbone, scene by scene (paper, §4.5)."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from syn2real.backbones.base import Backbone, build_backbone
from syn2real.backbones.schema import ModelName, require_model
from syn2real.complexity.images import SceneImages
from syn2real.complexity.schema import Activation
from syn2real.errors import InputError
from syn2real.tasks.common.images import memory_format, normalise

BATCH = 16
"""Images computed at a time. A constant: another number would change the last digits."""


def load_reference(weights: str | Path, model: ModelName) -> Backbone:
    """Return a reference backbone up to its last stage, in eval mode and without gradients.

    Parameters
    ----------
    weights : str or Path
        A file of this project (`backbone.safetensors`), or any safetensors or torch file with the backbone's
        weights in its library's names: plain, or within a detector or a segmenter. Torch files are read
        as weights alone; nothing in them is run.
    model : str
        The backbone's name.

    Returns
    -------
    Backbone
        Its last map is [B, d, H/32, W/32].

    Raises
    ------
    InputError
        The file cannot be read, or does not hold this backbone.
    """
    require_model(model, key="model")
    backbone = build_backbone(model)
    backbone.load(weights)
    return backbone.eval().requires_grad_(False)


def features(
    images: SceneImages, backbone: Backbone, *, activation: Activation, image_size: int, device: torch.device
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the features of images in blocks of one scene each.

    "The last activation values of the backbone network" (§4.5) may be read in two ways, and the choice
    changes the numbers. `pooled` is the mean over the last stage's map: one vector an image, as the last
    layer of a classifier sees it, so that the covariance is over images. `map` is the map itself: one vector
    for each of its positions, as a detector sees it, so that variety inside the images counts as well.

    Parameters
    ----------
    images : SceneImages
        The images; they are resized to squares, as for detection (Appendix A.1).
    backbone : Backbone
        From `load_reference`, on `device`.
    activation : {"pooled", "map"}
        What a vector is.
    image_size : int
        Side of the squares, pixels.
    device : torch.device
        Where to compute.

    Yields
    ------
    scene : str
        The scene the block belongs to; a scene may come in several blocks.
    block : float32 array, shape (k, d)
        k vectors.

    Raises
    ------
    InputError
        An image cannot be read, or its features are not finite.
    """
    for start in range(0, len(images), BATCH):
        chosen = range(start, min(start + BATCH, len(images)))
        batch = torch.stack([_square(images[index], image_size) for index in chosen])
        vectors = _vectors(backbone, normalise(batch, device), activation)
        if not (finite := np.isfinite(vectors).all(axis=(1, 2))).all():
            file, key = images.place(chosen[int(finite.argmin())])
            problem = "its features are not finite numbers: the weights are none of a trained network"
            raise InputError(problem, file=file, key=key)
        for scene, part in groupby(zip(chosen, vectors, strict=True), key=lambda p: images.scenes[p[0]]):
            yield scene, np.concatenate([vector for _, vector in part])


@torch.inference_mode()
def _vectors(backbone: Backbone, batch: Tensor, activation: Activation) -> NDArray[np.float32]:
    """Return the vectors of each image of a batch, shape (B, k, d)."""
    images = batch.to(memory_format=memory_format(batch.device))
    if activation == "pooled":
        return backbone.pooled(images).unsqueeze(1).cpu().numpy()
    return backbone(images)[-1].flatten(2).transpose(1, 2).contiguous().cpu().numpy()


def _square(image: Tensor, side: int) -> Tensor:
    """Return an image as a square of `side` pixels, shape (3, side, side), uint8."""
    return F.resize(image, [side, side], antialias=True)
