"""Features of images: the last activations of a reference backbone, scene by scene (paper, §4.5)."""

import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as F

from syn2real.backbones.base import BODY, channels, resnet
from syn2real.backbones.schema import ModelName, model_names
from syn2real.complexity.images import SceneImages
from syn2real.complexity.schema import Activation
from syn2real.errors import InputError
from syn2real.tasks.base import memory_format, normalise

STAGES = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")

BATCH = 16
"""Images computed at a time. A constant: another number would change the last digits."""


def load_reference(weights: str | Path, model: ModelName) -> nn.Module:
    """Return a reference backbone up to its last stage, in eval mode and without gradients.

    Parameters
    ----------
    weights : str or Path
        A file of this project (`backbone.safetensors`), or any safetensors or torch file with the weights of
        a ResNet in torchvision's names: plain, or within a detector or a segmenter. Torch files are read
        as weights alone; nothing in them is run.
    model : str
        The depth, `resnet18` … `resnet152`.

    Returns
    -------
    Module
        From images [B, 3, H, W], normalised, to the last stage's map [B, d, H/32, W/32] after its ReLU.

    Raises
    ------
    InputError
        The file cannot be read, holds no ResNet, or one of another depth.
    """
    if model not in model_names():
        raise InputError(f"'{model}' is no backbone; they are {', '.join(model_names())}", key="model")
    whole = resnet(model)
    body = nn.Sequential(OrderedDict((name, whole.get_submodule(name)) for name in STAGES))
    state = _backbone_of(_read(Path(weights)), Path(weights))
    own = body.state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}  # frozen batch norm has none
    for key in sorted((own.keys() | state.keys()) - counters):
        if key not in state or key not in own or state[key].shape != own[key].shape:
            raise InputError(f"this tensor does not fit a {model}; name its own depth", file=weights, key=key)
    body.load_state_dict(state, strict=False)
    return body.eval().requires_grad_(False)


def features(
    images: SceneImages, backbone: nn.Module, *, activation: Activation, image_size: int, device: torch.device
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
    backbone : Module
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
    """
    for start in range(0, len(images), BATCH):
        chosen = range(start, min(start + BATCH, len(images)))
        batch = torch.stack([_square(images[index], image_size) for index in chosen])
        vectors = _vectors(backbone, normalise(batch, device), activation)
        for scene, part in groupby(zip(chosen, vectors, strict=True), key=lambda p: images.scenes[p[0]]):
            yield scene, np.concatenate([vector for _, vector in part])


def dimensions(backbone: nn.Module) -> int:
    """Return d, the number of channels of a backbone's last stage."""
    return channels(backbone, "layer4")


@torch.inference_mode()
def _vectors(backbone: nn.Module, batch: Tensor, activation: Activation) -> NDArray[np.float32]:
    """Return the vectors of each image of a batch, shape (B, k, d)."""
    last = backbone(batch.to(memory_format=memory_format(batch.device)))
    if activation == "pooled":
        last = last.mean(dim=(2, 3), keepdim=True)
    return last.flatten(2).transpose(1, 2).contiguous().cpu().numpy()


def _square(image: Tensor, side: int) -> Tensor:
    """Return an image as a square of `side` pixels, shape (3, side, side), uint8."""
    return F.resize(image, [side, side], antialias=True)


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a weights file holds; checkpoints have it under `model` or `state_dict`."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except (OSError, SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        first = str(error).strip().partition("\n")[0]
        raise InputError(f"no readable weights ({first})", file=path) from None
    for key in ("model", "state_dict"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise InputError(
            f"weights are a mapping of names to tensors, not a {type(state).__name__}", file=path
        )
    return state


def _backbone_of(state: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return the ResNet's tensors under their plain names, `conv1` … `layer4`."""
    stems = [key.removesuffix("conv1.weight") for key in state if key.endswith("conv1.weight")]
    prefixes = [stem for stem in stems if "layer" not in stem and f"{stem}layer4.0.conv1.weight" in state]
    if not prefixes:
        raise InputError(
            "no ResNet's weights in torchvision's names (conv1.weight … layer4…) are in this file", file=path
        )
    prefix = min(prefixes, key=len)
    plain = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return {key: value for key, value in plain.items() if BODY.match(key)}
