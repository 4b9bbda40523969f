"""What the jobs of a workflow imported, and whether their fingerprints hold it."""

import json
import shutil
from pathlib import Path

import recorder
from checkout import ROOT

from syn2real.jobs.fingerprint import imported_modules

HOW = "syn2real.jobs."
"""How a job is run, whatever it computes."""


def record_imports(folder: Path) -> None:
    """Let every process of a checkout's workflow record what it imports."""
    shutil.copy(recorder.__file__, folder / "workflow/sitecustomize.py")
    with (folder / "workflow/syn2real/jobs/fingerprint.py").open("a") as stream:
        stream.write(recorder.FINGERPRINTS)


def checked_imports(folder: Path) -> tuple[set[str], int]:
    """Assert that each job imported no more than its fingerprint holds.

    Returns the rules that were seen, and how many processes were workers of a job.
    """
    folder = folder / "imports"
    processes = {found["pid"]: found for found in (json.loads(p.read_text()) for p in folder.glob("*.json"))}
    # What only the running of a job imports, such as the errors that its log reports.
    how = {
        module for path in (ROOT / "workflow/syn2real/jobs").glob("*.py") for module in imported_modules(path)
    }
    workers, rules = 0, set()
    for process in processes.values():
        job = process
        while "fingerprint" not in job and job["parent"] in processes:
            job = processes[job["parent"]]
        if not job.get("fingerprint"):
            continue
        rules.add(job["rule"])
        workers += job is not process
        held = (folder / f"{job['fingerprint']}.closure").read_text().splitlines()
        missing = {name for name in process["modules"] if not f"{name}.".startswith(HOW)} - {*held} - how
        assert not missing, f"{job['rule']}: {sorted(missing)}"
    return rules, workers
