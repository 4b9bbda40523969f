"""JPEG compression, as a phone stores its photographs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from syn2real import schema

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

LEVEL = "image"
ORDER = 1
"""A camera stores what its sensor has seen."""

_Quality = Annotated[int, Field(ge=1, le=100)]


class Section(schema.Section):
    """JPEG compression of the finished image, by a quality drawn for each."""

    quality: tuple[_Quality, _Quality] = Field(
        default=(40, 95), description="lowest and highest quality of libjpeg, 1 to 100"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.quality[0] > self.quality[1]:
            raise ValueError(f"quality is [lowest, highest], not {list(self.quality)}")
        return self


def draw(random: "Generator", section: Section, scene: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the quality."""
    return {"quality": int(random.integers(*section.quality, endpoint=True))}


def apply(image: "NDArray[np.uint8]", drawn: Mapping[str, Any]) -> "NDArray[np.uint8]":
    """Compress and decompress an image, RGB, uint8 of shape (H, W, 3)."""
    import cv2
    import numpy as np

    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, drawn["quality"]])
    return np.ascontiguousarray(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1])
