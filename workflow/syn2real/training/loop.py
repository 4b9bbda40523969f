"""The training loop: flat, the same for every task and both stages."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from syn2real.backbones.base import Backbone
from syn2real.errors import TrainingError
from syn2real.tasks.base import Evaluation, Task
from syn2real.tasks.schema import TrainingSection
from syn2real.training.batches import cached, evaluation_batches, training_batches
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.distributed import Share, World, current_world, parallel, share_out
from syn2real.training.optimiser import learning_rate, make_optimiser, set_learning_rate
from syn2real.training.precision import autocast, computed_precision
from syn2real.training.progress import Progress
from syn2real.training.step import NormLayers, compute_gradient

logger = logging.getLogger(__name__)

CHECK_EVERY = 20  # steps between looks at the losses: a look waits for the GPU
CURVE_POINTS = 200  # rows of the training curve, besides the evaluations


@dataclass
class History:
    """What a run has come to; part of the resume state.

    Attributes
    ----------
    iteration : int
        Steps done.
    evaluations : list of dict
        {"iteration", "value", "error", "extras"}, in order.
    curve : list of dict
        {"iteration", "images", "lr", "loss", "value"}; the loss is the mean since the row before, the value
        None where nothing was evaluated.
    best : dict or None
        The best evaluation, the first of equals.
    best_backbone : dict or None
        The backbone's tensors at the best evaluation, where they are wanted.
    n_test : int
        Images of the last evaluation.
    losses : list of float
        Losses since the last row of the curve.
    seconds : float
        Time spent, interrupted parts included up to their last checkpoint.
    """

    iteration: int = 0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    best_backbone: dict[str, Tensor] | None = None
    n_test: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


def train(
    task: Task,
    backbone: Backbone,
    model: nn.Module,
    train_data: Any,
    val_data: Any,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Checkpoints,
    progress: Progress,
    keep_best: bool,
) -> History:
    """Train `model` for the recipe's number of steps, resuming where a killed run stopped.

    Every process of the world calls it; all return the same history, the first one with the backbone.

    Parameters
    ----------
    task : Task
        Head, transformations, loss and metric.
    backbone : Backbone
        Part of `model`.
    model : Module
        On `device`; changed in place.
    train_data, val_data : AnnotatedImages
        What to learn from, and what to evaluate on.
    seed : int
        The run's seed.
    device : torch.device
        Where to compute.
    checkpoints : Checkpoints
        Where the resume state lies.
    progress : Progress
        What is shown.
    keep_best : bool
        Keep the backbone of the best evaluation in `History.best_backbone`.

    Raises
    ------
    TrainingError
        The loss or the metric is not finite; the message has the iteration.
    InputError
        The batch cannot be shared among the devices, or they lack the recipe's precision.
    """
    section, world = task.section, current_world()
    parts = _assemble(task, backbone, model, seed, device)
    history = _resume(checkpoints, parts)
    progress.resumed(history.iteration)
    batches = training_batches(cached(train_data, section), task, seed, history.iteration, device)
    validation = evaluation_batches(cached(val_data, section), task, device)
    pending: list[Tensor] = []
    started = time.monotonic() - history.seconds

    model.train()
    while history.iteration < section.total_iterations:
        loss, lr, waited = _step(parts, batches, history.iteration)
        pending.append(loss)
        history.iteration += 1
        progress.step(waited)

        due = _due(section, world, history.iteration, checkpoints, progress)
        if len(pending) >= CHECK_EVERY or due.on_curve or due.saving or due.telling:
            _collect(history, pending)
        if due.telling:
            progress.tell(history.iteration, history.losses[-1], lr)
        if due.evaluating:
            precision = parts.precision
            result = evaluate(task, model, validation, val_data, device, precision) if world.first else None
            _record(history, world.from_first(result), backbone if keep_best and world.first else None)
        if due.on_curve:
            _add_row(history, section.batch_size, lr, due.evaluating, progress)
        if due.saving:
            history.seconds = time.monotonic() - started
            _save(checkpoints, history, parts)
    history.seconds = time.monotonic() - started
    return history


@dataclass(frozen=True)
class _Parts:
    """What a step works with, in each process."""

    task: Task
    model: nn.Module
    replica: nn.Module
    share: Share
    norms: NormLayers
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    seed: int
    device: torch.device
    precision: str


def _assemble(task: Task, backbone: Backbone, model: nn.Module, seed: int, device: torch.device) -> _Parts:
    """Make a process's replica of the model and what trains it."""
    section = task.section
    share = share_out(section, current_world())
    logger.info(share.describe())
    precision = computed_precision(section.precision, device)
    if section.compile and device.type == "cuda":
        backbone.compile()
    return _Parts(
        task=task,
        model=model,
        replica=parallel(model, share, device),
        share=share,
        norms=NormLayers(model, share),
        optimiser=make_optimiser(task, model),
        scaler=torch.amp.GradScaler(device.type, enabled=precision == "fp16"),
        seed=seed,
        device=device,
        precision=precision,
    )


