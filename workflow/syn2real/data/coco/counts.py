"""What was counted in a split's annotation files, as `check` and the import's log say it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from syn2real.data.findings import Findings
from syn2real.errors import InputError

MANY = 0.01
"""The share of annotations from which leaving them out, or changing them, is a warning."""
CROWDS = 0.2
"""The share of crowds that is a warning; COCO has 0.012."""
UNLABELLED = 0.25
"""The share of images without annotations that is a warning; COCO has 0.009."""
UNPAINTED = 0.5
"""The share of a class's pixels without a label that is a warning."""
LISTED = 8
"""Names that a line lists at most."""
NO_MASK = "without a mask"
IGNORED = "marked `ignore`, neither examples nor misses"


@dataclass
class Counts:
    """Counts of a split's annotations.

    Attributes
    ----------
    file : str
        The annotation file, for messages; of several the first.
    images, labelled : int
        Images, and those with an annotation that is used.
    total, used, crowds, twice : int
        Annotations; those that are used; of them those that the file marks as crowds, and those with the
        category and box of another one of their image.
    dropped, remarks : dict of str to [int, id]
        By reason: how many were left out, or are used with a remark, and the first of them.
    classes : list of [str, int, int or None, int]
        In the order of the classes: name, annotations, the place from 0 on of the first image with one, and
        the annotations that are neither crowds nor to be ignored.
    unlabelled : dict of str to [int, int]
        By class, in some images: the pixels that masks of other classes cover as well, and all.
    """

    file: str = ""
    images: int = 0
    labelled: int = 0
    total: int = 0
    used: int = 0
    crowds: int = 0
    twice: int = 0
    dropped: dict[str, list[Any]] = field(default_factory=dict)
    remarks: dict[str, list[Any]] = field(default_factory=dict)
    classes: list[list[Any]] = field(default_factory=list)
    unlabelled: dict[str, list[int]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the table of what is there, used and left out, and why."""
        unlabelled = self.images - self.labelled
        lines = [
            f"{self.file}: {self.images:,} images, {unlabelled:,} without annotations; {self.total:,} "
            f"annotations, {self.used:,} used, {self.total - self.used:,} left out"
        ]
        by_count = sorted((row for row in self.classes if row[1]), key=lambda row: -row[1])
        if by_count:
            lines.append(f"{self.file}: {listed([f'{name} {count:,}' for name, count, *_ in by_count])}")
        lines += [f"{self.file}: left out: {_counted(self.dropped)}"] if self.dropped else []
        lines += [f"{self.file}: used: {_counted(self.remarks)}"] if self.remarks else []
        return lines

    def require(self, channel: str) -> None:
        """Raise InputError if nothing can be learnt from these annotations, or not what is needed.

        Parameters
        ----------
        channel : {"objects", "class-map"}
            What is learnt from.
        """
        if not self.used:
            problem = "there are no annotations, so there is nothing to learn; add them to this list"
            if self.total:
                problem = f"none of {self.total:,} annotations can be used: {_counted(self.dropped)}"
            raise InputError(problem, file=self.file, key="annotations")
        without = self.remarks.get(NO_MASK)
        if channel == "class-map" and without:
            problem = (
                f"{without[0]:,} of {self.total:,} annotations have no mask (the first: annotation "
                f"{without[1]}), so this set is not for semseg; add polygons or RLE"
            )
            raise InputError(problem, file=self.file, key="annotations.segmentation")
        if channel == "objects" and not any(examples for *_, examples in self.classes):
            problem = "every annotation is marked to be ignored, as a crowd or with `ignore`"
            if self.crowds == self.used:
                problem = (
                    "every annotation is a crowd, which is no example; set iscrowd to 0 where it is one "
                    "object (labelling tools mark brush masks so)"
                )
            raise InputError(problem, file=self.file, key="annotations.iscrowd")

    def find(self, found: Findings, channels: Collection[str]) -> None:
        """Add lines and warnings, and what `require` says of each of the channels as a problem."""
        found.lines += self.lines()
        warnings = [*self._odd_annotations(), *self._odd_classes(channels), *self._alike()]
        found.warnings += [f"{self.file}: {line}" for line in warnings]
        for channel in sorted({"objects", "class-map"} & set(channels)):
            try:
                self.require(channel)
            except InputError as error:
                found.problems.append(str(error))
                return

    def _odd_annotations(self) -> Iterator[str]:
        """Yield what of the annotations and images may be a mistake, with its count."""
        many = {
            reason: found
            for reason, found in self.remarks.items()
            if reason not in (NO_MASK, IGNORED) and found[0] > MANY * self.total
        }
        unlabelled, left_out = self.images - self.labelled, self.total - self.used
        if left_out > MANY * self.total:
            yield f"{left_out:,} of {self.total:,} annotations are left out: {_counted(self.dropped)}"
        if many:
            yield f"of {self.total:,} annotations: {_counted(many)}"
        if CROWDS * self.used < self.crowds < self.used:
            yield f"{self.crowds:,} of {self.used:,} annotations are crowds (iscrowd 1) and no examples"
        if self.twice > MANY * self.used:
            yield f"{self.twice:,} of {self.used:,} annotations stand twice: same image, category and box"
        if self.used and unlabelled / self.images > UNLABELLED:
            yield (
                f"{unlabelled:,} of {self.images:,} images have no annotation; "
                "leave out those that are not labelled yet"
            )

    def _odd_classes(self, channels: Collection[str]) -> Iterator[str]:
        """Yield classes of which nothing, or too little, can be learnt for some channels."""
        none = [name for name, count, *_ in self.classes if not count]
        ignored = [name for name, count, _, examples in self.classes if count and not examples]
        covered = [
            f"{name} {part / total:.0%}"
            for name, (part, total) in self.unlabelled.items()
            if part > total * UNPAINTED
        ]
        if self.used and none:
            yield (
                f"{len(none)} of {len(self.classes)} categories have no annotation: {listed(none)}; "
                "leave out those that were not labelled"
            )
        if ignored and "objects" in channels:
            yield (
                f"all annotations of {listed(ignored)} are crowds or marked `ignore`: nothing of them is "
                "learnt or counts in the error"
            )
        if covered and "class-map" in channels:
            yield (
                "masks of different classes overlap, and such pixels have no label: "
                f"{listed(covered)} of their pixels; cut the masks so that each pixel is in one"
            )

    def _alike(self) -> Iterator[str]:
        """Yield categories that are probably one: names that repeat, or copies in Blender."""
        names = [name for name, *_ in self.classes]
        found = [f"two categories are named {name}" for name in dict.fromkeys(names) if names.count(name) > 1]
        for name in dict.fromkeys(names):
            original = re.sub(r"\.\d{3}$", "", name)
            if original != name and original in names:
                found.append(f"{name} looks like a copy of {original}")
        if found:
            yield f"{listed(found)}; they count as two classes: give both one id if they are one"


def _counted(reasons: dict[str, list[Any]]) -> str:
    """Return reasons with their counts and first annotations."""
    return "; ".join(
        f"{reason} {n:,} (the first: annotation {first})" for reason, (n, first) in reasons.items()
    )


def listed(names: list[str], word: str = "and") -> str:
    """Return the first names, and how many more there are."""
    more = f" {word} {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"
