"""SGD with momentum, and the learning rate as a function of the iteration (Appendix A)."""

import math

import torch
from torch import nn

from syn2real.tasks.base import Task
from syn2real.tasks.schema import TrainingSection


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


def make_optimiser(task: Task, model: nn.Module, *, scaled: bool = False) -> torch.optim.SGD:
    """Return SGD over all weights of `model`, grouped by learning rate and weight decay.

    Each group holds `lr_factor`, its learning rate in units of the recipe's (A.2: 10 for the auxiliary head).
    Gradients that a `GradScaler` scales (`scaled`) may overflow, and such a step is skipped. Where it is the
    first one torch's fused SGD leaves momentum behind that nothing was written to; so SGD is not fused then.
    """
    section: TrainingSection = task.section
    norms = {
        parameter
        for module in model.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        for parameter in module.parameters(recurse=False)
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decay = section.weight_decay if section.decay_norm or parameter not in norms else 0.0
        groups.setdefault((task.lr_factor(name), decay), []).append(parameter)
    return torch.optim.SGD(
        [
            {"params": parameters, "lr_factor": factor, "weight_decay": decay}
            for (factor, decay), parameters in groups.items()
        ],
        lr=section.lr,
        momentum=section.momentum,
        nesterov=section.nesterov,
        fused=not scaled,
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Give every group its share of the learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["lr_factor"]
