"""A training recipe: every number of pre-training and fine-tuning (§4.1, Appendix A)."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from syn2real.schema import Section

ModelName = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
Stage = Literal["pretrain", "finetune"]
PositiveInt = Annotated[int, Field(gt=0)]

_COSTS = {"models", "seconds_per_1000_images"}


class Override(Section):
    """What one backbone depth does otherwise than its section says."""

    batch_size: int | None = Field(default=None, ge=2, description="images a step, over all devices")
    seconds_per_1000_images: float | None = Field(
        default=None, gt=0, description="estimate for this depth, in seconds"
    )


class TrainingSection(Section):
    """What every task's training has: batches, length, optimiser, schedule, evaluation, data loading.

    The length is given in exactly one unit: `iterations` (steps) or `images` (seen, repeats counted). It is
    the same whatever the number of training images n is (§4.1).
    """

    batch_size: int = Field(ge=2, description="images a step, over all devices (batch norm needs two)")
    norm_batch_size: int | None = Field(
        default=None,
        ge=2,
        description="images that batch norm takes its statistics over (default: the whole batch); with fewer "
        "devices than such groups a device computes them one after the other, so it also bounds memory",
    )
    eval_batch_size: int = Field(default=32, gt=0, description="images a step of the evaluation")
    iterations: int | None = Field(default=None, gt=0, description="length in steps")
    images: int | None = Field(default=None, gt=0, description="length in images seen")
    lr: float = Field(gt=0, description="learning rate after the warm-up")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="momentum of SGD")
    nesterov: bool = Field(default=False, description="Nesterov's momentum")
    weight_decay: float = Field(default=1e-4, ge=0, description="weight decay")
    decay_norm: bool = Field(default=True, description="decay scale and shift of batch norm too")
    warmup_images: int = Field(
        default=0, ge=0, description="images over which the learning rate grows linearly from 0"
    )
    schedule: Literal["cosine", "polynomial"] = Field(
        default="cosine", description="decay of the learning rate to 0"
    )
    power: float = Field(default=0.9, gt=0, description="exponent of the polynomial decay")
    evaluation_iterations: int | None = Field(default=None, gt=0, description="steps between evaluations")
    evaluation_images: int | None = Field(default=None, gt=0, description="images between evaluations")
    precision: Literal["fp32", "fp16", "bf16", "mixed16"] = Field(
        default="fp32",
        description="of the forward pass on a GPU; mixed16 is bf16 where the hardware has it and else fp16; "
        "a CPU computes in fp32 whatever this says",
    )
    compile: bool = Field(
        default=False,
        description="compile the backbone on a GPU (torch.compile): minutes once, then faster steps; "
        "changes the rounding of numbers alone",
    )
    workers: int = Field(default=0, ge=0, description="processes that load data; they change no number")
    cache_mib: int = Field(
        default=512, ge=0, description="keep decoded images in memory up to this size (no workers), MiB"
    )
    models: dict[ModelName, Override] = Field(default={}, description="exceptions by backbone depth")
    seconds_per_1000_images: float | None = Field(
        default=None,
        gt=0,
        description="training time estimate for the cost of a plan (ResNet-50 unless overridden), seconds",
    )

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.iterations is None) == (self.images is None):
            raise ValueError("give the length in exactly one unit: 'iterations' or 'images'")
        if self.evaluation_iterations is not None and self.evaluation_images is not None:
            raise ValueError(
                "give the evaluation interval in one unit: 'evaluation_iterations' or 'evaluation_images'"
            )
        return self

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.batch_size % self.norm_group:
            raise ValueError(
                f"norm_batch_size: {self.norm_group} does not divide the batch of {self.batch_size} images"
            )
        return self

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.warmup_images >= self.total_iterations * self.batch_size:
            raise ValueError("the warm-up is as long as the training; lower 'warmup_images' or train longer")
        return self

    @property
    def norm_group(self) -> int:
        """Images that batch norm takes its statistics over."""
        return self.norm_batch_size or self.batch_size

    @property
    def total_iterations(self) -> int:
        """Length in steps; a length in images is rounded up to whole batches."""
        if self.iterations is not None:
            return self.iterations
        assert self.images is not None
        return math.ceil(self.images / self.batch_size)

    @property
    def evaluation_interval(self) -> int:
        """Steps between evaluations; the whole length when only the end is evaluated."""
        if self.evaluation_iterations is not None:
            return self.evaluation_iterations
        if self.evaluation_images is not None:
            return max(1, round(self.evaluation_images / self.batch_size))
        return self.total_iterations

    def for_model(self, model: ModelName) -> Self:
        """Return the section with the exceptions of one backbone depth applied."""
        override = self.models.get(model, Override())
        values = self.model_dump() | override.model_dump(exclude_none=True) | {"models": {}}
        return type(self).model_validate(values)

    def hours(self) -> float | None:
        """Return the estimated training time in hours on one device, or None without an estimate."""
        if self.seconds_per_1000_images is None:
            return None
        return self.total_iterations * self.batch_size / 1000 * self.seconds_per_1000_images / 3600


class MulclassSection(TrainingSection):
    """Multi-label classification: the whole image resized to a square (A.3)."""

    image_size: int = Field(default=640, gt=0, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")


class SinclassSection(TrainingSection):
    """Single-label classification, augmented like Goyal et al. (A.4)."""

    crop: int = Field(default=224, gt=0, description="side of the square crop, pixels")
    crop_scale: tuple[float, float] = Field(
        default=(0.08, 1.0), description="share of the image's area the crop covers"
    )
    eval_size: int = Field(
        default=256, gt=0, description="shorter edge before the centre crop of the evaluation, pixels"
    )
    flip: bool = Field(default=True, description="flip images horizontally at random")
    zero_init_residual: bool = Field(
        default=False, description="start each block's last batch norm at 0, without a backbone"
    )


class DetectorOptions(Section):
    """Faster R-CNN's own numbers; the defaults are torchvision's."""

    anchor_sizes: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        default=(32, 64, 128, 256, 512),
        description="side of the anchors at each level of the pyramid, pixels",
    )
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


class ObjdetSection(TrainingSection):
    """Object detection: Faster R-CNN with FPN on images resized to a square, as YOLACT does (A.1)."""

    image_size: int = Field(default=640, gt=0, description="side of the square image, pixels")
    flip: bool = Field(default=True, description="flip images horizontally at random")
    detector: DetectorOptions = Field(default=DetectorOptions(), description="numbers of Faster R-CNN")


class NormalSection(TrainingSection):
    """Surface normals: DeepLabV3 with three channels on random crops, never flipped (A.5)."""

    resize: tuple[PositiveInt, PositiveInt] = Field(
        default=(260, 1040),
        description="range the shorter edge is resized to, uniformly among the integers, pixels",
    )
    crop: int = Field(
        default=480, gt=0, description="side of the square crop, pixels; smaller images are padded"
    )
    eval_size: int = Field(default=520, gt=0, description="shorter edge in the evaluation, pixels")
    aux_weight: float = Field(default=0.5, ge=0, description="weight of the auxiliary head's loss")
    aux_lr_factor: float = Field(
        default=10.0, gt=0, description="learning rate of the auxiliary head, in units of lr"
    )

    @model_validator(mode="after")
    def _resize_range(self) -> Self:
        if self.resize[0] > self.resize[1]:
            raise ValueError(f"resize: the range {list(self.resize)} is empty; give the smaller number first")
        return self


class SemsegSection(NormalSection):
    """Semantic segmentation: DeepLabV3 on random crops (A.2)."""

    flip: bool = Field(default=True, description="flip images horizontally at random")


class PretrainSections(Section):
    """The pre-training tasks."""

    mulclass: MulclassSection = Field(description="multi-label classification")
    objdet: ObjdetSection = Field(description="object detection")
    semseg: SemsegSection = Field(description="semantic segmentation")
    normal: NormalSection = Field(description="surface normal estimation")


class FinetuneSections(Section):
    """The fine-tuning tasks."""

    sinclass: SinclassSection = Field(description="single-label classification")
    objdet: ObjdetSection = Field(description="object detection")
    semseg: SemsegSection = Field(description="semantic segmentation")


class Recipe(Section):
    """How to pre-train and to fine-tune: one file of config/recipes/."""

    threads: int = Field(gt=0, description="CPU threads a training job computes with")
    validation_images: int = Field(
        default=1000, gt=0, description="synthetic images that choose the best model (§4.1)"
    )
    pretrain: PretrainSections = Field(description="pre-training, by task")
    finetune: FinetuneSections = Field(description="fine-tuning, by task")

    def section(self, stage: Stage, task: str, model: ModelName) -> TrainingSection:
        """Return the section of one task with the exceptions of one backbone depth applied."""
        section: TrainingSection = getattr(getattr(self, stage), task)
        return section.for_model(model)

    def resolve(self, stage: Stage, task: str, model: ModelName) -> dict[str, Any]:
        """Return what a job is given: a section as plain data, without the cost estimates.

        A better estimate of the costs must not run a training again, so a job never sees it.
        """
        return self.section(stage, task, model).model_dump(mode="json", exclude=_COSTS)

    def hours(self, stage: Stage, task: str, model: ModelName) -> float | None:
        """Return the estimated hours of one run on one device; None where the recipe has no estimate."""
        return self.section(stage, task, model).hours()


SECTIONS: dict[str, type[TrainingSection]] = {
    "mulclass": MulclassSection,
    "objdet": ObjdetSection,
    "semseg": SemsegSection,
    "normal": NormalSection,
    "sinclass": SinclassSection,
}
"""The model of each task's section, to read what `Recipe.resolve` returned."""
