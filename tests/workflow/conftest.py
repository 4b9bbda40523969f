"""The smoke experiment, run once for all tests of the workflow."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout, failed_logs
from imports import record_imports

from syn2real.jobs.locks import exclusive


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy of the workflow without results."""
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The smoke experiment, run to its end with a report, its imports recorded; tests leave it as it is.

    Processes that share the tests share the run: the first one makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    root = base.parent if hasattr(request.config, "workerinput") else base
    folder = root / "finished" / "checkout"
    with exclusive(root / "finished.lock"):
        if (folder / "results/report.html").is_file():
            return Checkout.there(folder)
        shutil.rmtree(folder, ignore_errors=True)  # what a failed run left
        made = Checkout(folder)
        record_imports(folder)
        report = ["--report", "results/report.html", "--report-after-run"]
        done = made.snakemake("--profile", "profiles/ci", *report)
        assert done.returncode == 0, done.stdout + failed_logs(made.folder)
        assert "answer of smoke (results/laws/smoke/advice.md):\n  - " in done.stdout
    return made


@pytest.fixture
def reuse(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished smoke experiment, results and Snakemake's memory included, to change at will."""
    shutil.copytree(finished.folder, tmp_path / "reuse", symlinks=True)
    return Checkout.there(tmp_path / "reuse")
