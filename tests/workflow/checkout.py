"""A copy of the checkout to run Snakemake in."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs")


class Checkout:
    """A copy of the workflow in a folder of its own; its library is the copy's, not the installed one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source, ignore = ROOT / part, shutil.ignore_patterns("__pycache__")
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=ignore)
            else:
                shutil.copy(source, folder / part)

    @classmethod
    def there(cls, folder: Path) -> "Checkout":
        """Return the copy that lies in a folder already."""
        found = cls.__new__(cls)
        found.folder = folder
        return found

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path, "PYTHONPATH": str(self.folder / "workflow")}

    def snakemake(self, *arguments: str, experiment: str = "config/experiments/smoke.yaml"):
        """Run Snakemake here; return the finished process, its two streams joined in `stdout`."""
        command = [sys.executable, "-m", "snakemake", *arguments, "--config", f"experiment={experiment}"]
        return self.run(*command)

    def run(self, *command: str):
        """Run a command here; return the finished process, its two streams joined in `stdout`."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | {"COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def syn2real(self, *arguments: str):
        """Run the `syn2real` command here."""
        command = [sys.executable, "-m", "syn2real.cli", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def planned(self, *arguments: str, **keywords: str) -> Counter[str]:
        """Return how many jobs of each rule a dry run plans (`rule all` left out)."""
        done = self.snakemake("--dry-run", "--quiet", "rules", *arguments, **keywords)
        assert done.returncode == 0, done.stdout
        return Counter() if "Nothing to be done" in done.stdout else listed_jobs(done.stdout)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        path = self.folder / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))


def listed_jobs(printed: str) -> Counter[str]:
    """Return how many jobs of each rule a dry run's table lists (`rule all` left out)."""
    rows = re.findall(r"^ *([a-z][a-z_ ]*?) {2,}(\d+) *$", printed, flags=re.MULTILINE)
    counts = Counter({rule.replace(" ", "_"): int(count) for rule, count in rows})
    assert counts.pop("total") == sum(counts.values()), printed
    del counts["all"]
    return counts


def failed_logs(folder: Path) -> str:
    """Return the ends of all job logs that speak of an error."""
    texts = {p: p.read_text(errors="replace") for p in (folder / "results/logs").rglob("*.log")}
    return "\n".join(f"== {p}\n{t[-3000:]}" for p, t in texts.items() if "rror" in t)


def metrics(folder: Path) -> dict[str, dict]:
    """Return the content of every metrics.json below results/, by its path."""
    return {
        str(p.relative_to(folder)): json.loads(p.read_text())
        for p in folder.rglob("results/*/**/metrics.json")
    }


def assert_same_measurements(ours: Checkout, theirs: Checkout) -> None:
    """Assert that two finished smoke experiments have the same points and evaluations, digit for digit."""
    tables = (pd.read_csv(checkout.folder / "results/points/smoke.csv") for checkout in (ours, theirs))
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    found = metrics(ours.folder)
    for path, expected in metrics(theirs.folder).items():
        assert found[path]["evaluations"] == expected["evaluations"], path
