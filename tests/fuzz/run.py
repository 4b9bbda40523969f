"""Runs each reader in a child process and starts it again when it dies: C code may crash or hang."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HANGS = 30.0
"""Seconds that reading one small file may take, on a loaded machine."""
MOST_STARTS = 6
"""Children of a reader: one that crashes on most inputs is not tried for minutes."""
STARTS = 300.0
"""Seconds that a child may take to start."""


@dataclass
class Result:
    """What came of one reader: seconds, inputs read, and for each kind of find the file that shows it."""

    seconds: float = 0.0
    inputs: int = 0
    finds: dict[str, Path] = field(default_factory=dict)


def fuzz(
    name: str,
    seconds: float,
    kept: Path,
    seed: int = 0,
    *,
    module: str = "fuzz.readers",
    hangs: float = HANGS,
) -> Result:
    """Read damaged files with a reader.

    Parameters
    ----------
    name : str
        One of `readers.READERS`.
    seconds : float
        How long, starting the processes not counted.
    kept : Path
        A folder for the files that show a find.
    seed : int
        Of what is drawn.
    module : str
        What has the table `READERS`.
    hangs : float
        Seconds that reading one small file may take.
    """
    result, runs = Result(), 0
    while (left := seconds - result.seconds) > 0.5 and runs < MOST_STARTS:
        with tempfile.TemporaryDirectory() as folder:
            command = ["-m", "fuzz.child", module, name, folder, str(1000 * seed + runs), str(left)]
            _round(result, [sys.executable, *command], kept, Path(folder), hangs)
        runs += 1
    return result


def _round(result: Result, command: list[str], kept: Path, folder: Path, hangs: float) -> None:
    """Run one child until it has ended, and add what came of it."""
    name, seed, seconds = command[-4], command[-2], float(command[-1])
    (folder / "finds").mkdir()
    log = folder / "log"
    with log.open("wb") as stream:
        child = subprocess.Popen(
            command, stdout=stream, stderr=stream, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL
        )
        try:
            ended = _watch(child, folder, hangs)
        finally:
            child.kill()
            child.wait()
    progress = folder / "progress"
    if not progress.is_file():
        raise RuntimeError(f"the reader {name} did not start: {log.read_text(errors='replace')[-2000:]}")
    result.inputs += int(progress.read_text() or 0)
    result.seconds += min(seconds, ended.seconds)
    if ended.problem:
        last = next((folder / "input").glob("input.*"))
        last.rename(folder / "finds" / (file := f"{name}-{seed}-{ended.problem.split()[0]}{last.suffix}"))
        with (folder / "finds.jsonl").open("a") as stream:
            stream.write(json.dumps([ended.problem, file]) + "\n")
    if (folder / "finds.jsonl").is_file():
        kept.mkdir(parents=True, exist_ok=True)
        for line in (folder / "finds.jsonl").read_text().splitlines():
            problem, file = json.loads(line)
            if problem not in result.finds:
                (kept / file).write_bytes((folder / "finds" / file).read_bytes())
                result.finds[problem] = kept / file


@dataclass(frozen=True)
class _End:
    seconds: float
    problem: str | None


def _watch(child: subprocess.Popen, folder: Path, hangs: float) -> _End:
    """Wait for a child; return how long it read, and how it died if it did."""
    began, moved, last = None, time.monotonic(), ""
    while child.poll() is None:
        time.sleep(0.05)
        now = time.monotonic()
        text = (folder / "progress").read_text() if (folder / "progress").is_file() else ""
        if text != last:
            last, moved, began = text, now, began or now
        if now - moved > (hangs if began else STARTS):
            return _End(now - (began or now), f"hang of more than {hangs:g} s")
    seconds = time.monotonic() - (began or time.monotonic())
    if (folder / "done").is_file():
        return _End(float("inf"), None)
    return _End(seconds, f"crash with code {child.returncode}")


def _environment() -> dict[str, str]:
    """Return the environment of a child: this process's paths, one thread."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
