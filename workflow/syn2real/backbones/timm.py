"""Backbones of timm (PyTorch Image Models): ConvNeXt, ViT, Swin, EfficientNet, and its others by their names.

A backbone file holds timm's own tensors under timm's names. A plain ViT, whose blocks all have maps of one
size, gets the simple feature pyramid of Li et al. (2022). The layers that make it, and those that normalise
the maps of networks without batch norm (as detectors on Swin and ConvNeXt do), belong to the head: they are
in no backbone file, but in that of a pre-trained head.
"""

import inspect
import math
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.layers import LayerNorm2d
from timm.models import get_arch_pretrained_cfgs, group_parameters
from torch import Tensor, nn
from torch.nn import functional as F

from syn2real.backbones.base import Backbone
from syn2real.errors import InputError

NAMES = (
    "convnext_atto",
    "convnext_tiny",
    "efficientnet_b0",
    "swin_tiny_patch4_window7_224",
    "vit_small_patch14_dinov2",
    "vit_small_patch16_224",
    "vit_tiny_patch16_224",
)
PUBLISHED = {
    "imagenet": {
        "licence": "each network's own, most Apache-2.0; ImageNet's own terms allow non-commercial research",
        "tags": r"(\w+_)?in(1|12|21|22)k(_\w+)?",
    },
    "dino": {
        "licence": "each network's own: Apache-2.0 of DINO and DINOv2, the DINOv3 licence of DINOv3",
        "tags": r"(fb_)?dino|lvd142m|(dinov3_)?lvd1689m",
    },
}
CATALOGUE = {
    "package": "timm",
    "files": "models/*.py",
    "names": r"(?m)^@register_model\n(?:@.*\n)*def (\w+)\(",
    "weights": r"(?m)^ +['\"](\w+\.\w+)\*?['\"]\s*: ",
}
"""Where other names stand, and published weights, as `network.tag`."""
ANY_SIZE = {"dynamic_img_size": True, "strict_img_size": False}
"""What lets a network of timm take images of another size than its own, if it has the option."""
PYRAMID = (4, 8, 16, 32)
"""Strides of the maps made from a plain ViT's one."""


def build(name: str, *, output_stride: int = 32) -> Backbone:
    """Return a network of timm with random weights.

    Parameters
    ----------
    name : str
        One of `NAMES`, or of timm's other models.
    output_stride : int
        Below 32 the last stages are dilated, where timm can; else they have their own strides. All maps of a
        plain ViT then have the stride of its patches; at 32 they are its pyramid.

    Raises
    ------
    InputError
        The network takes images of one size alone, or gives no maps.
    """
    try:
        return Timm(name, output_stride)
    except Exception as error:  # timm's models refuse in as many ways as they are written
        first = (str(error).strip() or type(error).__name__).partition("\n")[0]
        problem = f"timm's {name} does not take images of every size and give maps of them ({first})"
        raise InputError(f"{problem}; choose another model", key="models") from error


def fetch(name: str, start: str) -> tuple[dict[str, Tensor], str]:
    """Return published weights by timm's own loader, and which: the first of its tags that are such a start.

    Raises
    ------
    InputError
        The network takes images normalised in another way, and cannot be changed to take ours.
    """
    tags = [
        tag
        for tag, cfg in get_arch_pretrained_cfgs(name).items()
        if re.fullmatch(PUBLISHED[start]["tags"], tag.partition(".")[2]) and cfg.has_weights
    ]
    if not tags:
        raise RuntimeError("timm has none")
    whole = timm.create_model(tags[0], pretrained=True)
    given = whole.pretrained_cfg
    if not _take_our_images(whole, given):
        problem = f"{tags[0]} takes images normalised by {given['mean']} and {given['std']}, not ours"
        raise InputError(f"{problem}, and cannot be changed; choose another model", key=f"initial: {start}")
    return whole.state_dict(), f"timm, {tags[0]} ({given.get('license', 'no licence given')})"


