"""What a recipe says of multi-label classification."""

from typing import ClassVar

from pydantic import Field

from syn2real.schema import later
from syn2real.tasks.schema import CropScale, Part, Pixels, TrainingSection

CHANNEL = "objects"
METRIC = "mAP"
STAGES = ("pretrain",)


class Section(TrainingSection):
    """Multi-label classification: the whole image resized to a square (A.3)."""

    SIZES: ClassVar[tuple[str, ...]] = ("image_size",)

    image_size: Pixels = Field(default=640, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")
    crop_scale: CropScale = later(
        (1.0, 1.0),
        description="fraction of the image's area that a random crop covers; by default the whole image",
    )
    grey: Part = later(0.0, description="probability that an image loses its colours")
    invert: Part = later(0.0, description="probability that an image becomes its negative")
    autocontrast: Part = later(
        0.0,
        description="probability that the darkest and the lightest value of each channel become 0 and 255",
    )
