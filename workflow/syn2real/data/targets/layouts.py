"""Checks of data sets on disk against their targets' layouts, without torch and without decoding images."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from syn2real.data.coco_format import count_annotations
from syn2real.data.findings import Findings
from syn2real.data.image_files import files_below, images_below, is_hidden, is_image, passed_over
from syn2real.data.targets.schema import Split, Target
from syn2real.errors import InputError
from syn2real.near import near_path

SPLITS: tuple[Split, ...] = get_args(Split)


def check_folder(target: Target, found: Findings) -> None:
    """Check layouts imagenet and image-folder: one folder a class, in both splits.

    A class may be missing from `val` (it then has no test images), never from `train`.

    Raises
    ------
    InputError
        Naming the first offending folder.
    """
    trained = class_folders(target.image_folder("train"))
    for split in SPLITS:
        root = target.image_folder(split)
        images: dict[str, list[Path]] = {}
        others: list[Path] = []
        for name in class_folders(root):
            if name not in trained:
                raise InputError(
                    f"this class has no folder in {target.image_folder('train')}; add one or remove this",
                    file=root / name,
                )
            files = list(files_below(root / name))
            images[name] = [path for path in files if is_image(path.name)]
            others += [path for path in files if not is_image(path.name)]
            if not images[name]:
                raise InputError(
                    f"no image in this class folder{_named(others, root / name)}; add some or remove it",
                    file=root / name,
                )
        found.lines.append(f"{root}: {_counted(images)}")
        if warning := passed_over(others, root):
            found.warnings.append(warning)
        if loose := len(_images(root)):
            verb = "image in {} itself is" if loose == 1 else "images in {} itself are"
            found.warnings.append(f"{loose:,} {verb.format(root)} not read, as it is in no class folder")
        check_readable(images[next(reversed(images))][0])


def _counted(images: Mapping[str, Sequence[Path]]) -> str:
    """Return how many images there are of how many classes, and of which fewest and most."""
    sizes = {name: len(paths) for name, paths in images.items()}
    few, many = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    spread = f"{sizes[few]:,} ({few}) to {sizes[many]:,} ({many})" if sizes[few] < sizes[many] else sizes[few]
    return f"{sum(sizes.values()):,} images of {len(sizes):,} classes, {spread} each"


def _named(others: Sequence[Path], folder: Path) -> str:
    """Return what is in a folder without images, in brackets."""
    endings = sorted({path.suffix.lower() for path in others if folder in path.parents})
    return f" (only {', '.join(ending or 'files without ending' for ending in endings)})" if endings else ""


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
        loose = _images(root)
        raise InputError(
            f"no class folders here{', only images' if loose else ''}; each image belongs in its class's "
            f"folder, such as {root.name}/<class>/<image> (torchvision.datasets.ImageNet sorts ILSVRC's "
            "archives so)",
            file=loose[0] if loose else root,
        )
    return names


def check_counts(target: Target) -> None:
    """Check that no split has fewer image files than the target says, as a half-unpacked set has.

    Those files are counted that are read: in class folders and below them, in ADE20K's folder itself, or
    anywhere below a COCO set's folder.

    Raises
    ------
    InputError
        Naming the folder and both numbers.
    """
    for split, expected in target.counts.items():
        root = target.image_folder(split)
        need_folder(root)
        if target.layout in ("imagenet", "image-folder"):
            found = sum(len(images_below(root / name)) for name in class_folders(root))
        else:
            found = len(_images(root) if target.layout == "ade20k" else images_below(root))
        if found < expected:
            raise InputError(
                f"{found:,} images here, of {expected:,}; unpack the complete set, or correct `counts`",
                file=root,
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
    for split in SPLITS:
        path, folder = target.annotation(split), target.image_folder(split)
        need_folder(folder)
        header, counts = count_annotations([path], channel)
        counts.find(found, [channel])
        categories.append(header.categories)
        if categories[0] != categories[-1]:
            raise InputError(
                "differ from the training file's; give both files the same", file=path, key="categories"
            )
        check_images(folder, header.images, path)


def check_images(folder: Path, images: Sequence[Mapping[str, Any]], source: Path) -> None:
    """Check that the files of images are in their folder, and that the first can be opened.

    Parameters
    ----------
    folder : Path
        What the names are relative to.
    images : sequence of dict
        Each with `id` and `file_name`.
    source : Path
        The annotation file that names them, for the message.

    Raises
    ------
    InputError
        Naming the first offending file.
    """
    with os.scandir(folder) as entries:
        present = {entry.name for entry in entries}
    for image in images:
        path = folder / image["file_name"]
        if image["file_name"] not in present and not path.is_file():
            raise InputError(f"there is no such file; {source} names it for image {image['id']}", file=path)
    if images:
        check_readable(folder / images[0]["file_name"])


def check_ade20k(target: Target, found: Findings) -> None:
    """Check layout ade20k: object names, and one mask for every image of both splits.

    Raises
    ------
    InputError
        Naming the first offending file.
    """
    ade20k_classes(target)
    for split in SPLITS:
        for image, mask in ade20k_pairs(target, split)[:1]:
            if check_readable(image) != check_readable(mask):
                raise InputError("the mask has another size than its image", file=mask)


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
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    try:
        names = {int(row["Idx"]): row["Name"].strip() for row in rows}
    except (KeyError, TypeError, ValueError, AttributeError):
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
    present = {path.name for path in _images(masks)}
    images = _images(folder)
    if not images:
        raise InputError("no image in this folder", file=folder)
    for image in images:
        if f"{image.stem}.png" not in present:
            raise InputError(f"there is no such mask; {image} needs it", file=masks / f"{image.stem}.png")
    return [(image, masks / f"{image.stem}.png") for image in images]


def need_folder(path: Path) -> None:
    """Raise InputError unless there is a folder."""
    if not path.is_dir():
        raise InputError(
            f"there is no such folder{near_path(path)}; put the data there or change this path", file=path
        )


def _images(folder: Path) -> list[Path]:
    """Return the image files of a folder itself, sorted by name."""
    with os.scandir(folder) as entries:
        return sorted(folder / entry.name for entry in entries if is_image(entry.name) and not entry.is_dir())


def check_readable(path: Path | None) -> tuple[int, int]:
    """Return an image's size (width, height) from its header, or raise InputError.

    Without Pillow (Snakemake alone is installed) it is (0, 0): the job that reads the image checks it.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        return 0, 0
    try:
        with Image.open(str(path)) as image:
            return image.size
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"not a readable image ({error})", file=path) from None
