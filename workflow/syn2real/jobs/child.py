"""How processes start and end."""

import atexit
import ctypes
import os
import signal
import sys
from typing import NoReturn


def die_with_parent() -> None:
    """Have Linux kill this process when the one that started it dies, however it dies."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def exit_now(code: int) -> NoReturn:
    """End this process at once, without letting Python clean up what may crash or wait there."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def leave() -> NoReturn:
    """End this process without taking its modules apart, which takes a second of CPU time with PyTorch.

    What libraries registered for its end is run.
    """
    atexit._run_exitfuncs()
    exit_now(0)
