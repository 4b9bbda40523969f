"""Layouts imagenet and image-folder on disk: a folder for each class, in both splits."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from syn2real.data.findings import Findings
from syn2real.data.image_checks import check_overlap, ends_and_middle, file_stats, look
from syn2real.data.image_files import (
    files_below,
    images_in,
    is_hidden,
    is_image,
    need_folder,
    other_channels,
    passed_over,
)
from syn2real.data.targets.schema import SPLITS, Target
from syn2real.errors import InputError
from syn2real.near import near_path


def check_folder(target: Target, found: Findings) -> None:
    """Check layouts imagenet and image-folder: one folder a class, in both splits.

    A class may be missing from `val` (it then has no test images), never from `train`.

    Raises
    ------
    InputError
        Naming the first offending folder.
    """
    trained = class_folders(target.image_folder("train"))
    stats = []
    for split in SPLITS:
        root = target.image_folder(split)
        files = {name: _files(root / name, name in trained, target) for name in class_folders(root)}
        images = {name: [path for path in paths if is_image(path.name)] for name, paths in files.items()}
        found.lines.append(f"{root}: {_counted(images)}")
        every = [path for paths in files.values() for path in paths]
        found.warnings += filter(None, [passed_over(every, root), _loose(root), other_channels(every)])
        stats.append(file_stats([path for paths in images.values() for path in paths]))
        look([path for paths in images.values() for path in ends_and_middle(paths)], root, found)
    check_overlap(found, *stats)


def _files(folder: Path, trained: bool, target: Target) -> list[Path]:
    """Return the files of a class, of which at least one is an image."""
    if not trained:
        train = target.image_folder("train")
        near = near_path(train / folder.name, alike=True)
        raise InputError(f"this class has no folder in {train}{near}; add one or remove this", file=folder)
    files = list(files_below(folder))
    if not any(is_image(path.name) for path in files):
        endings = sorted({path.suffix.lower() or "no ending" for path in files})
        held = f" (only {', '.join(endings)})" if endings else ""
        raise InputError(f"no image in this class folder{held}; add some or remove it", file=folder)
    return files


def _loose(root: Path) -> str | None:
    """Return a warning with the count of images that are in no class folder, or None."""
    loose = len(images_in(root))
    verb = "image in {} itself is" if loose == 1 else "images in {} itself are"
    return f"{loose:,} {verb.format(root)} not read, as it is in no class folder" if loose else None


def _counted(images: Mapping[str, Sequence[Path]]) -> str:
    """Return how many images there are of how many classes, and of which fewest and most."""
    sizes = {name: len(paths) for name, paths in images.items()}
    few, many = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    spread = f"{sizes[few]:,} ({few}) to {sizes[many]:,} ({many})" if sizes[few] < sizes[many] else sizes[few]
    return f"{sum(sizes.values()):,} images of {len(sizes):,} classes, {spread} each"


def class_folders(root: Path) -> list[str]:
    """Return the sorted names of the class folders below `root`.

    Raises
    ------
    InputError
        There is no such folder, or it holds images instead of class folders.
    """
    need_folder(root)
    with os.scandir(root) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not is_hidden(e.name))
    if not names:
        loose = images_in(root)
        raise InputError(
            f"no class folders here{', only images' if loose else ''}; each image belongs in its class's "
            f"folder, such as {root.name}/<class>/<image> (torchvision.datasets.ImageNet sorts ILSVRC's "
            "archives so)",
            file=loose[0] if loose else root,
        )
    return names
