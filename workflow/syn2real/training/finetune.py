"""Trainings on a labelled target: fine-tuning (§4.1), and a reference backbone from scratch (§4.5)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import Subset

from syn2real.backbones.base import read_about
from syn2real.data.annotated import AnnotatedImages
from syn2real.data.arms import BACKBONE, RENDERS_ONLY, Arm, match_classes
from syn2real.data.mixed import MixedImages, Relabelled
from syn2real.data.rendered import RenderedImages
from syn2real.data.subsets import subset, subset_record
from syn2real.data.targets.folds import load_fold
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target, is_pilot
from syn2real.errors import InputError
from syn2real.files import digest, file_digest
from syn2real.tasks.base import PretrainedHead
from syn2real.tasks.schema import channel_of, read_section
from syn2real.training.run import Run, complete, start_digest

logger = logging.getLogger(__name__)


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
    added_iterations: int = 0,
    head: str | Path | None = None,
    renders: Mapping[str, Any] | None = None,
    classes: Mapping[str, str] | None = None,
    checkpoint_seconds: float = 60.0,
) -> None:
    """Fine-tune all weights on a fraction of a target's training set and test on its whole test set.

    The head is new, but for the arms that say otherwise (`syn2real.data.arms`); the result is the metric at
    the last iteration (§4.1). It resumes as `pretrain` does.

    Parameters
    ----------
    key : dict
        "recipe", "setting", "ptask", "model", "n", "seed", "ftask", "target", "s_percent"; n = 0 has setting
        and ptask "none"; with a start its name too, "initial"; of other arms than the backbone's "arm",
        and of another learning rate than the recipe's "rate", which `recipe` has already.
    recipe : dict
        What `Recipe.resolve("finetune", ftask, model)` returned; its length may be in passes over the labels.
    target : dict
        The resolved `Target`; with "fold", the part of its photographs to test on, from 1, and with "pilot"
        one of so many parts of its training set.
    backbone : Path or None
        The pre-trained backbone; None for the start alone under the same recipe (n = 0).
    percent : float
        Fraction of the training set, drawn by the run's seed, in percent; 0 where renders alone are learnt.
    outputs : dict
        "metrics" (.json). TensorBoard's curves go to `tensorboard/` beside it.
    start : dict, optional
        As `pretrain` has it. The pre-trained backbone takes the place of the start's; what else the task
        takes of a detector starts from it at every n, so that n = 0 lacks the renders alone.
    added_iterations : int, optional
        Steps of the pre-training, which a training that is as long as both has more.
    head : Path, optional
        The pre-trained head, of an arm with the whole pre-trained model.
    renders : dict, optional
        Renders to mix in: "shards", "n" and "pool", as `pretrain` has them.
    classes : mapping of str to str, optional
        The photographs' class of a class of the renders, where they have other names.
    scratch, threads, checkpoint_seconds
        As `pretrain` has them.

    Raises
    ------
    InputError
        The target is not in its layout, the file holds another backbone or head, or the classes of renders
        and photographs cannot be matched.
    TrainingError
        The loss or the metric is not finite.
    """
    arm, ftask = Arm.named(key.get("arm", BACKBONE)), key["ftask"]
    given = {"percent": percent, "head": head, "renders": renders, "added_iterations": added_iterations}
    _require_arguments(arm, given | {"backbone": backbone})
    images = draw_labelled(target, ftask, percent, key["seed"])
    inputs = images.inputs | ({"backbone": file_digest(backbone)} if backbone else {}) | start_digest(start)
    train: Any = None if arm.name == RENDERS_ONLY else images.train
    recorded, whole = images.recorded, None
    if train is not None:
        recipe = _in_images(ftask, recipe, len(train), added_iterations)
    if head is not None:
        whole, used = _read_head(head, arm, images.classes, classes)
        inputs |= used
    elif renders is not None:
        size = read_section(ftask, recipe).batch_size
        train, used, drawn = _mixed(images, renders, arm, size, classes)
        inputs, recorded = inputs | used, recorded | drawn
    run = Run("finetune", key, ftask, recipe, inputs, outputs, scratch, threads, checkpoint_seconds)
    complete(
        *(run, train, images.test, images.classes),
        start=start, weights=backbone, head=whole, recorded=recorded,
        # Of a pilot's rates one that is too high is an answer; the recipe's own is not to diverge.
        may_diverge=is_pilot(key["target"]) and key.get("rate", 1) != 1,
    )  # fmt: skip


def _require_arguments(arm: Arm, given: Mapping[str, Any]) -> None:
    """Raise ValueError unless an arm has what it takes and nothing else: it would be another arm."""
    needed = {"percent": arm.name != RENDERS_ONLY, "head": arm.whole, "renders": bool(arm.share)}
    needed |= {"added_iterations": arm.longer} | ({} if arm.name == BACKBONE else {"backbone": arm.whole})
    for name, takes in needed.items():
        if bool(given[name]) != takes:
            raise ValueError(f"the arm {arm.name} {'needs' if takes else 'takes no'} {name}")


def _read_head(
    head: str | Path, arm: Arm, classes: list[str], given: Mapping[str, str] | None
) -> tuple[PretrainedHead, dict[str, str]]:
    """Return a pre-trained head for the photographs' classes, and the digests of what decides it."""
    if not Path(head).is_file():
        beside = Path(head).with_name("backbone.safetensors")
        problem = f"is not there; remove {beside}, then the pre-training runs again and keeps both"
        raise InputError(problem, file=head)
    theirs = read_about(head).get("classes")
    if not isinstance(theirs, list):
        raise InputError("does not name its classes; pre-train again", file=head)
    matched = match_classes(theirs, classes, given, once=True)
    found = PretrainedHead(Path(head), theirs, matched, closed=arm.name == RENDERS_ONLY)
    return found, {"head": file_digest(head), "classes": _log_classes(theirs, classes, matched)}


