"""What a recipe says of semantic segmentation."""

from pydantic import Field

from syn2real.tasks.schema import DenseSection

CHANNEL = "class-map"
METRIC = "mIoU (classes in truth or prediction)"
STAGES = ("pretrain", "finetune")


class Section(DenseSection):
    """Semantic segmentation: DeepLabV3 on random crops (A.2)."""

    flip: bool = Field(default=True, description="flip images horizontally at random")
