"""What a recipe says of multi-label classification."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from syn2real.schema import later
from syn2real.tasks.schema import TrainingSection

CHANNEL = "objects"
METRIC = "mAP"
STAGES = ("pretrain",)
Part = Annotated[float, Field(ge=0, le=1)]


class Section(TrainingSection):
    """Multi-label classification: the whole image resized to a square (A.3)."""

    SIZES: ClassVar[tuple[str, ...]] = ("image_size",)

    image_size: int = Field(default=640, gt=0, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")
    crop_scale: tuple[Part, Part] = later(
        (1.0, 1.0),
        description="fraction of the image's area that a random crop covers; by default the whole image",
    )
    grey: Part = later(0.0, description="probability that an image loses its colours")
    invert: Part = later(0.0, description="probability that an image becomes its negative")
    autocontrast: Part = later(
        0.0,
        description="probability that the darkest and the lightest value of each channel become 0 and 255",
    )

    @model_validator(mode="after")
    def _crop_range(self) -> Self:
        if not 0 < self.crop_scale[0] <= self.crop_scale[1]:
            raise ValueError(f"crop_scale: {list(self.crop_scale)} is no range [low, high] above 0")
        return self
