"""Comments, docstrings and touched files do not change a fingerprint; code does."""

import shutil
from pathlib import Path

import pytest
import yaml

from syn2real import version
from syn2real.jobs import fingerprint as module
from syn2real.jobs.fingerprint import fingerprint, imported_modules

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "syn2real"
    (root / "stage").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "stage" / "__init__.py").write_text("")
    (root / "stage" / "work.py").write_text('"""Doc."""\nfrom .helper import h\n\ndef w():\n    return h()\n')
    (root / "stage" / "helper.py").write_text("def h():\n    return 1\n")
    (root / "other.py").write_text("x = 1\n")
    (tmp_path / "script.py").write_text("from syn2real.stage.work import w\nw()\n")
    monkeypatch.setattr(module, "ROOT", root)
    module._module.cache_clear()
    yield tmp_path
    module._module.cache_clear()


def _again(package: Path) -> str:
    module._module.cache_clear()
    return fingerprint(package / "script.py")


def test_follows_relative_imports_and_packages(package: Path) -> None:
    names = imported_modules(package / "script.py")
    assert names == ["syn2real", "syn2real.stage", "syn2real.stage.helper", "syn2real.stage.work"]


def test_comments_docstrings_and_layout_do_not_count(package: Path) -> None:
    before = _again(package)
    work = package / "syn2real/stage/work.py"
    work.write_text(
        '"""Other words."""\n# why\nfrom .helper import h\n\n\ndef w():\n    "doc"\n    return (h())\n'
    )
    (package / "script.py").write_text("# note\nfrom syn2real.stage.work import w\n\nw()\n")
    assert _again(package) == before


def test_a_data_file_that_a_module_names_beside_itself_counts(package: Path) -> None:
    rules = package / "syn2real/stage/rules.json"
    rules.write_text("1")
    before = _again(package)
    helper = package / "syn2real/stage/helper.py"
    helper.write_text('FILE = "rules.json"\n' + helper.read_text())
    named = _again(package)
    rules.write_text("2")
    assert len({before, named, _again(package)}) == 3


@pytest.mark.parametrize("name", ["stage/work.py", "stage/helper.py", "stage/__init__.py"])
def test_code_counts_however_far_away(package: Path, name: str) -> None:
    before = _again(package)
    path = package / "syn2real" / name
    path.write_text(path.read_text() + "\ny = 2\n")
    assert _again(package) != before


def test_a_module_run_by_its_name_counts(package: Path) -> None:
    script = package / "script.py"
    script.write_text(script.read_text() + 'command = ["-m", "syn2real.other"]\n')
    assert "syn2real.other" in imported_modules(script)


def test_a_module_that_is_not_imported_does_not_count(package: Path) -> None:
    before = _again(package)
    (package / "syn2real/other.py").write_text("x = 2\n")
    assert _again(package) == before


def test_the_report_reaches_no_training_and_the_training_no_report() -> None:
    scripts = ROOT / "workflow" / "scripts"
    pretrain = imported_modules(scripts / "pretrain.py")
    assert "syn2real.training.pretrain" in pretrain
    assert not [m for m in pretrain if m.startswith(("syn2real.report", "syn2real.laws", "syn2real.render"))]
    render = imported_modules(scripts / "render.py")
    assert {"syn2real.render.worker", "syn2real.render.blender"} <= set(render)
    assert not [m for m in render if m.startswith(("syn2real.training", "syn2real.tasks", "syn2real.laws"))]


def test_a_release_changes_no_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module._module.cache_clear()
    before = [fingerprint(script) for script in SCRIPTS]
    released = shutil.copytree(ROOT / "workflow/syn2real", tmp_path / "syn2real")
    now = version.__version__
    files = [file for file in released.rglob("*.py") if f'"{now}"' in file.read_text(encoding="utf-8")]
    assert [file.name for file in files] == ["version.py"], "the version stands in one place"
    files[0].write_text(files[0].read_text(encoding="utf-8").replace(now, "99.0.0"), encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", released)
    module._module.cache_clear()
    assert [fingerprint(script) for script in SCRIPTS] == before
    module._module.cache_clear()


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version.__version__
