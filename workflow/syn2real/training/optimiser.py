"""SGD with momentum or AdamW, and the learning rate as a function of the iteration (Appendix A)."""

import math

import torch
from torch import nn

from syn2real.backbones.base import Backbone
from syn2real.tasks.base import Task
from syn2real.tasks.schema import TrainingSection

BETA2 = 0.999
"""Of AdamW: torch's default, and BEiT's."""
NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def learning_rate(section: TrainingSection, iteration: int) -> float:
    """Return the learning rate of a step.

    With B the batch size, T the total number of steps, W = warmup_images / B and t the step, from 0:

    - warm-up, t < W: lr · min(1, (t + 1) / W), the linear warm-up of A.1 and A.3;
    - cosine: lr · (1 + cos(π p)) / 2 (A.1, A.3, A.4);
    - polynomial: lr · (1 - p)^power (A.2, A.5);

    where p = (t - W) / (T - W) is the progress after the warm-up.

    Parameters
    ----------
    section : TrainingSection
        The recipe's section.
    iteration : int
        Number of the step, 0 to total_iterations - 1.
    """
    warmup = section.warmup_images / section.batch_size
    if iteration < warmup:
        return section.lr * min(1.0, (iteration + 1) / warmup)
    progress = (iteration - warmup) / (section.total_iterations - warmup)
    if section.schedule == "cosine":
        return section.lr * (1 + math.cos(math.pi * progress)) / 2
    return section.lr * (1 - progress) ** section.power


def make_optimiser(
    task: Task, backbone: Backbone, model: nn.Module, *, scaled: bool = False
) -> torch.optim.Optimizer:
    """Return the recipe's optimiser over the weights of `model` that are trained.

    They are grouped by learning rate and weight decay. Each group holds `lr_factor`, its learning rate in
    units of the recipe's (A.2: 10 for the auxiliary head; layer-wise decay). Gradients that a `GradScaler`
    scales (`scaled`) may overflow, and such a step is skipped. Where it is the first one torch's fused SGD
    leaves momentum behind that nothing was written to; so the optimiser is not fused then.
    """
    section: TrainingSection = task.section
    factors, spared = _layer_factors(backbone, section.layer_decay), _spared(backbone, model, section)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            factor = task.lr_factor(name) * factors.get(weight, 1.0)
            decay = 0.0 if weight in spared else section.weight_decay
            groups.setdefault((factor, decay), []).append(weight)
    given = [
        {"params": weights, "lr_factor": factor, "weight_decay": decay}
        for (factor, decay), weights in groups.items()
    ]
    if section.optimiser == "adamw":
        return torch.optim.AdamW(given, lr=section.lr, betas=(section.momentum, BETA2), fused=not scaled)
    return torch.optim.SGD(
        given, lr=section.lr, momentum=section.momentum, nesterov=section.nesterov, fused=not scaled
    )


def _layer_factors(backbone: Backbone, decay: float) -> dict[nn.Parameter, float]:
    """Return the learning rate of each weight of the backbone, in units of the head's."""
    if decay == 1:
        return {}
    distances = backbone.distances()
    return {weight: decay ** distances[name] for name, weight in backbone.net.named_parameters()}


def _spared(backbone: Backbone, model: nn.Module, section: TrainingSection) -> set[nn.Parameter]:
    """Return the weights without weight decay."""
    if section.optimiser == "adamw":  # norms and biases, as timm finds them, and positions
        positions = backbone.positions()
        own = {weight for name, weight in backbone.net.named_parameters() if name in positions}
        return own | {w for name, w in model.named_parameters() if w.ndim <= 1 or name.endswith(".bias")}
    if section.decay_norm:
        return set()
    return {
        weight
        for module in model.modules()
        if isinstance(module, NORMS)
        for weight in module.parameters(recurse=False)
    }


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Give every group its share of the learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["lr_factor"]
