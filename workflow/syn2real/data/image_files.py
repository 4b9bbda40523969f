"""Which files of a folder are images: one list for checks, training and complexity, without opening any."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from syn2real.errors import InputError
from syn2real.near import near_path

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".j2k", ".png", ".apng", ".webp", ".avif", ".gif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
)
"""What is taken for an image, in small or capital letters: Pillow decodes all of them."""

SYSTEM_NAMES = ("@eadir", "__macosx", "#recycle", "$recycle.bin", "thumbs.db", "desktop.ini")
"""What Synology, macOS and Windows put beside data: thumbnails, attributes, deleted files."""

NO_PICTURES = frozenset(
    (
        *("albedo", "coordinates", "depth", "disp", "disparity", "flow", "instance", "instances", "label"),
        *("labels", "mask", "masks", "matte", "nocs", "normal", "normals", "seg", "segm", "segmentation"),
        *("segmentations", "semantic", "semantics", "visib"),
    )
)
"""Words in the names of what renderers and data sets put beside an image."""


def is_hidden(name: str) -> bool:
    """Return whether a name is no data: hidden, as macOS's `._photo.jpg`, or what a system adds."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def is_image(name: str) -> bool:
    """Return whether a file of this name is read as an image."""
    return name.lower().endswith(IMAGE_ENDINGS) and not is_hidden(name)


def need_folder(path: Path) -> None:
    """Raise InputError unless there is a folder."""
    if not path.is_dir():
        raise InputError(
            f"there is no such folder{near_path(path)}; put the data there or change this path", file=path
        )


def images_in(folder: Path) -> list[Path]:
    """Return the image files of a folder itself, sorted by name."""
    with os.scandir(folder) as entries:
        return sorted(folder / entry.name for entry in entries if is_image(entry.name) and not entry.is_dir())


def is_named_otherwise(name: str) -> bool:
    """Return whether a name has a word for what lies beside images, such as depth, masks or normals."""
    words = {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}
    return bool(words & NO_PICTURES)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those below it, folder by folder, each in the order of its names.

    Hidden files and folders are left out; links to folders are followed, each folder once.

    Raises
    ------
    InputError
        A folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise InputError(f"cannot be listed ({error.strerror})", file=error.filename)

    seen, places = set(), []
    for place, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()  # a link back would lead round for ever
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        places.append((place, names))
    for place, names in sorted(places):
        yield from (Path(place, name) for name in sorted(names) if not is_hidden(name))


def images_below(folder: Path) -> list[Path]:
    """Return the images of a folder and of those below it, in the order of `files_below`."""
    return [path for path in files_below(folder) if is_image(path.name)]


def passed_over(files: Iterable[Path], root: Path) -> str | None:
    """Return a warning with the count and endings of those files that are not read as images, or None.

    Parameters
    ----------
    files : iterable of Path
        Below `root`.
    root : Path
        The folder that was looked through.
    """
    others = [path for path in files if not is_image(path.name)]
    if not others:
        return None
    endings = Counter(path.suffix.lower() or "no ending" for path in others)
    listed = ", ".join(f"{ending} ({count:,})" for ending, count in sorted(endings.items()))
    places = {path.parent for path in others}
    where = f"of {others[0].parent}" if len(places) == 1 else f"below {root}, in {len(places):,} folders,"
    verb = "file {} is" if len(others) == 1 else "files {} are"
    return f"{len(others):,} {verb.format(where)} not read as images: {listed}"


def other_channels(files: Sequence[Path]) -> str | None:
    """Return a warning where some images of a folder, not all, are named as other channels are; or None."""
    folders = defaultdict(list)
    for path in files:
        if is_image(path.name):
            folders[path.parent].append(path)
    odd = []
    for images in folders.values():
        named = [path for path in images if is_named_otherwise(path.stem)]
        odd += named if len(named) < len(images) else []
    if not odd:
        return None
    return f"{len(odd):,} files named as depth, normals or masks are read as images, such as {odd[0]}"
