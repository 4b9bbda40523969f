"""Checks of data sets on disk against their targets' layouts, without torch and without decoding images."""

import os
from pathlib import Path

from syn2real.data.coco.records import need_same_categories
from syn2real.data.coco_format import check_classes, count_annotations
from syn2real.data.findings import Findings
from syn2real.data.image_checks import check_annotated, check_overlap
from syn2real.data.image_files import images_below, images_in, is_image, need_folder
from syn2real.data.pairing import Pairing, warn_unnamed
from syn2real.data.targets.class_folders import class_files
from syn2real.data.targets.schema import SPLITS, Split, Target
from syn2real.errors import InputError


def check_counts(target: Target) -> None:
    """Check that no split has fewer image files than the target says, as a half-unpacked set has.

    Those files are counted that are read: in class folders and below them, in ADE20K's folder itself, or
    anywhere below a COCO set's folder.

    Raises
    ------
    InputError
        Naming the folder and both numbers.
    """
    if target.layout == "torchvision":  # where it is read, its own check counts
        return
    for split in target.counts:
        root = target.image_folder(split)
        need_folder(root)
        if target.layout in ("imagenet", "image-folder"):
            files = class_files(target, split).values()
            found = sum(is_image(path.name) for paths in files for path in paths)
        elif target.layout == "coco":
            found = sum(len(images_below(folder)) for folder in dict.fromkeys(target.image_folders(split)))
        else:
            found = len(images_in(root))
        check_count(target, split, found, root)


def check_count(target: Target, split: Split, found: int, folder: Path) -> None:
    """Raise InputError where fewer images of a split were found than the target says."""
    expected = target.counts.get(split, 0)
    if found < expected:
        raise InputError(
            f"{found:,} images here, of {expected:,}; unpack the complete set, or correct `counts`",
            file=folder,
            key=f"counts.{split}",
        )


def check_coco(target: Target, channel: str, found: Findings) -> None:
    """Check a COCO-format set: the annotation files, their keys, and that every image file is there.

    Raises
    ------
    InputError
        Naming the first offending file and key.
    """
    categories: list[dict[int, str]] = []
    stats: list[dict[Path, os.stat_result]] = []
    pairings = []
    for split in SPLITS:
        folders, paths = target.image_folders(split), target.annotation_files(split)
        for folder in folders:
            need_folder(folder)
        header, counts = count_annotations(paths, channel)
        counts.find(found, [channel])
        check_classes([*header.categories.values()], channel, paths[0])
        categories.append(header.categories)
        need_same_categories(categories[-1], categories[0], paths[0], target.annotation("train"))
        pairings.append(Pairing(folders, paths))
        images = pairings[-1].match(header.images)
        stats.append(check_annotated(images, target.exif, folders[0], found))
    warn_unnamed(pairings, found)
    check_overlap(found, *stats)
