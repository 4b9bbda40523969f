"""Conda environments and the container: made from the lock, whole, and used by the jobs that name them."""

import ast
import hashlib
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from checkout import ROOT, Checkout, failed_logs
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from syn2real.jobs.fingerprint import imported_modules, plugin_modules
from syn2real.plugins import names

ENVS = ROOT / "envs"
EXTRAS = ("workflow", "render", "train")
TRAINED = ("tasks", "backbones", "channels")
PLUGINS = {
    **dict.fromkeys(("pretrain", "finetune", "reference"), TRAINED),
    "render": ("channels", "render.randomise"),
    "import_renders": ("channels",),
    "figure_samples": ("channels",),
    "figure": ("report.figures",),
    "fit": ("laws.forms", "laws.methods"),
    "extrapolate": ("laws.forms", "laws.methods"),
}
"""The extension points whose plug-ins a script loads by name."""
LINUX = default_environment() | {"python_version": "3.11", "python_full_version": "3.11.9"}

# What Snakemake asks of conda. An environment is a virtual one that sees the packages of the tests' own; its
# pip keeps what it is given.
CONDA = """\
#!/bin/sh
case "$1 $2" in
  "info --json") echo '{{"conda_prefix": "{base}", "platform": "linux-64"}}' ;;
  "--version ") echo "conda 25.1.0" ;;
  "config --get") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create")
    for prefix; do :; done
    {python} -m venv --without-pip "$prefix"
    cd "$prefix"/lib/python3.*/site-packages
    echo {packages} > packages.pth
    echo 'import pathlib, sys; pathlib.Path(sys.prefix, "pip.txt").write_text(sys.stdin.read())' > pip.py ;;
  "clean -y") ;;
  *) echo "conda $*: unknown" >&2; exit 1 ;;
esac
"""

# A container that is this machine: the command follows the image.
APPTAINER = """\
#!/bin/sh
[ "$1" = --version ] && { echo "apptainer version 1.3.0"; exit; }
while [ "$1" != envs/syn2real.sif ]; do shift; done
shift
exec "$@"
"""


def _pins(text: str) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Return what hashed requirements hold: name==version to the requirement and its hashes."""
    pins = {}
    for line in text.replace("\\\n", " ").splitlines():
        if "==" in line and not line.startswith(" "):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            parsed = Requirement(requirement)
            pins[f"{parsed.name}{parsed.specifier}"] = (parsed, frozenset(hashes))
    return pins


def _holds(requirement: Requirement, extra: str = "") -> bool:
    """Say whether a requirement is one on Linux with the lock's Python, for an extra of its package."""
    return requirement.marker is None or requirement.marker.evaluate(LINUX | {"extra": extra})


