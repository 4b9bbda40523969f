"""Child processes."""

import ctypes
import signal
import sys


def die_with_parent() -> None:
    """Have Linux kill this process when the one that started it dies, however it dies."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
