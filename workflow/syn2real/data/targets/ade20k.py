"""ADE20K: a mask beside each image."""

import numpy as np
from numpy.typing import NDArray
from torchvision import tv_tensors

from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.images import read_image
from syn2real.data.pixels import read_mask
from syn2real.data.targets.layouts import ade20k_classes, ade20k_pairs
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError
from syn2real.files import digest


class ADE20KTarget(AnnotatedImages):
    """One split of ADE20K: in the masks 0 (unlabelled) becomes 255, classes 1 … K become 0 … K - 1."""

    channel = "class-map"

    def __init__(self, target: Target, split: Split) -> None:
        self.classes = ade20k_classes(target)
        self._root = target.root
        self._pairs = ade20k_pairs(target, split)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, NDArray[np.uint8]]:
        path, mask_path = self._pairs[index]
        mask = read_mask(mask_path)
        if mask.max(initial=0) > len(self.classes):
            raise InputError(
                f"class {mask.max()} is not one of the {len(self.classes)} of objectInfo150.txt",
                file=mask_path,
            )
        labels = mask - np.uint8(1)  # 0 wraps round to 255, no label
        height, width = mask.shape
        return read_image(path, (height, width)), labels

    def digest(self) -> str:
        """Return a digest of the classes and of the images' and the masks' names and sizes."""
        sizes = file_sizes(self._root, (path for pair in self._pairs for path in pair))
        return digest({"classes": self.classes, "files": sizes})
