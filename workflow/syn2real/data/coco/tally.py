"""Counting a split's annotations as they are read: used, left out, and signs of another format."""

import random
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from syn2real.data.coco.counts import Counts
from syn2real.data.coco.masks import Box, Mask, box_of
from syn2real.data.coco.painting import unlabelled
from syn2real.data.coco.records import Header
from syn2real.errors import InputError

FEW = 4
"""Fewer boxes prove nothing about the format of a file."""
APART = 0.3
"""A box and its mask's box that overlap less (intersection over union) are not of the same pixels."""
SAMPLE = 10_000
"""Boxes that are compared with their masks, and polygons with 0–1; the others would say the same."""
SHOWN = 50
"""Images whose masks are painted, to see whether those of different classes overlap."""
PERCENT = 100
"""What no part of a box exceeds that is given in percent of its image."""
IN_PERCENT = "box within 100 x 100 of a much larger image: are they percentages?"
MANY = 20
"""So many boxes of large images do not all lie in one corner by chance."""
SHARE = 1.01
"""What no part of a box exceeds that is given in shares of its image."""


class Tally:
    """Counts annotations as they are met.

    Parameters
    ----------
    header : Header
        The images and categories of their files.
    """

    def __init__(self, header: Header) -> None:
        more = f" and {len(header.paths) - 1} more" if len(header.paths) > 1 else ""
        count = len(header.images)
        self._header = header
        self._counts = Counts(file=f"{header.paths[0]}{more}", images=count)
        self._classes: dict[int, list[Any]] = {k: [name, 0, None, 0] for k, name in header.categories.items()}
        self._labelled = bytearray(count)
        self._hashes = array("q")
        self._signs: Counter[str] = Counter()
        drawn = random.Random(0).sample(range(count), min(count, SHOWN))
        self._shown: dict[int, list[Mapping[str, Any]]] = {k: [] for k in (0, count - 1, *drawn)}

    def meet(self, mask: Mask | None, size: tuple[int, int]) -> None:
        """Count an annotation, and see whether its polygons have pixels."""
        self._counts.total += 1
        if isinstance(mask, list) and mask and min(size) > 2 and self._signs["polygons"] < SAMPLE:
            self._signs["polygons"] += 1
            self._signs["polygon shares"] += _is_share(box_of(mask))

    def meet_box(
        self, name: Any, box: Box, around: Box | None, size: tuple[int, int], area: float | None
    ) -> None:
        """See in which format a box is given: compare it with its image, its area and its mask's box.

        Parameters
        ----------
        name : object
            The annotation's id.
        box, around : list of float or None
            [x, y, width, height]: the one that is given, and that of the mask.
        size : (height, width)
            Of the image, pixels.
        area : float or None
            The one that is given, pixels.
        """
        x, y, right, bottom = box
        signs = self._signs
        signs["boxes"] += 1
        if min(size) > 2 and _is_share(box):
            signs["shares"] += 1
            self.remark(name, "box within the first pixel: shares of the image?")
        if min(size) >= 2 * PERCENT and max(x + right, y + bottom) <= PERCENT:
            self.remark(name, IN_PERCENT)
        signs["beyond"] += x + right > size[1] + 1 or y + bottom > size[0] + 1
        corners = [x, y, right - x, bottom - y]
        if right > x and bottom > y and right <= size[1] + 1 and bottom <= size[0] + 1:
            signs["corners"] += 1
            if area is not None:
                near = abs(area - corners[2] * corners[3]) <= 0.01 * area
                signs["area of corners"] += near and abs(area - right * bottom) > 0.01 * area
        if area is not None and right > 0 and bottom > 0 and area > 1.1 * (right + 1) * (bottom + 1):
            self.remark(name, "area larger than its box: is it given in pixels?")
        if around is not None and min(around[2:]) > 1 and not self.has_sample:
            signs["compared"] += 1
            if _overlap(box, around) < APART:
                signs["apart"] += 1
                signs["apart as corners"] += _overlap(corners, around) > 1 - APART
                self.remark(name, "box apart from its mask")

    @property
    def has_sample(self) -> bool:
        """Whether enough boxes were compared with their masks."""
        return self._signs["compared"] >= SAMPLE

    def drop(self, name: Any, reason: str) -> None:
        """Count an annotation that is left out."""
        self._counts.dropped.setdefault(reason, [0, name])[0] += 1

    def remark(self, name: Any, remark: str) -> None:
        """Count an annotation that is used in another way than it is given."""
        self._counts.remarks.setdefault(remark, [0, name])[0] += 1

    def keep(self, used: Mapping[str, Any], *, crowd: bool) -> None:
        """Count an annotation that is used."""
        place, row = self._header.place_of[used["image_id"]], self._classes[used["category_id"]]
        self._counts.used += 1
        self._counts.crowds += crowd
        row[1] += 1
        row[2] = place if row[2] is None else min(row[2], place)
        row[3] += not used["iscrowd"]
        self._labelled[place] = 1
        if place in self._shown and "segmentation" in used:
            self._shown[place].append(used)
        if "bbox" in used:
            self._hashes.append(hash((place, used["category_id"], *used["bbox"])))

    def counts(self) -> Counts:
        """Return the counts of all that was met.

        Raises
        ------
        InputError
            The boxes or polygons as a whole are not in COCO's format.
        """
        self._refuse_other_formats()
        counts, boxes = self._counts, self._signs["boxes"]
        if boxes < MANY or counts.remarks.get(IN_PERCENT, [0])[0] < boxes:
            counts.remarks.pop(IN_PERCENT, None)
        counts.labelled = sum(self._labelled)
        counts.twice = len(self._hashes) - len(set(self._hashes))
        counts.classes = [*self._classes.values()]
        counts.unlabelled = self._unlabelled()
        return counts

    def _unlabelled(self) -> dict[str, list[int]]:
        """Return `unlabelled` of some images, by the categories' names."""
        images = self._header.images
        shown = (((images[k]["height"], images[k]["width"]), rows) for k, rows in self._shown.items())
        names = self._header.categories
        return {names[number]: [*pixels] for number, pixels in unlabelled(shown).items()}

    def _refuse_other_formats(self) -> None:
        """Raise InputError if all boxes or polygons together show another format than COCO's."""
        signs, file = self._signs, self._header.paths[0]
        for some, kind, key in (("boxes", "shares", "bbox"), ("polygons", "polygon shares", "segmentation")):
            if 0 < signs[some] == signs[kind]:
                problem = (
                    f"all {some} lie in 0–1, as shares of the image; COCO has pixels: multiply by its size"
                )
                raise InputError(problem, file=file, key=f"annotations.{key}")
        boxes, apart = signs["boxes"], signs["apart"]
        corners = signs["corners"] == boxes and (
            signs["beyond"] * 20 >= boxes or signs["area of corners"] == boxes
        )
        if boxes >= FEW and (corners or signs["apart as corners"] * 2 > signs["compared"]):
            problem = "the boxes are [left, top, right, bottom]; COCO has [left, top, width, height]"
            raise InputError(problem, file=file, key="annotations.bbox")
        if signs["compared"] >= FEW and apart * 2 > signs["compared"]:
            first = self._counts.remarks["box apart from its mask"][1]
            problem = (
                f"{apart} of {signs['compared']} boxes lie apart from their masks (the first: annotation "
                f"{first}); COCO's boxes are [left, top, width, height] in pixels"
            )
            raise InputError(problem, file=file, key="annotations.bbox")


def _is_share(box: Sequence[float]) -> bool:
    """Return whether a box lies within 0–1."""
    x, y, width, height = box
    return x > -SHARE and y > -SHARE and x + width <= SHARE and y + height <= SHARE


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(across, 0) * max(down, 0)
    union = max(one[2], 0) * max(one[3], 0) + other[2] * other[3] - common
    return common / union if union > 0 else 0
