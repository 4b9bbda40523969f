"""How images become a network's numbers: their colours, their layout in memory, their batches."""

from collections.abc import Sequence

import torch
from torch import Tensor

# Mean and standard deviation of ImageNet's colours: the convention of torchvision's models. The same
# numbers serve synthetic and real images, so that a backbone sees one scale before and after the transfer.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def stack_padded(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Stack images [C, H, W] or masks [H, W], padded right and below to the largest, as torchvision does.

    Images keep their colours side by side in memory, as they are read: so stacking only copies.
    """
    plain = [tensor.as_subclass(Tensor) for tensor in tensors]
    height, width = (max(tensor.shape[axis] for tensor in plain) for axis in (-2, -1))
    shape = (len(plain), *plain[0].shape[:-2], height, width)
    layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    batch = torch.empty(shape, dtype=plain[0].dtype, memory_format=layout)
    if any(tensor.shape != shape[1:] for tensor in plain):
        batch.fill_(fill)
    for place, tensor in zip(batch, plain, strict=True):
        place[..., : tensor.shape[-2], : tensor.shape[-1]].copy_(tensor)
    return batch


def memory_format(device: torch.device) -> torch.memory_format:
    """Return the faster layout of a batch: channels last on a GPU, channels first on a CPU.

    On a CPU channels last is the slower one (tried with ResNet-18 and one thread).
    """
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def normalise(images: Tensor, device: torch.device) -> Tensor:
    """Return uint8 images [B, 3, H, W] as normalised float32 on `device`.

    Images travel as bytes and become numbers on the device: a quarter of the traffic.
    """
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=device).view(1, 3, 1, 1)
    images = images.to(device, non_blocking=True, memory_format=memory_format(device))
    return images.float().div_(255).sub_(mean).div_(std)
