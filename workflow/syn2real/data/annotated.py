"""What every data set of this project gives: images, each with the value of one channel."""

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from torch.utils.data import Dataset
from torchvision import tv_tensors

from syn2real.errors import InputError


class AnnotatedImages(Dataset[tuple[tv_tensors.Image, Any]]):
    """Images labelled with one channel.

    An item is a uint8 RGB image of shape (3, H, W) and the channel's value, of which a task makes what it
    learns from (`Task.annotate`):

    - `label`: int, the class.
    - `objects`: dict of `image_id` (int), `width`, `height` (pixels) and `objects`, each a dict of `class`
      (from 0), `bbox` ([x, y, width, height], pixels), `area` (pixels) and, where they are known, `iscrowd`.
    - `class-map`: array, shape (H, W), the number of each pixel's class among `classes`; 255 has no label.
    - `normals`, `depth` and others: what the channel's `decode` returns.

    Attributes
    ----------
    channel : str
        What its images are labelled with.
    classes : list of str
        Names of the classes, by their numbers.
    labels : int64 array, shape (N,), or None
        Each image's class where it has exactly one; for balanced subsets.
    coco : COCO or None
        For objects the ground truth for pycocotools' evaluation, with crowds, in the data set's own category
        ids.
    category_ids : list of int or None
        For objects the ground truth's category id of each class.
    """

    channel: str
    classes: list[str]
    labels: NDArray[np.int64] | None = None
    coco: COCO | None = None
    category_ids: list[int] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]: ...

    def names(self) -> list[str]:
        """Return a name of each image: its file's, where it is one of its own, else its number."""
        return [str(index) for index in range(len(self))]

    @abstractmethod
    def digest(self) -> str:
        """Return a digest that differs for another data set, without reading every image.

        It covers the labels, and names and sizes of the files: an image that is changed without changing its
        size goes unnoticed.
        """


def file_sizes(root: Path, paths: Iterable[Path]) -> list[list[Any]]:
    """Return each file's name within `root` and its size in bytes (-1 if it is not there)."""
    return [
        [
            str(path.relative_to(root) if path.is_relative_to(root) else path),
            path.stat().st_size if path.is_file() else -1,
        ]
        for path in paths
    ]


def check_whole_scenes(n: int, views: int) -> None:
    """Raise InputError unless n images are a whole number of scenes of so many views, at least one."""
    if n < 1 or n % views:
        near = n // views * views
        sizes = f"{near} or {near + views}" if near > 0 else str(views)
        raise InputError(
            f"{n} images are not a whole number of scenes of {views} views; use {sizes}", key="n"
        )
