"""A fingerprint holds all that its job computes with: nothing that a job imported is missing from it."""

from checkout import Checkout
from imports import checked_imports


def test_what_a_job_imported_lies_within_its_fingerprint(finished: Checkout) -> None:
    rules, workers = checked_imports(finished.folder)
    assert {"render", "pretrain", "finetune", "reference", "complexity", "fit", "advise"} <= rules
    assert workers >= 4, "the processes that render were seen"
