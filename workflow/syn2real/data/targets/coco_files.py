"""Layout coco on disk: annotation files, and the images that they name."""

import os
from pathlib import Path

from syn2real.data.coco.records import need_same_categories
from syn2real.data.coco_format import classes_of, count_annotations
from syn2real.data.findings import Findings
from syn2real.data.image_checks import check_annotated
from syn2real.data.image_files import images_below
from syn2real.data.overlap import check_overlap
from syn2real.data.pairing import Pairing, warn_unnamed
from syn2real.data.targets.scenes import check_folds
from syn2real.data.targets.schema import SPLITS, Target


def check_coco(target: Target, channel: str, found: Findings) -> None:
    """Check a COCO-format set: the annotation files, their keys, and that every image file is there.

    Raises
    ------
    InputError
        Naming the first offending file and key.
    """
    categories: list[dict[int, str]] = []
    stats: list[dict[Path, os.stat_result]] = []
    pairings, names = [], []
    for split in SPLITS:
        folders, paths = target.image_folders(split), target.annotation_files(split)
        pairings.append(Pairing(folders, paths))
        if split in target.counts:
            images = sum(len(images_below(folder)) for folder in dict.fromkeys(folders))
            target.check_count(split, images, folders[0])
        header, counts = count_annotations(paths, channel)
        counts.find(found, [channel])
        classes_of(channel, [*header.categories.values()], paths[0])
        categories.append(header.categories)
        need_same_categories(categories[-1], categories[0], paths[0], target.annotation("train"))
        names += [image["file_name"] for image in header.images]
        matched = pairings[-1].match(header.images)
        stats.append(check_annotated(matched, target.exif, folders[0], found))
    warn_unnamed(pairings, found)
    check_overlap(found, *stats, refuse=target.overlap == "refuse")
    check_folds(target, names, stats, found)
