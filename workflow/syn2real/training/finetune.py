"""Trainings on a labelled target: fine-tuning (§4.1), and a reference backbone from scratch (§4.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import Subset

from syn2real.data.annotated import AnnotatedImages
from syn2real.data.subsets import subset, subset_record
from syn2real.data.targets.folds import load_fold
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.files import file_digest
from syn2real.tasks.schema import channel_of, read_section
from syn2real.training.run import Run, complete, start_digest


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
    start: Mapping[str, Any] | None = None,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Fine-tune all weights on a fraction of a target's training set and test on its whole test set.

    The head is new; the result is the metric at the last iteration (§4.1). It resumes as `pretrain` does.

    Parameters
    ----------
    key : dict
        "recipe", "setting", "ptask", "model", "n", "seed", "ftask", "target", "s_percent"; n = 0 has setting
        and ptask "none"; with a start its name too, "initial".
    recipe : dict
        What `Recipe.resolve("finetune", ftask, model)` returned; its length may be in passes over the labels.
    target : dict
        The resolved `Target`; with "fold", the part of its photographs to test on, from 1, and with "pilot"
        one of so many parts of its training set.
    backbone : Path or None
        The pre-trained backbone; None for the start alone under the same recipe (n = 0).
    percent : float
        Fraction of the training set, drawn by the run's seed, in percent.
    outputs : dict
        "metrics" (.json). TensorBoard's curves go to `tensorboard/` beside it.
    start : dict, optional
        As `pretrain` has it. The pre-trained backbone takes the place of the start's; what else the task
        takes of a detector starts from it at every n, so that n = 0 lacks the renders alone.
    scratch, threads, checkpoint_seconds
        As `pretrain` has them.

    Raises
    ------
    InputError
        The target is not in its layout, or the file holds another backbone.
    TrainingError
        The loss or the metric is not finite.
    """
    images = draw_labelled(target, key["ftask"], percent, key["seed"])
    recipe = _in_images(key["ftask"], recipe, len(images.train))
    inputs = images.inputs | ({"backbone": file_digest(backbone)} if backbone else {}) | start_digest(start)
    run = Run("finetune", key, key["ftask"], recipe, inputs, outputs, scratch, threads, checkpoint_seconds)
    recorded = images.recorded
    complete(run, images.train, images.test, images.classes, start=start, weights=backbone, recorded=recorded)


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
    """Train on a target from scratch, and keep the backbone of the last iteration.

    It is a pre-training whose images are the target's, evaluated at its end alone: the test set chooses
    nothing. It resumes as `pretrain` does.

    Parameters
    ----------
    key : dict
        "recipe", "ftask", "target", "model", "seed".
    recipe : dict
        What `Recipe.resolve("finetune", ftask, model)` returned, with the length of the training asked for.
    target : dict
        The resolved `Target`.
    percent : float
        Fraction of the target's training set, drawn by the seed, in percent.
    outputs : dict
        "backbone" (.safetensors) and "metrics" (.json), as of a pre-training whose setting is the target and
        whose task is the fine-tuning's.
    scratch, threads, checkpoint_seconds
        As `pretrain` has them.

    Raises
    ------
    InputError
        The target is not in its layout.
    TrainingError
        The loss or the metric is not finite.
    """
    ftask = key["ftask"]
    recipe = {**recipe, "evaluation_iterations": None, "evaluation_images": None}
    images = draw_labelled(target, ftask, percent, key["seed"])
    recipe = _in_images(ftask, recipe, len(images.train))
    named = {"recipe": key["recipe"], "setting": key["target"], "ptask": ftask, "model": key["model"]}
    run_key = named | {"n": len(images.train), "seed": key["seed"]}
    run = Run(
        "pretrain", run_key, ftask, recipe, images.inputs, outputs, scratch, threads, checkpoint_seconds
    )
    complete(run, images.train, images.test, images.classes, recorded=images.recorded)


def _in_images(ftask: str, recipe: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Return a recipe's section whose length in passes over n labelled images is one in images.

    Raises
    ------
    InputError
        The warm-up is as long as so many passes.
    """
    section = read_section(ftask, recipe)
    try:
        images = section.with_labels(n).images
    except ValueError:
        problem = (
            f"{section.passes:g} passes over {n} images are no longer than the warm-up; lower warmup_images"
        )
        raise InputError(problem, key="passes") from None
    return {key: value for key, value in recipe.items() if key != "passes"} | {"images": images}


@dataclass(frozen=True)
class LabelledSubset:
    """The labelled images a run learns from, drawn by its seed (§4.1), and the whole test set.

    Attributes
    ----------
    train : Subset
        The images drawn.
    test : AnnotatedImages
        The test set.
    classes : list of str
        The target's.
    inputs : dict of str to str
        Digests of what was read: "train", "test", "subset".
    recorded : dict
        What metrics.json says of the draw: "subset_digest" and "shortfall".
    """

    train: Subset[Any]
    test: AnnotatedImages
    classes: list[str]
    inputs: dict[str, str]
    recorded: dict[str, Any]


def draw_labelled(target: Mapping[str, Any], ftask: str, percent: float, seed: int) -> LabelledSubset:
    """Draw a run's labelled images.

    Parameters
    ----------
    target : dict
        The resolved target.
    ftask : str
        The task, which decides the annotations.
    percent : float
        Fraction of the training set, in percent.
    seed : int
        The run's seed.

    Raises
    ------
    InputError
        The target is not in its layout.
    """
    given = dict(target)
    fold, pilot = given.pop("fold", None), given.pop("pilot", 0)
    of, channel = Target.model_validate(given), channel_of(ftask)
    train, test = load_fold(of, channel, fold, pilot=pilot) if fold else load_splits(of, channel)
    population = len(train) if train.labels is None else train.labels
    indices = subset(population, percent, seed)
    drawn = subset_record(population, indices, percent)
    return LabelledSubset(
        train=Subset(train, indices.tolist()),
        test=test,
        classes=train.classes,
        inputs={"train": train.digest(), "test": test.digest(), "subset": drawn["digest"]},
        recorded={"subset_digest": drawn["digest"], "shortfall": drawn.get("shortfall")},
    )
