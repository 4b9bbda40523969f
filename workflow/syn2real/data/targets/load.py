"""Target data sets: checked before any job, loaded for fine-tuning, downloaded where torchvision can.

This module does not import torch, so that a configuration is checked quickly.
"""

from typing import TYPE_CHECKING

from syn2real.data.findings import Findings
from syn2real.data.targets.ade20k_files import check_ade20k
from syn2real.data.targets.class_folders import check_folder
from syn2real.data.targets.coco_files import check_coco
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError

if TYPE_CHECKING:
    from syn2real.data.annotated import AnnotatedImages


def check_layout(target: Target, channel: str) -> Findings:
    """Check that a target's folder is what its layout claims.

    Parameters
    ----------
    target : Target
        The target.
    channel : str
        What it must be labelled with: `label`, `objects` or `class-map`.

    Returns
    -------
    Findings
        Warnings, and lines for `syn2real check`.

    Raises
    ------
    InputError
        The layout is not labelled with `channel` (the message names what it has), or something is missing or
        malformed (the message names the first offending file, its key, and the fix). A target that may be
        downloaded and is not there yet is not an error.
    """
    target.require(channel, key="layout")
    found = Findings()
    match target.layout:
        case "imagenet" | "image-folder":
            check_folder(target, found)
        case "coco":
            check_coco(target, channel, found)
        case "ade20k":
            check_ade20k(target, found)
        case "torchvision":
            if target.root.exists() or not target.download:
                try:
                    from syn2real.data.targets.torchvision_sets import check_torchvision
                except ModuleNotFoundError:
                    return found  # Snakemake alone is installed: the job that reads the data checks it
                check_torchvision(target, channel, found)
    return found


def load_target(target: Target, split: Split, channel: str) -> "AnnotatedImages":
    """Return one split of a target as a map-style data set for torch.

    Parameters
    ----------
    target : Target
        The target.
    split : {"train", "test"}
        `test` is what the test error is measured on: the data set's labelled test set, or its validation set
        where no other has public labels.
    channel : str
        `label`, `objects` or `class-map`.

    Returns
    -------
    AnnotatedImages
        With the number of classes that the data set itself has. Of objects, `train` leaves out crowd boxes,
        as torchvision's own reference training does; `test` gives them, and its `.coco` has them.

    Raises
    ------
    InputError
        As `check_layout`; an image that turns out broken raises it when it is read.
    """
    target.require(channel, key="layout")
    match target.layout:
        case "imagenet" | "image-folder":
            from syn2real.data.targets.image_folder import FolderTarget

            return FolderTarget(target, split)
        case "coco":
            from syn2real.data.targets.coco import CocoImages

            folders, files = target.image_folders(split), target.annotation_files(split)
            return CocoImages(folders, files, channel, crowds=split == "test", exif=target.exif)
        case "ade20k":
            from syn2real.data.targets.ade20k import ADE20KTarget

            return ADE20KTarget(target, split)
        case "torchvision":
            from syn2real.data.targets.torchvision_sets import TorchvisionTarget

            return TorchvisionTarget(target, split, channel)


def load_splits(target: Target, channel: str) -> "tuple[AnnotatedImages, AnnotatedImages]":
    """Return a target's training and test sets, which must agree on their classes.

    Parameters
    ----------
    target : Target
        The target.
    channel : str
        `label`, `objects` or `class-map`.

    Returns
    -------
    train, test : AnnotatedImages
        See `load_target`.

    Raises
    ------
    InputError
        As `load_target`, and if the two splits number their classes differently.
    """
    train, test = load_target(target, "train", channel), load_target(target, "test", channel)
    if (train.classes, train.category_ids) != (test.classes, test.category_ids):
        raise InputError(
            "the training and test sets do not name the same classes; give both the same list",
            file=target.annotation("test"),
            key="categories",
        )
    return train, test


def fetch_target(target: Target) -> None:
    """Put a torchvision data set in its folder, from archives at hand or by download, unless it is there.

    Parameters
    ----------
    target : Target
        A target of layout torchvision.

    Raises
    ------
    InputError
        The layout cannot be downloaded, the target does not allow it, or the download failed.
    """
    if target.layout != "torchvision":
        raise InputError(
            f"a data set of layout {target.layout} cannot be fetched for you; put it there", file=target.path
        )
    from syn2real.data.targets.torchvision_sets import fetch

    fetch(target)
