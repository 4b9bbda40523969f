"""A rendering setting: everything that decides what its images look like (paper, Appendix B and §4.5)."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from syn2real.schema import Name, Section

ROOM_SIDE_M = 4.0
"""Side of the cube-shaped room in metres (BOP's on-surface sampling)."""
PAPER_COLLECTIONS = ("hb", "icbin", "icmi", "itodd", "lm", "ruapc", "tless", "tudl", "tyol", "ycbv")

SURFACES = (
    "asphalt", "bark", "bricks", "candy", "carpet", "chipboard", "clay", "concrete", "cork",
    "corrugatedsteel", "diamondplate", "fabric", "gravel", "ground", "ice", "leather", "marble", "metal",
    "moss", "paint", "paper", "pavingstones", "pipe", "planks", "plaster", "plastic", "rock", "roofingtiles",
    "rope", "sponge", "tactilepaving", "terrazzo", "tiles", "wood",
)  # fmt: skip
"""Beginnings of the names that BlenderProc's `load_ccmaterials` takes for surfaces of a room."""
NOT_SURFACES = ("painting", "rockbrush")
"""What begins like a surface of a room but tiles none."""


def tiles_a_room(name: str, beginnings: Sequence[str] = SURFACES) -> bool:
    """Return whether a material is one that random rooms are drawn from, by how its name begins.

    A collection is fetched and an own copy is chosen from by this one function, so that both give the same
    rooms.

    Parameters
    ----------
    name : str
        The material's name, such as Fabric001; capitals make no difference.
    beginnings : sequence of str
        What a setting's `materials` says. `paint` means no paintings; a setting that wants some says
        `painting`.
    """
    named = tuple(beginning.lower() for beginning in beginnings)
    left_out = tuple(other for other in NOT_SURFACES if not any(b.startswith(other) for b in named))
    return name.lower().startswith(named) and not name.lower().startswith(left_out)


def is_fetchable(material: str) -> bool:
    """Return whether a material's name is such as ambientCG's are: letters and digits, as in Fabric001."""
    return material.isascii() and material.isalnum()


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"a range is written [low, high]; {bounds[0]} is above {bounds[1]}")
    return bounds


