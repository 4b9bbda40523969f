"""One reader on many inputs, in a process of its own: `fuzz.child MODULE READER FOLDER SEED SECONDS`.

The parent sees in `progress` how far it has come, and in `input.*` what was read when it died.
"""

import hashlib
import json
import os
import random
import re
import resource
import shutil
import sys
import time
import traceback
import warnings
from importlib import import_module
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.mutations import damaged
from syn2real.errors import InputError

MEMORY = 1 << 30
"""Bytes that reading one small file may take."""
NEVER = re.compile("Traceback|weights_only|\n")
LONGEST = 800


def complaint(error: BaseException) -> str | None:
    """Return what is wrong with how a reader ended, in one line, or None."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/syn2real/" in frame.filename or "/fuzz/" in frame.filename]
    at = f"{Path(own[-1].filename).name}:{own[-1].name}" if own else "?"
    if not isinstance(error, InputError):
        message = str(error).partition(":")[0] if frames and "/fuzz/" in frames[-1].filename else ""
        return f"{type(error).__name__} in {at} {message}".strip()
    text = str(error).replace(str(error.file), "FILE")
    if NEVER.search(text) or len(text) > LONGEST:
        return f"no short line from {at}"
    return None


def read_many(module: str, name: str, folder: Path, number: int, seconds: float) -> None:
    """Read damaged files until the time is over; write what was found."""
    reader = import_module(module).READERS[name]
    seeds = reader.seeds()
    for valid in seeds:
        _ended(reader, folder, valid.file(), must_pass=True)
    _limit_memory()
    os.fsync = lambda _: None  # these files need not survive a crash
    end, count, finds = time.monotonic() + seconds, 0, {}

    def attempt(content: bytes) -> None:
        nonlocal count
        if time.monotonic() > end:
            return
        count += 1
        (folder / "progress").write_text(str(count))
        problem = _ended(reader, folder, content)
        if problem and problem not in finds:
            digest = hashlib.sha256(content).hexdigest()[:8]
            finds[problem] = f"{name}-{digest}{reader.suffix}"
            (folder / "finds" / finds[problem]).write_bytes(content)
            with (folder / "finds.jsonl").open("a") as stream:
                stream.write(json.dumps([problem, finds[problem]]) + "\n")

    pairs = st.tuples(st.sampled_from(seeds), st.sampled_from(seeds))
    draws = pairs.flatmap(lambda pair: damaged(*pair))
    quiet = list(HealthCheck)
    wholly = settings(
        max_examples=500, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=quiet
    )
    source = random.Random(number)
    while time.monotonic() < end:
        seed(source.getrandbits(64))(wholly(given(draws)(attempt)))()
    (folder / "done").touch()


def _limit_memory() -> None:
    """Let reading take `MEMORY` beyond what the libraries have taken."""
    lines = Path("/proc/self/status").read_text().splitlines()
    used = next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * used + MEMORY, -1))


def _ended(reader, folder: Path, content: bytes, *, must_pass: bool = False) -> str | None:
    """Read one input, which lies alone in a folder, and return what is wrong with how that ended."""
    place = folder / "input"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    path = place / f"input{reader.suffix}"
    path.write_bytes(content)
    try:
        reader.read(path)
    except Exception as error:
        if must_pass:
            raise
        return complaint(error)
    return None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    module, reader, folder, number, seconds = sys.argv[1:]
    read_many(module, reader, Path(folder), int(number), float(seconds))
