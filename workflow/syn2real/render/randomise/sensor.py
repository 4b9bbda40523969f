"""The sensor: what a real camera's optics and sensor do to an image."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from syn2real import schema
from syn2real.render.randomise.base import uniform
from syn2real.render.randomise.schema import Amounts, Parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

LEVEL = "image"
STREAM = "view"
"""Its numbers are those of the view, behind the two seeds drawn there: scenes stay what they have been."""


class Section(schema.Section):
    """What a real camera's sensor and optics do to an image; all zero is Blender's own image."""

    noise: Parts = Field(default=(0, 0), description="standard deviation of the noise, part of full scale")
    blur_px: Amounts = Field(default=(0, 0), description="standard deviation of the blur, pixels")


def draw(random: "Generator", section: Section, scene: Mapping[str, Any]) -> dict[str, Any]:
    """Draw noise, blur and the seed of the noise; nothing where all is zero."""
    if section.noise[1] == 0 and section.blur_px[1] == 0:
        return {}
    _, _, seed = random.integers(2**31, size=3)
    noise, blur = uniform(random, section.noise), uniform(random, section.blur_px)
    return {"noise": noise, "blur": blur, "seed": int(seed)}


def apply(image: "NDArray[np.uint8]", drawn: Mapping[str, Any]) -> "NDArray[np.uint8]":
    """Return an image as a real camera would give it: blurred, then noisy.

    The noise is normal, independent a channel and pixel.

    Parameters
    ----------
    image : uint8 array, shape (H, W, 3)
        RGB.
    drawn : dict
        `noise` (standard deviation, part of full scale), `blur` (standard deviation, pixels) and the `seed`
        of the noise.
    """
    import cv2
    import numpy as np

    blurred: NDArray[Any] = image.astype(np.float32)
    if drawn["blur"] > 0:
        blurred = cv2.GaussianBlur(blurred, (0, 0), drawn["blur"], borderType=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(drawn["seed"]).standard_normal(image.shape, np.float32)
    return np.rint(np.clip(blurred + 255 * drawn["noise"] * noise, 0, 255)).astype(np.uint8)
