"""The camera: its lens, and where it stands in each view."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from math import atan, degrees, radians
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, field_validator, model_serializer, model_validator

from syn2real import schema
from syn2real.render.randomise.base import (
    DIGITS,
    SceneAssets,
    SceneRejected,
    Stage,
    named_generator,
    point_in_shell,
    uniform,
)
from syn2real.render.randomise.schema import ROOM_SIDE_M, Elevations, ImageSide, Range, Turns

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

LEVEL, STREAM = "scene", "lens"
TRIES = 100
"""Poses tried for a view before the scene is drawn again."""
TARGETS = 10
"""Objects, drawn with replacement, whose mean decides where a view looks (BOP's example)."""
ANGLES = (1, 120)
"""Angles of view that a lens may have, degrees."""

Row = tuple[float, float, float]


class Section(schema.Section):
    """Where cameras stand and what lens they have."""

    radius_m: Range = Field(default=(0.61, 1.24), description="distance from the room's centre, metres")
    elevation_deg: Elevations = Field(default=(5, 89), description="elevation above the floor, degrees")
    roll_deg: Turns = Field(default=(-45, 45), description="rotation about the optical axis, degrees")
    field_of_view_deg: Range = Field(
        default=(39.6, 39.6),
        description="angle of view, degrees; a true range draws a lens for each scene; not beside K",
    )
    K: tuple[Row, Row, Row] | None = Field(
        default=None,
        description="calibration [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels whose centres lie at "
        "integers, as OpenCV writes it, or nine numbers in a row, as BOP does; needs width and height, "
        "and takes the place of image_size and field_of_view_deg",
    )
    width: ImageSide | None = Field(default=None, description="width of the images that K is for, pixels")
    height: ImageSide | None = Field(default=None, description="height of the images that K is for, pixels")
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

    azimuth_deg: Turns = schema.later(
        (-180, 180),
        description="direction from the room's centre, degrees; -90 is in front of objects that are modelled "
        "to face -y (see placement.turn_deg)",
    )
    looks_at: Literal["drawn", "middle"] = schema.later(
        "drawn",
        description="the object that a view looks at: drawn is that nearest to the mean of ten drawn for the "
        "view, middle that nearest to the mean of all",
    )

    @field_validator("K", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        """Read nine numbers as three rows, as BOP's files have them."""
        in_a_row = isinstance(value, list | tuple) and len(value) == 9
        return [value[start : start + 3] for start in (0, 3, 6)] if in_a_row else value

    @model_validator(mode="after")
    def _inside_the_room(self) -> Self:
        if not 0 < self.radius_m[0] <= self.radius_m[1] < ROOM_SIDE_M / 2:
            raise ValueError(
                f"radius_m {list(self.radius_m)} leaves the room: its walls are {ROOM_SIDE_M / 2} m away"
            )
        if not ANGLES[0] <= self.field_of_view_deg[0] <= self.field_of_view_deg[1] <= ANGLES[1]:
            raise ValueError(f"field_of_view_deg lies between 1 and 120, not {list(self.field_of_view_deg)}")
        return self

    @model_validator(mode="after")
    def _one_lens(self) -> Self:
        sides = [key for key in ("width", "height") if getattr(self, key) is not None]
        if self.K is None and sides:
            raise ValueError(f"{sides[0]} belongs to a calibration; add K, or write image_size")
        if self.K is not None and len(sides) < 2:
            raise ValueError("K needs width and height, the size of the images that it is for")
        if self.K is not None and "field_of_view_deg" in self.model_fields_set:
            raise ValueError("K says the angle of view; remove field_of_view_deg, or K")
        if self.K is not None and self.width and self.height:
            _check_calibration(self.K, self.width, self.height)
        return self

    @model_serializer(mode="wrap")
    def _only_what_counts(self, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Leave out what does not apply, so that settings older than K keep their identity."""
        unused = ["field_of_view_deg"] if self.K else ["K", "width", "height"]
        return {key: value for key, value in write(self).items() if key not in unused}


def _check_calibration(matrix: tuple[Row, Row, Row], width: int, height: int) -> None:
    """Raise ValueError unless a matrix calibrates a camera that Blender can be."""
    (fx, skew, cx), (below, fy, cy), last = matrix
    if skew or below or last != (0, 0, 1):
        raise ValueError("K is [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], without skew")
    for name, focal, side in (("fx", fx, width), ("fy", fy, height)):
        angle = 2 * degrees(atan(side / 2 / focal)) if focal > 0 else 0
        if not ANGLES[0] <= angle <= ANGLES[1]:
            raise ValueError(
                f"K: {name} is the focal length in pixels, with an angle of view of 1 to 120 degrees over "
                f"{side} pixels; {focal:g} is none"
            )
    if not 0.5 <= fx / fy <= 2:
        raise ValueError(f"K: fx {fx:g} and fy {fy:g} differ by more than a factor of 2")
    if not (-0.5 <= cx <= width - 0.5 and -0.5 <= cy <= height - 0.5):
        raise ValueError(f"K: the principal point ({cx:g}, {cy:g}) lies outside {width} x {height} pixels")


def draw(random: "Generator", section: Section, assets: SceneAssets) -> dict[str, Any]:
    """Draw the lens of a scene: its angle of view, degrees, or the calibration that the setting gives."""
    if section.K is not None:
        return {"calibration": {"K": section.K, "width": section.width, "height": section.height}}
    return {"field_of_view": uniform(random, section.field_of_view_deg)}


def apply(stage: Stage, drawn: Mapping[str, Any]) -> None:
    """Set the lens."""
    if "calibration" in drawn:
        stage.blender.set_calibration(drawn["calibration"]["K"])
    else:
        stage.blender.set_lens(radians(drawn["field_of_view"]))


@dataclass(frozen=True)
class Pose:
    """A candidate for a camera pose.

    Attributes
    ----------
    location : array, shape (3,)
        Where the camera stands, metres.
    roll : float
        Rotation about the optical axis, degrees.
    targets : array of int
        Objects whose mean decides where it looks (at the one closest to their mean).
    offset : array, shape (3,)
        How far beside that object it looks, metres.
    """

    location: "NDArray[Any]"
    roll: float
    targets: "NDArray[Any]"
    offset: "NDArray[Any]"


def candidates(section: Section, seed: int, objects: int) -> Iterator[Pose]:
    """Yield candidates for a view's camera, best first; the first without an obstacle before it is taken.

    Parameters
    ----------
    section : Section
        The setting's camera.
    seed : int
        The view's `camera_seed`.
    objects : int
        How many objects there are to look at.
    """
    import numpy as np

    for candidate in count():
        random = named_generator(seed, candidate)
        location = point_in_shell(random, section.radius_m, section.elevation_deg, section.azimuth_deg)
        roll = round(uniform(random, section.roll_deg), DIGITS)
        offset = random.uniform(-1, 1, 3) * section.off_centre_m
        targets = (
            random.integers(objects, size=TARGETS) if section.looks_at == "drawn" else np.arange(objects)
        )
        yield Pose(location.round(DIGITS), roll, targets, offset.round(DIGITS))


def free_pose(stage: Stage, seed: int, obstacles: Any) -> "NDArray[Any]":
    """Return the first candidate whose view is not blocked by an object close before the camera.

    Parameters
    ----------
    stage : Stage
        With the scene's objects in their places.
    seed : int
        The view's `camera_seed`.
    obstacles : tree of BlenderProc's
        What may stand before the camera.

    Returns
    -------
    float array, shape (4, 4)
        Blender's camera to the world: x right, y up, looking along -z.

    Raises
    ------
    SceneRejected
        If there is none.
    """
    blender, section = stage.blender, stage.rendering.camera
    for pose in islice(candidates(section, seed, len(stage.objects)), TRIES):
        target = blender.point_of_interest([stage.objects[k].entity for k in pose.targets]) + pose.offset
        matrix = blender.look_at(pose.location, target, radians(pose.roll))
        if blender.is_free(matrix, section.clearance_m, obstacles):
            return matrix
    raise SceneRejected(
        f"no free view among {TRIES} camera poses",
        key="camera.clearance_m",
        fix="lower it, or move the camera away from the objects (camera.radius_m)",
    )
