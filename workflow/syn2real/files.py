"""Reading and writing files: no half written one is ever taken for a result."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syn2real.errors import InputError


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
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def require_file(path: str | Path, what: str = "file") -> None:
    """Raise InputError unless there is a plain file; `what` it should be is said.

    A pipe or device is refused, because reading it may never end.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"is a folder; give a {what}", file=path)
    if not path.exists():
        raise InputError(f"there is no such {what}", file=path)
    if not path.is_file():
        raise InputError(f"is a pipe or device; give a {what}", file=path)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


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
