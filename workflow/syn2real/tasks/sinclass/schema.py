"""What a recipe says of single-label classification."""

from typing import ClassVar

from pydantic import Field

from syn2real.tasks.schema import CropScale, Pixels, TrainingSection

CHANNEL = "label"
METRIC = "top-1 accuracy"
STAGES = ("finetune",)


class Section(TrainingSection):
    """Single-label classification, augmented like Goyal et al. (A.4)."""

    SIZES: ClassVar[tuple[str, ...]] = ("crop",)

    crop: Pixels = Field(default=224, description="side of the square crop, pixels")
    crop_scale: CropScale = Field(
        default=(0.08, 1.0), description="fraction of the image's area that the crop covers"
    )
    eval_size: Pixels = Field(
        default=256, description="shorter edge before the centre crop of the evaluation, pixels"
    )
    flip: bool = Field(default=True, description="flip images horizontally at random")
    zero_init_residual: bool = Field(
        default=False, description="start the last batch norm of each residual block at 0, without a backbone"
    )
