"""Semantic segmentation: the class of every pixel (A.2)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2

from syn2real.channels.class_map import IGNORE
from syn2real.tasks.base import Evaluation
from syn2real.tasks.common.dense import DenseTask, enlarged, train_steps
from syn2real.tasks.semseg.schema import METRIC


class Segmentation(DenseTask):
    """DeepLabV3 with softmax cross-entropy on both heads; the metric is mean IoU (A.2).

    Annotations are masks [H, W] of class indices; 255 is to be ignored. Synthetic images have their
    background as a class.
    """

    metric: ClassVar[str] = METRIC
    class_layers: ClassVar[dict[str, int]] = {"classifier.4": 1, "aux_classifier.4": 1}

    unlabelled: ClassVar[int] = IGNORE

    @property
    def outputs(self) -> int:
        """A channel a class."""
        return len(self.classes)

    def annotate(self, value: NDArray[np.uint8], size: tuple[int, int]) -> tv_tensors.Mask:
        """Return the class map, uint8 [H, W], as a mask: it is resized to the nearest pixel."""
        return tv_tensors.Mask(torch.from_numpy(value))

    def train_transform(self) -> v2.Transform:
        """Resize, flip, crop (A.2)."""
        section = self.section
        return train_steps(section.resize, section.crop, section.flip, self.unlabelled)

    def move(self, batch: tuple[Any, Any], device: torch.device) -> tuple[Any, Any]:
        """Return a batch on `device`; masks travel as bytes, too, and become int64 there."""
        images, masks = super().move(batch, device)
        return images, masks.long()

    def summed_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the cross-entropies of all labelled pixels."""
        return F.cross_entropy(outputs.float(), targets, ignore_index=IGNORE, reduction="sum")

    def counted(self, targets: Tensor) -> Tensor:
        """Return the number of labelled pixels."""
        return (targets != IGNORE).sum()

    def weight(self, targets: Any) -> float:
        """Return the number of labelled pixels."""
        return float(self.counted(targets))

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the mean IoU over the classes that are in the truth or in the prediction.

        A class that is in neither has no IoU: counted as 0, a perfect model would have an error.
        `mIoU_present` is the mean over the classes in the truth. `mIoU_all` is that over all classes, with 0
        for those in neither, as in ADE20K's own evaluation.
        """
        k = len(self.classes)
        confusion, rows, n = torch.zeros((k, k), dtype=torch.int64), [], 0
        for batch in batches:
            images, masks = self.move(batch, device)
            predicted, labelled = (
                enlarged(model(images)["out"], images.shape[-2:]).argmax(dim=1),
                masks != IGNORE,
            )
            place = torch.arange(len(images), device=device)[:, None, None]
            pairs = ((place * k + masks) * k + predicted)[labelled]
            counts = torch.bincount(pairs, minlength=len(images) * k * k).reshape(-1, k, k).cpu()
            confusion += counts.sum(dim=0)
            rows.append(_pixels(n, counts))
            n += len(images)
        each = iou(confusion)
        present = confusion.sum(dim=1) > 0
        accuracy = float(confusion.diag().sum() / confusion.sum().clamp(min=1))
        seen = present | (confusion.sum(dim=0) > 0)
        value = float(each[seen].mean()) if present.any() else float("nan")
        return Evaluation(
            value,
            n,
            {
                "mIoU_present": float(each[present].mean()) if present.any() else 0.0,
                "mIoU_all": float(each.mean()),
                "pixel_accuracy": accuracy,
            },
            per_image(np.concatenate(rows)) if rows else {},
        )


def _pixels(first: int, confusions: Tensor) -> NDArray[np.int64]:
    """Return the rows of `Segmented` of some images: image, class, and pixels right, in excess and missed."""
    right, truth, predicted = confusions.diagonal(dim1=1, dim2=2), confusions.sum(2), confusions.sum(1)
    at = (truth + predicted).nonzero(as_tuple=True)
    columns = (first + at[0], at[1], right[at], (predicted - right)[at], (truth - right)[at])
    return torch.stack(columns, dim=1).numpy()


def per_image(rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return the fields of `Segmented` of all images' rows."""
    image, of_class, pixels = rows[:, 0], rows[:, 1], rows[:, 2:]
    return {"kind": "pixels", "image": image, "of_class": of_class, "pixels": pixels}


def iou(confusion: Tensor) -> Tensor:
    """Return each class's intersection over union, 0 where the union is empty.

    Parameters
    ----------
    confusion : Tensor
        Pixel counts [K, K], truth along rows, prediction along columns.

    Returns
    -------
    Tensor
        float64 [K].
    """
    intersection = confusion.diag().double()
    union = (confusion.sum(dim=0) + confusion.sum(dim=1)).double() - intersection
    return intersection / union.clamp(min=1)


TASK = Segmentation
