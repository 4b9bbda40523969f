"""What every data set of this project gives: images with annotations in torchvision's conventions."""

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from torch.utils.data import Dataset
from torchvision import tv_tensors

from syn2real.errors import InputError

IGNORE = 255
"""The class of pixels without a label, in masks."""


class AnnotatedImages(Dataset[tuple[tv_tensors.Image, Any]]):
    """Images with annotations for one task.

    An item is a uint8 RGB image of shape (3, H, W) and, by task:

    - `sinclass`: int, the class.
    - `mulclass`: float32 tensor of shape (K,), 1 for each class that is visible.
    - `objdet`: dict of `boxes` (BoundingBoxes, float32, XYXY, pixels), `labels` (int64, 1 to K),
      `image_id` (int), `iscrowd` (int64) and `area` (float32, pixels).
    - `semseg`: Mask, uint8, shape (H, W); 255 has no label.
    - `normal`: Mask, uint8, shape (3, H, W): normals in camera space (x right, y up, z towards the camera)
      and their validity, as `encode_normals` packs them. A mask, because packed normals cannot be averaged.

    Attributes
    ----------
    task : str
        The task whose annotations it gives.
    classes : list of str
        Class names. For objdet label k is `classes[k - 1]`; otherwise class k is `classes[k]`.
    labels : int64 array, shape (N,), or None
        Each image's class where it has exactly one (sinclass); for balanced subsets.
    coco : COCO or None
        For objdet the ground truth for pycocotools' evaluation, with crowds, in the data set's own
        category ids.
    category_ids : list of int or None
        For objdet the ground truth's category id of each class: label k is `category_ids[k - 1]`.
    """

    task: str
    classes: list[str]
    labels: NDArray[np.int64] | None = None
    coco: COCO | None = None
    category_ids: list[int] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]: ...

    @abstractmethod
    def digest(self) -> str:
        """Return a digest that tells this data set from another, without reading every image.

        It covers the labels, and names and sizes of the files: an image that is changed without changing its
        size goes unnoticed.
        """


def file_sizes(root: Path, paths: Iterable[Path]) -> list[list[Any]]:
    """Return each file's name within `root` and its size in bytes (-1 if it is not there)."""
    return [[str(path.relative_to(root)), path.stat().st_size if path.is_file() else -1] for path in paths]


def check_whole_scenes(n: int, views: int) -> None:
    """Raise InputError unless n images are a whole number of scenes of so many views, at least one."""
    if n < 1 or n % views:
        near = n // views * views
        sizes = f"{near} or {near + views}" if near > 0 else str(views)
        raise InputError(f"{n} images are no whole number of scenes of {views} views; use {sizes}", key="n")


def detection(
    annotations: list[dict[str, Any]], label_of: dict[int, int], image_id: int, size: tuple[int, int]
) -> dict[str, Any]:
    """Turn an image's COCO annotations into torchvision's detection target.

    Boxes are cut at the image's edges; what has no area then is left out, for no box can be learnt from it.

    Parameters
    ----------
    annotations : list of dict
        With `bbox` [x, y, width, height] in pixels, `category_id`, `iscrowd` and `area`.
    label_of : dict of int to int
        Category id → label, 1 to K.
    image_id : int
        The image's id in the ground truth.
    size : (height, width)
        Of the image, pixels.

    Returns
    -------
    dict
        See `AnnotatedImages`.
    """
    height, width = size
    # NumPy, for torch takes several times as long over so few numbers.
    boxes = np.array([a["bbox"] for a in annotations], dtype=np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes = boxes.clip(0, [width, height, width, height]).astype(np.float32)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    label, crowd, area = (
        torch.from_numpy(np.array(column, dtype=dtype)[kept])
        for column, dtype in (
            ([label_of[a["category_id"]] for a in annotations], np.int64),
            ([a["iscrowd"] for a in annotations], np.int64),
            ([a["area"] for a in annotations], np.float32),
        )
    )
    return {
        "boxes": tv_tensors.BoundingBoxes(torch.from_numpy(boxes[kept]), format="XYXY", canvas_size=size),
        "labels": label,
        "image_id": image_id,
        "iscrowd": crowd,
        "area": area,
    }