_Part = Annotated[float, Field(ge=0, le=1)]
_NotBelow0 = Annotated[float, Field(ge=0)]
_InTheRoom = Annotated[float, Field(ge=0, le=ROOM_SIDE_M)]
_Turn = Annotated[float, Field(ge=-360, le=360)]
_Elevation = Annotated[float, Field(ge=0, le=90)]

Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Lowest and highest value of a uniform draw; two equal numbers make a constant."""
Parts = Annotated[tuple[_Part, _Part], AfterValidator(_ordered)]
"""A range within 0 to 1."""
Amounts = Annotated[tuple[_NotBelow0, _NotBelow0], AfterValidator(_ordered)]
"""A range without negative numbers."""
Distances = Annotated[tuple[_InTheRoom, _InTheRoom], AfterValidator(_ordered)]
"""A range of lengths that the room has, metres."""
Turns = Annotated[tuple[_Turn, _Turn], AfterValidator(_ordered)]
"""A range of angles of at most one turn either way, degrees."""
Elevations = Annotated[tuple[_Elevation, _Elevation], AfterValidator(_ordered)]
"""A range of angles from the floor up to straight above, degrees."""


class Camera(Section):
    """Where cameras stand and what lens they have."""

    radius_m: Range = Field(default=(0.61, 1.24), description="distance from the room's centre, metres")
    elevation_deg: Elevations = Field(default=(5, 89), description="elevation above the floor, degrees")
    roll_deg: Turns = Field(default=(-45, 45), description="rotation about the optical axis, degrees")
    field_of_view_deg: Range = Field(
        default=(39.6, 39.6), description="angle of view, degrees; a true range draws a lens for each scene"
    )
    clearance_m: float = Field(
        default=0.3,
        ge=0,
        le=ROOM_SIDE_M,
        description="least distance between camera and any object before it, metres",
    )
    off_centre_m: float = Field(
        default=0,
        ge=0,
        le=ROOM_SIDE_M,
        description="greatest distance, along each axis, from the object looked at, metres",
    )

    @model_validator(mode="after")
    def _inside_the_room(self) -> Self:
        if not 0 < self.radius_m[0] <= self.radius_m[1] < ROOM_SIDE_M / 2:
            raise ValueError(
                f"radius_m {list(self.radius_m)} leaves the room: its walls are {ROOM_SIDE_M / 2} m away"
            )
        if not 1 <= self.field_of_view_deg[0] <= self.field_of_view_deg[1] <= 120:
            raise ValueError(f"field_of_view_deg lies between 1 and 120, not {list(self.field_of_view_deg)}")
        return self


class Lights(Section):
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


class Placement(Section):
    """Where objects are put on the floor of the 4 m room (BOP's on-surface sampling)."""

    floor_part: Parts = Field(default=(0.4, 0.6), description="part of the floor's sides used, 0 to 1")
    spacing_m: Distances = Field(
        default=(0.01, 0.2), description="least and greatest distance to the closest other object, metres"
    )
    tries: int = Field(
        default=100, ge=1, description="poses tried for an object before the scene is drawn anew"
    )

    @model_validator(mode="after")
    def _on_the_floor(self) -> Self:
        if self.floor_part[0] == self.floor_part[1]:
            raise ValueError(f"floor_part {list(self.floor_part)} leaves no floor to put objects on")
        return self


class Wear(Section):
    """What use does to a surface; all zero is an object as new. A stand-in target's condition."""

    tone: float = Field(
        default=0, ge=0, le=1, description="greatest change of hue, saturation and brightness"
    )
    roughness: float = Field(default=0, ge=0, le=1, description="greatest change of the surface's roughness")
    scratches: float = Field(
        default=0, ge=0, le=1, description="greatest part of the surface that is worn off"
    )


class Sensor(Section):
    """What a real camera's sensor and optics do to an image; all zero is Blender's own image."""

    noise: Parts = Field(default=(0, 0), description="standard deviation of the noise, part of full scale")
    blur_px: Amounts = Field(default=(0, 0), description="standard deviation of the blur, pixels")


class Rendering(Section):
    """One rendering setting; its defaults but `samples` are the paper's `multiple-random-random-textured`."""

    collections: tuple[Name, ...] = Field(
        default=PAPER_COLLECTIONS, min_length=1, description="object collections (folders in BOP layout)"
    )
    grey: tuple[Name, ...] = Field(
        default=("itodd", "tless", "demo-textureless"),
        description="collections without colours of their own: each object gets a random grey, as BOP does",
    )
    objects_per_scene: int = Field(
        default=10,
        ge=1,
        le=32767,
        description="appearance: 1 is the paper's single, 10 its multiple; objects",
    )
    views: int = Field(default=10, ge=1, le=100, description="camera poses, thus images, a scene")
    image_size: int = Field(default=640, ge=16, le=4096, description="side of the square images, pixels")
    samples: int = Field(
        default=24,
        ge=1,
        le=2**24,
        description="Cycles' samples a pixel; 24, supersampled, come near the error of the paper's 50",
    )
    supersampling: Literal[1, 2] = Field(
        default=2,
        description="2 renders and denoises twice the side, a quarter of the samples (rounded up) in each "
        "part of a pixel, and reduces: less error for its time above some 100 pixels; 1 is quicker below",
    )
    denoise: bool = Field(default=True, description="whether Open Image Denoise cleans each image")
    bounces: int = Field(default=3, ge=0, le=1024, description="greatest number of light bounces")
    light: Literal["fix", "random"] = Field(default="random", description="fixed or random lights")
    background: Literal["fix", "random", "colour"] = Field(
        default="random",
        description="the room: background_material, a random material of textures, or random plain colours",
    )
    textures: Name | None = Field(default="ambientcg", description="texture collection (ambientCG layout)")
    materials: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=SURFACES,
        description="a random background is drawn from the materials whose names begin so; other beginnings "
        "than the default's, and [] for all there are, need an own copy: no others are fetched",
    )
    background_material: str = Field(
        default="Fabric001", min_length=1, description="material of a fixed background"
    )
    seed: int = Field(default=0, ge=0, description="render seed")
    scenes_per_shard: int = Field(default=100, ge=1, description="scenes in one shard file")
    min_visible_fraction: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="objects less visible than this are not annotated, part of silhouette",
    )
    min_visible_pixels: int = Field(
        default=4, ge=1, description="objects with fewer visible pixels are not annotated"
    )
    camera: Camera = Field(default=Camera(), description="camera poses and lens")
    lights: Lights = Field(default=Lights(), description="ranges of random lights")
    placement: Placement = Field(default=Placement(), description="where objects are put")
    wear: Wear = Field(default=Wear(), description="wear of the objects' surfaces (stand-in targets)")
    sensor: Sensor = Field(default=Sensor(), description="noise and blur of the camera (stand-in targets)")

    @model_validator(mode="after")
    def _background_has_textures(self) -> Self:
        if self.background != "colour" and self.textures is None:
            raise ValueError(f"background {self.background!r} needs `textures`, the name of a collection")
        if len(set(self.collections)) < len(self.collections):
            raise ValueError("collections names one collection twice")
        return self

    def shard_count(self, images: int) -> int:
        """Return how many shards hold the first `images` images."""
        return -(-images // (self.views * self.scenes_per_shard))
