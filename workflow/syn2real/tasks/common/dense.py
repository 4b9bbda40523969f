"""What tasks that predict every pixel share: DeepLabV3, and masks resized with their images (A.2)."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.models.segmentation.deeplabv3 import ASPP
from torchvision.models.segmentation.fcn import FCNHead
from torchvision.transforms import v2

from syn2real.backbones.base import Backbone
from syn2real.tasks.base import Task
from syn2real.tasks.common.images import stack_padded

AT_ONCE = 2**22
"""Outputs, in numbers, that a loss enlarges and compares at once: 16 MiB, where memory is reused, not new."""
ATROUS_RATES = (12, 24, 36)
"""Of the dilated convolutions at an output stride of 8 (Chen et al., 2017), as in torchvision."""


class DenseTask(Task):
    """A task whose annotation is a mask and whose network is DeepLabV3."""

    output_stride: ClassVar[int] = 8

    unlabelled: ClassVar[int]
    """What a mask holds where nothing is known, as in the padding of an image smaller than its batch."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Channels of the network's output."""

    def build(self, backbone: Backbone) -> nn.Module:
        """Return DeepLabV3 with its auxiliary head."""
        return DeepLab(backbone, self.outputs, self.section.head)

    @abstractmethod
    def summed_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the losses of some images' outputs, [B, outputs, H, W]."""

    @abstractmethod
    def counted(self, targets: Tensor) -> Tensor:
        """Return what divides the sum over a batch: its labelled pixels, or images."""

    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the mean loss of the main head and the weighted one of the auxiliary head (A.2: × 0.5)."""
        # The mean over nothing at all would be NaN: a crop may lie on padding alone.
        counted, size = self.counted(targets).clamp(min=1), images.shape[-2:]
        count = max(1, AT_ONCE // (self.outputs * size.numel()))

        def mean(coarse: Tensor) -> Tensor:
            some = zip(coarse.split(count), targets.split(count), strict=True)
            return (
                torch.stack([self.summed_loss(enlarged(own, size), to) for own, to in some]).sum() / counted
            )

        heads = model(images)
        return {"main": mean(heads["out"]), "auxiliary": self.section.aux_weight * mean(heads["aux"])}

    def lr_factor(self, parameter: str) -> float:
        """Return the recipe's factor for the auxiliary head (A.2: 10)."""
        return self.section.aux_lr_factor if parameter.startswith("aux_classifier.") else 1.0

    def eval_transform(self) -> v2.Transform:
        """Resize the shorter edge (A.2); the mask with it, as torchvision's reference does."""
        return v2.Resize(self.section.eval_size, antialias=True)

    def collate(self, samples: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Join uint8 images [B, 3, H, W] and masks; smaller ones are padded: black, and unlabelled."""
        images, masks = zip(*samples, strict=True)
        return stack_padded(images, 0), stack_padded(masks, self.unlabelled)

    def means(
        self,
        model: nn.Module,
        batches: Iterable[Any],
        device: torch.device,
        sums: Callable[[Tensor, Tensor], Sequence[Tensor]],
    ) -> tuple[list[float], int]:
        """Return means over a data set, NaN where nothing counts, and its number of images.

        Parameters
        ----------
        model, batches, device
            As `evaluate` has them.
        sums : callable
            From the main head's outputs and the targets of a batch to sums and, last, what divides them.
        """
        total, n = torch.zeros(1, dtype=torch.float64, device=device), 0
        for batch in batches:
            images, targets = self.move(batch, device)
            values = sums(enlarged(model(images)["out"], images.shape[-2:]), targets)
            total = total + torch.stack([value.double() for value in values])
            n += len(images)
        return (total[:-1] / total[-1]).tolist(), n


class DeepLab(nn.Module):
    """torchvision's DeepLabV3 with the auxiliary FCN head on the last map but one (A.2), on any backbone.

    Parameters
    ----------
    backbone : Backbone
        Dilated to an output stride of 8 where its family can; else the outputs are coarser.
    outputs : int
        Channels of the output.
    width : int
        Channels within the main head; torchvision's `DeepLabHead` has 256 and no choice.
    """

    def __init__(self, backbone: Backbone, outputs: int, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Sequential(
            ASPP(backbone.channels[-1], ATROUS_RATES, width),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, outputs, 1),
        )
        self.aux_classifier = FCNHead(backbone.channels[-2], outputs)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the coarse outputs of both heads, "out" and "aux", each [B, outputs, h, w] (`enlarged`)."""
        maps = self.backbone(images)
        return {"out": self.classifier(maps[-1]), "aux": self.aux_classifier(maps[-2])}


def enlarged(outputs: Tensor, size: torch.Size) -> Tensor:
    """Return coarse outputs at the images' size, as torchvision's DeepLabV3 does."""
    return F.interpolate(outputs, size=size, mode="bilinear", align_corners=False)


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
    """torchvision's, but OpenCV resizes masks: to the nearest pixels as well, but faster."""

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
