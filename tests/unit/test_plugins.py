"""A name is a file: plug-ins are found without a list and read without being imported."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from syn2real import plugins

POINTS = (
    "tasks", "backbones", "channels", "render.randomise", "laws.forms", "laws.methods", "report.claims",
    "commands",
)  # fmt: skip


def _package(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name in ("__init__", "base", "schema"):
        (folder / f"{name}.py").write_text("")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(plugins, "ROOT", tmp_path)
    return tmp_path


def test_files_and_folders_are_plugins_and_shared_modules_are_none(root: Path) -> None:
    _package(root / "laws/forms", full_law="", simple="")
    _package(root / "laws/forms/joint")
    (root / "laws/forms/__pycache__").mkdir()
    (root / "laws/forms/notes.txt").write_text("")
    assert plugins.names("laws.forms") == ["full-law", "joint", "simple"]
    assert plugins.module_name("laws.forms", "full-law") == "syn2real.laws.forms.full_law"
    assert plugins.module_names("laws.forms", "joint") == [
        "syn2real.laws.forms.joint.base",
        "syn2real.laws.forms.joint.schema",
    ]


def test_a_constant_is_read_without_importing_the_module(root: Path) -> None:
    _package(root / "backbones", net='import nonesuch\n\nNAMES = ("net_a", "net_b")\n"""Two."""\n')
    assert plugins.constant("backbones", "net", "NAMES") == ("net_a", "net_b")
    assert plugins.constant("backbones", "net", "MORE", ()) == ()


def test_an_unknown_name_gets_the_nearest_one() -> None:
    class Model(BaseModel):
        law: plugins.one_of(["full", "simple"])  # type: ignore[valid-type]

    assert Model(law="full").law == "full"
    with pytest.raises(ValidationError, match="'simpel' is not defined; did you mean 'simple'?"):
        Model(law="simpel")

    class Other(BaseModel):
        law: plugins.one_of(["simple"], {"size": "a law of the model's size"})  # type: ignore[valid-type]

    with pytest.raises(ValidationError, match="'size' is a law of the model's size; choose from simple"):
        Other(law="size")
    assert Model.model_json_schema()["properties"]["law"]["enum"] == ["full", "simple"]
    with pytest.raises(KeyError, match="has no plug-in 'nonesuch'"):
        plugins.load("tasks", "nonesuch")


@pytest.mark.parametrize("point", POINTS)
def test_every_extension_point_has_plugins_whose_names_can_be_written(point: str) -> None:
    assert plugins.names(point)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in plugins.names(point))


def test_every_folder_of_the_library_is_a_package() -> None:
    """Otherwise its fingerprints and the installed library would lack it."""
    folders = {path.parent for path in plugins.ROOT.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_finding_plugins_imports_none() -> None:
    code = (
        "import sys; from syn2real import plugins; "
        f"[plugins.names(point) for point in {POINTS}]; "
        "print(*sorted(name for name in sys.modules if name.startswith(('syn2real.', 'torch', 'numpy'))))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["syn2real.errors", "syn2real.near", "syn2real.plugins"]
