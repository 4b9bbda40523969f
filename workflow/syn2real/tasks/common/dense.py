"""What semseg and normal share: DeepLabV3, its learning rates, masks padded with their images (A.2, A.5)."""

from abc import abstractmethod
from typing import Any, ClassVar

from torch import nn
from torchvision.transforms import v2

from syn2real.tasks.base import Task, stack_padded
from syn2real.tasks.common import deeplab


class DenseTask(Task):
    """A task whose annotation is a mask and whose network is DeepLabV3."""

    unlabelled: ClassVar[int]
    """What a mask holds where nothing is known, as in the padding of an image smaller than its batch."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Channels of the network's output."""

    def build(self) -> nn.Module:
        """Return DeepLabV3 with its auxiliary head."""
        return deeplab.deeplab(self.model_name, self.outputs)

    def body(self, model: nn.Module) -> nn.Module:
        """Return the ResNet under the heads."""
        return model.get_submodule("backbone")

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
