"""Reading and writing files: no half written one is ever taken for a result."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syn2real.errors import InputError
from syn2real.near import near_path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it when the block succeeds.

    The bytes are flushed to disk before the rename, so that after a crash the file is either whole or
    absent. Two writers of the same path cannot disturb each other: each has a temporary file of its own.

    Parameters
    ----------
    path : str or Path
        Where the finished file shall lie; parent folders are made.

    Yields
    ------
    Path
        The temporary file to write; it has the suffix of `path`.

    Raises
    ------
    OSError
        The file cannot be made, or the disk is full; names the file.
    """
    path = Path(path)
    special = path.exists() and not path.is_file() and not path.is_dir()  # such as /dev/null or a pipe
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = None if special else path.parent
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:100]}.", suffix=path.suffix, dir=folder)
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from None
    temporary = Path(name)
    try:
        yield temporary
    except OSError as error:
        if error.errno in FULL:
            raise _unwritable(path, error) from None
        raise
    else:
        try:
            _put(temporary, path, special)
        except OSError as error:
            raise _unwritable(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path, special: bool) -> None:
    """Give a finished file its name; a pipe or device cannot be replaced and gets its bytes."""
    if special:
        path.write_bytes(temporary.read_bytes())
        return
    with temporary.open("r+b") as stream:  # Windows flushes only what may be written
        os.fsync(stream.fileno())
    temporary.chmod(0o666 & ~_umask())
    temporary.replace(path)


def _unwritable(path: Path, error: OSError) -> OSError:
    """Return the error on a file that cannot be written: no bad input, as a later attempt may have room."""
    fix = "free space" if error.errno in FULL else "name another file"
    return OSError(error.errno, f"cannot be written: {error.strerror or error}; {fix}", str(path))


def check_output(path: str | Path, *inputs: str | Path | None, key: str | None = None) -> None:
    """Refuse, before any work is done, an output that cannot be written or that is an input too.

    Parameters
    ----------
    path : str or Path
        The file to write; folders that are missing will be made.
    *inputs : str, Path or None
        What the command reads; links and other spellings of a path are seen through.
    key : str, optional
        The option that names the output.

    Raises
    ------
    InputError
    """
    if str(path) in ("", "."):
        raise InputError("name a file to write", key=key)
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError("is a folder; name a file to write", file=path, key=key)
        for source in inputs:
            if source is None:
                continue
            if path.exists() and Path(source).exists() and path.samefile(source):
                raise InputError("is read, and would be overwritten; name another file", file=path, key=key)
        if path.is_file() and path.parts[:2] in (("/", "dev"), ("/", "proc")) and path.parts[2] != "shm":
            problem = "is standard output, which goes to a file; name that file"
            raise InputError(problem, file=path, key=key)
        place = next(folder for folder in path.absolute().parents if folder.exists())
        if not place.is_dir():
            raise InputError(f"{place} is no folder; name another file", file=path, key=key)
        if not os.access(path if path.exists() else place, os.W_OK):
            raise InputError("may not be written; name another file", file=path, key=key)
    except OSError as error:
        raise _unwritable(path, error) from None


def require_file(path: str | Path, what: str = "file") -> None:
    """Raise InputError unless there is a plain file; `what` it should be is said.

    A pipe or device is refused, because reading it may never end.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"is a folder; give a {what}", file=path)
    if not path.exists():
        raise InputError(f"there is no such {what}{near_path(path)}", file=path)
    if not path.is_file():
        raise InputError(f"is a pipe or device; give a {what}", file=path)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8 and with line feeds on every system."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` to `path` atomically, as indented JSON that holds no NaN."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the value that a JSON file holds; the file is UTF-8 whatever the machine's locale."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys and without spaces: equal values, equal bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value; the order of its keys does not matter."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_stamp(path: str | Path) -> tuple[str, int, int]:
    """Return (path, bytes, modification time in ns): cheap, and good enough to see that a file changed."""
    status = Path(path).stat()
    return str(path), status.st_size, status.st_mtime_ns


def scratch_folder(output: str | Path, key: Any) -> Path:
    """Return the folder for a job's unfinished work: hidden beside its output, and bound to `key`.

    Snakemake deletes the declared outputs of a failed job, so what is to survive it lies undeclared.
    Another `key` (config, code, data) is another folder: work done under other conditions is not taken up.
    """
    output = Path(output)
    return output.parent / f".{output.stem}-{digest(key)[:12]}"


def _umask() -> int:
    """Return the process's umask (it can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
