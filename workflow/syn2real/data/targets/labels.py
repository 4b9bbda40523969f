"""A digest of a target's labels: runs on labels that were corrected are planned again (no torch)."""

import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from syn2real.data.image_files import files_below, images_below
from syn2real.data.targets.class_folders import TABLE
from syn2real.data.targets.schema import RECORDED, SPLITS, Target
from syn2real.errors import InputError
from syn2real.files import digest, file_digest, read_json, write_json

FOLDER = Path("results/labels")
"""Where the digest of each target's labels is kept, with the times by which a change is seen."""
MANY = 100_000
"""Files whose names and sizes take some time to read."""


@dataclass
class _Labels:
    """What was read of a target's labels.

    Attributes
    ----------
    digest : str
        Of annotation files' bytes, and of names and sizes of the images that lie in class folders or have a
        mask each.
    stamps : dict of str to list of int
        Size and time (ns) of each annotation file, and of each folder of images, whose time changes as files
        come and go.
    """

    digest: str
    stamps: dict[str, list[int]]

    def up_to_date(self) -> bool:
        """Return whether no file or folder that was read has changed since."""
        try:
            return all(_stamp(Path(path)) == stamp for path, stamp in self.stamps.items())
        except OSError:
            return False  # one is gone


def labels_digest(name: str, target: Target, *, look: bool = True, keep: bool = True) -> str | None:
    """Return the digest of a target's labels.

    Parameters
    ----------
    name : str
        The target's name.
    target : Target
        The target; of a data set of torchvision there is none, its files are checked when they are fetched.
    look : bool
        Whether to look for changes. A job is given what the process that planned it found.
    keep : bool
        Whether to write what is found below `FOLDER`. A dry run writes nothing.

    Returns
    -------
    str or None
        The last one known where the data is not there; None where none is known.
    """
    if target.layout == "torchvision":
        return None
    return _kept(FOLDER / f"{name}.json", lambda: _read(target), look=look, keep=keep)


def kept_digest(
    kept: Path, files: Sequence[Path], read: Callable[[], str], *, look: bool = True, keep: bool = True
) -> str | None:
    """Return a digest of files that are read again only where their sizes or times have changed.

    Parameters
    ----------
    kept : Path
        Where the digest is kept.
    files : sequence of Path
        The files.
    read : callable
        Returns their digest; OSError where one is not there.
    look, keep
        As `labels_digest` has them.

    Returns
    -------
    str or None
        As `labels_digest` returns it.
    """

    def found() -> _Labels:
        return _Labels(read(), {str(path): _stamp(path) for path in files})

    return _kept(kept, found, look=look, keep=keep)


def _kept(file: Path, read: Callable[[], "_Labels"], *, look: bool, keep: bool) -> str | None:
    """Return the digest that a file keeps, or the one read again where what it is of has changed."""
    try:
        known = _Labels(**read_json(file)) if file.is_file() else None
    except (OSError, ValueError, TypeError):
        known = None  # damaged: made again
    if known and (not look or known.up_to_date()):
        return known.digest
    try:
        found = read()
    except (OSError, InputError):
        return known.digest if known else None  # a check of the data says what is missing
    if keep and look:
        write_json(file, asdict(found))
    return found.digest


def _read(target: Target) -> _Labels:
    """Return the digest of labels that are there, and the times of what was read.

    The images of a set in COCO's format are not looked at: others, which decide no number, may lie there.
    """
    files: list[Path] = []
    images: dict[str, list[list[object]]] = {}
    folders: set[Path] = set()
    for split in SPLITS:
        if target.layout == "coco":
            files += target.annotation_files(split)
            continue
        images[RECORDED[split]] = _sizes(target.image_folder(split), folders)
        if target.layout == "ade20k":
            files += files_below(target.annotation(split))
        elif (table := target.image_folder(split) / TABLE).is_file():
            files.append(table)
    if target.layout == "ade20k":
        files.append(target.root / "objectInfo150.txt")
    annotations = {os.path.relpath(path, target.root): file_digest(path) for path in files}
    stamps = {str(path): _stamp(path) for path in (*files, *sorted(folders))}
    return _Labels(digest({"annotations": annotations, "images": images})[:16], stamps)


def _sizes(root: Path, folders: set[Path]) -> list[list[object]]:
    """Return names and sizes of the images below a folder; add the folders that they lie in to `folders`."""
    images = images_below(root)
    if len(images) > MANY:
        print(f"{root}: {len(images):,} images are new or have changed: reading their sizes", file=sys.stderr)
    folders |= {root, *(parent for path in images for parent in _between(path.parent, root))}
    return [[str(path.relative_to(root)), path.stat().st_size] for path in images]


@cache
def _between(folder: Path, root: Path) -> tuple[Path, ...]:
    """Return a folder and those above it that lie below `root`."""
    return () if folder == root else (folder, *_between(folder.parent, root))


def _stamp(path: Path) -> list[int]:
    """Return a file's size and time; of a folder its time alone."""
    status = path.stat()
    return [0 if stat.S_ISDIR(status.st_mode) else status.st_size, status.st_mtime_ns]