def _step(parts: _Parts, batches: Iterator[Any], iteration: int) -> tuple[Tensor, float, float]:
    """Do one step; return its loss, its learning rate, and the seconds it waited for images."""
    lr = learning_rate(parts.task.section, iteration)
    set_learning_rate(parts.optimiser, lr)
    asked = time.monotonic()
    images = [next(batches) for _ in range(parts.share.parts)]
    waited = time.monotonic() - asked
    parts.optimiser.zero_grad(set_to_none=True)
    loss = compute_gradient(
        parts.task,
        parts.replica,
        images,
        share=parts.share,
        norms=parts.norms,
        streams=(parts.seed, iteration),
        device=parts.device,
        precision=parts.precision,
        scaler=parts.scaler,
    )
    parts.scaler.step(parts.optimiser)
    parts.scaler.update()
    return loss, lr, waited


@dataclass(frozen=True)
class _Due:
    """What is to be done after a step."""

    evaluating: bool
    on_curve: bool
    saving: bool
    telling: bool


def _due(
    section: TrainingSection, world: World, at: int, checkpoints: Checkpoints, progress: Progress
) -> _Due:
    """Return what is to be done after so many steps."""
    last = section.total_iterations
    evaluating = at % section.evaluation_interval == 0 or at == last
    return _Due(
        evaluating=evaluating,
        on_curve=evaluating or at % max(1, last // CURVE_POINTS) == 0,
        # What depends on the clock is the first process's alone, and needs no other.
        saving=world.first and checkpoints.due() and at < last,
        telling=world.first and progress.due(at),
    )


@torch.no_grad()
def evaluate(
    task: Task, model: nn.Module, batches: Any, data: Any, device: torch.device, precision: str = "fp32"
) -> Evaluation:
    """Return the task's metric of `model`, which is left in training mode.

    One process evaluates all of `data`, so that each image counts once whatever the number of devices.
    """
    # Images of many shapes: trying cuDNN's algorithms on each would cost more than it gives.
    benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, False
    model.eval()
    with autocast(device, precision):
        result = task.evaluate(model, batches, data, device)
    model.train()
    torch.backends.cudnn.benchmark = benchmark
    return result


def _collect(history: History, pending: list[Tensor]) -> None:
    """Move the losses of the last steps to the history; refuse one that is not finite."""
    first = history.iteration - len(pending) + 1
    values = torch.stack(pending).tolist() if pending else []
    for iteration, value in enumerate(values, start=first):
        if not math.isfinite(value):
            raise TrainingError(
                f"training diverged: the loss is {value} at iteration {iteration}; lower the recipe's "
                "learning rate or lengthen its warm-up"
            )
    history.losses += values
    pending.clear()


def _record(history: History, result: Evaluation, backbone: Backbone | None) -> None:
    """Add an evaluation to the history, and the backbone where it is the best so far and wanted."""
    if not math.isfinite(result.value):
        raise TrainingError(
            f"the metric is {result.value} at iteration {history.iteration}: no image of the evaluation "
            "has a label to judge by"
        )
    point = {
        "iteration": history.iteration,
        "value": result.value,
        "error": 1 - result.value,
        "extras": result.extras,
    }
    history.evaluations.append(point)
    history.n_test = result.n
    logger.info("iteration %d: metric %.4f on %d images", history.iteration, result.value, result.n)
    if history.best is None or result.value > history.best["value"]:
        history.best = point
        history.best_backbone = backbone.state() if backbone else None


def _add_row(history: History, batch_size: int, lr: float, evaluated: bool, progress: Progress) -> None:
    """Add a row to the training curve, and the same numbers to TensorBoard's."""
    loss = math.fsum(history.losses) / len(history.losses)
    value = history.evaluations[-1]["value"] if evaluated else None
    at = history.iteration
    history.curve.append({"iteration": at, "images": at * batch_size, "lr": lr, "loss": loss, "value": value})
    history.losses.clear()
    scalars = {"loss": loss, "lr": lr} | ({"value": value} if value is not None else {})
    progress.scalars(at, scalars)


def _save(checkpoints: Checkpoints, history: History, parts: _Parts) -> None:
    """Write everything the rest of the run depends on.

    Order, augmentation, learning rate and the random numbers of a step are functions of its number.
    """
    checkpoints.save(
        {
            "history": asdict(history),
            "model": parts.model.state_dict(),
            "optimiser": parts.optimiser.state_dict(),
            "scaler": parts.scaler.state_dict(),
        }
    )


def _resume(checkpoints: Checkpoints, parts: _Parts) -> History:
    """Restore what `_save` wrote, if there is such a state; return the history to go on from."""
    history, state = History(), checkpoints.load()
    if state is not None:
        parts.model.load_state_dict(state["model"])
        parts.optimiser.load_state_dict(state["optimiser"])
        parts.scaler.load_state_dict(state["scaler"])
        history = History(**state["history"])
    if parts.share.world.from_first(history.iteration) != history.iteration:
        raise RuntimeError(f"the processes do not see the same resume state in {checkpoints.folder}")
    return history
