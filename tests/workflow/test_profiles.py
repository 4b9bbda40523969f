"""What the profiles say, as Snakemake reads them: the one of a name, and profiles/default on top of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import ROOT, Checkout
from snakemake.cli import parse_args


def parsed(*arguments: str):
    """Return Snakemake's options."""
    _, options = parse_args([*arguments])
    return options


def make_profiles(checkout: Checkout, home: Path) -> subprocess.CompletedProcess:
    """Run `make profiles` in a home of its own."""
    environment = checkout.environment | {"XDG_CONFIG_HOME": str(home)}
    return subprocess.run(
        ["make", "profiles"],
        cwd=checkout.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def with_make(checkout: Checkout) -> Checkout:
    """A checkout with its Makefile."""
    shutil.copy(ROOT / "Makefile", checkout.folder)
    return checkout


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that pretends a driver which lists so many GPUs."""

    def pretend(count: int) -> None:
        tool = tmp_path / "bin/nvidia-smi"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text("#!/bin/sh\n" + "".join(f"echo 'GPU {index}: pretended'\n" for index in range(count)))
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return pretend


@pytest.mark.parametrize(
    ("profile", "executor", "keep_going"),
    [("slurm", "slurm", True), ("local", None, True), ("ci", None, False)],
)
def test_the_default_profile_leaves_the_others_as_they_are(profile, executor, keep_going, monkeypatch):
    monkeypatch.chdir(ROOT)
    options = parsed("--profile", f"profiles/{profile}")
    assert (options.executor, options.keep_going) == (executor, keep_going)
    assert "code" not in options.rerun_triggers and options.rerun_incomplete


@pytest.mark.parametrize("count", [0, 1, 4])
def test_one_machine_starts_as_many_gpu_jobs_as_it_has_gpus(count, gpus, monkeypatch):
    monkeypatch.chdir(ROOT)
    gpus(count)
    resources = parsed("--profile", "profiles/local").resources
    assert {name: resource.value for name, resource in resources.items()} == ({"gpu": count} if count else {})


def test_one_step_lets_snakemake_know_the_profile_by_name(with_make, tmp_path, monkeypatch):
    home = tmp_path / "home"
    for _ in range(2):
        done = make_profiles(with_make, home)
        assert done.returncode == 0, done.stderr
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.chdir(with_make.folder)
    assert parsed("--profile", "slurm").executor == "slurm"


def test_somebody_elses_profile_of_that_name_stays(with_make, tmp_path):
    theirs = tmp_path / "home/snakemake/slurm/config.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("jobs: 3\n")
    done = make_profiles(with_make, tmp_path / "home")
    assert done.returncode == 2
    assert f"{theirs.parent} is another profile: move it away, or say --profile profiles/slurm" in done.stderr
    assert theirs.read_text() == "jobs: 3\n"
