"""A fingerprint holds all that its job computes with: nothing that a job imported is missing from it."""

import json

from checkout import ROOT, Checkout

from syn2real.jobs.fingerprint import imported_modules

HOW = "syn2real.jobs."
"""How a job is run, whatever it computes."""


def test_what_a_job_imported_lies_within_its_fingerprint(finished: Checkout) -> None:
    folder = finished.folder / "imports"
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
    assert {"render", "pretrain", "finetune", "reference", "complexity", "fit", "advise"} <= rules
    assert workers >= 4, "the processes that render were seen"
