"""Pre-training on synthetic images: the best backbone by validation (§4.1)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from syn2real.data.rendered import RenderedImages
from syn2real.tasks.schema import channel_of
from syn2real.training.run import Run, complete, start_digest


def pretrain(
    *,
    key: Mapping[str, Any],
    recipe: Mapping[str, Any],
    shards: Sequence[str | Path],
    val_shards: Sequence[str | Path],
    n: int,
    n_val: int,
    outputs: Mapping[str, str | Path],
    scratch: Path,
    threads: int,
    pool: Mapping[str, Any] | None = None,
    start: Mapping[str, Any] | None = None,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Pre-train on `n` images of a setting, the first ones or drawn, and keep the best model's backbone.

    It resumes where it was killed (`complete`).

    Parameters
    ----------
    key : dict
        "recipe", "setting", "ptask", "model", "n", "seed"; with a start its name too, "initial".
    recipe : dict
        What `Recipe.resolve("pretrain", ptask, model)` returned.
    shards, val_shards : sequence of str or Path
        The setting's shards of the splits train and val.
    n : int
        Number of training images, whole scenes unless they are drawn.
    n_val : int
        Number of images of another split that choose the best model (§4.1: 1,000).
    outputs : dict
        "backbone" (.safetensors), "metrics" (.json) and "curve" (.csv: iteration, images seen, learning rate,
        mean loss since the row before, the metric where it was evaluated); where it is given "head"
        (.safetensors: the rest of the best model, and its classes). TensorBoard's curves go to `tensorboard/`
        beside the metrics.
    scratch : Path
        Folder of the resume state: the run's own, not among the outputs; removed on success.
    threads : int
        CPU threads to compute with, of each process.
    pool : dict, optional
        What to draw the training images from: "of", the setting of the shards, and "images", how many.
    start : dict, optional
        Initial weights: their file, "path", and whether it is a whole "detector"; random ones by default.
    checkpoint_seconds : float
        Least time between two resume states, in seconds; changes no result.

    Raises
    ------
    InputError
        The shards are damaged, or hold fewer images; or the initial weights are another backbone's.
    TrainingError
        The loss or the metric is not finite.
    """
    channel = channel_of(key["ptask"])
    train_data = RenderedImages(shards, n, channel, pool["images"] if pool else None)
    val_data = RenderedImages(val_shards, n_val, channel)
    inputs = {"train": train_data.digest(), "val": val_data.digest()} | start_digest(start)
    run = Run("pretrain", key, key["ptask"], recipe, inputs, outputs, scratch, threads, checkpoint_seconds)
    recorded = {"pool": {**pool, "digest": train_data.draw_digest}} if pool else None
    complete(run, train_data, val_data, train_data.classes, start=start, recorded=recorded)
