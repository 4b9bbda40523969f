"""The lights: a shining plane above the room and point lights, fixed or drawn as BOP's example draws them."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from syn2real import schema
from syn2real.render.randomise.base import SceneAssets, Stage, point_in_shell, uniform
from syn2real.render.randomise.schema import ROOM_SIDE_M, Amounts, Distances, Elevations, Parts

if TYPE_CHECKING:
    from numpy.random import Generator

LEVEL = "scene"
FIXED_AREA, FIXED_POINT, FIXED_LOCATION = 4.0, 200.0, (0, 0, 3)
"""Emission of the plane (W/m²), power of the point light (W) and its place (m) where light is fixed."""
CEILING_HALF, CEILING_LOCATION = 3, (0, 0, 10)
"""Half the side of the shining plane, and where it hangs, metres."""


class Ranges(schema.Section):
    """Lights of the settings whose `light` is random; `fix` has one white area and one point light."""

    area_strength: Amounts = Field(default=(3, 6), description="emission of the plane above the room, W/m²")
    point_energy_w: Amounts = Field(default=(200, 200), description="power of a point light, watts")
    point_radius_m: Distances = Field(
        default=(1, 1.5), description="distance of a point light from the floor's centre, metres"
    )
    point_elevation_deg: Elevations = Field(
        default=(5, 89), description="elevation of a point light, degrees"
    )
    points: tuple[int, int] = Field(default=(1, 1), description="fewest and most point lights")
    colour: Parts = Field(default=(0.5, 1), description="each of red, green and blue of a light, 0 to 1")

    @model_validator(mode="after")
    def _some_points(self) -> Self:
        if not 0 <= self.points[0] <= self.points[1]:
            raise ValueError(f"points is [fewest, most] with 0 ≤ fewest ≤ most, not {list(self.points)}")
        return self

    @model_validator(mode="after")
    def _inside_the_room(self) -> Self:
        reach = self.point_radius_m[1] * math.cos(math.radians(self.point_elevation_deg[0]))
        if reach >= ROOM_SIDE_M / 2:
            raise ValueError(
                f"point_radius_m {list(self.point_radius_m)} leaves the room at an elevation of "
                f"{self.point_elevation_deg[0]:g} degrees: its walls are {ROOM_SIDE_M / 2} m away"
            )
        return self


class Section(schema.Section):
    """Whether lights vary from scene to scene, and between what limits."""

    light: Literal["fix", "random"] = Field(default="random", description="fixed or random lights")
    lights: Ranges = Field(default=Ranges(), description="ranges of random lights")


def draw(random: "Generator", section: Section, assets: SceneAssets) -> dict[str, Any]:
    """Return the two fixed white lights, or draw strength, colour and place as BOP's example does."""
    if section.light == "fix":
        point = {"location": FIXED_LOCATION, "energy": FIXED_POINT, "colour": (1, 1, 1)}
        return {"lights": {"area": {"strength": FIXED_AREA, "colour": (1, 1, 1)}, "points": [point]}}
    ranges = section.lights
    area = {"strength": uniform(random, ranges.area_strength), "colour": random.uniform(*ranges.colour, 3)}
    points = [
        {
            "location": point_in_shell(random, ranges.point_radius_m, ranges.point_elevation_deg),
            "energy": uniform(random, ranges.point_energy_w),
            "colour": random.uniform(*ranges.colour, 3),
        }
        for _ in range(random.integers(ranges.points[0], ranges.points[1], endpoint=True))
    ]
    return {"lights": {"area": area, "points": points}}


def build(stage: Stage) -> None:
    """Make the plane that shines, once for all scenes."""
    stage.ceiling = stage.blender.make_plane(CEILING_HALF, CEILING_LOCATION, (0, 0, 0), "light")


def apply(stage: Stage, drawn: Mapping[str, Any]) -> None:
    """Set the plane's emission and the point lights."""
    lights = drawn["lights"]
    area, material = lights["area"], stage.blender.make_material("light")
    material.make_emissive(emission_strength=area["strength"], emission_color=[*area["colour"], 1.0])
    stage.ceiling.replace_materials(material)
    for point in lights["points"]:
        stage.blender.add_point_light(**point)
