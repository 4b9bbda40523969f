"""Layouts imagenet and image-folder on disk: a folder for each class, in both splits."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from syn2real.data.findings import Findings
from syn2real.data.image_checks import ends_and_middle, file_stats, look, sample
from syn2real.data.image_files import (
    files_below,
    images_in,
    is_hidden,
    is_image,
    need_folder,
    other_channels,
    passed_over,
)
from syn2real.data.overlap import check_overlap
from syn2real.data.targets.scenes import after_split, check_folds
from syn2real.data.targets.schema import SPLITS, Split, Target
from syn2real.errors import InputError
from syn2real.near import near_path

TABLE = "val_annotations.txt"
"""Tiny ImageNet's table of the classes of the images in `val/images`."""
MOST_OPENED = 1_000
"""Images of a split that are opened beside the first, the middle and the last of each class."""


def check_folder(target: Target, found: Findings) -> None:
    """Check layouts imagenet and image-folder: one folder a class, in both splits.

    A class may be missing from `test` (it then has no test images), never from `train`.

    Raises
    ------
    InputError
        Naming the first offending folder.
    """
    stats, names = [], []
    for split in SPLITS:
        root = target.image_folder(split)
        files = class_files(target, split)
        images = {name: [path for path in paths if is_image(path.name)] for name, paths in files.items()}
        pictures = [path for paths in images.values() for path in paths]
        target.check_count(split, len(pictures), root)
        for name, paths in images.items():
            if not paths:
                raise InputError(f"no image in this class folder{_only(files[name])}", file=root / name)
        found.lines.append(f"{root}: {_counted(images)}")
        every = [path for paths in files.values() for path in paths]
        found.warnings += filter(None, [passed_over(every, root), _loose(root, every), other_channels(every)])
        stats.append(file_stats(pictures))
        names.append([path.relative_to(root).as_posix() for path in pictures])
        ends = [path for paths in images.values() for path in ends_and_middle(paths)]
        look(list(dict.fromkeys([*ends, *sample(pictures, MOST_OPENED)])), root, found)
    check_overlap(found, *stats, refuse=target.overlap == "refuse")
    check_folds(target, after_split(names), stats, found)


def class_files(target: Target, split: Split) -> dict[str, list[Path]]:
    """Return the files of each class of a split, in the order of the classes' names.

    Tiny ImageNet's `val/images`, whose classes are in a table beside it, is read as it comes.

    Raises
    ------
    InputError
        A folder is missing, or a class has none in `train`.
    """
    trained, root = class_folders(target.image_folder("train")), target.image_folder(split)
    if split == "test" and (root / TABLE).is_file() and (root / "images").is_dir():
        files: dict[str, list[Path]] = _listed(root)
    else:
        same = {unicodedata.normalize("NFC", name): name for name in trained}  # accents composed otherwise
        files = defaultdict(list)
        for name in class_folders(root):
            known = name if name in trained else same.get(unicodedata.normalize("NFC", name), name)
            files[known] += files_below(root / name)
    for name in files:
        if name not in trained:
            train = target.image_folder("train")
            near = near_path(train / name, alike=True)
            raise InputError(
                f"this class has no folder in {train}{near}; add one or remove this", file=root / name
            )
    return files


def _listed(root: Path) -> dict[str, list[Path]]:
    """Return each class's images by Tiny ImageNet's table: a line has a file's name, a tab and its class."""
    present = {path.name: path for path in images_in(root / "images")}
    found: dict[str, list[Path]] = {}
    lines = (root / TABLE).read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, _, rest = line.partition("\t")
        label = rest.partition("\t")[0].strip()
        if name not in present or not label:
            problem = (
                "this image is not in images, or was listed before"
                if label
                else "needs a name, a tab and a class"
            )
            raise InputError(f"{problem}: {line!r}", file=root / TABLE, key=f"line {number}")
        found.setdefault(label, []).append(present.pop(name))
    return dict(sorted(found.items()))


def _only(files: Sequence[Path]) -> str:
    """Return what a class folder without images holds, and what to do."""
    endings = sorted({path.suffix.lower() or "no ending" for path in files})
    return (f" (only {', '.join(endings)})" if endings else "") + "; add some or remove it"


def _loose(root: Path, read: Sequence[Path]) -> str | None:
    """Return a warning with the count of images that belong to no class, or None."""
    if (root / TABLE).is_file() and (unlisted := len(images_in(root / "images")) - len(read)):
        return f"{unlisted:,} images of {root / 'images'} are not in {TABLE} and not read"
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
    entries = [path for path in sorted(root.iterdir()) if not is_hidden(path.name)]
    for path in entries:
        if path.is_symlink() and not path.exists():
            raise InputError(f"this link leads to {path.readlink()}, which is not there", file=path)
    names = [path.name for path in entries if path.is_dir()]
    if not names:
        loose = images_in(root)
        raise InputError(
            f"no class folders here{', only images' if loose else ''}; each image belongs in its class's "
            f"folder, such as {root.name}/<class>/<image> (torchvision.datasets.ImageNet sorts ILSVRC's "
            "archives so)",
            file=loose[0] if loose else root,
        )
    return names
