"""Attempts at a job within one call of Snakemake: an error that no attempt can avoid is met once."""

import errno
from contextlib import suppress
from pathlib import Path
from typing import Any

from syn2real.errors import InputError, TrainingError
from syn2real.files import read_json, write_json

FINAL = (InputError, TrainingError)
"""Errors that every attempt would end with."""
PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What the system says of a file that another attempt may well read, such as one on a network's disk."""
PATIENCE = 3
"""Attempts that may end with another kind of error; one that is killed or out of time leaves none."""


class Attempt:
    """One attempt at a job, and what the attempts before it in the same call ended with.

    Snakemake sees that a job failed but not of what, and repeats it as often as its profile says.

    Parameters
    ----------
    number : int
        From 1. The first attempt of a call forgets what an earlier call met: its cause may be fixed.
    scratch : str or Path
        The job's folder for unfinished work, which is bound to its code, configuration and data.
    """

    def __init__(self, number: int, scratch: str | Path) -> None:
        self.path = Path(scratch) / "failures.json"
        if number == 1:
            self.path.unlink(missing_ok=True)
        self._failures = read_json(self.path) if self.path.exists() else []

    @property
    def verdict(self) -> dict[str, Any] | None:
        """What this attempt would end with too, as `failed` was given it; None where it may succeed."""
        if not self._failures:
            return None
        last: dict[str, Any] = self._failures[-1]
        hopeless = last["final"] or len(self._failures) >= PATIENCE
        return last if hopeless else None

    def failed(self, error: Exception, *, line: str, code: int, log: str) -> None:
        """Note for the attempts to come what this one ends with: error, its line, exit code, and the log."""
        cause = error.__context__
        passing = isinstance(cause, OSError) and cause.errno in PASSING
        final = isinstance(error, FINAL) and not passing
        failure = {"line": line, "code": code, "log": log, "final": final}
        with suppress(OSError):  # a full disk must not hide the error itself
            write_json(self.path, [*self._failures, failure])

    def succeeded(self) -> None:
        """Remove the record and, where it is empty, the folder."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # it is gone already, or another copy of the job works there
            self.path.parent.rmdir()
