"""The nearest name to one that is not there: on disk, or among some names."""

import difflib
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

MOST_NAMES = 100_000
"""Names of a folder that are compared; a set of images has millions."""


def near_path(path: str | Path, *, alike: bool = False) -> str:
    """Return `; did you mean …?` for a path that is not there, or nothing where none is near.

    Tried are slashes for backslashes, `~` and `$VARIABLE` replaced, then, from the first folder that is not
    there on, names that differ in letter case or in how accents are composed, and names that differ in some
    letters, or with `alike` in their ending.

    Parameters
    ----------
    path : str or Path
        The path as it was written.
    alike : bool
        Whether names that differ in some letters are none: of numbered files there is always one.
    """
    path = Path(os.path.expandvars(str(path).replace("\\", "/")))
    try:
        path = path.expanduser()
    except RuntimeError:  # no home folder is known
        return ""
    try:
        found = _near(path, alike)
    except (OSError, ValueError):
        return ""
    return f"; did you mean {found}?" if found else ""


def near_name(name: str, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the valid name that is nearest to one, whatever the letter case, or None where none is near."""
    names = {_plain(one): one for one in valid}
    found = difflib.get_close_matches(_plain(name), names, n=1, cutoff=cutoff)
    return names[found[0]] if found else None


def did_you_mean(name: str, valid: Iterable[str], otherwise: str = "") -> str:
    """Return `did you mean '…'?` with the nearest valid name, or something else where none is near."""
    near = near_name(name, valid)
    return f"did you mean '{near}'?" if near else otherwise


def _near(path: Path, only_alike: bool) -> Path | None:
    """Return the nearest path that is there; None where no name of a folder is near."""
    if path.exists():
        return path
    parent: Path | None = path.parent
    if path.parent != path and not path.parent.is_dir():
        parent = _near(path.parent, only_alike)
    if parent is None or not parent.is_dir():
        return None
    with os.scandir(parent) as entries:
        names = [entry.name for entry, _ in zip(entries, range(MOST_NAMES), strict=False)]
    if path.name in names:
        return parent / path.name
    alike = [name for name in names if _plain(name) == _plain(path.name)]
    if only_alike:  # an image in another format
        alike += [name for name in names if _plain(Path(name).stem) == _plain(path.stem)]
    near = alike or ([] if only_alike else difflib.get_close_matches(path.name, names, n=1, cutoff=0.7))
    return parent / near[0] if near else None


def _plain(name: str) -> str:
    """Return a name in one letter case and with its accents composed in one way."""
    return unicodedata.normalize("NFC", name).casefold()
