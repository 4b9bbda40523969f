"""Ranges that a setting draws from, and the room that they must fit in."""

from typing import Annotated

from pydantic import AfterValidator, Field

ROOM_SIDE_M = 4.0
"""Side of the cube-shaped room in metres (BOP's on-surface sampling)."""


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"a range is written [low, high]; {bounds[0]} is above {bounds[1]}")
    return bounds


_Part = Annotated[float, Field(ge=0, le=1)]
_NotBelow0 = Annotated[float, Field(ge=0)]
_InTheRoom = Annotated[float, Field(ge=0, le=ROOM_SIDE_M)]
_Turn = Annotated[float, Field(ge=-360, le=360)]
ImageSide = Annotated[int, Field(ge=16, le=4096)]
"""A side of an image, pixels."""
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
