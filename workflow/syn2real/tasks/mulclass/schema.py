"""What a recipe says of multi-label classification."""

from typing import ClassVar

from pydantic import Field

from syn2real.tasks.schema import TrainingSection

CHANNEL = "objects"
METRIC = "mAP"
STAGES = ("pretrain",)


class Section(TrainingSection):
    """Multi-label classification: the whole image resized to a square (A.3)."""

    SIZES: ClassVar[tuple[str, ...]] = ("image_size",)

    image_size: int = Field(default=640, gt=0, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")
