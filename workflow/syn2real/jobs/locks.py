"""Locks on files: what two processes must not do at once, on one host or on several."""

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path

logger = logging.getLogger(__name__)

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What some shared file systems answer when asked for a lock."""
TAKEN = (errno.EWOULDBLOCK, errno.ENOENT, errno.ESTALE)
"""Another process holds the file, or has removed it, perhaps on another host."""


@contextmanager
def exclusive(path: str | Path) -> Iterator[bool]:
    """Hold a file's advisory lock, and remove the file at the end; say so when another process holds it.

    The system lets go of the lock when the process ends, however it ends. A file system without locks is
    told and gone on with: then what two processes do at once is as safe as their writing alone makes it.

    Yields
    ------
    bool
        Whether another process held it before.
    """
    path, waited = Path(path), False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = lock(path)
        if held is None:
            waited = True
            logger.info("waiting: another process holds %s", path)
        while held is None:
            held = lock(path, wait=True)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        logger.warning("%s: no locks on this file system; start nothing twice at once", path)
        held = None
    with held or nullcontext():
        try:
            yield waited
        finally:
            path.unlink(missing_ok=True)


def lock(path: Path, *, wait: bool = False) -> TextIOWrapper | None:
    """Open a file and lock it: the lock is held until the file is closed.

    Parameters
    ----------
    path : Path
        The file; it is made where there is none.
    wait : bool
        Whether to wait for another process that holds the lock.

    Returns
    -------
    io.TextIOWrapper or None
        The open file. None where another process holds it, or held it and has removed the file: a third
        one may have locked a new file of that name.

    Raises
    ------
    OSError
        The file cannot be opened, or its file system has no locks.
    """
    stream = path.open("a")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            return stream
    except OSError as error:
        if error.errno not in TAKEN:
            stream.close()
            raise
    stream.close()
    return None
