"""One log file a job: everything a job prints, its libraries and Blender included, goes there."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syn2real.errors import InputError


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send this process's stdout and stderr to `path`; end the process with code 1 or 2 on an error.

    The file descriptors are redirected, not `sys.stdout`, because Blender and BlenderProc write to
    the descriptor. An `InputError` ends the process with code 2 and its one line goes to the log and to
    the terminal; any other error ends it with code 1, its traceback in the log and one line on the terminal.

    Parameters
    ----------
    path : str or Path
        The log file; it is written anew.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
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
    except InputError as error:
        _end(terminal, f"error: {error}", 2)
    except Exception as error:
        traceback.print_exc()
        _end(terminal, f"error: {type(error).__name__}: {error} (log: {path})", 1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.close(terminal)


def _end(terminal: int, line: str, code: int) -> None:
    """Print `line` to the log and the terminal, and end the process with `code`."""
    print(line, file=sys.stderr, flush=True)
    os.write(terminal, (line + "\n").encode(errors="replace"))
    sys.exit(code)
