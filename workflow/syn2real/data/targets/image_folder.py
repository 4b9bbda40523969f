"""Targets with a folder of images for each class, as ImageNet has them."""

import numpy as np
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.image_files import is_image
from syn2real.data.images import read_image
from syn2real.data.targets.class_folders import TABLE, class_files, class_folders
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError
from syn2real.files import digest


class FolderTarget(AnnotatedImages):
    """One split of layout imagenet or image-folder; the classes are the sorted folders of `train`."""

    channel = "label"

    def __init__(self, target: Target, split: Split) -> None:
        root = target.image_folder(split)
        self.classes = class_folders(target.image_folder("train"))
        self._root, self._exif, self._table = root, target.exif, root / TABLE
        files = class_files(target, split)
        # A class missing from `test` must not shift the later ones' numbers.
        samples = [
            (path, number)
            for number, name in enumerate(self.classes)
            for path in files.get(name, ())
            if is_image(path.name)
        ]
        if not samples:
            raise InputError("no image in any class folder here", file=root)
        self._samples = samples
        self.labels = np.array([number for _, number in samples], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, int]:
        path, label = self._samples[index]
        return read_image(path, exif=self._exif), label

    def names(self) -> list[str]:
        """Return the files' names within the split's folder."""
        return [path.relative_to(self._root).as_posix() for path, _ in self._samples]

    def digest(self) -> str:
        """Return a digest of the classes and of the images' names and sizes."""
        sizes = file_sizes(self._root, (path for path, _ in self._samples))
        listed = {"labels": [number for _, number in self._samples]} if self._table.is_file() else {}
        return digest({"classes": self.classes, "images": sizes} | listed)
