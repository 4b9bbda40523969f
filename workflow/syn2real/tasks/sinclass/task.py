"""Single-label classification: the class of the image (A.4)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms import v2

from syn2real.backbones.base import resnet
from syn2real.tasks.base import Evaluation, Task


class SingleLabel(Task):
    """ResNet with softmax cross-entropy; the metric is top-1 accuracy (A.4; Goyal et al., 2017).

    Annotations are class indices.
    """

    name: ClassVar[str] = "sinclass"
    metric: ClassVar[str] = "top-1 accuracy"

    def build(self) -> nn.Module:
        """Return a plain ResNet; its last layer starts from a normal distribution (Goyal et al., §5.1)."""
        model = resnet(
            self.model_name,
            classes=len(self.classes),
            zero_init_residual=self.section.zero_init_residual,
        )
        nn.init.normal_(model.fc.weight, std=0.01)
        nn.init.zeros_(model.fc.bias)
        return model

    def body(self, model: nn.Module) -> nn.Module:
        """Return the ResNet itself."""
        return model

    def train_transform(self) -> v2.Transform:
        """Crop at a random scale and aspect ratio, and flip."""
        section = self.section
        return v2.Compose(
            [
                v2.RandomResizedCrop(section.crop, scale=section.crop_scale, antialias=True),
                v2.RandomHorizontalFlip(0.5 if section.flip else 0.0),
            ]
        )

    def eval_transform(self) -> v2.Transform:
        """Resize the shorter edge and crop the centre."""
        return v2.Compose(
            [v2.Resize(self.section.eval_size, antialias=True), v2.CenterCrop(self.section.crop)]
        )

    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the softmax cross-entropy."""
        return {"loss": F.cross_entropy(model(images).float(), targets)}

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the share of images whose highest score is their class."""
        right = n = 0
        for batch in batches:
            images, targets = self.move(batch, device)
            right += int((model(images).argmax(dim=1) == targets).sum())
            n += len(targets)
        return Evaluation(right / n if n else float("nan"), n, {})


TASK = SingleLabel
