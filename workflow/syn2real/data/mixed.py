"""Renders among the photographs of one training, labelled with the photographs' classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset
from torchvision import tv_tensors

from syn2real.channels.class_map import IGNORE
from syn2real.data.annotated import AnnotatedImages
from syn2real.errors import InputError


class Relabelled(Dataset[tuple[tv_tensors.Image, Any]]):
    """Renders labelled with the photographs' classes.

    Objects of a class without a counterpart are left out; such pixels of a class map have no label.

    Parameters
    ----------
    data : AnnotatedImages
        The renders.
    matched : mapping of int to int
        The photographs' class of each of the renders' that has one (`match_classes`).

    Raises
    ------
    InputError
        The channel has no classes.
    """

    def __init__(self, data: AnnotatedImages, matched: Mapping[int, int]) -> None:
        if data.channel not in ("objects", "class-map"):
            raise InputError(f"renders labelled with {data.channel} cannot be mixed with photographs")
        self.data, self.matched = data, matched
        self.lookup = np.full(IGNORE + 1, IGNORE, np.uint8)
        self.lookup[list(matched)] = list(matched.values())

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        image, value = self.data[index]
        if self.data.channel == "class-map":
            return image, self.lookup[value]
        objects = [
            item | {"class": self.matched[item["class"]]}
            for item in value["objects"]
            if item["class"] in self.matched
        ]
        return image, value | {"objects": objects}


class MixedImages(Dataset[tuple[tv_tensors.Image, Any]]):
    """Photographs and, after them, renders.

    Parameters
    ----------
    photographs, renders : Dataset
        Labelled with the same classes.
    renders_in_batch : int
        So many images of every batch are renders.
    """

    def __init__(self, photographs: Any, renders: Any, renders_in_batch: int) -> None:
        self.photographs, self.renders, self.renders_in_batch = photographs, renders, renders_in_batch

    def __len__(self) -> int:
        return len(self.photographs) + len(self.renders)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        first = len(self.photographs)
        sample: tuple[tv_tensors.Image, Any] = (
            self.photographs[index] if index < first else self.renders[index - first]
        )
        return sample
