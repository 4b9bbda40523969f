"""Sets in COCO's format: detection, and segmentation from the instances' masks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.coco.painting import class_map, instance_mask
from syn2real.data.coco_format import classes_of, index, read_annotations
from syn2real.data.images import read_image
from syn2real.data.pairing import find_image
from syn2real.data.targets.schema import Exif
from syn2real.files import digest, file_digest


class CocoImages(AnnotatedImages):
    """The images of COCO annotation files, with or without annotations, in the order of their ids.

    - objects: category ids, which may have holes, become classes 0 … K - 1 in the ids' order.
    - class-map: painted from the instances' masks; 0 is the background, k the k-th category. A pixel that
      instances of different classes claim has no label.

    Parameters
    ----------
    folders : Path or sequence of Path
        The folder of each file's images.
    files : Path or sequence of Path
        The annotation files.
    channel : {"objects", "class-map"}
        What the images are labelled with.
    crowds : bool
        Whether crowd boxes are among the objects; `coco` has them in any case.
    exif : {"apply", "ignore"}, optional
        See `read_image`.

    Raises
    ------
    InputError
        See `read_annotations`.
    """

    def __init__(
        self,
        folders: Path | Sequence[Path],
        files: Path | Sequence[Path],
        channel: str,
        *,
        crowds: bool = True,
        exif: Exif | None = None,
    ) -> None:
        self.channel = channel
        self._folders = [folders] if isinstance(folders, Path) else folders
        self._files = [files] if isinstance(files, Path) else files
        self._crowds, self._exif = crowds, exif
        data = read_annotations(self._files, channel)
        self._truth, self._images = index(data), data["images"]
        names = [category["name"] for category in data["categories"]]
        self.classes = classes_of(channel, names, self._files[0])
        self.category_ids = [category["id"] for category in data["categories"]]
        self._class_of = {number: k for k, number in enumerate(self.category_ids)}
        if channel == "objects":
            self.coco = self._truth

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        record = self._images[index]
        size = (record["height"], record["width"])
        image = read_image(self._path(record), size, self._exif)
        annotations = self._truth.imgToAnns.get(record["id"], [])
        if self.channel == "class-map":
            return image, self._paint(annotations, size)
        objects = [
            {key: a[key] for key in ("bbox", "area", "iscrowd")} | {"class": self._class_of[a["category_id"]]}
            for a in annotations
            if self._crowds or not a["iscrowd"]
        ]
        place = {"image_id": record["id"], "height": size[0], "width": size[1]}
        return image, place | {"objects": objects}

    def names(self) -> list[str]:
        """Return the images' `file_name`."""
        return [image["file_name"] for image in self._images]

    def digest(self) -> str:
        """Return a digest of the annotation files' bytes and the images' names and sizes."""
        sizes = []
        for number, folder in enumerate(self._folders):
            images = (image for image in self._images if image.get("folder", 0) == number)
            sizes += file_sizes(folder, map(self._path, images))
        digests = [file_digest(file) for file in self._files]
        annotations = digests[0] if len(digests) == 1 else digests
        return digest({"channel": self.channel, "annotations": annotations, "images": sizes})

    def _path(self, image: dict[str, Any]) -> Path:
        """Return an image's file."""
        return find_image(self._folders[image.get("folder", 0)], image["file_name"])

    def _paint(self, annotations: list[dict[str, Any]], size: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the class map of an image's instances."""
        masks = (
            (self._class_of[annotation["category_id"]] + 1, instance_mask(annotation, size))
            for annotation in annotations
        )
        return class_map(masks, size, np.uint8)
