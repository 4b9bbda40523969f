"""Which GPUs a job may use: as many as it was given, and none that a job beside it uses."""

import logging
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from syn2real.errors import InputError

if TYPE_CHECKING:
    from filelock import FileLock

logger = logging.getLogger(__name__)

VARIABLE = "CUDA_VISIBLE_DEVICES"
HIDDEN = ("", "-1", "NoDevFiles")
"""Values of it by which schedulers and users say: no GPU."""
RETRY_SECONDS = 5.0
_held: list["FileLock"] = []
"""Locks on this process's GPUs; the system releases them when the process ends, however it ends."""


def count_gpus() -> int:
    """Return how many GPUs this process sees: those of the machine that CUDA_VISIBLE_DEVICES leaves to it."""
    return len(visible_gpus())


def visible_gpus() -> list[str]:
    """Return the GPUs of this process, as CUDA_VISIBLE_DEVICES names them.

    The driver's own tool counts the machine's: it needs no PyTorch, and a process that asks CUDA itself could
    not choose among them any more.
    """
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    there = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    named = os.environ.get(VARIABLE)
    if named is None:
        return [str(index) for index in range(len(there))]
    names = [name.strip() for name in named.split(",")]
    return [name for name in names if name not in HIDDEN] if there else []


def use_gpus(wanted: int) -> list[str]:
    """Take GPUs for this job, and hide all others from this process and those it starts.

    Must be called before anything in this process computes on a GPU. The arguments and errors are those of
    `take_gpus`, and what it returns.
    """
    taken = take_gpus(wanted)
    os.environ[VARIABLE] = ",".join(taken)
    logger.info("computing on %s", f"GPU {os.environ[VARIABLE]}" if taken else "the CPU")
    return taken


def take_gpus(wanted: int) -> list[str]:
    """Return the GPUs that a job shall use, as CUDA_VISIBLE_DEVICES names them; none means the CPU.

    Snakemake on one machine gives a job only a number: the job locks as many GPUs that no other job of this
    workflow has locked, waits where there are too few, and holds them until it ends. A scheduler like Slurm
    shows a job its own GPUs alone; they are locked among the processes of that job.

    Parameters
    ----------
    wanted : int
        How many the job was given; 1 is also good for a machine without a GPU.

    Raises
    ------
    InputError
        Several GPUs were given, and fewer are visible.
    """
    visible = visible_gpus()
    if wanted == 0 or (wanted == 1 and not visible):
        return []
    if len(visible) < wanted:
        raise InputError(
            f"the job is given {wanted} GPUs, but {len(visible)} are visible; lower 'gpu' in the profile's "
            f"set-resources, or see to {VARIABLE}",
            key="gpu",
        )
    _sweep()
    while (taken := _lock(visible, wanted)) is None:
        logger.info("waiting: other jobs use the GPUs; `--resources gpu=%d` starts no more", len(visible))
        time.sleep(RETRY_SECONDS)
    return taken


def locks() -> Path:
    """Return the folder of a user's locks on this machine."""
    return Path(tempfile.gettempdir()) / f"syn2real-gpus-{os.getuid()}"


def _sweep() -> None:
    """Remove the locks that nobody holds: every Slurm job leaves some of its own."""
    from syn2real.jobs.locks import lock

    for path in locks().glob("*"):
        if held := lock(path):
            path.unlink()
            held.release()


def _lock(visible: list[str], wanted: int) -> list[str] | None:
    """Lock so many GPUs, or none."""
    # Here, because profiles/local counts GPUs where filelock may not be installed.
    from syn2real.jobs.locks import lock

    locks().mkdir(exist_ok=True)
    # Slurm may number the GPUs of each job from 0.
    job = os.environ.get("SLURM_JOB_ID", "machine")
    taken: dict[str, FileLock] = {}
    for name in visible:
        if len(taken) < wanted and (held := lock(locks() / f"{job}-{name.replace('/', '_')}")):
            taken[name] = held
    if len(taken) < wanted:
        for held in taken.values():
            held.release()
        return None
    _held.extend(taken.values())
    return list(taken)
