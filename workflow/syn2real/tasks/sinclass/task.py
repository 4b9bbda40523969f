"""Single-label classification: the class of the image (A.4)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms import v2

from syn2real.backbones.base import Backbone
from syn2real.tasks.base import Evaluation, Task
from syn2real.tasks.common.classifier import Classifier
from syn2real.tasks.sinclass.schema import METRIC


class SingleLabel(Task):
    """A classifier with softmax cross-entropy; the metric is top-1 accuracy (A.4; Goyal et al., 2017).

    Annotations are class indices.
    """

    metric: ClassVar[str] = METRIC

    def build(self, backbone: Backbone) -> nn.Module:
        """Return a classifier; its last layer starts from a normal distribution (Goyal et al., §5.1)."""
        model = Classifier(backbone, len(self.classes))
        if self.section.zero_init_residual:
            backbone.start_blocks_as_identity()
        nn.init.normal_(model.last.weight, std=0.01)
        nn.init.zeros_(model.last.bias)
        return model

    def annotate(self, value: int, size: tuple[int, int]) -> int:
        """Return the class's index."""
        return value

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
        """Return the fraction of images whose highest score is their class."""
        wrong, labels = [], []
        for batch in batches:
            images, targets = self.move(batch, device)
            wrong.append(model(images).argmax(dim=1) != targets)
            labels.append(targets)
        if not labels:
            return Evaluation(float("nan"), 0, {})
        each = {"wrong": torch.cat(wrong).cpu().numpy(), "label": torch.cat(labels).cpu().numpy()}
        n = len(each["wrong"])
        return Evaluation((n - int(each["wrong"].sum())) / n, n, {}, {"kind": "label"} | each)


TASK = SingleLabel
