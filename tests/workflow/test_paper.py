"""The whole paper is planned by one command."""

import shutil
import subprocess

from checkout import ROOT, Checkout, listed_jobs


def test_the_papers_experiments_are_planned_together(checkout: Checkout) -> None:
    shutil.copy(ROOT / "Makefile", checkout.folder)
    done = subprocess.run(
        ["make", "--old-file=.venv/.installed", "RUN=env", "plan-paper"],  # in the tests' own environment
        cwd=checkout.folder,
        env=checkout.environment | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    jobs = listed_jobs(done.stdout)
    assert jobs["render"] and jobs["pretrain"] and jobs["finetune"]
    assert sum(jobs.values()) <= 5000
