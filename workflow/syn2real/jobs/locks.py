"""Locks on files: what two processes must not do at once."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What some shared file systems answer when asked for a lock."""


@contextmanager
def exclusive(path: str | Path) -> Iterator[bool]:
    """Hold a file's advisory lock, and remove the file at the end.

    The system releases the lock when the process ends, however it ends. A file system without locks is
    logged and the block runs all the same: then what two processes do at once is as safe as their writing
    alone makes it.

    Yields
    ------
    bool
        Whether another process held it before.
    """
    path, waited = Path(path), False
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, fallback_to_soft=False)
    try:
        if not _acquired(held):
            waited = True
            logger.info("waiting: another process holds %s", path)
            held.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        logger.warning("%s: no locks on this file system; start nothing twice at once", path)
    try:
        yield waited
    finally:
        path.unlink(missing_ok=True)
        held.release()


def lock(path: Path) -> FileLock | None:
    """Lock a file until the lock is released or the process ends.

    Returns
    -------
    filelock.FileLock or None
        The lock; None where another process holds it.

    Raises
    ------
    OSError
        The file cannot be opened, or its file system has no locks.
    """
    held = FileLock(path, fallback_to_soft=False)
    return held if _acquired(held) else None


def _acquired(held: FileLock) -> bool:
    """Try once to acquire a lock, and return whether it worked."""
    try:
        held.acquire(blocking=False)
    except Timeout:
        return False
    return True
