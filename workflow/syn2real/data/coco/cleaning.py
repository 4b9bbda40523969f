"""Where an annotation becomes what is used, or is left out with a reason that is counted."""

from collections.abc import Iterator
from typing import Any, TypeGuard

from syn2real.data.coco.counts import IGNORED, NO_MASK
from syn2real.data.coco.masks import Box, Mask, as_mask, box_of, cut
from syn2real.data.coco.records import Header, as_id, short
from syn2real.data.coco.stream import Rows
from syn2real.data.coco.tally import Tally
from syn2real.errors import InputError

LARGEST = 1e15
"""Of a number of a box: what is beyond it is no place, and its square may be no float."""
BEYOND = 1.0
"""Pixels that a box may reach beyond its image: rounding. What reaches farther is cut and counted."""
FLAGS: dict[Any, int] = {0: 0, 1: 1, "0": 0, "1": 1, "false": 0, "true": 1, None: 0, "": 0}
"""Values of `iscrowd` and `ignore`; in Python True is 1 and 0.0 is 0."""


def used_annotations(header: Header, channel: str | None, tally: Tally) -> Iterator[dict[str, Any]]:
    """Yield the annotations that are used, in the order of the files, and count them and the others.

    Each has `id`, `image_id` and `category_id` as the header numbers them, `iscrowd` (0 or 1), `bbox` and
    `area` unless only its mask is learnt from, and `segmentation` where there is a mask that is needed: see
    `as_mask`.

    Parameters
    ----------
    header : Header
        The images and categories.
    channel : {"objects", "class-map", None}
        `objects` needs boxes and drops masks, which are most of the memory; `class-map` needs masks; with
        None each annotation needs one or the other.
    tally : Tally
        What the counts are added to.

    Raises
    ------
    InputError
        Naming the file and the first key that has no certain meaning.
    """
    for file, path in enumerate(header.paths):
        for table, number, row in Rows(path).read():
            if table == "annotations":
                place = f"annotations[{number}]"
                try:
                    used = _clean(row, header, file, channel, tally, number)
                except _BadKey as error:
                    raise InputError(error.problem, file=path, key=f"{place}.{error.key}") from None
                if used is not None:
                    yield used


class _BadKey(Exception):
    """A key of an annotation that has no certain meaning."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key, self.problem = key, problem


def _clean(
    row: dict[str, Any], header: Header, file: int, channel: str | None, tally: Tally, number: int
) -> dict[str, Any] | None:
    """Return what is used of an annotation, or None; count it."""
    image = header.image_of[file].get(as_id(row.get("image_id")))
    if image is None:
        raise _BadKey("image_id", f"{short(row.get('image_id'))} is not the id of an image in this file")
    category = header.category_of.get(as_id(row.get("category_id")))
    if category is None:
        problem = f"{short(row.get('category_id'))} is not the id of a category in this file"
        if "segments_info" in row:
            problem = "this is COCO's panoptic format; take the file of instances, instances_*.json"
        raise _BadKey("category_id", problem)
    size = (image["height"], image["width"])
    name = row.get("id") if isinstance(row.get("id"), int) else number
    mask = _mask(row, size)
    used = {"id": name, "image_id": image["id"], "category_id": category, "iscrowd": _flag(row, "iscrowd")}
    tally.meet(mask, size)
    if channel != "class-map":
        box, reason = _box(row, mask, size, tally, name)
        if box is None:
            tally.drop(name, reason)
            return None
        used |= {"bbox": box, "area": _area(row, size) or box[2] * box[3]}
    elif mask == []:
        tally.drop(name, "mask that covers nothing")
        return None
    if not mask:
        tally.remark(name, NO_MASK if mask is None else "mask that covers nothing, box used")
    if mask is not None and channel != "objects":
        used["segmentation"] = mask
    crowd = used["iscrowd"]
    if _flag(row, "ignore"):  # as crowds: no examples, and no misses
        used["iscrowd"] = 1
        tally.remark(name, IGNORED)
    tally.keep(used, crowd=bool(crowd))
    return used


def _mask(row: dict[str, Any], size: tuple[int, int]) -> Mask | None:
    try:
        return as_mask(row.get("segmentation"), size)
    except ValueError as error:
        raise _BadKey("segmentation", str(error)) from None


def _box(
    row: dict[str, Any], mask: Mask | None, size: tuple[int, int], tally: Tally, name: Any
) -> tuple[Box | None, str]:
    """Return the box that is used, or None and why there is none. Where it is no box, the mask's counts."""
    box = _numbers(row.get("bbox"))
    is_box = box is not None and box[2] > 0 and box[3] > 0
    around = box_of(mask) if mask and not (is_box and tally.has_sample) else None
    if box is not None:
        tally.meet_box(name, box, around, size, _area(row, size))
    if box is None or not is_box:
        if around is None or around[2] <= 0 or around[3] <= 0:
            return None, "no box and no mask" if box is None else "box without width or height"
        if box is not None:
            tally.remark(name, "box without width or height, that of the mask used")
        box = around
    inside = cut(box, size)
    if min(inside[2:]) <= 0:
        return None, "box outside of its image"
    beyond = max(-box[0], -box[1], box[0] + box[2] - size[1], box[1] + box[3] - size[0])
    if beyond > BEYOND:
        tally.remark(name, f"box that reaches more than {BEYOND:.0f} pixel beyond its image, cut")
    return inside if beyond > BEYOND else box, ""


def _numbers(box: Any) -> Box | None:
    """Return a `bbox`, four finite numbers, or None where there is none."""
    if box is None or box == []:
        return None
    if isinstance(box, list) and len(box) == 4 and all(map(_is_finite, box)):
        return box
    raise _BadKey("bbox", f"{short(box)} is not a box [x, y, width, height] in pixels")


def _is_finite(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number, and one that a place in an image may have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _area(row: dict[str, Any], size: tuple[int, int]) -> float | None:
    """Return the area that is given, or None where none is, or one that no object can have."""
    area = row.get("area")
    return area if _is_finite(area) and 0 < area <= size[0] * size[1] else None


def _flag(row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    try:
        return FLAGS[value.lower() if isinstance(value, str) else value]
    except (KeyError, TypeError):
        raise _BadKey(key, f"{short(value)} is neither 0 nor 1") from None
