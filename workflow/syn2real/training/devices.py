"""Which GPUs a job may use: as many as it was given, and none that a job beside it uses."""

import fcntl
import logging
import os
import tempfile
import time
from io import TextIOWrapper
from pathlib import Path

import torch

from syn2real.errors import InputError

logger = logging.getLogger(__name__)

LOCKS = Path(tempfile.gettempdir()) / f"syn2real-gpus-{os.getuid()}"
RETRY_SECONDS = 5.0
_held: list[TextIOWrapper] = []
"""Locked files of this process's GPUs; the system lets go of them when the process ends, however it ends."""


def visible_gpus() -> list[str]:
    """Return the GPUs of this process, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return named.split(",")[:count] if named is not None else [str(index) for index in range(count)]


def take_gpus(wanted: int) -> list[str]:
    """Return the GPUs that a job shall use, as CUDA_VISIBLE_DEVICES names them; none means the CPU.

    A scheduler like Slurm shows a job its own GPUs alone: all of them are taken. Snakemake on one machine
    tells a job only how many it may have: the job locks so many of those that no job of ours has locked, and
    waits where there are too few, until it ends.

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
            "set-resources, or see to CUDA_VISIBLE_DEVICES",
            key="gpu",
        )
    if len(visible) == wanted:
        return visible
    while (taken := _lock(visible, wanted)) is None:
        logger.info("waiting: other jobs use the GPUs; `--resources gpu=%d` starts no more", len(visible))
        time.sleep(RETRY_SECONDS)
    return taken


def _lock(visible: list[str], wanted: int) -> list[str] | None:
    """Lock so many GPUs, or none."""
    LOCKS.mkdir(exist_ok=True)
    files: dict[str, TextIOWrapper] = {}
    for name in visible:
        file = (LOCKS / name.replace("/", "_")).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        files[name] = file
        if len(files) == wanted:
            break
    if len(files) < wanted:
        for file in files.values():
            file.close()
        return None
    _held.extend(files.values())
    return list(files)
