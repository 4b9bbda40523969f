"""Depth: how far each visible surface is from the camera, in metres."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from syn2real.tasks.base import Evaluation
from syn2real.tasks.common.dense import DenseTask, train_steps
from syn2real.tasks.depth.schema import METRIC


class Depth(DenseTask):
    """DeepLabV3 with one channel, the logarithm of depth, and a scale-invariant loss (Eigen et al., 2014).

    The metric is 1 / (1 + error), the error being the loss of the main head on the evaluation's images: it
    lies in [0, 1], is 1 for a perfect model, and orders models exactly as the loss does (§4.1).

    Annotations are masks float32 [H, W] in metres; 0 is unknown.
    """

    metric: ClassVar[str] = METRIC
    unlabelled: ClassVar[int] = 0

    @property
    def outputs(self) -> int:
        """One channel."""
        return 1

    @staticmethod
    def annotate(value: Any, size: tuple[int, int]) -> tv_tensors.Mask:
        """Return the depth float32 [H, W] as a mask, which is resized to the nearest pixel."""
        return tv_tensors.Mask(torch.from_numpy(value))

    def train_transform(self) -> v2.Transform:
        """Resize, flip, crop (A.2); the depth of a resized image stays as it is."""
        section = self.section
        return train_steps(section.resize, section.crop, section.flip, self.unlabelled)

    def summed_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the images' scale-invariant errors."""
        return scale_invariant_errors(outputs[:, 0], targets, self.section.balance).sum()

    def counted(self, targets: Tensor) -> Tensor:
        """Return the number of images whose depth is known somewhere."""
        return known_images(targets).sum()

    def weight(self, targets: Any) -> float:
        """Return the number of images whose depth is known somewhere."""
        return float(self.counted(targets))

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return 1 / (1 + error), and the error that ignores the scale altogether (eq. 1, λ = 1)."""

        def sums(outputs: Tensor, targets: Tensor) -> list[Tensor]:
            errors = [
                scale_invariant_errors(outputs[:, 0], targets, balance).double().sum()
                for balance in (self.section.balance, 1.0)
            ]
            return [*errors, known_images(targets).sum()]

        (error, unscaled), n = self.means(model, batches, device, sums)
        # Rounding may carry a vanishing error below 0.
        return Evaluation(1 / (1 + abs(error)), n, {"scale_free_error": unscaled})


def known_images(targets: Tensor) -> Tensor:
    """Return whether the depth of each image [B] is known somewhere in targets [B, H, W]."""
    return (targets > 0).flatten(1).any(dim=1)


def scale_invariant_errors(logs: Tensor, targets: Tensor, balance: float) -> Tensor:
    """Return each image's scale-invariant error (Eigen et al., 2014, eq. 4); 0 where no depth is known.

    With d the difference of the logarithms at each of the n known pixels: Σ d² / n - λ (Σ d)² / n².

    Parameters
    ----------
    logs : Tensor
        Predicted logarithm of the depth in metres [B, H, W].
    targets : Tensor
        Depth in metres [B, H, W]; 0 is unknown.
    balance : float
        λ, from 0 to 1.

    Returns
    -------
    Tensor
        float32 [B].
    """
    known = targets > 0
    difference = torch.where(known, logs.float() - torch.where(known, targets, 1.0).log(), 0.0).flatten(1)
    n = known.flatten(1).sum(dim=1).clamp(min=1)
    return difference.square().sum(dim=1) / n - balance * (difference.sum(dim=1) / n).square()


TASK = Depth
