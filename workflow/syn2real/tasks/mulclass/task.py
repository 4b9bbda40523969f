"""Multi-label classification: which of the classes are in the image (A.3)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms import v2

from syn2real.backbones.base import Backbone
from syn2real.tasks.base import Evaluation, Task
from syn2real.tasks.common.classifier import Classifier
from syn2real.tasks.mulclass.schema import METRIC


class MultiLabel(Task):
    """A classifier with binary cross-entropy; the metric is mean average precision (A.3).

    Annotations are multi-hot float32 vectors [K].
    """

    metric: ClassVar[str] = METRIC

    def build(self, backbone: Backbone) -> nn.Module:
        """Return a classifier with an output a class."""
        return Classifier(backbone, len(self.classes))

    def annotate(self, value: dict[str, Any], size: tuple[int, int]) -> Tensor:
        """Return 1 for each class that is visible, float32 [K]."""
        visible = torch.zeros(len(self.classes))
        for item in value["objects"]:
            visible[item["class"]] = 1
        return visible

    def train_transform(self) -> v2.Transform:
        """Resize to a square, whatever the shape, and flip (A.3); crop and recolour where the recipe says."""
        section, size = self.section, self.section.image_size
        resized = self.eval_transform()
        if section.crop_scale != (1.0, 1.0):
            resized = v2.RandomResizedCrop(size, scale=section.crop_scale, antialias=True)
        recolour = (
            (v2.RandomGrayscale, section.grey),
            (v2.RandomInvert, section.invert),
            (v2.RandomAutocontrast, section.autocontrast),
        )
        changes = [change(part) for change, part in recolour if part]
        return v2.Compose([resized, v2.RandomHorizontalFlip(0.5 if section.flip else 0.0), *changes])

    def eval_transform(self) -> v2.Transform:
        """Resize to a square: the size of the training (A.3)."""
        size = self.section.image_size
        return v2.Resize((size, size), antialias=True)

    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the binary cross-entropy, averaged over images and classes."""
        return {"loss": F.binary_cross_entropy_with_logits(model(images).float(), targets)}

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the mean average precision over the classes that have a positive in the set.

        A class without positives has no average precision; it is left out of the mean and counted in
        `classes_without_positives`. Without any positive the value is NaN.
        """
        scores, truths = [], []
        for batch in batches:
            images, targets = self.move(batch, device)
            scores.append(model(images).double().sigmoid().cpu())
            truths.append(targets.long().cpu())
        truth = torch.cat(truths)
        present = truth.any(dim=0)
        value = mean_average_precision(torch.cat(scores), truth)
        return Evaluation(value, len(truth), {"classes_without_positives": float((~present).sum())})


def mean_average_precision(scores: Tensor, truth: Tensor) -> float:
    """Return the mean average precision over the classes that have a positive.

    Parameters
    ----------
    scores : Tensor
        Probabilities [N, K].
    truth : Tensor
        0 or 1 [N, K], int64.
    """
    each = [average_precision(scores[:, k], truth[:, k]) for k in range(truth.shape[1]) if truth[:, k].any()]
    return sum(each) / len(each) if each else float("nan")


def average_precision(scores: Tensor, truth: Tensor) -> float:
    """Return the mean, over the positives of a class, of the precision among all scores that are not lower.

    Parameters
    ----------
    scores : Tensor
        Of any scale [N].
    truth : Tensor
        0 or 1 [N], with a positive.
    """
    scores, order = scores.sort(descending=True)
    last = torch.cat([scores[1:] != scores[:-1], torch.ones(1, dtype=torch.bool)])  # of each run of ties
    found, taken = truth[order].cumsum(0)[last], last.nonzero().flatten() + 1
    gained = found.diff(prepend=torch.zeros(1, dtype=found.dtype))
    return float((gained * found.double() / taken).sum() / found[-1])


TASK = MultiLabel
