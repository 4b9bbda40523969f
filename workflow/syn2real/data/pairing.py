"""Which file an annotation's image is, and whether the two fit: for check, import and training alike."""

import contextlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from syn2real.data.findings import Findings
from syn2real.data.image_checks import MOST_FILES, Annotated, sample
from syn2real.data.image_files import files_below, is_image, need_folder
from syn2real.errors import InputError
from syn2real.near import near_path


def find_image(folder: Path, name: str) -> Path:
    """Return the file that an annotation names, as the folder has it.

    Where the name itself is no file, slashes are tried for backslashes, then accents composed in one way or
    the other, as systems differ in both, then what an address would stand for (`%20` is a space).

    Parameters
    ----------
    folder : Path
        What names are relative to.
    name : str
        The image's `file_name`.
    """
    path = folder / name
    if _is_file(path):
        return path
    slashed = name.replace("\\", "/")
    other = [unicodedata.normalize(form, slashed) for form in ("NFC", "NFD")]
    return next(filter(_is_file, (folder / one for one in (slashed, *other, unquote(slashed)))), path)


@dataclass
class Pairing:
    """The check of a split's images against the folders that they lie in.

    Attributes
    ----------
    folders : sequence of Path
        What the names are relative to: a folder for each annotation file.
    sources : sequence of Path
        The annotation files, for messages.

    Raises
    ------
    InputError
        There is no such folder.
    """

    folders: Sequence[Path]
    sources: Sequence[Path]
    _named: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in self.folders:
            need_folder(folder)

    def match(self, images: Sequence[Mapping[str, Any]]) -> list[Annotated]:
        """Return the files of images with their sizes; each must be there and be named once.

        Of very many images a sample is returned: whole lists of paths would take gigabytes.

        Parameters
        ----------
        images : sequence of dict
            Each with `id`, `file_name`, `width`, `height` and perhaps `folder`, see `Header`.

        Raises
        ------
        InputError
            Naming the first offending file.
        """
        present = [_files(folder) for folder in self.folders]
        roots = [_plain(folder) for folder in self.folders]
        chosen = {*sample(range(len(images)), MOST_FILES)}
        matched = []
        for place, image in enumerate(images):
            number, name = image.get("folder", 0), image["file_name"]
            if name in present[number]:
                path, plain = self.folders[number] / name, f"{roots[number]}/{name}"
            else:
                path = find_image(self.folders[number], name)
                plain = _plain(path)
                if not _is_file(path):
                    raise self._missing(path, image)
            if plain in self._named:
                raise InputError(
                    f"images {self._named[plain]} and {image['id']} of {self.sources[number]} both name this "
                    "file; give each its own",
                    file=path,
                )
            self._named[plain] = image["id"]
            if place in chosen:
                matched.append(Annotated(path, (image["height"], image["width"])))
        return matched

    def _missing(self, path: Path, image: Mapping[str, Any]) -> InputError:
        """Return the error for an image that is not there, or is no file."""
        number = image.get("folder", 0)
        flat = self.folders[number] / PurePosixPath(image["file_name"].replace("\\", "/")).name
        hint = f"; {flat} is there: leave out the folders before it" if _is_file(flat) else ""
        what = f"there is no such file{hint or near_path(path, alike=True)}"
        with contextlib.suppress(OSError):  # a name that is too long
            if path.is_dir():
                what = "this is a folder, not an image"
            elif path.is_symlink():
                what = f"this link leads to {path.readlink()}, which is not there"
        return InputError(f"{what}; {self.sources[number]} names it for image {image['id']}", file=path)

    def name(self, images: Sequence[Mapping[str, Any]]) -> None:
        """Count images as named whose files may be missing, as they are not used."""
        for image in images:
            path = self.folders[image.get("folder", 0)] / image["file_name"].replace("\\", "/")
            self._named.setdefault(_plain(path), image["id"])


def warn_unnamed(pairings: Sequence[Pairing], found: Findings) -> None:
    """Warn of image files that none of the annotations name, in the folders of any of them."""
    named = {path for pairing in pairings for path in pairing._named}
    sources: dict[Path, Path] = {}
    for pairing in pairings:
        for folder, source in zip(pairing.folders, pairing.sources, strict=True):
            sources.setdefault(folder, source)
    for folder, source in sources.items():
        root, images, extra, first = _plain(folder), 0, 0, ""
        for path in files_below(folder):
            if is_image(path.name):
                images += 1
                name = path.relative_to(folder).as_posix()
                if f"{root}/{name}" not in named:
                    extra, first = extra + 1, first or name
        if extra:
            found.warnings.append(
                f"{folder}: {extra:,} of {images:,} images here are not named in {source} and not used, such "
                f"as {first}"
            )


def _files(folder: Path) -> set[str]:
    """Return the names of the files in a folder; links count if they lead to one."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if entry.is_file()}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _plain(path: Path) -> str:
    """Return a path in the one form that two names of a file share, unless links are between them."""
    return os.path.normpath(path.absolute())
