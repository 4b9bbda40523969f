"""Sets in COCO's format: detection, and segmentation from the instances' masks."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors

from syn2real.data.annotated import IGNORE, AnnotatedImages, detection, file_sizes
from syn2real.data.coco_format import class_map, index, instance_mask, read_annotations
from syn2real.data.images import read_image
from syn2real.errors import InputError
from syn2real.files import digest, file_digest


class CocoImages(AnnotatedImages):
    """The images of a COCO annotation file, with or without annotations, in the order of their ids.

    - objdet: category ids, which may have holes, become labels 1 … K in the ids' order.
    - semseg: class maps painted from the instances' masks; 0 is the background, k the k-th category. A
      pixel that instances of different classes claim has no label.

    Parameters
    ----------
    folder : Path
        The folder of the images.
    file : Path
        The annotation file.
    task : {"objdet", "semseg"}
        Whose annotations to give.
    crowds : bool
        Whether objdet gives crowd boxes; `coco` has them in any case.

    Raises
    ------
    InputError
        See `read_annotations`.
    """

    def __init__(self, folder: Path, file: Path, task: str, *, crowds: bool = True) -> None:
        self.task = task
        self._folder, self._file, self._crowds = folder, file, crowds
        self._truth = index(read_annotations(file, task))
        self._images = [self._truth.imgs[number] for number in sorted(self._truth.imgs)]
        categories = [self._truth.cats[number] for number in sorted(self._truth.cats)]
        self.classes = [category["name"] for category in categories]
        self.category_ids = [category["id"] for category in categories]
        self._label_of = {number: label for label, number in enumerate(self.category_ids, start=1)}
        if task == "objdet":
            self.coco = self._truth
        elif task == "semseg":
            if len(self.classes) >= IGNORE:
                problem = f"{len(self.classes)} categories; class maps hold {IGNORE - 1} at most"
                raise InputError(problem, file=file, key="categories")
            self.classes = ["background", *self.classes]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        record = self._images[index]
        size = (record["height"], record["width"])
        image = read_image(self._folder / record["file_name"], size)
        annotations = self._truth.imgToAnns.get(record["id"], [])
        if self.task == "objdet":
            kept = [a for a in annotations if self._crowds or not a["iscrowd"]]
            return image, detection(kept, self._label_of, record["id"], size)
        return image, self._paint(annotations, size)

    def digest(self) -> str:
        """Return a digest of the annotation file's bytes and the images' names and sizes."""
        paths = [self._folder / image["file_name"] for image in self._images]
        sizes = file_sizes(self._folder, paths)
        return digest({"task": self.task, "annotations": file_digest(self._file), "images": sizes})

    def _paint(self, annotations: list[dict[str, Any]], size: tuple[int, int]) -> tv_tensors.Mask:
        """Return the class map of an image's instances."""
        masks = (
            (self._label_of[annotation["category_id"]], instance_mask(annotation, size, self._file))
            for annotation in annotations
        )
        return tv_tensors.Mask(torch.from_numpy(class_map(masks, size, np.uint8)))
