"""One run of either stage: from its images to the files it leaves behind."""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from syn2real.backbones.base import save_backbone
from syn2real.errors import Diverged, InputError, TrainingError
from syn2real.files import atomic, digest, file_digest
from syn2real.jobs.provenance import git_commit
from syn2real.tasks.base import PretrainedHead, build_model, load_head, load_start, task_class
from syn2real.tasks.common.images import memory_format
from syn2real.tasks.schema import TrainingSection, read_section
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.device import device_name, pick_device
from syn2real.training.distributed import StepShare, current_world
from syn2real.training.loop import History, test, train
from syn2real.training.metrics import versions, write_metrics
from syn2real.training.precision import use_fast_kernels, use_tf32
from syn2real.training.progress import Progress
from syn2real.training.seeding import make_deterministic, seed_everything
from syn2real.training.step import Setup, prepare

logger = logging.getLogger(__name__)

PER_IMAGE = "per_image.npz"
"""Beside a fine-tuning's metrics. Laws read it by the same name, and no training is bound to their code."""

CURVE = ("iteration", "images", "lr", "loss", "value")
"""Columns of curve.csv."""


@dataclass(frozen=True)
class Run:
    """One run of either stage.

    Attributes
    ----------
    stage : str
        `pretrain`, which keeps the best backbone, or `finetune`.
    key : dict
        The run's key (`RunKey`).
    task : str
        The task to train.
    recipe : dict
        The recipe's section, resolved.
    inputs : dict
        Digests of what is read, by name.
    outputs : dict
        Files to write: "metrics", and where they are given "backbone", "head" and "curve".
    scratch : Path
        Folder of the resume state.
    threads : int
        CPU threads.
    checkpoint_seconds : float
        Least time between two resume states, in seconds.
    """

    stage: str
    key: Mapping[str, Any]
    task: str
    recipe: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str | Path]
    scratch: str | Path
    threads: int
    checkpoint_seconds: float

    @property
    def section(self) -> TrainingSection:
        """The recipe's section as a model."""
        return read_section(self.task, self.recipe)

    @property
    def identity(self) -> str:
        """Digest of what the run's digits depend on; the scratch folder's name covers the code.

        On GPUs, which promise no digits, a preempted run may continue on another number of them.
        """
        device = pick_device()
        processes = current_world().size if device.type == "cpu" else None
        parts = [self.stage, dict(self.key), dict(self.recipe), dict(self.inputs), self.threads]
        # A release that leaves the code alone continues from the checkpoints of the one before.
        packages = {name: version for name, version in versions().items() if name != "syn2real"}
        return digest([*parts, device.type, processes, packages])


def complete(
    run: Run,
    train_data: Any,
    eval_data: Any,
    classes: list[str],
    *,
    start: Mapping[str, Any] | None = None,
    weights: str | Path | None = None,
    head: PretrainedHead | None = None,
    may_diverge: bool = False,
    recorded: Mapping[str, Any] | None = None,
) -> None:
    """Train a run's model and write its outputs; every process of the world calls it.

    Killed at any instant and called again, it continues from the last resume state, and on a CPU writes the
    same files as an uninterrupted run, but for `seconds`.

    Parameters
    ----------
    run : Run
        What to run.
    train_data, eval_data : AnnotatedImages
        What to learn from, and what to evaluate on. Where there is nothing to learn from (None), the model is
        evaluated as it is loaded.
    classes : list of str
        The data set's classes.
    start : dict, optional
        Initial weights: their file, "path", and whether it is a "detector"; by default they are random.
    weights : str or Path, optional
        A pre-trained backbone, in place of the start's.
    head : PretrainedHead, optional
        The head that was trained with it.
    may_diverge : bool
        A training that diverges has a result all the same: an error of 1, "diverged" in its metrics.
    recorded : dict, optional
        Further fields of `Metrics`.

    Raises
    ------
    InputError
        There is nothing to evaluate on, or the weights are another backbone's.
    TrainingError
        The loss or the metric is not finite, or the GPU's memory is too small.
    """
    if len(eval_data) == 0:
        raise InputError("there is no image to evaluate on", key="inputs")
    setup = _setup(run, classes, start, weights, head)
    checkpoints = Checkpoints(Path(run.scratch), run.identity, run.checkpoint_seconds)
    try:
        history = _train(run, setup, train_data, eval_data, checkpoints)
    except Diverged as error:
        if not may_diverge:
            raise
        logger.warning("%s", error)
        history = _lost(setup.section.total_iterations, len(eval_data))
        recorded = {**(recorded or {}), "diverged": True}
    if not setup.share.world.is_main:
        return
    n_train = 0 if train_data is None else len(train_data)
    fields = metrics_fields(run, setup, history, n_train) | dict(recorded or {})
    _save_best(run, history, classes)
    if "curve" in run.outputs:
        write_curve(run.outputs["curve"], history.curve)
    if run.stage == "finetune":
        _write_per_image(Path(run.outputs["metrics"]).with_name(PER_IMAGE), history.per_image, eval_data)
    write_metrics(run.outputs["metrics"], fields)
    checkpoints.remove()


