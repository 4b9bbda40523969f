"""Surface normals: the direction each visible surface faces (A.5)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2

from syn2real.tasks import deeplab
from syn2real.tasks.base import Evaluation, Task, normalise


class Normals(Task):
    """DeepLabV3 with three channels; the loss is the mean of 1 - n·n̂ over valid pixels (A.5).

    The paper names no metric for this task. Ours is the mean of (1 + n·n̂)/2: it lies in [0, 1], is 1 for a
    perfect model and 1/2 by chance, and orders models exactly as the loss does, so that the best model by
    it is the best "in terms of the validation error of the pre-training task" (§4.1).

    Annotations are {"normals": unit vectors float32 [3, H, W] in camera space, "valid": mask [H, W]}.
    """

    name: ClassVar[str] = "normal"
    metric: ClassVar[str] = "mean (1 + cos)/2"

    def build(self) -> nn.Module:
        """Return DeepLabV3 with a channel for each axis."""
        return deeplab.deeplab(self.model_name, 3)

    def body(self, model: nn.Module) -> nn.Module:
        """Return the ResNet under the heads."""
        return model.get_submodule("backbone")

    def lr_factor(self, parameter: str) -> float:
        """Return the recipe's factor for the auxiliary head (A.2: 10)."""
        return self.section.aux_lr_factor if deeplab.is_auxiliary(parameter) else 1.0

    def train_transform(self) -> v2.Transform:
        """Resize and crop; never flip, which would need the vectors to be mirrored (A.5)."""
        steps = deeplab.train_steps(self.section.resize, self.section.crop, flip=False)
        return v2.Compose([v2.Lambda(_bytes, tv_tensors.Mask), steps])

    def eval_transform(self) -> v2.Transform:
        """Resize the shorter edge (A.2)."""
        resize = v2.Resize(self.section.eval_size, antialias=True)
        return v2.Compose([v2.Lambda(_bytes, tv_tensors.Mask), resize])

    def collate(self, samples: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Join samples; smaller ones are padded by black that is not valid.

        Returns
        -------
        images : Tensor
            uint8 [B, 3, H, W].
        targets : Tensor
            float32 [B, 4, H, W]: the unit vector, zero where there is none, and its validity 0 or 1.
        """
        targets = []
        for _, target in samples:
            # Resizing mixes neighbours, so the vectors are no longer of unit length.
            normals = F.normalize(target["normals"].as_subclass(Tensor).float(), dim=0)
            valid = (target["valid"].as_subclass(Tensor) == 1) & (normals.norm(dim=0) > 0)
            targets.append(torch.cat([normals * valid, valid.float().unsqueeze(0)]))
        images = deeplab.stack_padded([image for image, _ in samples], 0)
        return images, deeplab.stack_padded(targets, 0)

    def loss(self, model: nn.Module, images: Any, targets: Any) -> dict[str, Tensor]:
        """Return the mean of 1 - n·n̂ over valid pixels, of the main and, weighted, the auxiliary head."""
        valid = targets[:, 3]
        counted = valid.sum().clamp(min=1)

        def loss(outputs: Tensor) -> Tensor:
            return ((1 - cosine(outputs, targets)) * valid).sum() / counted

        return deeplab.parts(model(images), self.section.aux_weight, loss)

    def weight(self, targets: Any) -> float:
        """Return the number of valid pixels."""
        return float(targets[:, 3].sum())

    def evaluate(
        self, model: nn.Module, batches: Iterable[Any], data: Any, device: torch.device
    ) -> Evaluation:
        """Return the mean of (1 + n·n̂)/2 over all valid pixels, and the mean angle in degrees."""
        total = torch.zeros(3, dtype=torch.float64, device=device)
        n = 0
        for images, targets in batches:
            targets = targets.to(device, non_blocking=True)
            similar = cosine(model(normalise(images, device))["out"], targets)[targets[:, 3] > 0].double()
            angle = torch.rad2deg(similar.clamp(-1, 1).acos())
            total += torch.stack([similar.sum(), angle.sum(), similar.new_tensor(len(similar))])
            n += len(images)
        similarity, angle, counted = total.tolist()
        if not counted:
            return Evaluation(float("nan"), n, {})
        # Rounding may carry the mean of cosines an ulp beyond 1.
        value = min(1.0, max(0.0, (1 + similarity / counted) / 2))
        return Evaluation(value, n, {"mean_angle_degrees": angle / counted})


def cosine(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return n·n̂ [B, H, W] of raw outputs [B, 3, H, W], after L2 normalisation, and targets [B, 4, H, W]."""
    return (F.normalize(outputs.float(), dim=1) * targets[:, :3]).sum(dim=1)


def _bytes(mask: Tensor) -> Tensor:
    """Return a validity mask as 0 and 1 in uint8: padding by 255 then stays apart from both."""
    return tv_tensors.wrap((mask != 0).to(torch.uint8), like=mask)
