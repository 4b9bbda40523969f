"""Readers with faults, which the fuzz run must find."""

import json
import os
import signal
import time
from pathlib import Path

from fuzz.mutations import Seed
from fuzz.readers import Reader
from syn2real.errors import InputError


def _reader(fault) -> Reader:
    def read(path: Path) -> None:
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            fault(error)

    return Reader(".json", lambda: [Seed({"a": 1})], read)


def _refuse(error: Exception) -> None:
    raise InputError("is no JSON")


def _advise(error: Exception) -> None:
    raise InputError("give weights_only=False")


READERS = {
    "good": _reader(_refuse),
    "traceback": _reader(lambda error: {}["no such key"]),
    "advice": _reader(_advise),
    "crash": _reader(lambda error: os.kill(os.getpid(), signal.SIGSEGV)),
    "hang": _reader(lambda error: time.sleep(60)),
    "memory": _reader(lambda error: bytearray(2 << 30)),
}
