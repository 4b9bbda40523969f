"""The training loop: flat, the same for every task and both stages."""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from syn2real.errors import Diverged, TrainingError
from syn2real.tasks.base import Evaluation, head_state
from syn2real.training.batches import annotated, evaluation_batches, training_batches
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.optimiser import learning_rate, set_learning_rate
from syn2real.training.precision import autocast
from syn2real.training.progress import Progress
from syn2real.training.step import Setup, compute_gradient

logger = logging.getLogger(__name__)

CHECK_EVERY = 20  # steps between looks at the losses: a look waits for the GPU
CURVE_POINTS = 200  # rows of the training curve, besides the evaluations


@dataclass
class History:
    """What a run has reached; part of the resume state.

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
        The backbone's tensors at the best evaluation, where it is kept.
    best_head : dict or None
        The model's other tensors (`head_state`), kept with it.
    n_test : int
        Images of the last evaluation.
    losses : list of float
        Losses since the last row of the curve.
    seconds : float
        Time spent, interrupted parts included up to their last checkpoint.
    per_image : mapping
        Of the evaluation at the last iteration, as the task kept it (`Evaluation`).
    """

    iteration: int = 0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    best_backbone: dict[str, Tensor] | None = None
    best_head: dict[str, Tensor] | None = None
    n_test: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    per_image: Mapping[str, Any] = field(default_factory=dict)


def train(
    setup: Setup,
    train_data: Any,
    eval_data: Any,
    checkpoints: Checkpoints,
    progress: Progress,
    *,
    keep_best: bool,
) -> History:
    """Train a model for the recipe's number of steps, resuming where a killed run stopped.

    Every process of the world calls it; all return the same history, the main one with the best model.

    Parameters
    ----------
    setup : Setup
        What this process trains with; its model is changed in place.
    train_data, eval_data : AnnotatedImages
        What to learn from, and what to evaluate on.
    checkpoints : Checkpoints
        Where the resume state lies.
    progress : Progress
        What is shown.
    keep_best : bool
        Keep the model of the best evaluation, `History.best_backbone` and `best_head`.

    Raises
    ------
    TrainingError
        The loss or the metric is not finite; the message has the iteration.
    """
    section = setup.section
    history = _resume(checkpoints, setup)
    progress.resumed(history.iteration)
    batches = training_batches(
        *(annotated(train_data, setup.task), setup.task, setup.seed),
        *(history.iteration, setup.device, setup.share),
    )
    evaluated = evaluation_batches(annotated(eval_data, setup.task), setup.task, setup.device)
    pending: list[Tensor] = []
    started = time.monotonic() - history.seconds

    setup.model.train()
    while history.iteration < section.total_iterations:
        loss, lr, waited = _step(setup, batches, history.iteration)
        pending.append(loss)
        history.iteration += 1
        progress.step(waited)

        due = _due(setup, history.iteration, checkpoints, progress)
        if len(pending) >= CHECK_EVERY or due.on_curve or due.saving or due.logging:
            _collect(history, pending)
        if due.logging:
            progress.log_line(history.iteration, history.losses[-1], lr)
        if due.evaluating:
            judged = _evaluate(history, setup, evaluated, eval_data, keep_best)
            if history.iteration == section.total_iterations:
                history.per_image = judged
        if due.on_curve:
            _add_row(history, section.batch_size, lr, due.evaluating, progress)
        if due.saving:
            history.seconds = time.monotonic() - started
            _save(checkpoints, history, setup)
    history.seconds = time.monotonic() - started
    return history


def test(setup: Setup, eval_data: Any) -> History:
    """Evaluate a model as it is; every process of the world calls it, and all return the same history.

    Raises
    ------
    TrainingError
        The metric is not finite.
    """
    history, started = History(), time.monotonic()
    batches = evaluation_batches(annotated(eval_data, setup.task), setup.task, setup.device)
    history.per_image = _evaluate(history, setup, batches, eval_data, keep_best=False)
    history.seconds = time.monotonic() - started
    return history


def _step(setup: Setup, batches: Iterator[Any], iteration: int) -> tuple[Tensor, float, float]:
    """Do one step; return its loss, its learning rate, and the seconds it waited for images."""
    lr = learning_rate(setup.section, iteration)
    set_learning_rate(setup.optimiser, lr)
    started = time.monotonic()
    passes = [next(batches) for _ in range(setup.share.parts)]
    waited = time.monotonic() - started
    setup.optimiser.zero_grad(set_to_none=True)
    loss = compute_gradient(setup, passes, iteration)
    setup.scaler.step(setup.optimiser)
    setup.scaler.update()
    return loss, lr, waited


@dataclass(frozen=True)
class _Due:
    """What is to be done after a step."""

    evaluating: bool
    on_curve: bool
    saving: bool
    logging: bool