def _closure(extra: str) -> set[str]:
    """Return the names of all packages that an extra of the project needs, directly or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [(line, "") for line in project["dependencies"] + project["optional-dependencies"][extra]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        line, asked = waiting.pop()
        requirement = Requirement(line)
        if (line, asked) in seen or not _holds(requirement, asked):
            continue
        seen.add((line, asked))
        for wanted in ("", *requirement.extras):
            waiting += [(needed, wanted) for needed in requires(requirement.name) or []]
    return {canonicalize_name(Requirement(line).name) for line, _ in seen}


def _given(extra: str, folder: Path) -> str:
    """Return what an environment's script gives to pip; a stand-in for Python in `folder` prints it."""
    _program(folder / "python", '#!/bin/sh\necho "$@"\ncat\n')
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = ["sh", ENVS / f"{extra}.post-deploy.sh"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_environment_holds_what_the_lock_says_of_its_extra(extra: str, tmp_path: Path) -> None:
    lock = _pins((ENVS / "requirements.txt").read_text(encoding="utf-8"))
    arguments, given = _given(extra, tmp_path).split("\n", 1)
    assert arguments == "-m pip install --require-hashes --requirement /dev/stdin"
    pins = _pins(given)
    assert all(lock[pin] == pinned for pin, pinned in pins.items())
    assert {canonicalize_name(r.name) for r, _ in pins.values() if _holds(r)} == _closure(extra)


@pytest.mark.parametrize("extra", EXTRAS)
def test_another_version_in_the_lock_is_another_environment(extra: str, tmp_path: Path) -> None:
    """Snakemake compares the scripts' content: each names the digest of its part of the lock."""
    part = _given(extra, tmp_path).split("\n", 1)[1]
    lines = [line for line in part.splitlines(keepends=True) if not line.lstrip().startswith("#")]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert f"\n# Its part of the lock: {digest}\n" in (ENVS / f"{extra}.post-deploy.sh").read_text("utf-8")


def test_elsewhere_than_in_the_project_the_script_says_so(tmp_path: Path) -> None:
    command = ["sh", ENVS / "train.post-deploy.sh"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "call snakemake in the project's folder" in done.stderr


def test_all_of_them_are_for_the_locks_python_and_name_no_address() -> None:
    made_for = re.search(r"--python-version (\S+) .*--all-extras", (ROOT / "Makefile").read_text())
    assert made_for is not None
    for extra in EXTRAS:
        environment = yaml.safe_load((ENVS / f"{extra}.yaml").read_text(encoding="utf-8"))
        assert environment["dependencies"] == [f"python={made_for[1]}", "pip"]
    container = (ENVS / "syn2real.def").read_text(encoding="utf-8")
    assert f"\nFrom: python:{made_for[1]}-slim-" in container
    made = [path for kind in ("txt", "yaml", "sh", "def") for path in ENVS.glob(f"*.{kind}")]
    assert not [path for path in made if "://" in path.read_text(encoding="utf-8")]


def test_the_container_holds_the_lock_and_nothing_else_from_a_python_registry() -> None:
    container = (ENVS / "syn2real.def").read_text(encoding="utf-8")
    assert "\n    envs/requirements.txt /opt/requirements.txt\n" in container
    installs = [line.strip() for line in container.splitlines() if "pip" in line.split()]
    assert installs == [
        "python -m pip install --no-cache-dir --require-hashes --requirement /opt/requirements.txt"
    ]
    assert '\ncontainer: "envs/syn2real.sif"\n' in (ROOT / "Snakefile").read_text(encoding="utf-8")


def _scripts() -> dict[str, str]:
    """Return the environment of each script that a rule gives one."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    parts = re.findall(r'conda:\n +"../../envs/(\w+).yaml"\n +script:\n +"../scripts/(\w+).py"', text)
    assert len(parts) == text.count("    conda:\n") > 15
    return {script: environment for environment, script in parts}


def _imported(path: Path) -> set[str]:
    """Return the top-level modules that a file imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("script", sorted(_scripts()))
def test_an_environment_holds_what_its_scripts_import(script: str, tmp_path: Path) -> None:
    files = [ROOT / "workflow/scripts" / f"{script}.py"]
    loaded = [m for point in PLUGINS.get(script, ()) for m in plugin_modules(point, names(point))]
    for module in imported_modules(files[0], *loaded):
        base = ROOT.joinpath("workflow", *module.split("."))
        files += [path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()]
    modules = set().union(*map(_imported, files)) - set(sys.stdlib_module_names) - {"syn2real"}
    pins = _pins(_given(_scripts()[script], tmp_path))
    held = {canonicalize_name(pinned.name) for pinned, _ in pins.values()}
    providers = packages_distributions()
    missing = [m for m in modules if held.isdisjoint(map(canonicalize_name, providers[m]))]
    assert not missing


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in for conda on PATH."""
    base = tmp_path / "conda"
    packages = Path(yaml.__file__).parents[1]
    _program(base / "bin/conda", CONDA.format(base=base, python=sys.executable, packages=packages))
    _program(base / "bin/activate", '. "$1/bin/activate"; touch "$1/activated"\n')
    monkeypatch.setenv("PATH", str(base / "bin"), prepend=":")


SHARD = "results/renders/smoke/train/shard-000000.tar"


def test_a_job_runs_in_its_environment(
    checkout: Checkout, finished: Checkout, conda: None, tmp_path: Path
) -> None:
    # Rendering starts a process of its own: it must find the library there too.
    done = checkout.snakemake("--sdm", "conda", "--cores", "1", SHARD)
    assert done.returncode == 0, done.stdout + failed_logs(checkout.folder)
    [activated] = (checkout.folder / ".snakemake/conda").glob("*/activated")
    given = activated.with_name("pip.txt").read_text(encoding="utf-8")
    assert _pins(given) == _pins(_given("render", tmp_path / "expected"))
    assert (checkout.folder / SHARD).read_bytes() == (finished.folder / SHARD).read_bytes()


def test_a_newer_package_reruns_its_environments_jobs(reuse: Checkout, conda: None) -> None:
    # The results were made without conda: with it they count as made by other software, until accepted.
    assert reuse.planned("--sdm", "conda")["pretrain"] == 4
    touched = reuse.snakemake("--sdm", "conda", "--touch", "--cores", "1")
    assert touched.returncode == 0, touched.stdout
    assert reuse.planned("--sdm", "conda") == {}
    reuse.edit("envs/workflow.post-deploy.sh", "# Its part of the lock: ", "# Its part of the lock: 9")
    assert reuse.planned("--sdm", "conda") == {
        "points": 1, "fit": 1, "advise": 1, "figure_curves": 1, "figure_parameters": 1, "figure_samples": 2,
        "compare_complexity": 1, "figure_complexity": 1, "gaps_by_distance": 1,
        "both_errors": 1,
    }  # fmt: skip


def test_snakemake_and_its_jobs_need_no_installed_library(checkout: Checkout, tmp_path: Path) -> None:
    # As in the container: the lock's packages, and the library nowhere but in the project's folder.
    python = tmp_path / "bare/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python.parents[1]], check=True)
    [site] = python.parents[1].glob("lib/python3.*/site-packages")
    (site / "packages.pth").write_text(f"{Path(yaml.__file__).parents[1]}\n", encoding="utf-8")
    environment = checkout.environment | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    del environment["PYTHONPATH"]
    absent = "import importlib.util, sys; sys.exit(importlib.util.find_spec('syn2real') is not None)"
    subprocess.run([python, "-c", absent], env=environment, check=True)
    materials = "results/assets/textures/demo"
    done = subprocess.run(
        [python, "-m", "snakemake", "--profile", "profiles/local", materials],
        cwd=checkout.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + failed_logs(checkout.folder)
    assert any((checkout.folder / materials).iterdir())


def test_a_job_runs_in_the_container(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "bin/apptainer", APPTAINER)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    materials = "results/assets/textures/demo"
    done = checkout.snakemake("--sdm", "apptainer", "--cores", "1", materials)
    assert done.returncode == 0, done.stdout + failed_logs(checkout.folder)
    assert "Activating singularity image envs/syn2real.sif" in done.stdout
    assert any((checkout.folder / materials).iterdir())
