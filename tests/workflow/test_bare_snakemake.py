"""Snakemake plans every shipped experiment where nothing but Snakemake itself is installed."""

import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from checkout import ROOT, Checkout
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXPERIMENTS = sorted(path.name for path in (ROOT / "config/experiments").glob("*.yaml"))
HEAVY = ("numpy", "pandas", "scipy", "torch", "PIL", "rich", "syn2real", "snakemake_logger_plugin_rich")


def _closure(package: str) -> set[str]:
    """Return the names of a package and of all that it needs, directly or not, without extras."""
    waiting, found = [package], set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            needed = map(Requirement, requires(name) or [])
            waiting += [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds Snakemake and what it needs alone, as links to ours."""
    root = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True)
    [site] = root.glob("lib/python3.*/site-packages")
    for name in _closure("snakemake"):
        package = distribution(name)
        parts = {Path(file).parts[0] for file in package.files or ()}
        for part in parts - {"..", "__pycache__"}:
            if not (site / part).exists():
                (site / part).symlink_to(Path(str(package.locate_file(part))))
    return root / "bin/python"


def _run(python: Path, checkout: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = checkout.environment | {"PATH": f"{python.parent}:/usr/bin:/bin"}
    del environment["PYTHONPATH"]
    command = [str(python), *arguments]
    return subprocess.run(
        command, cwd=checkout.folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_environment_holds_snakemake_alone(python: Path, checkout: Checkout) -> None:
    found = f"import importlib.util as u; print([m for m in {HEAVY} if u.find_spec(m)])"
    assert _run(python, checkout, "-c", found).stdout == "[]\n"


def test_a_bare_snakemake_plans_every_shipped_experiment(python: Path, checkout: Checkout) -> None:
    experiments = ", ".join(f"config/experiments/{name}" for name in EXPERIMENTS)
    config = f"experiments=[{experiments}]"
    done = _run(python, checkout, "-m", "snakemake", "--dry-run", "--quiet", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rich_logger_that_is_not_there_stops_no_profile(python: Path, checkout: Checkout) -> None:
    smoke = "experiment=config/experiments/smoke.yaml"
    for profile in ("profiles/default", "profiles/local"):
        done = _run(python, checkout, "-m", "snakemake", "--dry-run", "--profile", profile, "--config", smoke)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "finetune" in done.stdout + done.stderr, profile
