"""One log file a job: everything a job prints, its libraries and Blender included, goes there."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syn2real.errors import InputError
from syn2real.jobs.attempts import Attempt

KEPT = 20_000
"""Characters at the end of a log that the attempts after a failed one show again."""


@contextmanager
def job_log(path: str | Path, attempt: Attempt | None = None) -> Iterator[None]:
    """Send this process's stdout and stderr to `path`; end the process with code 1 or 2 on an error.

    The file descriptors are redirected, not `sys.stdout`, because Blender and BlenderProc write to
    the descriptor. An `InputError` ends the process with code 2 and its one line goes to the log and to
    the terminal; any other error ends it with code 1, its traceback in the log and one line on the terminal.

    Parameters
    ----------
    path : str or Path
        The log file; it is overwritten.
    attempt : Attempt, optional
        Which attempt at the job this is, where Snakemake repeats it. What attempts before it ended with, and
        this one would, ends it at once; the log is theirs again, which Snakemake has emptied.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if attempt and (verdict := attempt.verdict):
        Path(path).write_text(verdict["log"], encoding="utf-8")
        print(f"{verdict['line']} (not tried again in this call)", file=sys.stderr, flush=True)
        sys.exit(verdict["code"])
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    try:
        yield
        if attempt:
            attempt.succeeded()
    except Exception as error:
        line, code = f"error: {error}", 2
        if not isinstance(error, InputError):
            line, code = f"error: {type(error).__name__}: {error} (log: {path})", 1
            traceback.print_exc()
        print(line, file=sys.stderr, flush=True)
        if attempt:
            end = Path(path).read_text(encoding="utf-8", errors="replace")[-KEPT:]
            attempt.failed(error, line=line, code=code, log=end)
        os.write(terminal, (line + "\n").encode(errors="replace"))
        sys.exit(code)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.close(terminal)
