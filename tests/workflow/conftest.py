"""The smoke experiment, run once for all tests of the workflow."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout, failed_logs


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy of the workflow without results."""
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The smoke experiment, run to its end with a report; tests must leave it as it is."""
    made = Checkout(tmp_path_factory.mktemp("finished") / "checkout")
    report = ["--report", "results/report.html", "--report-after-run"]
    done = made.snakemake("--profile", "profiles/ci", *report)
    assert done.returncode == 0, done.stdout + failed_logs(made.folder)
    return made


@pytest.fixture
def reuse(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished smoke experiment, results and Snakemake's memory included, to change at will."""
    copy = Checkout.__new__(Checkout)
    copy.folder = tmp_path / "reuse"
    shutil.copytree(finished.folder, copy.folder, symlinks=True)
    return copy