@torch.no_grad()
def _take_our_images(net: Any, given: Mapping[str, Any]) -> bool:
    """Change the first convolution to what images normalised as ours are to it; return whether it can be.

    Ours have ImageNet's mean and deviation. Zeros at the border of a padded convolution would mean another
    colour.
    """
    mean, deviation, ours, our_deviation = (
        torch.tensor(values)
        for values in (given["mean"], given["std"], IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    )
    if torch.equal(mean, ours) and torch.equal(deviation, our_deviation):
        return True
    name = given.get("first_conv")
    layer = net.get_submodule(name) if isinstance(name, str) else None
    if not isinstance(layer, nn.Conv2d) or layer.bias is None or layer.padding != (0, 0):
        return False
    layer.bias += torch.einsum("oihw,i->o", layer.weight, (ours - mean) / deviation)
    layer.weight *= (our_deviation / deviation)[:, None, None]
    return True


class Timm(Backbone):
    """A network of timm without its classifier.

    Images are padded with zeros, right and below, to whole strides; maps are cut to H / stride, rounded up.
    """

    uses_all = False
    net: Any
    """timm's, with methods of its own."""

    def __init__(self, name: str, output_stride: int) -> None:
        with torch.device("meta"):  # its options and its layers, without numbers
            whole = timm.create_model(name, num_classes=1)
        options = ANY_SIZE | {"output_stride": output_stride}
        known = inspect.signature(type(whole).__init__).parameters
        net = timm.create_model(
            name, num_classes=0, **{key: value for key, value in options.items() if key in known}
        )
        stages = [(int(stage["num_chs"]), int(stage["reduction"])) for stage in net.feature_info]
        plain = len({stride for _, stride in stages}) == 1
        taken = _quarters(len(stages)) if plain else [*range(len(stages))[-4:]]
        channels = tuple(stages[index][0] for index in taken)
        strides = tuple(stages[index][1] for index in taken)
        multiples = strides[-1:]
        pyramid = SimplePyramid(channels[-1], strides[-1]) if plain and output_stride == 32 else None
        if pyramid:
            taken, multiples = taken[-1:], (pyramid.stride, *multiples)
            channels, strides = pyramid.channels, PYRAMID
        super().__init__(name, net, channels, strides, width=0)
        self.taken, self.multiples, self.pyramid = taken, multiples, pyramid
        self.patch, self.least = stages[-1][1] if plain else _patch(net), stages[-1][1]
        batch_norm = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules())
        self.norms = nn.ModuleList(nn.Identity() if batch_norm else LayerNorm2d(count) for count in channels)
        self.layers = {
            coarse: group_parameters(whole, whole.group_matcher(coarse=coarse), reverse=True)
            for coarse in (False, True)
        }
        self.classifier = whole.state_dict().keys() - net.state_dict().keys()
        self.width = self._check()

    @torch.no_grad()
    def _check(self) -> int:
        """Return the length of the pooled vector; fail where the network does not give what it says."""
        self.eval()
        images = torch.zeros(1, 3, 96, 64)
        for found, channels, stride in zip(self(images), self.channels, self.strides, strict=True):
            expected = (1, channels, math.ceil(96 / stride), math.ceil(64 / stride))
            if found.shape != expected:
                raise ValueError(f"a map has the shape {[*found.shape]}, not {[*expected]}")
        _, width = self.pooled(images).shape
        self.train()
        return int(width)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the last four stages, of a ViT's pyramid, or of the quarters of its blocks."""
        size = images.shape[-2:]
        for multiple in self.multiples:
            images = _padded(images, multiple)
        maps = self.net.forward_intermediates(images, indices=self.taken, norm=True, intermediates_only=True)
        if self.pyramid is not None:
            maps = self.pyramid(maps[-1])
        cut = (
            values[..., : math.ceil(size[0] / stride), : math.ceil(size[1] / stride)]
            for values, stride in zip(maps, self.strides, strict=True)
        )
        return [norm(values) for norm, values in zip(self.norms, cut, strict=True)]

    def pooled(self, images: Tensor) -> Tensor:
        """Return what timm's classifier sees; sides below the last stride are padded to it."""
        vectors: Tensor = self.net(_padded(images, self.patch, self.least))
        return vectors

    def distances(self, *, stages: bool = False) -> dict[str, int]:
        """Return how far from the head each weight is, as timm's layer-wise decay groups them.

        A norm beside the classifier is 0 from it. A ViT's stages are its blocks.
        """
        layers = self.layers[stages]
        head = max(layers.values())
        return {name: head - layers.get(name, head) for name, _ in self.net.named_parameters()}

    def positions(self) -> set[str]:
        """Return the names of what timm never decays: position embeddings, class tokens and the like."""
        patterns = self.net.no_weight_decay() if hasattr(self.net, "no_weight_decay") else ()
        names = [name for name, _ in self.net.named_parameters()]
        return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}

    def _state_within(self, weights: Mapping[str, Any], path: str | Path) -> dict[str, Tensor]:
        """Return this network's part of some weights, without timm's classifier."""
        found = super()._state_within(weights, path)
        return {key: value for key, value in found.items() if key not in self.classifier}


class SimplePyramid(nn.Module):
    """Maps of strides 4 to 32 from the one map of a plain ViT (Li et al., 2022).

    The finer ones come by transposed convolutions, the coarser by pooling. Where a patch's side is not a
    power of two, as DINOv2's 14 pixels, the map is resampled to the nearest one first: torchvision's detector
    rounds strides to powers of two.

    Parameters
    ----------
    width : int
        Channels of the ViT.
    patch : int
        Side of its patches, pixels.
    """

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.stride = 2 ** round(math.log2(patch))
        self.scale = patch / self.stride
        levels = [_level(width, round(math.log2(self.stride / stride))) for stride in PYRAMID]
        self.levels = nn.ModuleList(level for level, _ in levels)
        self.channels = tuple(count for _, count in levels)

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Return the maps, the finest first, of one [B, width, H / patch, W / patch]."""
        if self.scale != 1:
            tokens = F.interpolate(
                tokens, scale_factor=self.scale, mode="bilinear", recompute_scale_factor=False
            )
        return [level(tokens) for level in self.levels]


def _level(width: int, doublings: int) -> tuple[nn.Module, int]:
    """Return what makes a map so many times twice as fine, or coarser, and its channels."""
    if doublings <= 0:
        return (nn.MaxPool2d(2**-doublings, ceil_mode=True) if doublings else nn.Identity()), width
    layers: list[nn.Module] = []
    for _ in range(doublings):
        layers += [LayerNorm2d(width), nn.GELU()] if layers else []
        layers.append(nn.ConvTranspose2d(width, width // 2, kernel_size=2, stride=2))
        width //= 2
    return nn.Sequential(*layers), width


def _quarters(blocks: int) -> list[int]:
    """Return the last block of each quarter of a network's blocks."""
    return sorted({blocks * quarter // 4 - 1 for quarter in (1, 2, 3, 4)} - {-1})


def _patch(net: nn.Module) -> int:
    """Return the side of the patches that images are cut into, pixels; 1 without any."""
    side: Any = getattr(getattr(net, "patch_embed", None), "patch_size", 1)
    return int(side if isinstance(side, int) else max(side))


def _padded(images: Tensor, multiple: int, least: int = 1) -> Tensor:
    """Return images whose sides are multiples of a number of pixels, none below another number.

    Zeros are added right and below.
    """
    height, width = (max(-(-side // multiple) * multiple, least) - side for side in images.shape[-2:])
    return F.pad(images, (0, width, 0, height)) if height or width else images
