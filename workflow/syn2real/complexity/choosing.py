"""Which images of a folder are measured: depth, masks and normals that lie beside them are none of them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from syn2real.data.image_files import IMAGE_ENDINGS, files_below, is_image, is_named_otherwise, passed_over
from syn2real.data.pixels import opened
from syn2real.errors import InputError
from syn2real.near import near_path

LISTED = 6
"""Kinds of file that a message lists."""


@dataclass(frozen=True)
class _Kind:
    """What images of one kind have in common: their name with # for numbers, and Pillow's mode."""

    name: str
    mode: str
    frames: bool

    @property
    def is_picture(self) -> bool:
        """Whether it may be a photograph or a rendered image, by its values and its name."""
        return not (self.mode[0] in "FI" or is_named_otherwise(self.name))


def choose_images(folder: Path, pattern: str | None = None) -> tuple[list[Path], list[str]]:
    """Return the images below a folder, and warnings about what lies there.

    Every file's header is read, so that one that is no image is found before the work begins.

    Parameters
    ----------
    folder : Path
        The folder.
    pattern : str, optional
        Such as `rgba_*.png` or `rgb/*`: takes images whose name, or path's end, it matches. By default all
        are taken, if all are pictures by their names and values.

    Raises
    ------
    InputError
        There is no such folder or no image in it; a file cannot be read; or there are pictures among other
        kinds of image, and no pattern says which are meant.
    """
    if not folder.is_dir():
        raise InputError(f"there is no such folder{near_path(folder)}", file=folder)
    files = list(files_below(folder))
    images = [path for path in files if is_image(path.name)]
    if not images:
        raise InputError(f"no image below this folder ({', '.join(IMAGE_ENDINGS)})", file=folder)
    if pattern is not None:
        images = _matching(images, folder, pattern)
    kinds = Counter(_kind(path, folder) for path in images)
    pictures = [kind for kind in kinds if kind.is_picture]
    if pattern is None and 0 < len(pictures) < len(kinds):
        fix = f"choose with --images, such as --images '{_pattern(pictures, kinds)}' ('*' takes all)"
        raise InputError(f"holds images of several kinds: {_listed(kinds)}; {fix}", file=folder)
    warnings = [passed_over(files, folder), _mixed(kinds), _animated(kinds)]
    return images, [warning for warning in warnings if warning]


def _matching(images: Sequence[Path], folder: Path, pattern: str) -> list[Path]:
    """Return the images that a pattern matches."""
    names = [path.relative_to(folder).as_posix() for path in images]
    chosen = [
        path
        for path, name in zip(images, names, strict=True)
        if pattern.strip() and PurePosixPath(name).match(pattern)
    ]
    if not chosen:
        problem = f"{pattern!r} matches none of the {len(images):,} images, such as {names[0]!r}"
        raise InputError(problem, file=folder, key="--images")
    return chosen


def _kind(path: Path, folder: Path) -> _Kind:
    """Return of which kind an image is, from its name and header."""
    with opened(path) as image:
        name = re.sub(r"\d+", "#", path.relative_to(folder).as_posix())
        return _Kind(name, image.mode, bool(getattr(image, "is_animated", False)))


def _listed(kinds: Counter[_Kind]) -> str:
    """Return the commonest kinds in words."""
    words = [f"{count:,} {kind.name} ({kind.mode})" for kind, count in kinds.most_common(LISTED)]
    more = len(kinds) - len(words)
    return ", ".join(words) + (f" and {more:,} more kinds" if more else "")


def _pattern(pictures: Iterable[_Kind], kinds: Counter[_Kind]) -> str:
    """Return a pattern for the commonest pictures: their name, with its folder where it is but a number."""
    *folders, name = max(pictures, key=lambda kind: kinds[kind]).name.split("/")
    stem = name.rpartition(".")[0]
    parts = [name] if re.search("[A-Za-z]", stem) else [*folders[-1:], name]
    return "/".join(parts).replace("#", "*")


def _mixed(kinds: Counter[_Kind]) -> str | None:
    """Return a warning where images differ in their mode; a JPEG is a photograph, also a grey one."""
    modes: Counter[str] = Counter()
    for kind, count in kinds.items():
        is_photograph = kind.mode == "RGBA" or kind.name.lower().endswith((".jpg", ".jpeg"))
        modes["RGB" if is_photograph else kind.mode] += count
    if len(modes) < 2:
        return None
    listed = ", ".join(f"{count:,} {mode}" for mode, count in modes.most_common())
    return f"images differ in Pillow's mode ({listed}); if some are no pictures, choose with --images"


def _animated(kinds: Counter[_Kind]) -> str | None:
    """Return a warning where files hold several images."""
    count = sum(count for kind, count in kinds.items() if kind.frames)
    held = "file holds" if count == 1 else "files hold"
    return f"{count:,} {held} several images; the first of each is measured" if count else None
