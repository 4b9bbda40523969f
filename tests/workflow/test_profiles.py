"""What the profiles say, as Snakemake reads them: the one of a name, and profiles/default on top of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT, Checkout, listed_jobs
from snakemake.cli import parse_args

from syn2real.backbones.schema import model_names
from syn2real.config.loading import read_yaml
from syn2real.config.recipe import Recipe


def parsed(*arguments: str):
    """Return Snakemake's options."""
    _, options = parse_args([*arguments])
    return options


def minutes(resource: Any, attempt: int) -> int:
    """Return the run time that a profile gives a job's attempt."""
    if not resource.is_evaluable():
        return resource.value
    return resource.evaluate({}, input=[], attempt=attempt, threads=1, rulename="", async_run=None).value


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


@pytest.mark.parametrize("longest", [1440, 300])
def test_one_slurm_call_has_time_for_the_papers_slowest_training(with_make, longest, monkeypatch):
    if longest != 1440:
        with_make.edit("profiles/slurm/config.yaml", "longest: 1440", f"longest: {longest}")
    monkeypatch.chdir(with_make.folder)
    options = parsed("--profile", "profiles/slurm")
    runtimes = {rule: options.set_resources[rule]["runtime"] for rule in options.preemptible_rules}
    asked = {rule: [minutes(time, attempt) for attempt in (1, 2, 9)] for rule, time in runtimes.items()}
    assert [asked[rule] for rule in ("reference", "pretrain", "finetune")] == [[longest] * 3] * 3
    assert [asked[rule][-1] for rule in ("render", "complexity", "import_renders")] == [longest] * 3
    recipe = Recipe.model_validate(read_yaml(ROOT / "config/recipes/paper.yaml"))
    slowest = max(
        recipe.section("pretrain", task, model).hours()
        for task in ("mulclass", "objdet", "semseg", "normal")
        for model in model_names()
    )
    assert slowest == 680
    assert slowest * 60 <= options.preemptible_retries * longest <= slowest * 60 + 4 * longest


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


@pytest.mark.parametrize(("threads", "mebibytes"), [(1, 2500), (4, 10000)])
def test_a_trainings_memory_follows_the_threads_of_its_gpus(checkout, threads, mebibytes):
    target = "results/pretrain/smoke/smoke/mulclass/resnet18/n8/seed0/metrics.json"
    # Without a profile: a logger of its own may show no resources.
    options = ("--dry-run", "--workflow-profile", "none", "--cores", "4")
    planned = checkout.snakemake(target, *options, "--set-threads", f"pretrain={threads}")
    memory = re.search(r"rule pretrain:.*?mem_mb=(\d+)", planned.stdout, flags=re.DOTALL)
    assert memory and int(memory.group(1)) == mebibytes, planned.stdout


def test_slurm_plans_the_whole_paper_with_the_jobs_of_seconds_in_groups(checkout: Checkout) -> None:
    """A rule that a group needs and that needs the group must be in it; a plan of many rules shows it."""
    files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "config/experiments/small").glob("*.yaml"))
    listed = ",".join(f'"{file}"' for file in files)
    options = ("--profile", "profiles/slurm", "--dry-run", "--quiet", "rules")
    done = checkout.run(sys.executable, "-m", "snakemake", *options, "--config", f"experiments=[{listed}]")
    assert done.returncode == 0, done.stdout
    assert {"fit_paper", "extrapolate", "claims", "paper_sheet"} <= {*listed_jobs(done.stdout)}
