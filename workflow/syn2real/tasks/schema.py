"""What a recipe says of every task, and which tasks there are (pydantic alone)."""

import math
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from syn2real import plugins
from syn2real.backbones.schema import ModelName
from syn2real.schema import Section, later

Stage = Literal["pretrain", "finetune"]
PositiveInt = Annotated[int, Field(gt=0)]
Steps = Annotated[int, Field(gt=0, le=10**9)]
"""A number of steps; the longest training of the paper has half a million."""
Images = Annotated[int, Field(ge=0, le=10**12)]
"""A number of images seen."""
Batch = Annotated[int, Field(ge=2, le=100_000)]
"""Images of a batch."""
SMALLEST = 4
Pixels = Annotated[int, Field(ge=SMALLEST, le=10_000)]
"""A side of the images trained on."""
Part = Annotated[float, Field(ge=0, le=1)]
"""A probability, or a fraction."""


def _crop_range(value: tuple[float, float]) -> tuple[float, float]:
    """Return the range of a crop's area, or refuse what is none."""
    if not 0 < value[0] <= value[1]:
        raise ValueError(f"{list(value)} is no range [low, high] above 0")
    return value


CropScale = Annotated[tuple[Part, Part], AfterValidator(_crop_range)]
"""The fraction of an image's area that a random crop covers."""
MOST_LR = 100
LearningRate = Annotated[float, Field(gt=0, le=MOST_LR)]
LayerDecay = Annotated[float, Field(gt=0, le=1)]
LENGTH_UNITS = ("iterations", "images", "passes")
EVALUATION_UNITS = ("evaluation_iterations", "evaluation_images")
"""The units that a length, and the interval between evaluations, may be given in: one of each."""
LENGTHS = (*LENGTH_UNITS, "warmup_images", *EVALUATION_UNITS)
"""What `TrainingSection.shortened` changes."""


def task_schema(task: str) -> ModuleType:
    """Return the schema of a task: CHANNEL, METRIC, STAGES and the model of its section of a recipe.

    Raises
    ------
    KeyError
        There is no task of that name.
    """
    return plugins.load("tasks", task, "schema")


def channel_of(task: str) -> str:
    """Return the channel that a task learns from."""
    channel: str = task_schema(task).CHANNEL
    return channel


def tasks_of(stage: Stage) -> list[str]:
    """Return the names of the tasks that have a stage, sorted."""
    tasks = plugins.names("tasks")
    return [task for task in tasks if stage in plugins.constant("tasks", task, "STAGES", part="schema")]


def read_section(task: str, values: Any) -> "TrainingSection":
    """Return a task's section from what `Recipe.resolve` returned."""
    section: TrainingSection = task_schema(task).Section.model_validate(values)
    return section


class Override(Section):
    """What differs for one backbone from what its section says."""

    batch_size: Batch | None = Field(default=None, description="images a step, over all devices")
    optimiser: Literal["sgd", "adamw"] | None = Field(default=None, description="as in the section")
    lr: LearningRate | None = Field(default=None, description="learning rate after the warm-up")
    nesterov: bool | None = Field(default=None, description="as in the section")
    weight_decay: Part | None = Field(default=None, description="weight decay")
    layer_decay: LayerDecay | None = Field(default=None, description="as in the section")
    seconds_per_1000_images: float | None = Field(
        default=None, gt=0, description="estimate for this backbone, in seconds"
    )

    @model_validator(mode="after")
    def _rate_of_its_optimiser(self) -> Self:
        if self.optimiser and self.lr is None:
            raise ValueError("another optimiser needs a learning rate of its own; give lr beside")
        return self


class SmallFirst(Section):
    """Smaller images at the beginning of a training: faster steps (Touvron et al., 2019; Howard, 2018)."""

    part: float = Field(gt=0, lt=1, description="share of the steps that see smaller images, the first ones")
    scale: float = Field(
        ge=0.1, lt=1, description="their sides, in units of the sizes that the section gives"
    )


