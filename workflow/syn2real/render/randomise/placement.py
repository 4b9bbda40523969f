"""The placement: where objects stand on the floor of the room (BOP's on-surface sampling)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from syn2real import schema
from syn2real.render.randomise.base import SceneAssets, SceneRejected, Stage
from syn2real.render.randomise.schema import ROOM_SIDE_M, Distances, Parts, Turns

if TYPE_CHECKING:
    from numpy.random import Generator

LEVEL = "scene"
DROP_HEIGHT = (1.0, 4.0)
"""Height above the floor from which BOP's on-surface sampling lowers objects, metres."""


class Section(schema.Section):
    """Where objects are put on the floor of the 4 m room (BOP's on-surface sampling)."""

    floor_part: Parts = Field(default=(0.4, 0.6), description="part of the floor's sides used, 0 to 1")
    spacing_m: Distances = Field(
        default=(0.01, 0.2), description="least and greatest distance to the closest other object, metres"
    )
    tries: int = Field(
        default=100, ge=1, description="poses tried for an object before it counts as unplaced"
    )
    turn_deg: Turns = schema.later(
        (0, 360), description="rotation of each object about the vertical, degrees"
    )
    unplaced: Literal["redraw", "drop"] = schema.later(
        "redraw",
        description="an object that fits nowhere: redraw draws the whole scene again, so that large objects "
        "become rarer with their neighbours; drop leaves the object out and counts it",
    )

    @model_validator(mode="after")
    def _on_the_floor(self) -> Self:
        if self.floor_part[0] == self.floor_part[1]:
            raise ValueError(f"floor_part {list(self.floor_part)} leaves no floor to put objects on")
        return self


def draw(random: "Generator", section: Section, assets: SceneAssets) -> dict[str, Any]:
    """Draw the seed of the objects' poses: which of them are free shows only when objects stand."""
    return {"placement_seed": int(random.integers(2**31))}


def sampler(section: Section, seed: int) -> Any:
    """Return what gives a BlenderProc object a random pose above the floor, upright."""
    import numpy as np

    random = np.random.default_rng(seed)

    def sample(entity: Any) -> None:
        at = random.uniform(*section.floor_part, 2) * ROOM_SIDE_M - ROOM_SIDE_M / 2
        entity.set_location([*at, random.uniform(*DROP_HEIGHT)])
        entity.set_rotation_euler([0, 0, random.uniform(*np.radians(section.turn_deg))])

    return sample


def apply(stage: Stage, drawn: Mapping[str, Any]) -> None:
    """Put the objects upright on the floor without collisions; the seed decides where.

    An object that is dropped leaves the stage: it is not seen, looked at or annotated.

    Raises
    ------
    SceneRejected
        If an object fits nowhere and the setting does not drop it, or none fits anywhere.
    """
    section = stage.rendering.placement
    entities = [standing.entity for standing in stage.objects]
    placed = stage.blender.place_on_floor(
        entities, stage.planes[0], sampler(section, drawn["placement_seed"]), section.tries, section.spacing_m
    )
    if not all(placed) and (section.unplaced == "redraw" or not any(placed)):
        raise SceneRejected(
            f"{placed.count(False)} of {len(entities)} objects fit nowhere",
            key="placement.floor_part",
            fix="use more of the floor, a wider placement.spacing_m or fewer objects_per_scene",
        )
    stage.objects = [standing for standing, fits in zip(stage.objects, placed, strict=True) if fits]
    stage.blender.number([standing.entity for standing in stage.objects])
