"""DeepLabV3 with the auxiliary FCN head, and how images and masks are resized for it (A.2, A.5)."""

from collections.abc import Callable
from typing import Any

import cv2
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3
from torchvision.models.segmentation.fcn import FCNHead
from torchvision.transforms import v2

from syn2real.backbones.base import can_dilate, channels, resnet
from syn2real.backbones.schema import ModelName


def deeplab(name: ModelName, outputs: int) -> DeepLabV3:
    """Return DeepLabV3 on a ResNet with an auxiliary head on conv4 (`layer3`), as torchvision builds it.

    Depths 50 and up are dilated (output stride 8). torchvision refuses to dilate the basic block of depths
    18 and 34: these run undilated (output stride 32), with coarser outputs.

    Parameters
    ----------
    name : str
        Depth of the backbone.
    outputs : int
        Channels of the output.
    """
    body = resnet(name, dilated=can_dilate(name))
    main = DeepLabHead(channels(body, "layer4"), outputs)
    auxiliary = FCNHead(channels(body, "layer3"), outputs)
    return DeepLabV3(IntermediateLayerGetter(body, {"layer4": "out", "layer3": "aux"}), main, auxiliary)


def train_steps(resize: tuple[int, int], crop: int, flip: bool, unlabelled: int) -> v2.Transform:
    """Resize the shorter edge to a random integer, flip, crop at random (A.2, in this order).

    Images smaller than the crop are padded: black, and `unlabelled` in the mask.
    """
    fill = {tv_tensors.Image: 0, tv_tensors.Mask: unlabelled}
    return v2.Compose(
        [
            RandomShortestSize(list(range(resize[0], resize[1] + 1)), antialias=True),
            v2.RandomHorizontalFlip(0.5 if flip else 0.0),
            v2.RandomCrop(crop, pad_if_needed=True, fill=fill),
        ]
    )


class RandomShortestSize(v2.RandomShortestSize):
    """torchvision's, but OpenCV resizes masks: to the nearest pixels as well, in a fifth of the time."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Return an image or a mask, uint8 [H, W] or [3, H, W], of the size drawn."""
        if not isinstance(inpt, tv_tensors.Mask):
            return super().transform(inpt, params)
        height, width = params["size"]
        pixels = inpt.as_subclass(Tensor).movedim(0, -1) if inpt.ndim == 3 else inpt.as_subclass(Tensor)
        resized = torch.from_numpy(
            cv2.resize(pixels.numpy(), (width, height), interpolation=cv2.INTER_NEAREST)
        )
        return tv_tensors.Mask(resized.movedim(-1, 0) if inpt.ndim == 3 else resized)


def parts(outputs: dict[str, Tensor], weight: float, loss: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """Return the loss of the main head and the weighted one of the auxiliary head (A.2: × 0.5)."""
    return {"main": loss(outputs["out"]), "auxiliary": weight * loss(outputs["aux"])}