def _lost(iterations: int, n_test: int) -> History:
    """Return the history of a training that diverged: its error is 1."""
    point = {"iteration": iterations, "value": 0.0, "error": 1.0, "extras": {}}
    return History(iteration=iterations, evaluations=[point], best=point, n_test=n_test)


def _save_best(run: Run, history: History, classes: list[str]) -> None:
    """Write the best model's parts that are asked for."""
    about = {"key": dict(run.key), "iteration": history.best and history.best["iteration"]}
    if "backbone" in run.outputs:
        assert history.best_backbone is not None
        save_backbone(run.outputs["backbone"], history.best_backbone, about)
    if "head" in run.outputs:
        assert history.best_head is not None
        save_backbone(run.outputs["head"], history.best_head, about | {"task": run.task, "classes": classes})


def start_digest(start: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the digest of the initial weights as an input of a run; nothing of random ones."""
    return {} if start is None else {"initial": file_digest(start["path"])}


def _setup(
    run: Run,
    classes: list[str],
    start: Mapping[str, Any] | None,
    weights: str | Path | None,
    head: PretrainedHead | None,
) -> Setup:
    """Build the model and what trains it, in this process."""
    device, section = pick_device(), run.section
    make_deterministic(run.threads, device)
    use_fast_kernels(device)
    use_tf32(device, section.tf32)
    # The head of a seed starts alike with and without a backbone, and whatever the backbone.
    seed_everything(run.key["seed"], run.stage, "initialisation")
    task = task_class(run.task)(section, classes)
    backbone, model = build_model(task, run.key["model"])
    # Of a start that is no detector, a pre-trained backbone takes the place of all.
    if start is not None and (weights is None or start["detector"]):
        load_start(task, backbone, model, start["path"], detector=start["detector"])
    if head is not None:
        load_head(task, backbone, model, head)
    if weights is not None:
        backbone.load(weights)
    elif start is None and section.holds:
        raise InputError(
            "a network from scratch has nothing trained yet that could be held", key=section.holds
        )
    model.to(device).to(memory_format=memory_format(device))
    return prepare(task, backbone, model, seed=run.key["seed"], device=device)


def _train(run: Run, setup: Setup, train_data: Any, eval_data: Any, checkpoints: Checkpoints) -> History:
    """Train, and show the progress; without anything to learn from, evaluate alone."""
    section, key = setup.section, run.key
    title = f"{run.stage} {run.task} {key['model']} n={key['n']} seed={key['seed']}"
    curves = Path(run.outputs["metrics"]).parent / "tensorboard"
    silent = not setup.share.world.is_main
    if train_data is None:
        with _explain_out_of_memory(setup.share):
            return _complete_test(test(setup, eval_data), eval_data)
    with (
        Progress(title, section.total_iterations, section.batch_size, curves, silent=silent) as progress,
        _explain_out_of_memory(setup.share),
    ):
        history = train(
            setup, train_data, eval_data, checkpoints, progress, keep_best=run.stage == "pretrain"
        )
    return _complete_test(history, eval_data)


def _complete_test(history: History, eval_data: Any) -> History:
    """Return a history whose last evaluation was of all images, or raise TrainingError."""
    if history.n_test != len(eval_data):
        raise TrainingError(f"evaluated {history.n_test} images of {len(eval_data)}")
    return history


@contextmanager
def _explain_out_of_memory(share: StepShare) -> Iterator[None]:
    """Say what helps where a GPU's memory is too small for a pass."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"the GPU's memory is too small for {share.images} images a pass; use more devices, or a smaller "
            "norm_batch_size in the recipe, which also changes the statistics of batch norm, or where "
            "none trains (norm: frozen) a smaller micro_batch_size, which does not"
        ) from error


def _write_per_image(path: Path, judged: Mapping[str, Any], data: Any) -> None:
    """Write what each test image was judged by, where the task keeps it (`syn2real.laws.per_image`)."""
    if judged:
        with atomic(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, ids=np.array(data.names()), classes=np.array(data.classes), **judged)


def metrics_fields(run: Run, setup: Setup, history: History, n_train: int) -> dict[str, Any]:
    """Return the fields of `Metrics` that every run has, as plain data."""
    result = history.best if run.stage == "pretrain" else history.evaluations[-1]
    assert result is not None
    n_params = setup.backbone.count_parameters()
    return {
        "stage": run.stage,
        "key": dict(run.key),
        "metric": setup.task.metric,
        "value": result["value"],
        "error": result["error"],
        "evaluations": history.evaluations,
        "last": history.evaluations[-1],
        "best": history.best,
        "iterations": history.iteration,
        "n_params": n_params,
        "n_params_millions": n_params / 1e6,
        "n_train": n_train,
        "n_test": history.n_test,
        "seconds": history.seconds,
        "device": device_name(setup.device),
        "devices": setup.share.world.size,
        "passes": setup.share.parts,
        "norm_batch_size": setup.section.norm_group if setup.norms.layers else None,
        "precision": setup.precision,
        "tf32": setup.section.tf32 if setup.device.type == "cuda" else None,
        "recipe": dict(run.recipe),
        "versions": versions(),
        "git_commit": git_commit(),
        "inputs": dict(run.inputs),
    }


def write_curve(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the training curve as CSV; the value is empty where nothing was evaluated."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, CURVE, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