class TrainingSection(Section):
    """What every task's training has: batches, length, optimiser, schedule, evaluation, data loading.

    The length is given in exactly one unit: `iterations` (steps), `images` (seen, repeats counted), or in a
    fine-tuning `passes` over its labelled images. A pre-training's is the same whatever the number of
    training images n is (§4.1).
    """

    SIZES: ClassVar[tuple[str, ...]] = ()
    """The keys that give the sizes of the images trained on."""

    batch_size: Batch = Field(description="images a step, over all devices (batch norm needs two)")
    norm_batch_size: Batch | None = Field(
        default=None,
        description="images that batch norm takes its statistics over (default: the whole batch); with fewer "
        "devices than such groups a device computes them one after the other, so it also bounds memory",
    )
    norm: Literal["trained", "frozen"] = later(
        "trained",
        description="the backbone's batch norm: trained, or frozen (its statistics, scale and shift held as "
        "loaded, as detectors do with small batches). Frozen is right where a fine-tuning starts from a "
        "pre-trained backbone; a network from scratch (a pre-training, or n = 0) has no statistics to hold",
    )
    micro_batch_size: int | None = later(
        None,
        gt=0,
        description="images of one pass, to bound memory: the gradients of a step's passes add up to the "
        "batch's. Only where no batch norm trains; where it does, norm_batch_size bounds memory, and changes "
        "the statistics. Random numbers of a pass (dropout, the detector's samples) are drawn again",
    )
    eval_batch_size: int = Field(default=32, gt=0, le=100_000, description="images a step of the evaluation")
    iterations: Steps | None = Field(default=None, description="length in steps")
    images: Images | None = Field(default=None, gt=0, description="length in images seen")
    passes: float | None = later(
        None,
        gt=0,
        le=1_000_000,
        description="length of a fine-tuning in passes over its labelled images, however many these are; 1 "
        "or more, before an experiment's `length` shortens it",
    )
    optimiser: Literal["sgd", "adamw"] = later(
        "sgd",
        description="SGD with momentum (the paper's), or AdamW, usual for ConvNeXt and ViT, whose weight "
        "decay spares norms, biases and position embeddings",
    )
    lr: LearningRate = Field(description="learning rate after the warm-up")
    layer_decay: LayerDecay = later(
        1.0,
        description="learning rate of a block of the backbone, in units of the next one's towards the head "
        "(layer-wise decay, Bao et al., 2022; 0.75 is usual with AdamW)",
    )
    train_stages: int | None = later(
        None,
        ge=0,
        le=1000,
        description="stages of the backbone that a fine-tuning trains, the last ones (of a ViT: blocks); the "
        "others are held as loaded, their batch norm too. 0 trains the head alone, on a classifier a linear "
        "probe (default: all)",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, description="momentum of SGD; β1 of AdamW (β2 is 0.999)")
    nesterov: bool = Field(default=False, description="Nesterov's momentum, of SGD")
    weight_decay: Part = Field(default=1e-4, description="weight decay")
    decay_norm: bool = Field(default=True, description="SGD decays scale and shift of norms too")
    warmup_images: Images = Field(
        default=0, description="images over which the learning rate grows linearly from 0"
    )
    small_first: SmallFirst | None = later(
        None,
        description="smaller images in the first steps: {part: 0.5, scale: 0.5} shows half the side in the "
        "first half. The evaluation has the full size; estimates of hours do not count the gain",
    )
    schedule: Literal["cosine", "polynomial"] = Field(
        default="cosine", description="decay of the learning rate to 0"
    )
    power: float = Field(default=0.9, gt=0, le=100, description="exponent of the polynomial decay")
    evaluation_iterations: Steps | None = Field(default=None, description="steps between evaluations")
    evaluation_images: Images | None = Field(default=None, gt=0, description="images between evaluations")
    precision: Literal["fp32", "fp16", "bf16", "mixed16"] = Field(
        default="fp32",
        description="of the forward pass on a GPU; mixed16 is bf16 where the hardware has it and else fp16; "
        "a CPU computes in fp32 whatever this says",
    )
    tf32: bool = later(
        True,
        description="whether a GPU that has TF32 may use it for products of fp32 numbers: faster, with 10 of "
        "23 bits of mantissa; no effect on a CPU or on products in 16 bits",
    )
    compile: bool = Field(
        default=False,
        description="compile the backbone on a GPU (torch.compile): minutes once, then faster steps; "
        "changes the rounding of numbers alone",
    )
    workers: int = Field(
        default=0, ge=0, le=1000, description="processes that load data; they change no number"
    )
    cache_mib: int = Field(
        default=512, ge=0, description="keep decoded images in memory up to this size (no workers), MiB"
    )
    models: dict[ModelName, Override] = Field(default={}, description="exceptions by backbone")
    seconds_per_1000_images: float | None = Field(
        default=None,
        gt=0,
        description="training time estimate for the cost of a plan (ResNet-50 unless overridden), seconds",
    )

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if sum(getattr(self, unit) is not None for unit in LENGTH_UNITS) != 1:
            raise ValueError(
                "give the length in exactly one unit: 'iterations', 'images' or, in a fine-tuning, 'passes'"
            )
        if self.evaluation_iterations is not None and self.evaluation_images is not None:
            raise ValueError(
                "give the evaluation interval in one unit: 'evaluation_iterations' or 'evaluation_images'"
            )
        return self

    @model_validator(mode="after")
    def _momentum_of_sgd(self) -> Self:
        if self.nesterov and self.optimiser != "sgd":
            raise ValueError(f"nesterov is SGD's; remove it, or 'optimiser: {self.optimiser}'")
        return self

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.batch_size % self.norm_group:
            raise ValueError(
                f"norm_batch_size: {self.norm_group} does not divide the batch of {self.batch_size} images"
            )
        return self

    @model_validator(mode="after")
    def _whole_passes(self) -> Self:
        if self.micro_batch_size is None:
            return self
        if self.norm == "trained":
            raise ValueError(
                "micro_batch_size would change the statistics of batch norm, which trains here; give "
                "norm_batch_size, which says over how many images they are taken, or norm: frozen"
            )
        if self.batch_size % self.micro_batch_size:
            size = self.micro_batch_size
            raise ValueError(
                f"micro_batch_size: {size} does not divide the batch of {self.batch_size} images"
            )
        return self

    @model_validator(mode="after")
    def _has_sizes(self) -> Self:
        if self.small_first and not self.SIZES:
            raise ValueError("small_first: no key of this task gives the size of its images; remove it")
        return self

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.passes is None and self.warmup_images >= self.total_iterations * self.batch_size:
            raise ValueError("the warm-up is as long as the training; lower 'warmup_images' or train longer")
        return self

    @property
    def norm_group(self) -> int:
        """Images that batch norm takes its statistics over."""
        return self.norm_batch_size or self.batch_size

    @property
    def pass_size(self) -> int:
        """Images that are computed together, over all devices that share them."""
        return self.micro_batch_size or self.norm_group

    @property
    def holds(self) -> str | None:
        """What holds a part of the backbone as loaded, as `key: value`; a network from scratch cannot."""
        if self.norm == "frozen":
            return "norm: frozen"
        return None if self.train_stages is None else f"train_stages: {self.train_stages}"

    @property
    def total_iterations(self) -> int:
        """Length in steps, rounded up to whole batches; one in passes needs `with_labels`."""
        if self.iterations is not None:
            return self.iterations
        assert self.images is not None, "a length in passes needs the number of labelled images"
        return math.ceil(self.images / self.batch_size)

    @property
    def small_iterations(self) -> int:
        """Steps, the first ones, that see smaller images."""
        return round(self.small_first.part * self.total_iterations) if self.small_first else 0

    def smaller(self) -> Self:
        """Return the section of the steps that see smaller images: its sizes, in whole pixels."""
        assert self.small_first is not None
        scale = self.small_first.scale
        sizes = {key: _scaled(getattr(self, key), scale) for key in self.SIZES}
        return type(self).model_validate(self.model_dump() | {"small_first": None} | sizes)

    @property
    def evaluation_interval(self) -> int:
        """Steps between evaluations; the whole length when only the end is evaluated."""
        if self.evaluation_iterations is not None:
            return self.evaluation_iterations
        if self.evaluation_images is not None:
            return max(1, round(self.evaluation_images / self.batch_size))
        return self.total_iterations

    def for_model(self, model: ModelName) -> Self:
        """Return the section with the exceptions of one backbone applied."""
        override = self.models.get(model, Override())
        values = self.model_dump() | override.model_dump(exclude_none=True) | {"models": {}}
        return type(self).model_validate(values)

    def with_labels(self, n: int) -> Self:
        """Return the section with a length in passes over n labelled images as one in images.

        Raises
        ------
        ValueError
            The warm-up is as long as so many passes.
        """
        if self.passes is None:
            return self
        length = {"passes": None, "images": math.ceil(self.passes * n)}
        return type(self).model_validate(self.model_dump() | length)

    def shortened(self, length: float) -> Self:
        """Return the section with length, warm-up and evaluation interval times `length` (0 to 1).

        Steps and images are rounded up and the warm-up down, so that it still ends before the training does.
        """
        scaled: dict[str, Any] = {}
        for key in LENGTHS:
            if (value := getattr(self, key)) is not None:
                exact = round(value * length, 9)
                whole = math.floor if key == "warmup_images" else math.ceil
                scaled[key] = exact if key == "passes" else whole(exact)
        if "images" in scaled:
            scaled["warmup_images"] = min(scaled["warmup_images"], scaled["images"] - 1)
        return type(self).model_validate(self.model_dump() | scaled)

    def hours(self) -> float | None:
        """Return the estimated training time in hours on one device, or None without an estimate."""
        if self.seconds_per_1000_images is None or self.passes is not None:
            return None
        return self.total_iterations * self.batch_size / 1000 * self.seconds_per_1000_images / 3600


