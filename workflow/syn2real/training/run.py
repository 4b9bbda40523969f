"""What a pre-training and a fine-tuning run share: build, train, describe."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from syn2real.errors import InputError, TrainingError
from syn2real.files import digest
from syn2real.jobs.provenance import git_commit
from syn2real.tasks.base import Task, build_model, task_class
from syn2real.tasks.common.images import memory_format
from syn2real.tasks.schema import TrainingSection, read_section, task_schema
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.distributed import World, current_world, local_rank, share_out
from syn2real.training.loop import History, train
from syn2real.training.metrics_file import device_name, versions
from syn2real.training.precision import computed_precision, use_fast_kernels
from syn2real.training.progress import Progress
from syn2real.training.seeding import make_deterministic, seed_everything


@dataclass(frozen=True)
class Run:
    """One run of either stage.

    Attributes
    ----------
    stage : str
        `pretrain` or `finetune`.
    key : dict
        The run's key (`RunKey`).
    task : str
        The task to train.
    recipe : dict
        The recipe's section, resolved.
    inputs : dict
        Digests of what is read, by name.
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
    scratch: Path
    threads: int
    checkpoint_seconds: float

    @property
    def section(self) -> TrainingSection:
        """The recipe's section as a model."""
        return read_section(self.task, self.recipe)

    @property
    def identity(self) -> str:
        """Digest of what the run's digits depend on; the scratch folder's name covers the code.

        On GPUs, which promise no digits, a preempted run may go on with another number of them.
        """
        device = pick_device()
        processes = current_world().size if device.type == "cpu" else None
        parts = [self.stage, dict(self.key), dict(self.recipe), dict(self.inputs), self.threads]
        # A release that leaves the code alone goes on from the checkpoints of the one before.
        packages = {name: version for name, version in versions().items() if name != "syn2real"}
        return digest([*parts, device.type, processes, packages])


def pick_device() -> torch.device:
    """Return this process's GPU if there is one, else the CPU."""
    return torch.device("cuda", local_rank()) if torch.cuda.is_available() else torch.device("cpu")


def train_run(
    run: Run, train_data: Any, val_data: Any, classes: list[str], weights: Path | None, curves: Path
) -> tuple[Task, History, dict[str, Any]]:
    """Build the model, train it, and describe what came out; every process of the world calls it.

    Parameters
    ----------
    run : Run
        What to run.
    train_data, val_data : AnnotatedImages
        What to learn from, and what to evaluate on.
    classes : list of str
        The data set's classes.
    weights : Path or None
        The backbone's weights to start from; None for random ones.
    curves : Path
        Folder of the TensorBoard curves.

    Returns
    -------
    task : Task
        What was trained.
    history : History
        Evaluations, curve, and for pretrain the best backbone.
    metrics : dict
        The fields of `Metrics` that both stages fill alike.
    """
    if len(val_data) == 0:
        raise InputError("there is no image to evaluate on", key="val")
    device, seed, section, world = pick_device(), run.key["seed"], run.section, current_world()
    make_deterministic(run.threads, device)
    use_fast_kernels(device)
    # The head of a seed starts alike with and without a backbone, and whatever the backbone.
    seed_everything(seed, run.stage, "initialisation")
    task = task_class(run.task)(section, classes)
    backbone, model = build_model(task, run.key["model"])
    if weights is not None:
        backbone.load(weights)
    model.to(device).to(memory_format=memory_format(device))
    title = f"{run.stage} {run.task} {run.key['model']} n={run.key['n']} seed={seed}"
    total, silent = section.total_iterations, not world.first
    with (
        Progress(title, total, section.batch_size, curves, silent=silent) as progress,
        _memory_told(section, world),
    ):
        history = train(
            task,
            backbone,
            model,
            train_data,
            val_data,
            seed=seed,
            device=device,
            checkpoints=Checkpoints(run.scratch, run.identity, run.checkpoint_seconds),
            progress=progress,
            keep_best=run.stage == "pretrain",
        )
    if history.n_test != len(val_data):
        raise TrainingError(f"evaluated {history.n_test} images of {len(val_data)}")
    n_params = backbone.count_parameters()
    return task, history, _describe(run, task, history, n_params, len(train_data), device)


@contextmanager
def _memory_told(section: TrainingSection, world: World) -> Iterator[None]:
    """Say what helps where a GPU's memory is too small for a pass."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        images = share_out(section, world).images
        raise TrainingError(
            f"the GPU's memory is too small for {images} images a pass; use more devices, or a smaller "
            "norm_batch_size in the recipe, which also changes the statistics of batch norm"
        ) from error


def _describe(
    run: Run, task: Task, history: History, n_params: int, n_train: int, device: torch.device
) -> dict[str, Any]:
    """Return the fields of `Metrics` that both stages fill alike."""
    world = current_world()
    result = history.best if run.stage == "pretrain" else history.evaluations[-1]
    assert result is not None
    return {
        "stage": run.stage,
        "key": dict(run.key),
        "metric": task_schema(run.task).METRIC,
        "value": result["value"],
        "error": result["error"],
        "evaluations": history.evaluations,
        "last": history.evaluations[-1],
        "best": history.best,
        "iterations": task.section.total_iterations,
        "n_params": n_params,
        "n_params_millions": n_params / 1e6,
        "n_train": n_train,
        "n_test": history.n_test,
        "seconds": history.seconds,
        "device": device_name(device),
        "devices": world.size,
        "passes": share_out(task.section, world).parts,
        "norm_batch_size": task.section.norm_group,
        "precision": computed_precision(task.section.precision, device),
        "recipe": dict(run.recipe),
        "versions": versions(),
        "git_commit": git_commit(),
        "inputs": dict(run.inputs),
    }
