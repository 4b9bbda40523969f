"""Class maps: the class of every pixel. 0 is the background, k + 1 is class k."""

import numpy as np
from numpy.typing import NDArray

from syn2real.channels.base import Limits, RawView, Solid, decoded, fitted
from syn2real.channels.objects import colour
from syn2real.png import encode_png

MEMBER = "seg.png"
PASSES = ("IndexOB",)
IGNORE = 255
"""The class of pixels without a label, where classes are learnt."""
SHOWN = 0.35
"""Brightness of the image where its background shows through a drawn class map."""


def classes(names: list[str]) -> list[str]:
    """Return the classes that are learnt: the background is one of its own, the first (Appendix A.2).

    Raises
    ------
    ValueError
        There are more than 8 bits hold beside `IGNORE`.
    """
    if len(names) >= IGNORE:
        raise ValueError(f"{len(names)} classes; class maps for training hold {IGNORE - 1}")
    return ["background", *names]


def render(view: RawView, solids: list[Solid], limits: Limits) -> bytes:
    """Give each pixel the class of the object that is seen there, hidden or small ones included."""
    numbers = np.array([0, *[solid.class_index + 1 for solid in solids]])
    return encode(numbers[view.passes["IndexOB"]].astype(dtype_of(limits.classes)))


def dtype_of(classes: int) -> type[np.unsignedinteger]:
    """Return the type of a class map's pixels: 8 bits, or 16 for more classes than they hold."""
    return np.uint8 if classes < IGNORE else np.uint16


def encode(value: NDArray[np.unsignedinteger]) -> bytes:
    """Return a class map as a PNG."""
    return encode_png(value)


def decode(content: bytes) -> NDArray[np.unsignedinteger]:
    """Return a class map, uint8 or uint16 [H, W]."""
    return decoded(content, colour=False)


def draw(value: NDArray[np.unsignedinteger], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image, uint8 [H, W, 3], darkened, with each class in its colour."""
    value, picture = fitted(value, image.shape[:2]), image * SHOWN
    for number in np.unique(value[value > 0]):
        inside = value == number
        picture[inside] = 0.3 * image[inside] + 0.7 * 255 * np.array(colour(int(number) - 1))
    return np.rint(picture).astype(np.uint8)