def _due(setup: Setup, at: int, checkpoints: Checkpoints, progress: Progress) -> _Due:
    """Return what is to be done after so many steps."""
    last, is_main = setup.section.total_iterations, setup.share.world.is_main
    evaluating = at % setup.section.evaluation_interval == 0 or at == last
    return _Due(
        evaluating=evaluating,
        on_curve=evaluating or at % max(1, last // CURVE_POINTS) == 0,
        # What depends on the clock is the main process's alone, and needs no other.
        saving=is_main and checkpoints.due() and at < last,
        logging=is_main and progress.logging_due(at),
    )


@torch.no_grad()
def evaluate(setup: Setup, batches: Any, data: Any) -> Evaluation:
    """Return the task's metric of the model, which is left in training mode.

    One process evaluates all of `data`, so that each image counts once whatever the number of devices.
    """
    # Images of many shapes: trying cuDNN's algorithms on each would cost more than it gives.
    benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, False
    setup.model.eval()
    with autocast(setup.device, setup.precision), _uncompiled(setup):
        result = setup.task.evaluate(setup.model, batches, data, setup.device)
    setup.model.train()
    torch.backends.cudnn.benchmark = benchmark
    return result


def _evaluate(history: History, setup: Setup, batches: Any, data: Any, keep_best: bool) -> Mapping[str, Any]:
    """Evaluate in the main process, and add the result to every process's history.

    Returns
    -------
    mapping
        What the main process judged images by (`Evaluation.per_image`).
    """
    world = setup.share.world
    result = evaluate(setup, batches, data) if world.is_main else None
    shared = world.from_main(result and result._replace(per_image={}))
    _record(history, setup, shared, keep_best and world.is_main)
    return result.per_image if result else {}


def _uncompiled(setup: Setup) -> AbstractContextManager[Any]:
    """Return the context of an evaluation: for images of many shapes the network would be compiled often."""
    return torch.compiler.set_stance("force_eager") if setup.section.compile else nullcontext()


def _collect(history: History, pending: list[Tensor]) -> None:
    """Move the losses of the last steps to the history; refuse one that is not finite."""
    first = history.iteration - len(pending) + 1
    values = torch.stack(pending).tolist() if pending else []
    for iteration, value in enumerate(values, start=first):
        if not math.isfinite(value):
            raise Diverged(
                f"training diverged: the loss is {value} at iteration {iteration}; lower the recipe's "
                "learning rate or lengthen its warm-up"
            )
    history.losses += values
    pending.clear()


def _record(history: History, setup: Setup, result: Evaluation, keep_best: bool) -> None:
    """Add an evaluation to the history, and its model where it is the best so far and wanted."""
    metric, at = setup.task.metric, history.iteration
    if not math.isfinite(result.value):
        raise TrainingError(
            f"{metric} is {result.value} at iteration {at}: no image of the evaluation has a label to "
            "judge by"
        )
    point = {"iteration": at, "value": result.value, "error": 1 - result.value, "extras": result.extras}
    history.evaluations.append(point)
    history.n_test = result.n
    logger.info("iteration %d: %s %.4f on %d images", at, metric, result.value, result.n)
    if history.best is None or result.value > history.best["value"]:
        history.best = point
        if keep_best:
            history.best_backbone = setup.backbone.state()
            history.best_head = head_state(setup.backbone, setup.model)


def _add_row(history: History, batch_size: int, lr: float, evaluated: bool, progress: Progress) -> None:
    """Add a row to the training curve, and the same numbers to TensorBoard's."""
    loss = math.fsum(history.losses) / len(history.losses)
    value = history.evaluations[-1]["value"] if evaluated else None
    at = history.iteration
    history.curve.append({"iteration": at, "images": at * batch_size, "lr": lr, "loss": loss, "value": value})
    history.losses.clear()
    scalars = {"loss": loss, "lr": lr} | ({"value": value} if value is not None else {})
    progress.scalars(at, scalars)


def _save(checkpoints: Checkpoints, history: History, setup: Setup) -> None:
    """Write everything the rest of the run depends on.

    Order, augmentation, learning rate and the random numbers of a step are functions of its number.
    """
    checkpoints.save(
        {
            "history": asdict(history),
            "model": setup.model.state_dict(),
            "optimiser": setup.optimiser.state_dict(),
            "scaler": setup.scaler.state_dict(),
        }
    )


def _resume(checkpoints: Checkpoints, setup: Setup) -> History:
    """Restore what `_save` wrote, if there is such a state; return the history to continue from."""
    history, state = History(), checkpoints.load()
    if state is not None:
        setup.model.load_state_dict(state["model"])
        setup.optimiser.load_state_dict(state["optimiser"])
        setup.scaler.load_state_dict(state["scaler"])
        history = History(**state["history"])
    if setup.share.world.from_main(history.iteration) != history.iteration:
        raise RuntimeError(f"the processes do not see the same resume state in {checkpoints.folder}")
    return history
