"""The masks of annotations, checked so that nothing reaches pycocotools that it would misread.

pycocotools reads past its memory where run lengths do not fit their image, and ends the process at a corner
that is not a number.
"""

import math
from collections.abc import Sequence
from typing import Any

from syn2real.data.coco.records import short, whole_number

FAR = 10
"""A polygon may reach so many times its image's sides beyond it: pycocotools' memory grows with it."""

Mask = list[list[float]] | dict[str, Any]
Box = list[float]


def as_mask(value: Any, size: tuple[int, int]) -> Mask | None:
    """Return a `segmentation` in one form, or None where there is none.

    Parameters
    ----------
    value : object
        As the file has it. A single polygon may stand without its outer list, and a polygon may be a list of
        points.
    size : (height, width)
        Of its image, pixels.

    Returns
    -------
    list of polygons ([x1, y1, x2, y2, …], pixels), a dict of `size` and `counts`, or None
        Polygons that cover nothing are left out: those of fewer than three points, and those outside of the
        image. The list is empty if none is left, or if run lengths cover nothing.

    Raises
    ------
    ValueError
        It is no mask of such an image; says why.
    """
    if isinstance(value, dict) and value:
        return _runs(value, size)
    if isinstance(value, list):
        polygons = [polygon for polygon in _polygons(value) if polygon != []]
        return [p for p in polygons if _covers(p, size)] if polygons else None
    if not value and not isinstance(value, bool | int | float):
        return None
    raise ValueError(f"{short(value)} is neither polygons nor run lengths")


def box_of(mask: Mask) -> Box:
    """Return the box around a mask that is not empty, [x, y, width, height] in pixels."""
    if isinstance(mask, dict):
        return _box_of_runs(mask)
    left, top = (min(min(polygon[side::2]) for polygon in mask) for side in (0, 1))
    right, bottom = (max(max(polygon[side::2]) for polygon in mask) for side in (0, 1))
    return [left, top, right - left, bottom - top]


def cut(box: Box, size: tuple[int, int]) -> Box:
    """Return a box cut at the edges of an image of size (height, width); not above 0 wide or high outside."""
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[0] + box[2], size[1]), min(box[1] + box[3], size[0])
    return [left, top, right - left, bottom - top]


def decode_counts(counts: str) -> list[int]:
    """Return the run lengths that pycocotools' compressed text stands for.

    Raises
    ------
    ValueError
        It is no such text.
    """
    runs: list[int] = []
    value = shift = 0
    for code in counts.encode():
        part = code - 48
        if not 0 <= part < 64:
            raise ValueError("its run lengths are no compressed ones")
        value |= (part & 31) << shift
        shift += 5
        if part & 32:
            continue
        if part & 16:
            value -= 1 << shift
        if len(runs) > 2:
            value += runs[-2]
        runs.append(value)
        value = shift = 0
    if shift:
        raise ValueError("its run lengths break off")
    return runs


def _runs(value: dict[str, Any], size: tuple[int, int]) -> Mask:
    """Return run lengths that fit an image exactly, or [] where they cover nothing."""
    given, counts = value.get("size"), value.get("counts")
    sides = [whole_number(side) for side in given] if isinstance(given, list) else given
    if sides != list(size):
        raise ValueError(f"its size is {short(given)}; that of its image, [height, width], is {list(size)}")
    if isinstance(counts, str):
        runs: Sequence[int | None] = decode_counts(counts)
    elif isinstance(counts, list):
        runs = counts = [whole_number(run) for run in counts]
    else:
        raise ValueError(f"its run lengths (counts) are {short(counts)}; a list or a text belongs here")
    if any(run is None or run < 0 for run in runs):
        raise ValueError("its run lengths (counts) are not all whole numbers from 0 on")
    if (total := sum(filter(None, runs))) != size[0] * size[1]:
        raise ValueError(
            f"its run lengths cover {short(total)} pixels, but its image has {size[0] * size[1]}"
        )
    return {"size": list(size), "counts": counts} if any(runs[1::2]) else []


def _box_of_runs(mask: dict[str, Any]) -> Box:
    """Return the box of run lengths, which go down the columns and begin with what is not covered."""
    height, counts = mask["size"][0], mask["counts"]
    runs = decode_counts(counts) if isinstance(counts, str) else counts
    left, right, top, bottom, at = math.inf, -1, height, -1, 0
    for number, run in enumerate(runs):
        if number % 2 and run:
            first, last = divmod(at, height), divmod(at + run - 1, height)
            left, right = min(left, first[0]), last[0]
            whole = first[0] != last[0]  # it runs over the foot of a column
            top, bottom = min(top, 0 if whole else first[1]), max(bottom, height - 1 if whole else last[1])
        at += run
    return [int(left), top, right + 1 - int(left), bottom + 1 - top]


def _polygons(value: list[Any]) -> list[Any]:
    """Return the polygons of a list: each [x1, y1, …]."""
    if value and not any(isinstance(part, list | dict) for part in value):
        return [value]  # one polygon, not in a list
    if all(_are_points(polygon) for polygon in value):
        return [[side for point in polygon for side in point] for polygon in value]
    if len(value) > 2 and _are_points(value):
        return [[side for point in value for side in point]]
    return value


def _are_points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(point, list) and len(point) == 2 for point in value)
        and value != []
    )


def _covers(polygon: Any, size: tuple[int, int]) -> bool:
    """Return whether a polygon may cover part of its image; raise ValueError if it is none."""
    if not isinstance(polygon, list) or not {*map(type, polygon)} <= {int, float}:
        raise ValueError(f"the polygon {short(polygon)} is not a list of numbers [x1, y1, x2, y2, …]")
    if len(polygon) % 2:
        raise ValueError(f"the polygon {short(polygon)} has an x without its y")
    across, down = polygon[::2], polygon[1::2]
    (top, bottom), (left, right) = (min(down), max(down)), (min(across), max(across))
    height, width = size
    far = FAR * (height + width)
    # A sum is not a number if one of its terms is none, and comparisons with it are false.
    if not (-far < left and right < far and -far < top and bottom < far) or math.isnan(sum(polygon)):
        raise ValueError(f"a polygon has corners far from its image or not finite: {short(polygon)}")
    return len(polygon) >= 6 and left < width and top < height and right > 0 and bottom > 0
