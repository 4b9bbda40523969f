"""Records which modules of the library each process of a workflow imported. Copied in as `sitecustomize`."""

import atexit
import json
import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "imports"
"""Beside `workflow/`, where the copy of this file lies."""
FINGERPRINTS = """

_unrecorded = fingerprint


def fingerprint(script, *modules):
    digest = _unrecorded(script, *modules)
    folder = ROOT.parents[1] / "imports"
    folder.mkdir(exist_ok=True)
    (folder / f"{digest}.closure").write_text("\\n".join(imported_modules(script, *modules)))
    return digest
"""
"""Added to the module that makes fingerprints: which modules each is a digest of."""


def record() -> None:
    """Write this process's imports, and the rule and fingerprint of its job where it is a job's script."""
    job = getattr(sys.modules["__main__"], "snakemake", None)
    found = {"pid": os.getpid(), "parent": os.getppid()}
    if hasattr(job, "params"):
        found |= {"rule": job.rule, "fingerprint": job.params.get("fingerprint")}
    names = [name for name in sys.modules if f"{name}.".startswith("syn2real.")]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{os.getpid()}.json").write_text(json.dumps(found | {"modules": sorted(names)}))


def _exit(code: int, leave=os._exit) -> None:
    record()
    leave(code)


if __name__ == "sitecustomize":
    atexit.register(record)
    os._exit = _exit  # how a worker ends, without what atexit registered
