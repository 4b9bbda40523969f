"""Layout ade20k on disk: a table of the classes, and a mask beside each image."""

import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from syn2real.data.findings import Findings
from syn2real.data.image_checks import (
    MOST_HEADERS,
    MOST_LOOKED,
    Annotated,
    check_sizes,
    file_stats,
    look,
    sample,
)
from syn2real.data.image_files import files_below, images_below, images_in, need_folder, passed_over
from syn2real.data.overlap import check_overlap
from syn2real.data.targets.scenes import after_split, check_folds
from syn2real.data.targets.schema import SPLITS, Split, Target
from syn2real.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_MASKS = 400
"""Masks of a split that are read; of more a sample."""
NO_LABEL = 255


def check_ade20k(target: Target, found: Findings) -> None:
    """Check layout ade20k: object names, one mask for every image of both splits, and what masks hold.

    Raises
    ------
    InputError
        Naming the first offending file.
    """
    classes = ade20k_classes(target)
    stats, names = [], []
    for split in SPLITS:
        folder, masks = target.image_folder(split), target.annotation(split)
        need_folder(folder)
        target.check_count(split, len(images_in(folder)), folder)
        pairs = ade20k_pairs(target, split)
        images = [image for image, _ in pairs]
        found.lines.append(f"{folder}: {len(pairs):,} images with masks")
        found.warnings += filter(None, [passed_over(files_below(folder), folder)])
        if nested := len(images_below(folder)) - len(images):
            found.warnings.append(f"{nested:,} images in folders of {folder} are not read: move them into it")
        if unused := len({path.stem for path in images_in(masks)} - {image.stem for image in images}):
            found.warnings.append(f"{unused:,} masks of {masks} have no image in {folder}: they are not used")
        stats.append(file_stats(images))
        names.append([image.relative_to(target.root).as_posix() for image in images])
        file_stats([mask for _, mask in pairs])
        with contextlib.suppress(ModuleNotFoundError):  # without Pillow the job that reads the data checks it
            look(sample(images, MOST_LOOKED), folder, found)
            check_sizes(
                [Annotated(i, _size(m)) for i, m in sample(pairs, MOST_HEADERS)], target.exif, folder, found
            )
            _look_at_masks([mask for _, mask in pairs], classes, masks, found)
    check_overlap(found, *stats, refuse=target.overlap == "refuse")
    check_folds(target, after_split(names), stats, found)


def _look_at_masks(masks: Sequence[Path], classes: Sequence[str], where: Path, found: Findings) -> None:
    """Read masks as training does, many of them a sample, and warn of classes that are in none."""
    looked = sample(masks, MOST_MASKS)
    import numpy as np

    counts = np.zeros(256, dtype=np.int64)
    for path in looked:
        counts += np.bincount(ade20k_labels(path, classes).ravel(), minlength=256)
    seen = {k for k in range(len(classes)) if counts[k]}
    absent = [f"{k + 1} ({name})" for k, name in enumerate(classes) if k not in seen]
    if not absent:
        return
    if not seen:
        raise InputError(f"none of the {len(looked):,} masks looked at holds a class", file=where)
    named = ", ".join(absent[:3]) + (f" and {len(absent) - 3:,} more" if len(absent) > 3 else "")
    which = f"class {named} is" if len(absent) == 1 else f"classes {named} are"
    line = (
        f"{which} in none of the {len(looked):,} masks of {where} looked at; 0 is no label in this layout, "
        "classes count from 1"
    )
    # A sample of few masks a class misses rare classes; all masks miss none.
    sure = len(looked) == len(masks) or len(looked) >= 10 * len(classes)
    (found.warnings if sure else found.lines).append(line)


def ade20k_labels(path: Path, classes: Sequence[str]) -> "NDArray[np.uint8]":
    """Read a mask: classes 0 … K - 1, and 255 without label (0 in the file, and 255 where K is less).

    Raises
    ------
    InputError
        The mask cannot be read, or holds a number above K.
    """
    from syn2real.data.pixels import read_mask

    mask = read_mask(path)
    if len(classes) < NO_LABEL:
        mask[mask == NO_LABEL] = 0
    if mask.max(initial=0) > len(classes):
        problem = f"class {mask.max()} is not one of the {len(classes)} of objectInfo150.txt"
        raise InputError(problem, file=path)
    mask -= 1  # 0 wraps round to 255
    return mask


def _size(path: Path) -> tuple[int, int]:
    """Return a mask's size (height, width) from its header."""
    from syn2real.data.pixels import opened

    with opened(path) as mask:
        return mask.height, mask.width


def ade20k_classes(target: Target) -> list[str]:
    """Return the class names of objectInfo150.txt, in the order of their numbers (1 is the first).

    Raises
    ------
    InputError
        The file is missing or is not ADE20K's table.
    """
    path = target.root / "objectInfo150.txt"
    if not path.is_file():
        raise InputError("there is no such file; it comes with ADEChallengeData2016", file=path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        names = {int(row["Idx"]): row["Name"].strip() for row in rows}
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
        raise InputError("needs tab-separated columns Idx and Name", file=path, key="Idx, Name") from None
    if sorted(names) != list(range(1, len(rows) + 1)) or not 1 <= len(rows) <= 255:
        raise InputError("must number classes from 1 on, each once, 255 at most", file=path, key="Idx")
    return [names[number] for number in sorted(names)]


def ade20k_pairs(target: Target, split: Split) -> list[tuple[Path, Path]]:
    """Return a split's images and their masks, sorted by name.

    Raises
    ------
    InputError
        A folder is missing or empty, or an image has no mask.
    """
    folder, masks = target.image_folder(split), target.annotation(split)
    need_folder(folder)
    need_folder(masks)
    images, found = images_in(folder), {m.stem: m for m in images_in(masks) if m.suffix.lower() == ".png"}
    if not images:
        raise InputError("no image in this folder", file=folder)
    without = [image for image in images if image.stem not in found]
    if without:
        several = f" and {len(without) - 1:,} more" if len(without) > 1 else ""
        raise InputError(
            f"there is no such mask; {without[0]}{several} needs it", file=masks / f"{without[0].stem}.png"
        )
    return [(image, found[image.stem]) for image in images]
