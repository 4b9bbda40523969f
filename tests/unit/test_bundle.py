"""A bundle holds what an answer came from, and shows when any of it was changed."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from syn2real.bundle import METADATA, bundle_contents, verify_bundle, write_bundle
from syn2real.cli import main
from syn2real.config.plan import Plan, load_plan
from syn2real.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
NAME = "given"
LAWS = ("fits.json", "fits.csv", "advice.md", "advice.html")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A finished experiment on given measurements, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", "config")
    question = {"name": NAME, "question": "q?", "cost": "none", "expected": "a law"}
    question |= {"measurements": {"path": "given.csv"}}
    Path("mine.yaml").write_text(yaml.safe_dump(question))
    files = [f"results/laws/{NAME}/{file}" for file in LAWS]
    files += [f"results/figures/{NAME}/{figure}.svg" for figure in ("curves", "parameters")]
    for file in [*files, f"results/points/{NAME}.csv", "envs/requirements.txt", "results/report.html"]:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(f"content of {file}\n")
    return load_plan(yaml.safe_load(Path("config/config.yaml").read_text()) | {"experiment": "mine.yaml"})


def test_a_bundle_holds_configuration_lock_results_and_report(plan: Plan) -> None:
    count = write_bundle(plan, NAME, "b.zip")
    with zipfile.ZipFile("b.zip") as archive:
        names = set(archive.namelist())
        graph = {entity["@id"]: entity for entity in json.loads(archive.read(METADATA))["@graph"]}
        assert archive.read("config/experiments/given.yaml") == Path("mine.yaml").read_bytes()
    assert {
        "config/config.yaml",
        "config/renderings.yaml",
        "envs/requirements.txt",
        "results/report.html",
    } < names
    assert {f"results/laws/{NAME}/{file}" for file in LAWS} < names
    assert count == len(names) - 1
    run = graph["#run"]
    assert {"@id": f"results/points/{NAME}.csv"} in run["result"]
    assert {"@id": "envs/requirements.txt"} in run["object"]
    assert run["instrument"] == {"@id": "#syn2real"}
    assert verify_bundle("b.zip") == (count, [])


def test_equal_contents_give_equal_bytes(plan: Plan) -> None:
    write_bundle(plan, NAME, "one.zip")
    write_bundle(plan, NAME, "two.zip")
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()


def test_an_unfinished_experiment_is_not_packed(plan: Plan) -> None:
    Path(f"results/laws/{NAME}/advice.md").unlink()
    with pytest.raises(InputError, match="advice.md: there is no such file; run the experiment first"):
        write_bundle(plan, NAME, "b.zip")
    assert not Path("b.zip").exists()


def _rewrite(change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the contents of b.zip."""
    with zipfile.ZipFile("b.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile("b.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def _outside(contents: dict[str, bytes]) -> None:
    metadata = json.loads(contents[METADATA])
    metadata["@graph"].append({"@id": "../evil", "@type": "File", "sha256": "0", "contentSize": "0"})
    contents[METADATA] = json.dumps(metadata).encode()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c.update({f"results/points/{NAME}.csv": b"x" * 31}), "points/given.csv: has"),
        (lambda c: c.pop("results/report.html"), "results/report.html: is missing"),
        (lambda c: c.update({"results/more.csv": b""}), "results/more.csv: is not described"),
        (_outside, "../evil: lies outside the bundle"),
    ],
)
def test_what_was_changed_is_named(
    plan: Plan, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, bytes]], None], problem: str
) -> None:
    write_bundle(plan, NAME, "b.zip")
    _rewrite(change)
    assert main(["verify", "b.zip"]) == 1
    printed = capsys.readouterr()
    assert problem in printed.err and "1 problems" in printed.out


def test_one_byte_of_equal_length_is_noticed(plan: Plan) -> None:
    write_bundle(plan, NAME, "b.zip")
    path = f"results/points/{NAME}.csv"
    _rewrite(lambda c: c.update({path: c[path].replace(b"content", b"contemt")}))
    assert [line.split(" ")[2] for line in verify_bundle("b.zip")[1]] == ["SHA-256"]


@pytest.mark.parametrize("content", [None, b"no zip", b"PK\x03\x04half"])
def test_what_is_no_bundle_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "b.zip"
    if content is not None:
        path.write_bytes(content)
    assert main(["verify", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_packs_and_checks(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "mine.yaml"]) == 0
    assert main(["verify", f"results/bundles/{NAME}.zip"]) == 0
    assert "0 problems" in capsys.readouterr().out


def test_complexity_alone_is_packed_without_laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", "config")
    name, experiment = "demo-complexity", "config/experiments/demo-complexity.yaml"
    plan = load_plan(
        yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8")) | {"experiment": experiment}
    )
    files = [f"results/complexity/{name}.md", f"results/figures/{name}/complexity.svg"]
    files += [*plan.complexities(name), "results/references/demo-stand-in/metrics.json"]
    for file in [*files, "envs/requirements.txt"]:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(f"content of {file}\n", encoding="utf-8")
    contents = bundle_contents(plan, name)
    assert set(files) < set(contents)
    assert not any(path.startswith(("results/laws", "results/points")) for path in contents)