def _scaled(size: int | tuple[int, ...], scale: float) -> int | tuple[int, ...]:
    """Return a size, or a range of sizes, in units of `scale`, at least the smallest there is."""
    if isinstance(size, tuple):
        return tuple(max(SMALLEST, round(side * scale)) for side in size)
    return max(SMALLEST, round(size * scale))


class DenseSection(TrainingSection):
    """A task that predicts every pixel: DeepLabV3 on random crops (A.2)."""

    SIZES: ClassVar[tuple[str, ...]] = ("resize", "crop")

    resize: tuple[Pixels, Pixels] = Field(
        default=(260, 1040),
        description="range the shorter edge is resized to, uniformly among the integers, pixels",
    )
    crop: Pixels = Field(
        default=480, description="side of the square crop, pixels; smaller images are padded"
    )
    eval_size: Pixels = Field(default=520, description="shorter edge in the evaluation, pixels")
    head: int = later(256, gt=0, description="channels within the main head, and of its pooled pyramid")
    aux_weight: float = Field(default=0.5, ge=0, description="weight of the auxiliary head's loss")
    aux_lr_factor: float = Field(
        default=10.0, gt=0, description="learning rate of the auxiliary head, in units of lr"
    )

    @model_validator(mode="after")
    def _head_trains_norm(self) -> Self:
        if self.micro_batch_size is not None:
            raise ValueError(
                "micro_batch_size would change the statistics of the head's batch norm, which always trains; "
                "remove it and give norm_batch_size"
            )
        return self

    @model_validator(mode="after")
    def _resize_range(self) -> Self:
        if self.resize[0] > self.resize[1]:
            raise ValueError(f"resize: the range {list(self.resize)} is empty; give the smaller number first")
        return self
