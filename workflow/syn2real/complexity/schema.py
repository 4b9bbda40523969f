"""How the complexity of rendering settings is measured, and with which reference backbone (paper, §4.5)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from syn2real.backbones.schema import ModelName
from syn2real.render.schema import Rendering
from syn2real.schema import Name, Section

FLOOR = 0.001
"""Default of σ² in `syn2real.complexity.entropy`: a noise of 0.03 on activations of order one."""


class _Reference(Section):
    """What every reference backbone has."""

    floor: float = Field(
        FLOOR,
        gt=0,
        description="variance of the noise that its activations are seen with, in their squared units",
    )


class GivenReference(_Reference):
    """A reference backbone from a weights file: safetensors, or what torch saved."""

    weights: str = Field(
        min_length=1, description="the file: a ResNet's weights, plain or within a detector or segmenter"
    )
    model: ModelName = Field(description="its depth")


class TrainedReference(_Reference):
    """A reference backbone that the workflow trains on a target (§4.5: ResNet-50 as a detector on COCO)."""

    recipe: Name = Field(description="the recipe whose fine-tuning of `ftask` it is trained by, from scratch")
    ftask: Literal["sinclass", "objdet", "semseg"] = Field(description="the task it is trained for")
    target: Name = Field(description="the data set it is trained on, by its name in targets.yaml or here")
    percent: float = Field(100, gt=0, le=100, description="share of the target's training set, percent")
    model: ModelName = Field("resnet50", description="its depth")
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
"""The kind is known before the keys are checked, so that a mistake is told of the right kind."""

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


def levels(rendering: Rendering) -> dict[str, float] | None:
    """Return a setting's level in each of the paper's four attributes (§4.5), more being more complex.

    Parameters
    ----------
    rendering : Rendering
        The setting.

    Returns
    -------
    dict or None
        `appearance` (objects a scene), `light` and `background` (0 fix, 1 random) and `texture` (0 if all
        objects are without colours of their own, else 1). None for a room of plain colours, which
        has no place in the paper's ordering.
    """
    if rendering.background == "colour":
        return None
    return {
        "appearance": float(rendering.objects_per_scene),
        "light": float(rendering.light == "random"),
        "background": float(rendering.background == "random"),
        "texture": float(not set(rendering.collections) <= set(rendering.grey)),
    }
