"""The whole paper is planned by one command."""

import shutil

from checkout import ROOT, Checkout, listed_jobs


def test_the_papers_experiments_are_planned_together(checkout: Checkout) -> None:
    shutil.copy(ROOT / "Makefile", checkout.folder)
    # In the tests' own environment.
    done = checkout.run("make", "--old-file=.venv/.installed", "RUN=env", "plan-paper")
    assert done.returncode == 0, done.stdout
    jobs = listed_jobs(done.stdout)
    assert jobs["render"] and jobs["pretrain"] and jobs["finetune"]
    assert sum(jobs.values()) <= 5000
