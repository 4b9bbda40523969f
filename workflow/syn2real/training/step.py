"""The gradient of a step, computed in parts and on any number of devices."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from syn2real.tasks.base import Task
from syn2real.training.distributed import Share
from syn2real.training.precision import autocast
from syn2real.training.seeding import seed_everything


class NormLayers:
    """Running statistics of batch norm that do not depend on how a step is shared out.

    A step moves a running statistic r towards the mean of its groups' statistics s: r ← (1 - m) r + m s̄, with
    m the layer's momentum.

    Parameters
    ----------
    model : Module
        Its batch norm layers are found here.
    share : Share
        How a step is shared out.
    """

    def __init__(self, model: nn.Module, share: Share) -> None:
        self.share = share
        self.layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
        self.momenta = [layer.momentum for layer in self.layers]

    def enter(self, part: int) -> None:
        """Give the layers the momentum of a step's part.

        Part i of A has m / (A - (A - 1 - i) m): all parts together weigh m, each m / A.
        """
        parts = self.share.parts
        for layer, momentum in zip(self.layers, self.momenta, strict=True):
            assert momentum is not None
            layer.momentum = momentum / (parts - (parts - 1 - part) * momentum)

    def leave(self) -> None:
        """Average the running statistics over processes that saw different groups; restore the momenta."""
        for layer, momentum in zip(self.layers, self.momenta, strict=True):
            layer.momentum = momentum
        if not self.layers or self.share.spread == self.share.world.size:
            return
        buffers = [
            b for layer in self.layers for b in (layer.running_mean, layer.running_var) if b is not None
        ]
        joined = self.share.world.mean(torch.cat(buffers))
        for buffer, mean in zip(buffers, joined.split([len(b) for b in buffers]), strict=True):
            buffer.copy_(mean)


def compute_gradient(
    task: Task,
    replica: nn.Module,
    batches: Sequence[Any],
    *,
    share: Share,
    norms: NormLayers,
    streams: tuple[int, int],
    device: torch.device,
    precision: str,
    scaler: torch.amp.GradScaler,
) -> Tensor:
    """Add the gradient of a step's loss to the weights of `replica`; return the loss.

    The loss is the mean over the step's images, or labelled pixels (`Task.weight`), on all devices. The
    random numbers of a forward pass (dropout, the detector's samples) belong to the step and the part of its
    batch, as the augmentation's belong to the image: so resuming needs no generator's state, and the number
    of devices changes none of them.

    Parameters
    ----------
    task : Task
        Loss and weights.
    replica : Module
        What `parallel` returned.
    batches : sequence
        What `task.collate` made of each pass of this process.
    share : Share
        How the step is shared out.
    norms : NormLayers
        The batch norm layers of `replica`.
    streams : tuple of int
        The run's seed and the step's number.
    device : torch.device
        Where to compute.
    precision : str
        `fp32`, `fp16` or `bf16`.
    scaler : GradScaler
        Scales the loss of fp16; the weights' gradients stay scaled.

    Returns
    -------
    Tensor
        Scalar on `device`, the same in every process.
    """
    total = torch.zeros((), device=device)
    for part, (batch, weight) in enumerate(zip(batches, _weights(task, batches, share, device), strict=True)):
        seed_everything(streams[0], "step", streams[1], share.slot(part))
        norms.enter(part)
        images, targets = task.move(batch, device)
        with _unsynchronised(replica, part < share.parts - 1):
            with autocast(device, precision):
                parts = torch.stack(list(task.loss(replica, images, targets).values()))
            loss = parts.sum() * weight
            scaler.scale(loss).backward()
        total += loss.detach()
    norms.leave()
    return share.world.mean(total)


def _weights(task: Task, batches: Sequence[Any], share: Share, device: torch.device) -> Tensor:
    """Return the factor of each part's loss; the step's loss is then the processes' mean."""
    weights = torch.tensor([task.weight(targets) for _, targets in batches], device=device)
    mean = share.world.mean(weights.sum())
    # Where nothing at all is labelled, every part's loss is 0.
    return weights / mean.clamp(min=1e-12)


def _unsynchronised(replica: nn.Module, more_to_come: bool) -> Any:
    """Return the context of a pass after which processes do not exchange gradients yet."""
    if more_to_come and isinstance(replica, DistributedDataParallel):
        return replica.no_sync()
    return nullcontext()
