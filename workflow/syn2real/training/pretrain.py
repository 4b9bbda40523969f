"""Pre-training on synthetic images: the best backbone by validation (§4.1)."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from syn2real.backbones.base import save_backbone
from syn2real.data.rendered import SyntheticImages
from syn2real.files import atomic
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.distributed import current_world
from syn2real.training.metrics_file import write_metrics
from syn2real.training.run import Run, train_run

CURVE = ("iteration", "images", "lr", "loss", "value")


def pretrain(
    *,
    key: Mapping[str, Any],
    recipe: Mapping[str, Any],
    shards: Sequence[Path],
    val_shards: Sequence[Path],
    n: int,
    n_val: int,
    outputs: Mapping[str, str | Path],
    scratch: Path,
    threads: int,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Pre-train on the first `n` images of a setting and hand on the best model's backbone.

    Killed at any instant and called again, it goes on from the last resume state, and on a CPU writes the
    same backbone and the same metrics as an uninterrupted run, but for `seconds`.

    Parameters
    ----------
    key : dict
        "recipe", "setting", "ptask", "model", "n", "seed".
    recipe : dict
        What `Recipe.resolve("pretrain", ptask, model)` returned.
    shards, val_shards : sequence of Path
        The setting's shards of the splits train and val.
    n : int
        Number of training images, whole scenes.
    n_val : int
        Number of images of another split that choose the best model (§4.1: 1,000).
    outputs : dict
        "backbone" (.safetensors), "metrics" (.json) and "curve" (.csv: iteration, images seen, learning rate,
        mean loss since the row before, the metric where it was evaluated). TensorBoard's curves go to
        `tensorboard/` beside the metrics.
    scratch : Path
        Folder of the resume state, the run's own and none of the declared outputs; removed on success.
    threads : int
        CPU threads to compute with, of each process.
    checkpoint_seconds : float
        Least time between two resume states, in seconds; changes no result.

    Raises
    ------
    InputError
        The shards are damaged, or hold fewer images.
    TrainingError
        The loss or the metric is not finite.
    """
    train_data = SyntheticImages(shards, n, key["ptask"])
    val_data = SyntheticImages(val_shards, n_val, key["ptask"])
    inputs = {"train": train_data.digest(), "val": val_data.digest()}
    run = Run("pretrain", key, key["ptask"], recipe, inputs, Path(scratch), threads, checkpoint_seconds)
    curves = Path(outputs["metrics"]).parent / "tensorboard"
    _, history, metrics = train_run(run, train_data, val_data, train_data.classes, None, curves)
    if not current_world().first:
        return

    assert history.best_backbone is not None
    described = {"key": dict(key), "iteration": metrics["best"]["iteration"]}
    save_backbone(outputs["backbone"], history.best_backbone, described)
    write_curve(outputs["curve"], history.curve)
    write_metrics(outputs["metrics"], metrics)
    Checkpoints(run.scratch, run.identity).remove()


def write_curve(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the training curve as CSV; the value is empty where nothing was evaluated."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, CURVE, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
