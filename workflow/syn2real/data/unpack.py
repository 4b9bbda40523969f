"""Unpacking archives that come from elsewhere: nothing is written outside the folder, no links are made."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from syn2real.errors import InputError

Place = Callable[[PurePosixPath], PurePosixPath | None]
"""Where a member of an archive goes within the folder; None leaves it out."""


@dataclass(frozen=True)
class _Member:
    """A file of an archive, whatever the archive's kind."""

    name: str
    plain: bool
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def unpack(archive: Path, folder: Path, place: Place = lambda path: path) -> int:
    """Unpack a zip or tar archive, member by member.

    Stricter than `tarfile`'s data filter, and the same for both kinds: every member is looked at before the
    first one is written, and one that is neither a file nor a folder (a link, a device) refuses the archive.

    Parameters
    ----------
    archive : Path
        A `.zip`, or a `.tar` with or without compression.
    folder : Path
        Where to; it is made.
    place : function
        Maps a member's path to its path within the folder.

    Returns
    -------
    int
        How many files were written.

    Raises
    ------
    InputError
        The archive is damaged, or a member would leave the folder or is a link; names archive and member.
    """
    count = 0
    try:
        with _members(archive) as members:
            for member in members:
                _refuse(archive, member)
            for member in members:
                target = place(PurePosixPath(member.name))
                if target is None:
                    continue
                path = folder / target
                path.parent.mkdir(parents=True, exist_ok=True)
                with member.open() as source, path.open("wb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)
                count += 1
    # NotImplementedError is what zipfile raises for a compression that it does not know.
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(f"no whole zip or tar archive ({error})", file=archive) from None
    return count


def _refuse(archive: Path, member: _Member) -> None:
    """Raise InputError unless a member is a file that stays in its folder."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise InputError("leaves the archive's folder; do not use it", file=archive, key=member.name)
    if not member.plain:
        raise InputError("is a link or device, no file; do not use it", file=archive, key=member.name)


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Open an archive and give its members, folders left out."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_of_zip(opened, info) for info in opened.infolist() if not info.is_dir()]
    else:
        with tarfile.open(archive) as tar:
            yield [_of_tar(tar, info) for info in tar if not info.isdir()]


def _of_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    # A Unix file type stands in the upper half of the external attributes; other systems leave it 0.
    kind = stat.S_IFMT(info.external_attr >> 16)
    return _Member(info.filename, kind in (0, stat.S_IFREG), lambda: opened.open(info))


def _of_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def content() -> Any:
        return tar.extractfile(info)

    return _Member(info.name, info.isreg(), content)
