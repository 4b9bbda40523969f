"""What a process trains with, and the gradient of a step: in parts, and on any number of devices."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from syn2real.backbones.base import Backbone
from syn2real.errors import InputError
from syn2real.tasks.base import Task
from syn2real.tasks.schema import TrainingSection
from syn2real.training.distributed import StepShare, current_world, parallel, step_share
from syn2real.training.optimiser import make_optimiser
from syn2real.training.precision import autocast, computed_precision
from syn2real.training.seeding import seed_everything

logger = logging.getLogger(__name__)


class NormLayers:
    """Running statistics of batch norm that do not depend on how a step is divided.

    A step moves a running statistic r towards the mean of its groups' statistics s: r ← (1 - m) r + m s̄, with
    m the layer's momentum. What is frozen keeps its statistics, and computes as in the evaluation.

    Parameters
    ----------
    model : Module
        Its batch norm layers are found here.
    share : StepShare
        How a step is divided.
    """

    def __init__(self, model: nn.Module, share: StepShare) -> None:
        self.share = share
        self.frozen = _frozen_parts(model)
        held = {id(layer) for part in self.frozen for layer in _norm_layers(part)}
        self.layers = [layer for layer in _norm_layers(model) if id(layer) not in held]
        self.momenta = [layer.momentum for layer in self.layers]

    def enter(self, part: int) -> None:
        """Give the layers the momentum of a step's part.

        Part i of A has m / (A - (A - 1 - i) m): all parts together weigh m, each m / A.
        """
        parts = self.share.parts
        for frozen in self.frozen:
            frozen.eval()  # the model as a whole is set to training after each evaluation
        for layer, momentum in zip(self.layers, self.momenta, strict=True):
            assert momentum is not None
            layer.momentum = momentum / (parts - (parts - 1 - part) * momentum)

    def restore(self) -> None:
        """Average the running statistics over processes that saw different groups; restore the momenta."""
        for layer, momentum in zip(self.layers, self.momenta, strict=True):
            layer.momentum = momentum
        if not self.layers or self.share.spread == self.share.world.size:
            return
        buffers = [
            b for layer in self.layers for b in (layer.running_mean, layer.running_var) if b is not None
        ]
        means = self.share.world.mean(torch.cat(buffers))
        for buffer, mean in zip(buffers, means.split([len(b) for b in buffers]), strict=True):
            buffer.copy_(mean)


def _norm_layers(model: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]


def _frozen_parts(model: nn.Module) -> list[nn.Module]:
    """Return the largest parts of a model that have weights, none of them trained."""
    weights = [*model.parameters()]
    if weights and not any(weight.requires_grad for weight in weights):
        return [model]
    return [part for child in model.children() for part in _frozen_parts(child)]


@dataclass(frozen=True)
class Setup:
    """What a process trains with; `prepare` makes it.

    Attributes
    ----------
    task : Task
        Loss, metric, transformations.
    backbone : Backbone
        Part of `model`.
    model : Module
        The network, on `device`.
    replica : Module
        The same, in step with the other processes (`parallel`).
    seed : int
        The run's seed.
    device : torch.device
        Where to compute.
    precision : str
        Of the forward pass: `fp32`, `fp16` or `bf16`.
    share : StepShare
        What this process computes of each step.
    norms : NormLayers
        The batch norm layers of `model`.
    optimiser : Optimizer
        Changes the weights.
    scaler : GradScaler
        Scales the loss of fp16.
    """

    task: Task
    backbone: Backbone
    model: nn.Module
    replica: nn.Module
    seed: int
    device: torch.device
    precision: str
    share: StepShare
    norms: NormLayers
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    @property
    def section(self) -> TrainingSection:
        """The recipe's section."""
        section: TrainingSection = self.task.section
        return section


def prepare(
    task: Task,
    backbone: Backbone,
    model: nn.Module,
    *,
    seed: int,
    device: torch.device,
    share: StepShare | None = None,
) -> Setup:
    """Return what a process trains a model with.

    Parameters
    ----------
    task, backbone, model
        As in `Setup`; the model is on `device` already.
    seed : int
        The run's seed.
    device : torch.device
        Where to compute.
    share : StepShare, optional
        By default what the recipe's batch and the number of processes make it.

    Raises
    ------
    InputError
        The batch cannot be divided among the devices, they lack the recipe's precision, or passes of
        `micro_batch_size` images would change the statistics of a batch norm that trains.
    """
    section: TrainingSection = task.section
    share = share or step_share(section, current_world())
    logger.info(share.as_text())
    precision = computed_precision(section.precision, device)
    hold(backbone, section)  # before the replica, which waits for each weight's gradient
    if section.compile and device.type == "cuda":
        # For each size of `small_first` by itself: for any size it was not done after 80 s on an H100.
        backbone.compile(dynamic=False)
    replica = parallel(model, share, device, unused=not backbone.uses_all)
    norms = NormLayers(model, share)
    if section.micro_batch_size and norms.layers:
        problem = "the head's batch norm trains, whose statistics it would change; give norm_batch_size"
        raise InputError(problem, key="micro_batch_size")
    return Setup(
        task=task,
        backbone=backbone,
        model=model,
        replica=replica,
        seed=seed,
        device=device,
        precision=precision,
        share=share,
        norms=norms,
        optimiser=make_optimiser(task, backbone, model, scaled=precision == "fp16"),
        scaler=torch.amp.GradScaler(device.type, enabled=precision == "fp16"),
    )


def hold(backbone: Backbone, section: TrainingSection) -> None:
    """Hold what the recipe says of the backbone as it is: its batch norm, all but its last stages, or all."""
    for layer in _norm_layers(backbone) if section.norm == "frozen" else ():
        layer.requires_grad_(False)
    if section.train_stages is None:
        return
    distances = backbone.distances(stages=True)
    for name, weight in backbone.net.named_parameters():
        if section.train_stages == 0 or distances[name] > section.train_stages:
            weight.requires_grad_(False)


def compute_gradient(setup: Setup, batches: Sequence[Any], iteration: int) -> Tensor:
    """Add the gradient of a step's loss to the weights; return the loss.

    The loss is the mean over the step's images, or labelled pixels (`Task.weight`), on all devices. The
    random numbers of a forward pass (dropout, the detector's samples) belong to the step and the part of its
    batch, as the augmentation's belong to the image: so resuming needs no generator's state, and the number
    of devices changes none of them.

    Parameters
    ----------
    setup : Setup
        What this process trains with.
    batches : sequence
        What `task.collate` made of each pass of this process.
    iteration : int
        The step's number.

    Returns
    -------
    Tensor
        Scalar on the device, the same in every process.
    """
    task, share, device = setup.task, setup.share, setup.device
    total = torch.zeros((), device=device)
    for part, (batch, weight) in enumerate(zip(batches, _weights(task, batches, share, device), strict=True)):
        seed_everything(setup.seed, "step", iteration, share.slot(part))
        setup.norms.enter(part)
        images, targets = task.move(batch, device)
        with _unsynchronised(setup.replica, part < share.parts - 1):
            with autocast(device, setup.precision):
                parts = torch.stack(list(task.loss(setup.replica, images, targets).values()))
            loss = parts.sum() * weight
            setup.scaler.scale(loss).backward()
        total += loss.detach()
    setup.norms.restore()
    return share.world.mean(total)


def _weights(task: Task, batches: Sequence[Any], share: StepShare, device: torch.device) -> Tensor:
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
