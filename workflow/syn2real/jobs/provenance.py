"""Which code made a result."""

import subprocess
from functools import cache
from pathlib import Path


@cache
def git_commit() -> str | None:
    """Return the commit of the code that runs, `-dirty` where it was changed; None outside a repository."""
    here = Path(__file__).parent
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
