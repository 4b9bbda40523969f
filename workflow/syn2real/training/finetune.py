"""Fine-tuning on a labelled target: the error at the last iteration (§4.1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syn2real.files import file_digest
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.distributed import current_world
from syn2real.training.labelled import draw_labelled
from syn2real.training.metrics_file import write_metrics
from syn2real.training.run import Run, train_run


def finetune(
    *,
    key: Mapping[str, Any],
    recipe: Mapping[str, Any],
    target: Mapping[str, Any],
    backbone: str | Path | None,
    percent: float,
    outputs: Mapping[str, str | Path],
    scratch: Path,
    threads: int,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Fine-tune all weights on a share of a target's training set and test on its whole validation set.

    The head is new; the result is the metric at the last iteration (§4.1). It resumes as `pretrain` does.

    Parameters
    ----------
    key : dict
        "recipe", "setting", "ptask", "model", "n", "seed", "ftask", "target", "s_percent"; n = 0 has setting
        and ptask "none".
    recipe : dict
        What `Recipe.resolve("finetune", ftask, model)` returned.
    target : dict
        The resolved `Target`.
    backbone : Path or None
        The pre-trained backbone; None for random initialisation under the same recipe (n = 0).
    percent : float
        Share of the training set, drawn by the run's seed, in percent.
    outputs : dict
        "metrics" (.json). TensorBoard's curves go to `tensorboard/` beside it.
    scratch : Path
        Folder of the resume state, the run's own and none of the declared outputs; removed on success.
    threads : int
        CPU threads to compute with, of each process.
    checkpoint_seconds : float
        Least time between two resume states, in seconds; changes no result.

    Raises
    ------
    InputError
        The target is not in its layout, or the backbone is of another depth.
    TrainingError
        The loss or the metric is not finite.
    """
    ftask = key["ftask"]
    labelled = draw_labelled(target, ftask, percent, key["seed"])
    inputs = dict(labelled.inputs)
    if backbone is not None:
        backbone = Path(backbone)
        inputs["backbone"] = file_digest(backbone)
    run = Run("finetune", key, ftask, recipe, inputs, Path(scratch), threads, checkpoint_seconds)
    curves = Path(outputs["metrics"]).parent / "tensorboard"
    _, _, metrics = train_run(run, labelled.train, labelled.val, labelled.classes, backbone, curves)
    if not current_world().first:
        return

    write_metrics(outputs["metrics"], metrics | labelled.recorded)
    Checkpoints(run.scratch, run.identity).remove()
