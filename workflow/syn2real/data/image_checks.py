"""What a check finds in image files before any job: damage, odd pixels, EXIF.

Without Pillow (Snakemake alone is installed) nothing is opened: the job that reads the images checks them.
"""

import os
import random
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from syn2real.data.findings import Findings
from syn2real.data.targets.schema import Exif
from syn2real.errors import InputError

MOST_FILES = 50_000
"""Files of a split whose sizes are looked up; of more a sample."""
MOST_HEADERS = 20_000
"""Annotated images whose headers are read; of more a sample."""
MOST_DECODED = 100
MOST_PIXELS = 64_000_000
"""Images, and pixels of them, that are decoded whole: about a second's work."""
MOST_LOOKED = 100
"""Images of a split without class folders that are looked at: both ends, the middle and a sample."""
DARK = 15
"""A sixteenth of full scale, which 12 bits in 16 do not pass."""

Item = TypeVar("Item")


class Annotated(NamedTuple):
    """An image file and the size (height, width) that its annotations refer to, pixels."""

    path: Path
    size: tuple[int, int]


def ends_and_middle(items: Sequence[Item]) -> list[Item]:
    """Return the first, the middle and the last of some items, each once."""
    return [items[k] for k in sorted({0, len(items) // 2, len(items) - 1})] if items else []


def sample(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items in their order: the first, the middle, the last and a seeded sample."""
    if len(items) <= most:
        return list(items)
    drawn = random.Random(0).sample(range(len(items)), most - 3)
    return [items[k] for k in sorted({0, len(items) // 2, len(items) - 1, *drawn})]


def file_stats(paths: Sequence[Path]) -> dict[Path, os.stat_result]:
    """Return what the system says of files, of many of them a sample.

    Raises
    ------
    InputError
        One is empty, is no file, or is a link that leads nowhere.
    """
    found = {}
    for path in sample(paths, MOST_FILES):
        try:
            found[path] = path.stat()
        except OSError as error:
            problem = "this link leads to no file" if path.is_symlink() else f"{error.strerror}"
            raise InputError(f"the image cannot be read ({problem})", file=path) from None
        if not stat.S_ISREG(found[path].st_mode):
            raise InputError("this is no file, though it is named as an image", file=path)
        if not os.access(path, os.R_OK):
            raise InputError("the image cannot be read (no permission)", file=path)
        if found[path].st_size == 0:
            raise InputError("the image cannot be read (the file is empty)", file=path)
    return found


def look(paths: Sequence[Path], where: Path, found: Findings) -> None:
    """Open images as the jobs do, decode some of them, and warn where their pixels are odd.

    Parameters
    ----------
    paths : sequence of Path
        The images to open; as many as a second allows are decoded.
    where : Path
        Their folder, for messages.
    found : Findings
        Takes the warnings: transparency, several frames, values that stay below a sixteenth of full scale.

    Raises
    ------
    InputError
        Naming the first that cannot be read, or whose values are of unknown scale.
    """
    try:
        import numpy as np

        from syn2real.data.pixels import is_transparent, opened, rgb
    except ModuleNotFoundError:
        return
    order = random.Random(0).sample(range(len(paths)), len(paths))
    whole, left, decoded, dark, clear, frames = [*ends_and_middle(range(len(paths)))], MOST_PIXELS, 0, 0, 0, 0
    for number in [*whole, *(k for k in order if k not in whole)]:
        with opened(paths[number]) as image:
            frames += image.format != "MPO" and getattr(image, "is_animated", False)
            if decoded >= MOST_DECODED or (left < image.width * image.height and decoded >= len(whole)):
                continue
            left -= image.width * image.height
            decoded += 1
            clear += is_transparent(image)
            dark += bool(np.asarray(rgb(image, paths[number])).max() <= DARK)
    if clear:
        found.warnings.append(
            f"{clear:,} of the {decoded:,} images of {where} looked at are transparent in places: they are "
            "laid on black"
        )
    if frames:
        found.warnings.append(
            f"{frames:,} of the {len(paths):,} images of {where} looked at have several frames or pages: the "
            "first is read"
        )
    if decoded and dark == decoded:
        found.warnings.append(
            f"no pixel of the {decoded:,} images of {where} looked at is above 1/16 of full scale: if they "
            "hold 12 bits in 16, or 0 to 1, write them with the full range"
        )


def check_sizes(images: Sequence[Annotated], exif: Exif | None, where: Path, found: Findings) -> None:
    """Compare annotated images' sizes with their annotations', and count EXIF orientations.

    Parameters
    ----------
    images : sequence of Annotated
        The images; of many a sample is looked at.
    exif : {"apply", "ignore"}, optional
        See `syn2real.data.images.read_image`.
    where : Path
        Their folder, for messages.
    found : Findings
        Takes a warning where only the key `exif` can say how annotations are meant.

    Raises
    ------
    InputError
        Naming the first image that cannot be opened or has another size.
    """
    try:
        from syn2real.data.pixels import opened, orientation, wrong_size
    except ModuleNotFoundError:
        return
    looked, turned, open_question = sample(images, MOST_HEADERS), 0, 0
    for path, size in looked:
        with opened(path) as image:
            stored, number = (image.height, image.width), orientation(image)
        upright = stored[::-1] if number >= 5 else stored
        fits = {"apply": {upright}, "ignore": {stored}, None: {stored, upright}}[exif]
        if size not in fits:
            raise wrong_size(path, stored if exif == "ignore" else upright, size)
        turned += number > 1
        open_question += number > 1 and stored == upright
    if exif or not turned:
        return
    counted = f"{turned:,} of the {len(looked):,} images of {where} looked at have an EXIF orientation"
    if open_question:
        found.warnings.append(
            f"{counted}; for {open_question:,} of them no size shows whether the annotations were drawn "
            "before or after turning (they are turned): look at one, and set exif: apply or exif: ignore"
        )
    else:
        found.lines.append(f"{counted}; the sizes of their annotations show which way is meant")


def check_annotated(
    images: Sequence[Annotated], exif: Exif | None, where: Path, found: Findings
) -> dict[Path, os.stat_result]:
    """Look at a split's annotated images in every way, and return `file_stats` for `check_overlap`."""
    paths = [image.path for image in images]
    stats = file_stats(paths)
    look(sample(paths, MOST_LOOKED), where, found)
    check_sizes(images, exif, where, found)
    return stats