def _mixed(
    images: "LabelledSubset",
    renders: Mapping[str, Any],
    arm: Arm,
    batch_size: int,
    given: Mapping[str, str] | None,
) -> tuple[MixedImages, dict[str, str], dict[str, Any]]:
    """Return photographs and renders, the digests of what was read, and what metrics.json says of it."""
    pool = renders.get("pool")
    data = RenderedImages(
        renders["shards"], renders["n"], images.test.channel, pool["images"] if pool else None
    )
    matched = match_classes(data.classes, images.classes, given)
    try:
        count = arm.renders_in(batch_size)
    except ValueError as error:
        raise InputError(str(error), key="arms") from None
    inputs = {"renders": data.digest(), "classes": _log_classes(data.classes, images.classes, matched)}
    recorded: dict[str, Any] = {"n_train": len(images.train)}
    recorded |= {"pool": {**pool, "digest": data.draw_digest}} if pool else {}
    return MixedImages(images.train, Relabelled(data, matched), count), inputs, recorded


def _log_classes(renders: list[str], photographs: list[str], matched: Mapping[int, int]) -> str:
    """Log which classes of the renders and the photographs are the same, and return a digest of that."""
    pairs = [(renders[number], photographs[of]) for number, of in matched.items()]
    logger.info("classes of renders and photographs: %s", ", ".join(" = ".join(pair) for pair in pairs))
    for whose, names, place in (("renders", renders, 0), ("photographs", photographs, 1)):
        if alone := [name for name in names if name not in {pair[place] for pair in pairs}]:
            logger.info("classes of the %s alone: %s", whose, ", ".join(alone))
    return digest(pairs)


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


def _in_images(ftask: str, recipe: Mapping[str, Any], n: int, added: int = 0) -> dict[str, Any]:
    """Return a recipe's section whose length in passes over n labelled images is one in images.

    It is `added` steps longer.

    Raises
    ------
    InputError
        The warm-up is as long as so many passes.
    """
    section = read_section(ftask, recipe)
    try:
        section = section.with_labels(n)
    except ValueError:
        problem = (
            f"{section.passes:g} passes over {n} images are no longer than the warm-up; lower warmup_images"
        )
        raise InputError(problem, key="passes") from None
    length = {"images": section.images}
    if added:
        length = {"images": None, "iterations": section.total_iterations + added}
    return {key: value for key, value in recipe.items() if key != "passes"} | length


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
        Fraction of the training set, in percent; 0 for the test set alone.
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
    if not percent:
        return LabelledSubset(Subset(train, []), test, test.classes, {"test": test.digest()}, {})
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
