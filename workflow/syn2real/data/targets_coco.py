"""Targets in COCO's format: detection, and segmentation from the instances' masks."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as rle
from torchvision import tv_tensors

from syn2real.config.target import Split, Target
from syn2real.data.annotated import IGNORE, AnnotatedImages, detection
from syn2real.data.coco_format import index, read_annotations
from syn2real.data.images import read_image
from syn2real.errors import InputError


class _CocoTarget(AnnotatedImages):
    """One split of a COCO-format set: every image of its file, with or without annotations, by id."""

    def __init__(self, target: Target, split: Split) -> None:
        self._folder = target.image_folder(split)
        self._file = target.annotation(split)
        self._truth = index(read_annotations(self._file, self.task))
        self._images = [self._truth.imgs[number] for number in sorted(self._truth.imgs)]
        categories = [self._truth.cats[number] for number in sorted(self._truth.cats)]
        self.category_ids = [category["id"] for category in categories]
        self.classes = [category["name"] for category in categories]
        self._label_of = {number: label for label, number in enumerate(self.category_ids, start=1)}

    def __len__(self) -> int:
        return len(self._images)

    def _read(self, number: int) -> tuple[tv_tensors.Image, int, list[dict[str, Any]]]:
        """Return an image, its id and its annotations."""
        record = self._images[number]
        image = read_image(self._folder / record["file_name"], (record["height"], record["width"]))
        return image, record["id"], self._truth.imgToAnns.get(record["id"], [])


class CocoDetectionTarget(_CocoTarget):
    """Boxes; category ids, which may have holes, become labels 1 … K in the ids' order."""

    task = "objdet"

    def __init__(self, target: Target, split: Split) -> None:
        super().__init__(target, split)
        self._crowds = split == "val"
        self.coco = self._truth

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, dict[str, Any]]:
        image, image_id, annotations = self._read(index)
        if not self._crowds:
            annotations = [a for a in annotations if not a["iscrowd"]]
        height, width = image.shape[1:]
        return image, detection(annotations, self._label_of, image_id, (height, width))


class CocoSegmentationTarget(_CocoTarget):
    """Class maps painted from the instances' masks: 0 is the background, label k the k-th category.

    As in torchvision's reference, a pixel that instances of different classes claim has no label.
    """

    task = "semseg"

    def __init__(self, target: Target, split: Split) -> None:
        super().__init__(target, split)
        if len(self.classes) >= IGNORE:
            raise InputError(
                f"{len(self.classes)} categories; class maps hold {IGNORE - 1} at most",
                file=self._file,
                key="categories",
            )
        self.classes = ["background", *self.classes]

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        image, _, annotations = self._read(index)
        height, width = image.shape[1:]
        painted = np.zeros((height, width), dtype=np.uint8)
        for annotation in annotations:
            label = self._label_of[annotation["category_id"]]
            try:
                mask = _binary_mask(annotation["segmentation"], height, width)
            except Exception as error:  # pycocotools raises bare Exceptions
                raise InputError(
                    f"the segmentation of annotation {annotation.get('id')} cannot be read ({error})",
                    file=self._file,
                    key="annotations.segmentation",
                ) from None
            clash = mask & (painted != 0) & (painted != label)
            painted[mask] = label
            painted[clash] = IGNORE
        return image, tv_tensors.Mask(torch.from_numpy(painted))


def _binary_mask(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Return an instance's mask, shape (H, W), from polygons or run lengths; empty ones cover nothing."""
    if isinstance(segmentation, list):
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        if not polygons:
            return np.zeros((height, width), dtype=bool)
        encoded = rle.merge(rle.frPyObjects(polygons, height, width))
    elif isinstance(segmentation["counts"], list):
        encoded = rle.frPyObjects(segmentation, height, width)
    else:
        encoded = segmentation
    return rle.decode(encoded).astype(bool)
