"""Training of a reference backbone on a real target, from scratch (paper, §4.5)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syn2real.backbones.base import save_backbone
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.distributed import current_world
from syn2real.training.labelled import draw_labelled
from syn2real.training.metrics_file import write_metrics
from syn2real.training.run import Run, train_run


def train_reference(
    *,
    key: Mapping[str, Any],
    recipe: Mapping[str, Any],
    target: Mapping[str, Any],
    percent: float,
    outputs: Mapping[str, str | Path],
    scratch: Path,
    threads: int,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Train on a target from scratch, and keep the backbone that is best on the target's validation set.

    It is a pre-training whose images are the target's; it resumes as `pretrain` does.

    Parameters
    ----------
    key : dict
        "recipe", "ftask", "target", "model", "seed".
    recipe : dict
        What `Recipe.resolve("finetune", ftask, model)` returned, with the length of the training asked for.
    target : dict
        The resolved `Target`.
    percent : float
        Share of the target's training set, drawn by the seed, in percent.
    outputs : dict
        "backbone" (.safetensors) and "metrics" (.json), as of a pre-training whose setting is the target and
        whose task is the fine-tuning's.
    scratch : Path
        Folder of the resume state, the run's own and none of the declared outputs; removed on success.
    threads : int
        CPU threads to compute with.
    checkpoint_seconds : float
        Least time between two resume states, in seconds; changes no result.

    Raises
    ------
    InputError
        The target is not in its layout.
    TrainingError
        The loss or the metric is not finite.
    """
    ftask = key["ftask"]
    labelled = draw_labelled(target, ftask, percent, key["seed"])
    named = {"recipe": key["recipe"], "setting": key["target"], "ptask": ftask, "model": key["model"]}
    run_key = named | {"n": len(labelled.train), "seed": key["seed"]}
    run = Run("pretrain", run_key, ftask, recipe, labelled.inputs, Path(scratch), threads, checkpoint_seconds)
    curves = Path(outputs["metrics"]).parent / "tensorboard"
    _, history, metrics = train_run(run, labelled.train, labelled.val, labelled.classes, None, curves)
    if not current_world().first:
        return
    assert history.best_backbone is not None
    described = {"key": run_key, "iteration": metrics["best"]["iteration"]}
    save_backbone(outputs["backbone"], history.best_backbone, described)
    write_metrics(outputs["metrics"], metrics | labelled.recorded)
    Checkpoints(run.scratch, run.identity).remove()
