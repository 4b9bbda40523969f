"""Surface normals: the direction each visible surface faces (A.5)."""

import functools
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2

from syn2real.channels.normals import unpack
from syn2real.tasks.base import Evaluation
from syn2real.tasks.common.dense import DenseTask, train_steps
from syn2real.tasks.normal.schema import METRIC


class Normals(DenseTask):
    """DeepLabV3 with three channels; the loss is the mean of 1 - n·n̂ over valid pixels (A.5).

    The paper names no metric for this task. Ours is the mean of (1 + n·n̂)/2: it lies in [0, 1], is 1 for a
    perfect model and 1/2 by chance, and orders models exactly as the loss does, so that the best model by
    it is the best "in terms of the validation error of the pre-training task" (§4.1).

    Annotations are masks uint8 [3, H, W]: unit vectors in camera space and their validity, packed by
    `channels.normals`. Pixels in which surfaces of different directions meet have none, and
    they are resized as masks are, so that no normal is a mean over an edge. They travel as bytes.
    """

    metric: ClassVar[str] = METRIC

    unlabelled: ClassVar[int] = 0  # black: not valid

    @property
    def outputs(self) -> int:
        """A channel an axis."""
        return 3

    def annotate(self, value: NDArray[np.uint8], size: tuple[int, int]) -> tv_tensors.Mask:
        """Return packed normals, uint8 [3, H, W], as a mask, whose order in memory is kept."""
        return tv_tensors.Mask(torch.from_numpy(value).permute(2, 0, 1))

    def train_transform(self) -> v2.Transform:
        """Resize and crop; never flip, which would need the vectors to be mirrored (A.5)."""
        return train_steps(self.section.resize, self.section.crop, flip=False, unlabelled=self.unlabelled)

    def move(self, batch: tuple[Any, Any], device: torch.device) -> tuple[Any, Any]:
        """Return a batch on `device`.

        Returns
        -------
        images : Tensor
            float32 [B, 3, H, W].
        targets : Tensor
            float32 [B, 4, H, W]: the unit vector, zero where there is none, and its validity 0 or 1.
        """
        images, packed = super().move(batch, device)
        red, green, blue = packed.int().unbind(dim=1)
        valid = (blue > 127).unsqueeze(1)
        directions = _directions(device)[256 * red + green].permute(0, 3, 1, 2)
        return images, torch.cat([directions * valid, valid], dim=1)

    def summed_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of 1 - n·n̂ over valid pixels."""
        return ((1 - cosine(outputs, targets)) * targets[:, 3]).sum()

    def counted(self, targets: Tensor) -> Tensor:
        """Return the number of valid pixels."""
        return targets[:, 3].sum()

    def weight(self, targets: Any) -> float:
        """Return the number of valid pixels."""
        return float((targets[:, 2] > 127).sum())

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the mean of (1 + n·n̂)/2 over all valid pixels, and the mean angle in degrees."""

        def sums(outputs: Tensor, targets: Tensor) -> list[Tensor]:
            similar = cosine(outputs, targets)[targets[:, 3] > 0].double()
            angle = torch.rad2deg(similar.clamp(-1, 1).acos())
            return [similar.sum(), angle.sum(), (targets[:, 3] > 0).sum()]

        (similarity, angle), n = self.means(model, batches, device, sums)
        # Rounding may carry the mean of cosines an ulp beyond 1.
        return Evaluation(float(np.clip((1 + similarity) / 2, 0, 1)), n, {"mean_angle_degrees": angle})


def cosine(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return n·n̂ [B, H, W] of raw outputs [B, 3, H, W], after L2 normalisation, and targets [B, 4, H, W]."""
    return (F.normalize(outputs.float(), dim=1) * targets[:, :3]).sum(dim=1)


@functools.cache
def _directions(device: torch.device) -> Tensor:
    """Return the unit vectors float32 [65536, 3] of all pairs of red and green: 256 red + green."""
    packed = np.full((256, 256, 3), 255, dtype=np.uint8)
    packed[..., 0], packed[..., 1] = np.arange(256)[:, None], np.arange(256)
    return torch.from_numpy(unpack(packed)[0]).reshape(-1, 3).to(device)


TASK = Normals
