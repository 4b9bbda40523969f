"""Where a benchmark runs: the machine, and what each of its processes has: bytecode, as users have it."""

import os
import platform
from importlib.util import cache_from_source, find_spec
from pathlib import Path

WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Where a machine forbids bytecode, every start would compile all of its libraries again."""

ONE_THREAD = WITH_BYTECODE | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def machine() -> str:
    """Return what computes, how busy it is, and whether BlenderProc has its bytecode."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    specification = find_spec("blenderproc")
    assert specification is not None and specification.origin is not None
    compiled = Path(cache_from_source(specification.origin)).is_file()
    return (
        f"{names[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}; "
        f"bytecode {'there' if compiled else 'MISSING'}"
    )
