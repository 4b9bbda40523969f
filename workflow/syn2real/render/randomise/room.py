"""The room: the material of its floor and walls, or a plain colour for each of them."""

from collections.abc import Mapping
from math import pi
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from syn2real import schema
from syn2real.assets.ambientcg import SURFACES
from syn2real.render.randomise.base import SceneAssets, Stage
from syn2real.render.randomise.schema import ROOM_SIDE_M

if TYPE_CHECKING:
    from numpy.random import Generator

LEVEL = "scene"
HALF, RIGHT_ANGLE = ROOM_SIDE_M / 2, pi / 2
PLANES = (
    ((0, 0, 0), (0, 0, 0)),
    ((0, -HALF, HALF), (-RIGHT_ANGLE, 0, 0)),
    ((0, HALF, HALF), (RIGHT_ANGLE, 0, 0)),
    ((HALF, 0, HALF), (0, -RIGHT_ANGLE, 0)),
    ((-HALF, 0, HALF), (0, RIGHT_ANGLE, 0)),
)
"""Centre, metres, and rotation, radians, of the floor and of the four walls."""
COLOURS, ROUGHNESS = (0.02, 0.9), (0.2, 1)
"""Ranges of each of red, green and blue of a plain colour, and of all planes' roughness."""


class Section(schema.Section):
    """What floor and walls are made of."""

    background: Literal["fix", "random", "colour"] = Field(
        default="random",
        description="the room: background_material, a random material of textures, or random plain colours",
    )
    textures: schema.Name | None = Field(
        default="ambientcg", description="texture collection (ambientCG layout)"
    )
    materials: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=SURFACES,
        description="a random background is drawn from the materials whose names begin so; other beginnings "
        "than the default's, and [] for all there are, need an own copy: no others are fetched",
    )
    background_material: str = Field(
        default="Fabric001", min_length=1, description="material of a fixed background"
    )

    @model_validator(mode="after")
    def _background_has_textures(self) -> Self:
        if self.background != "colour" and self.textures is None:
            raise ValueError(f"background {self.background!r} needs `textures`, the name of a collection")
        return self


def draw(random: "Generator", section: Section, assets: SceneAssets) -> dict[str, Any]:
    """Choose the room's material, or a plain colour for each of its planes."""
    if section.background == "colour":
        colours = random.uniform(*COLOURS, (len(PLANES), 3))
        return {"room": {"colours": colours, "roughness": random.uniform(*ROUGHNESS)}}
    if section.background == "random":
        return {"room": {"material": assets.materials[random.integers(len(assets.materials))]}}
    return {"room": {"material": section.background_material}}


def build(stage: Stage) -> None:
    """Make floor and four walls of the cube-shaped room, once for all scenes."""
    stage.planes = [stage.blender.make_plane(HALF, at, turn, "plain") for at, turn in PLANES]


def apply(stage: Stage, drawn: Mapping[str, Any]) -> None:
    """Cover the room's planes with its material or plain colours."""
    room = drawn["room"]
    if "colours" in room:
        materials = [stage.blender.make_material("plain") for _ in stage.planes]
        for material, colour in zip(materials, room["colours"], strict=True):
            material.set_principled_shader_value("Base Color", [*colour, 1.0])
            material.set_principled_shader_value("Roughness", room["roughness"])
    else:
        assert stage.textures is not None, "a setting with materials has a folder of them"
        materials = [stage.blender.load_material(stage.textures, room["material"])] * len(stage.planes)
    for plane, material in zip(stage.planes, materials, strict=True):
        plane.replace_materials(material)
