"""Two runs from two clones: the same scenes, metrics and fits, digit for digit."""

from pathlib import Path

import pytest
from checkout import Checkout, failed_logs, metrics

# What says when, where and how fast a run was, or is drawn for the eye.
PASSING = ("logs/", "figures/", "report.html", "metrics.json", "tensorboard/")


def _results(folder: Path) -> dict[str, bytes]:
    """Return the content of every result that two runs must have alike, by its path."""
    files = {str(p.relative_to(folder)): p for p in (folder / "results").rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in files.items() if not any(part in name for part in PASSING)}


def _numbers(folder: Path) -> dict[str, dict]:
    """Return every run's metrics without the seconds it took."""
    runs = metrics(folder)
    for run in runs.values():
        assert run.pop("seconds") > 0
    return runs


@pytest.mark.slow
@pytest.mark.timeout(1700)
def test_two_clones_give_the_same_scenes_metrics_and_fits(tmp_path: Path, finished: Checkout) -> None:
    other = Checkout(tmp_path / "another place" / "clone")
    done = other.snakemake("--profile", "profiles/ci")
    assert done.returncode == 0, done.stdout + failed_logs(other.folder)

    ours, theirs = _results(other.folder), _results(finished.folder)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    for stage in ("renders", "targets", "pretrain", "points", "laws", "complexity"):
        assert any(name.startswith(f"results/{stage}/") for name in ours), stage
    assert _numbers(other.folder) == _numbers(finished.folder)
