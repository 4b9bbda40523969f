"""The labelled images a run learns from: its share of a target, drawn by its own seed (§4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Subset

from syn2real.data.annotated import AnnotatedImages
from syn2real.data.subsets import describe, subset
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target


@dataclass(frozen=True)
class Labelled:
    """A share of a target's training set, and the whole of its test set.

    Attributes
    ----------
    train : Subset
        The images drawn.
    val : AnnotatedImages
        The test set.
    classes : list of str
        The target's.
    inputs : dict of str to str
        Digests of what was read: "train", "val", "subset".
    recorded : dict
        What metrics.json tells of the draw: "subset_digest" and "shortfall".
    """

    train: Subset[Any]
    val: AnnotatedImages
    classes: list[str]
    inputs: dict[str, str]
    recorded: dict[str, Any]


def draw_labelled(target: Mapping[str, Any], ftask: str, percent: float, seed: int) -> Labelled:
    """Draw a run's labelled images.

    Parameters
    ----------
    target : dict
        The resolved target.
    ftask : str
        The task, which decides the annotations.
    percent : float
        Share of the training set.
    seed : int
        The run's seed.

    Raises
    ------
    InputError
        The target is not in its layout.
    """
    train, val = load_splits(Target.model_validate(target), ftask)
    population = len(train) if train.labels is None else train.labels
    indices = subset(population, percent, seed)
    drawn = describe(population, indices, percent)
    return Labelled(
        train=Subset(train, indices.tolist()),
        val=val,
        classes=train.classes,
        inputs={"train": train.digest(), "val": val.digest(), "subset": drawn["digest"]},
        recorded={"subset_digest": drawn["digest"], "shortfall": drawn.get("shortfall")},
    )
