"""How the complexity of rendering settings is measured, and with which reference backbone (paper, §4.5)."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from syn2real import plugins
from syn2real.backbones.schema import ModelName
from syn2real.schema import Name, Section, UserPath
from syn2real.tasks.schema import tasks_of

FLOOR = 0.001
"""Default of σ² in `syn2real.complexity.entropy`: a noise of 0.03 on activations of order one."""

if TYPE_CHECKING:
    FTask = str
else:
    FTask = plugins.one_of(
        tasks_of("finetune"), dict.fromkeys(plugins.names("tasks"), "a task for pre-training only")
    )


class _Reference(Section):
    """What every reference backbone has."""

    floor: float = Field(
        FLOOR,
        gt=0,
        description="variance of the noise that its activations are seen with, in their squared units",
    )


class GivenReference(_Reference):
    """A reference backbone from a weights file: safetensors, or what torch saved."""

    weights: UserPath = Field(
        description="the file: a ResNet's weights, plain or within a detector or segmenter"
    )
    model: ModelName = Field(description="the backbone")


class TrainedReference(_Reference):
    """A reference backbone that the workflow trains on a target (§4.5: ResNet-50 as a detector on COCO)."""

    recipe: Name = Field(description="the recipe whose fine-tuning of `ftask` it is trained by, from scratch")
    ftask: FTask = Field(description="the task it is trained for")
    target: Name = Field(description="the data set it is trained on, by its name in targets.yaml or here")
    percent: float = Field(100, gt=0, le=100, description="share of the target's training set, percent")
    model: ModelName = Field("resnet50", description="the backbone")
    seed: int = Field(0, ge=0, description="seed of its initialisation, order and labelled subset")
    images: int | None = Field(
        None, gt=0, description="length of the training in images seen; the recipe's own by default"
    )


def reference_kind(value: Any) -> str:
    """Return `given` for what names a weights file, else `trained`."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "given" if "weights" in keys else "trained"


Reference = Annotated[
    Annotated[GivenReference, Tag("given")] | Annotated[TrainedReference, Tag("trained")],
    Discriminator(reference_kind),
]
"""The kind is known before the keys are checked, so that a mistake is reported for the right kind."""

Activation = Literal["pooled", "map"]
"""Which last activation is a vector: the mean over the last stage's map, or each of the map's positions."""


class Complexity(Section):
    """The measurement of an experiment's settings; all of them alike, or they could not be compared."""

    reference: Name = Field(description="the reference backbone, by its name in `references`")
    images: int = Field(gt=0, description="images of each setting's training split, whole scenes")
    activation: Activation = Field(
        "pooled",
        description="pooled: one vector an image, the mean over the last stage's map; map: one vector for "
        "each position of that map",
    )
    image_size: int = Field(
        640, ge=32, le=4096, description="side of the square that images are resized to, pixels"
    )
