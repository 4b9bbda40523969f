"""What a recipe says of object detection."""

from typing import ClassVar

from pydantic import Field

from syn2real import schema
from syn2real.tasks.schema import Pixels, PositiveInt, TrainingSection

CHANNEL = "objects"
METRIC = "mAP@[.5:.95]"
STAGES = ("pretrain", "finetune")


class DetectorOptions(schema.Section):
    """Faster R-CNN's own numbers; the defaults are torchvision's."""

    anchor_sizes: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        default=(32, 64, 128, 256, 512),
        description="side of the anchors at each level of the pyramid, pixels",
    )
    pyramid: int = schema.later(256, gt=0, description="channels of each level of the pyramid")
    proposals_before_nms: int = Field(
        default=2000, gt=0, description="proposals a level kept before suppression, training"
    )
    proposals: int = Field(default=2000, gt=0, description="proposals an image after suppression, training")
    eval_proposals: int = Field(default=1000, gt=0, description="the same two in the evaluation")
    rpn_samples: int = Field(default=256, gt=0, description="anchors an image that the proposal loss samples")
    box_samples: int = Field(default=512, gt=0, description="proposals an image that the box loss samples")
    box_head: int = Field(default=1024, gt=0, description="width of the two layers of the box head")
    detections: int = Field(default=100, gt=0, description="detections an image, at most")
    score_threshold: float = Field(
        default=0.05, ge=0, lt=1, description="detections below this score are dropped"
    )


class Section(TrainingSection):
    """Object detection: Faster R-CNN with FPN on images resized to a square, as YOLACT does (A.1)."""

    SIZES: ClassVar[tuple[str, ...]] = ("image_size",)

    image_size: Pixels = Field(default=640, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")
    detector: DetectorOptions = Field(default=DetectorOptions(), description="numbers of Faster R-CNN")
