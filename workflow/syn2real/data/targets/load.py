"""Target data sets: checked before any job, loaded for fine-tuning, fetched where torchvision can.

Importing this module does not import torch, so that a configuration is checked in no time.
"""

from typing import TYPE_CHECKING

from syn2real.data.targets.layouts import check_ade20k, check_coco, check_counts, check_folder
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError

if TYPE_CHECKING:
    from syn2real.data.annotated import AnnotatedImages


def check_layout(target: Target, ftask: str) -> None:
    """Check that a target's folder is what its layout claims, without decoding its images.

    Parameters
    ----------
    target : Target
        The target.
    ftask : str
        The fine-tuning task it shall serve: `sinclass`, `objdet` or `semseg`.

    Raises
    ------
    InputError
        The layout has no labels for `ftask` (the message names its tasks), or something is missing or
        malformed (the message names the first offending file, its key, and the mend). A target that may be
        downloaded and is not there yet is no error.
    """
    target.require(ftask, key="layout")
    check_counts(target)
    match target.layout:
        case "imagenet" | "image-folder":
            check_folder(target)
        case "coco":
            check_coco(target, ftask)
        case "ade20k":
            check_ade20k(target)
        case "torchvision":
            if target.root.exists() or not target.download:
                try:
                    from syn2real.data.targets.torchvision_sets import check_torchvision
                except ModuleNotFoundError:
                    return  # Snakemake alone is installed: the job that reads the data checks it
                check_torchvision(target, ftask)


def load_target(target: Target, split: Split, ftask: str) -> "AnnotatedImages":
    """Return one split of a target as a map-style data set for torch.

    Parameters
    ----------
    target : Target
        The target.
    split : {"train", "val"}
        `val` is what the test error is measured on: the data set's own validation set, or for torchvision's
        data sets their labelled test set.
    ftask : str
        `sinclass`, `objdet` or `semseg`.

    Returns
    -------
    AnnotatedImages
        With the number of classes that the data set itself has. For objdet, `train` leaves out crowd boxes,
        as torchvision's own reference training does; `val` gives them, and its `.coco` has them.

    Raises
    ------
    InputError
        As `check_layout`; an image that turns out broken raises it when it is read.
    """
    target.require(ftask, key="layout")
    match target.layout:
        case "imagenet" | "image-folder":
            from syn2real.data.targets.image_folder import FolderTarget

            return FolderTarget(target, split)
        case "coco":
            from syn2real.data.targets.coco import CocoImages

            folder, file = target.image_folder(split), target.annotation(split)
            return CocoImages(folder, file, ftask, crowds=split == "val")
        case "ade20k":
            from syn2real.data.targets.image_folder import ADE20KTarget

            return ADE20KTarget(target, split)
        case "torchvision":
            from syn2real.data.targets.torchvision_sets import TorchvisionTarget

            return TorchvisionTarget(target, split, ftask)


def load_splits(target: Target, ftask: str) -> "tuple[AnnotatedImages, AnnotatedImages]":
    """Return a target's training and validation sets, which must agree on their classes.

    Parameters
    ----------
    target : Target
        The target.
    ftask : str
        `sinclass`, `objdet` or `semseg`.

    Returns
    -------
    train, val : AnnotatedImages
        See `load_target`.

    Raises
    ------
    InputError
        As `load_target`, and if the two splits number their classes differently.
    """
    train, val = load_target(target, "train", ftask), load_target(target, "val", ftask)
    if (train.classes, train.category_ids) != (val.classes, val.category_ids):
        raise InputError(
            "the training and validation sets do not name the same classes; give both the same list",
            file=target.annotation("val"),
            key="categories",
        )
    return train, val


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
