"""ADE20K: a mask beside each image."""

import numpy as np
from numpy.typing import NDArray
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.images import read_image
from syn2real.data.targets.ade20k_files import ade20k_classes, ade20k_labels, ade20k_pairs
from syn2real.data.targets.schema import Split, Target
from syn2real.files import digest


class ADE20KTarget(AnnotatedImages):
    """One split of ADE20K: masks' 0 and 255 become 255, no label; classes 1 … K become 0 … K - 1."""

    channel = "class-map"

    def __init__(self, target: Target, split: Split) -> None:
        self.classes = ade20k_classes(target)
        self._root, self._exif = target.root, target.exif
        self._pairs = ade20k_pairs(target, split)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, NDArray[np.uint8]]:
        path, mask_path = self._pairs[index]
        labels = ade20k_labels(mask_path, self.classes)
        height, width = labels.shape
        return read_image(path, (height, width), self._exif), labels

    def names(self) -> list[str]:
        """Return the images' names within the target's folder."""
        return [path.relative_to(self._root).as_posix() for path, _ in self._pairs]

    def digest(self) -> str:
        """Return a digest of the classes and of the images' and the masks' names and sizes."""
        sizes = file_sizes(self._root, (path for pair in self._pairs for path in pair))
        return digest({"classes": self.classes, "files": sizes})
