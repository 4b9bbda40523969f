"""Targets with a folder of images for each class, as ImageNet has them."""

from pathlib import Path

import numpy as np
from torchvision import tv_tensors
from torchvision.datasets import ImageFolder

from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.images import read_image
from syn2real.data.targets.layouts import class_folders
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError
from syn2real.files import digest


class _Folder(ImageFolder):
    """torchvision's ImageFolder with given classes.

    ImageFolder itself numbers the folders it finds: a class missing from `val` would shift all later labels.
    """

    def __init__(self, root: str, classes: list[str]) -> None:
        self._given = classes
        super().__init__(root, loader=read_image, allow_empty=True)

    def find_classes(self, directory: str) -> tuple[list[str], dict[str, int]]:
        """Return the given classes and their numbers."""
        return self._given, {name: number for number, name in enumerate(self._given)}


class FolderTarget(AnnotatedImages):
    """One split of layout imagenet or image-folder; the classes are the sorted folders of `train`."""

    channel = "label"

    def __init__(self, target: Target, split: Split) -> None:
        root = target.image_folder(split)
        self.classes = class_folders(target.image_folder("train"))
        if unknown := sorted(set(class_folders(root)) - set(self.classes)):
            raise InputError(
                f"this class has no folder in {target.image_folder('train')}; add one or remove this",
                file=root / unknown[0],
            )
        self._root = root
        self._images = _Folder(str(root), self.classes)
        if not self._images.samples:
            raise InputError("no image in any class folder here", file=root)
        self.labels = np.array(self._images.targets, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, int]:
        return self._images[index]

    def digest(self) -> str:
        """Return a digest of the classes and of the images' names and sizes."""
        sizes = file_sizes(self._root, (Path(path) for path, _ in self._images.samples))
        return digest({"classes": self.classes, "images": sizes})
