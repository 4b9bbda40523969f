"""Unpacking archives that come from elsewhere: nothing is written outside the folder, no links are made."""

import errno
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from syn2real.errors import InputError
from syn2real.files import require_file

Place = Callable[[PurePosixPath], PurePosixPath | None]
"""Where a member of an archive goes within the folder; None leaves it out."""
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, struct.error),
    *(EOFError, RuntimeError, OSError, ValueError, LookupError, OverflowError, MemoryError),
)
"""What reading a damaged archive raises: RuntimeError for an encrypted member of a zip or a compression that
zipfile does not know, OSError without a number by gzip and bz2, the others for odd numbers in headers."""
BAD_NAME = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""What the system says of a name that no file can have, or that a folder has already."""


@dataclass(frozen=True)
class _Member:
    """A file of an archive, whatever the archive's kind."""

    name: str
    plain: bool
    size: int
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
    OSError
        A file cannot be written, say on a full disk; names the file.
    """
    count = 0
    try:
        with _members(archive) as members:
            for member in members:
                _refuse(archive, member)
            placed = [(member, place(PurePosixPath(member.name))) for member in members]
            _check_space(archive, folder, sum(member.size for member, target in placed if target))
            for member, target in placed:
                if target is not None:
                    _write(archive, member, folder / target)
                    count += 1
    except DAMAGE as error:
        # A damaged header leads to a place that no file has (EINVAL).
        system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
        if isinstance(error, InputError) or system:
            raise
        raise InputError(f"not a whole zip or tar archive ({error})", file=archive) from None
    return count


def _check_space(archive: Path, folder: Path, size: int) -> None:
    """Raise InputError where the files, as large as the archive says, have no room beside the archive."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    if size > (free := shutil.disk_usage(place).free):
        raise InputError(f"unpacks to {size:,} bytes, but {folder} has room for {free:,}", file=archive)


def leaves_folder(name: str) -> bool:
    """Return whether a member's name leads out of the folder that it is unpacked to, on any system."""
    path = PureWindowsPath(name)  # takes slashes of both kinds, and knows drives
    return bool(path.drive or path.root) or ".." in path.parts


def _write(archive: Path, member: _Member, path: Path) -> None:
    """Write a member to a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, path.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
    except OSError as error:
        if error.errno is None:
            raise
        if error.errno in BAD_NAME:
            problem = f"is no name for a file here ({error.strerror}); do not use it"
            raise InputError(problem, file=archive, key=member.name) from None
        raise OSError(error.errno, error.strerror, str(path)) from None  # a full disk's error names no file


def _refuse(archive: Path, member: _Member) -> None:
    """Raise InputError unless a member is a file that stays in its folder."""
    if leaves_folder(member.name):
        raise InputError("leaves the archive's folder; do not use it", file=archive, key=member.name)
    if not member.plain:
        raise InputError("is a link or device, no file; do not use it", file=archive, key=member.name)


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Open an archive and give its members, folders left out."""
    require_file(archive, "zip or tar archive")
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_of_zip(opened, info) for info in opened.infolist() if not info.is_dir()]
    else:
        with tarfile.open(archive) as tar:
            members = [_of_tar(tar, info) for info in tar if not info.isdir()]
            while tar.fileobj and tar.fileobj.read(1 << 20):  # gzip's checksum stands at the end
                pass
            yield members


def _of_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    # A Unix file type stands in the upper half of the external attributes; other systems leave it 0.
    kind = stat.S_IFMT(info.external_attr >> 16)
    return _Member(info.filename, kind in (0, stat.S_IFREG), info.file_size, lambda: opened.open(info))


def _of_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def content() -> Any:
        return tar.extractfile(info)

    return _Member(info.name, info.isreg() and not info.issparse(), info.size, content)
