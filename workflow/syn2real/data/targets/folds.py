"""A target whose photographs are tested on once each: cut into parts, every part tested by its own run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages
from syn2real.data.subsets import indices_digest
from syn2real.data.targets.coco import CocoImages
from syn2real.data.targets.load import load_splits, load_target
from syn2real.data.targets.scenes import after_split, scenes_of
from syn2real.data.targets.schema import SPLITS, Split, Target
from syn2real.errors import InputError
from syn2real.files import digest

SEED = 0
"""Of the cut, which is the same for every run."""


class Part(AnnotatedImages):
    """Some images of several sets with the same classes, in the order of `indices` over all of them."""

    def __init__(self, sets: Sequence[AnnotatedImages], indices: NDArray[np.int64]) -> None:
        first = sets[0]
        self.channel, self.classes = first.channel, first.classes
        self.coco, self.category_ids = first.coco, first.category_ids
        self._sets, self._indices = sets, indices
        self._ends = np.cumsum([len(one) for one in sets])
        labels = [one.labels for one in sets if one.labels is not None]
        if len(labels) == len(sets):
            self.labels = np.concatenate(labels)[indices]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        place = int(self._indices[index])
        number = int(np.searchsorted(self._ends, place, side="right"))
        return self._sets[number][place - int(self._ends[number]) + len(self._sets[number])]

    def names(self) -> list[str]:
        """Return the images' names; of several sets after the split's."""
        names = [one.names() for one in self._sets]
        every = after_split(names) if len(names) > 1 else names[0]
        return [every[place] for place in self._indices]

    def digest(self) -> str:
        """Return a digest of the sets and of which of their images these are."""
        drawn = indices_digest(int(self._ends[-1]), self._indices)
        return digest([drawn, *(one.digest() for one in self._sets)])


def load_fold(target: Target, channel: str, fold: int, *, pilot: int = 0) -> tuple[Part, Part]:
    """Return the images that a run learns from and those that it is tested on.

    Parameters
    ----------
    target : Target
        A target with `folds`.
    channel : str
        See `load_target`.
    fold : int
        The part to test on, from 1.
    pilot : int
        Cut the training set alone, into so many parts; the test set is not read. By default `folds` decides.

    Raises
    ------
    InputError
        As `load_splits`, and where the photographs cannot be cut into so many parts.
    """
    learnt: Sequence[AnnotatedImages] = (
        [load_target(target, "train", channel)] if pilot else load_splits(target, channel)
    )
    tested = learnt
    if target.layout == "coco":  # one ground truth, whose ids are unique; crowds are for tests alone
        splits: tuple[Split, ...] = ("train",) if pilot else SPLITS
        files = [
            [file for split in splits for file in call(split)]
            for call in (target.image_folders, target.annotation_files)
        ]
        learnt, tested = (
            [CocoImages(files[0], files[1], channel, crowds=crowds, exif=target.exif)]
            for crowds in (False, True)
        )
    whole = Part(tested, np.arange(sum(map(len, tested))))
    names = whole.names()
    if pilot and target.layout != "coco":  # as they are called where train and test are cut together
        names = after_split([names, []])
    folds = pilot or target.folds or 1
    parts = cut(len(whole), folds, whole.labels, _scenes(names, target.scene))
    if len(np.unique(parts)) < folds:
        fix = "label more" if pilot else "give fewer folds"
        problem = f"the photographs are fewer scenes than {folds} folds; {fix}"
        raise InputError(problem, file=target.path, key="scene" if pilot else "folds")
    return Part(learnt, np.flatnonzero(parts != fold - 1)), Part(tested, np.flatnonzero(parts == fold - 1))


def cut(
    images: int,
    folds: int,
    labels: NDArray[np.int64] | None = None,
    scenes: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the part, from 0, of each image: drawn by its place alone, never by what it shows.

    Each class, where images have one, is dealt out evenly; with scenes, whole scenes are.

    Parameters
    ----------
    images, folds : int
        Images, and parts.
    labels, scenes : int array, shape (images,), optional
        Each image's class and scene.

    Returns
    -------
    int64 array, shape (images,)
    """
    if scenes is not None:
        return cut(int(scenes.max()) + 1, folds)[scenes]
    keys = np.random.PCG64(SEED).random_raw(images)
    order = np.argsort(keys, kind="stable") if labels is None else np.lexsort((keys, labels))
    parts = np.empty(images, np.int64)
    parts[order] = np.arange(images) % folds
    return parts


def _scenes(names: Sequence[str], pattern: str | None) -> NDArray[np.int64] | None:
    """Return the number of each image's scene; None where none is asked for."""
    if pattern is None:
        return None
    return np.unique(scenes_of(names, pattern), return_inverse=True)[1].astype(np.int64)
