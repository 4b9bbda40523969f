"""A bundle holds what an answer came from, and shows when any of it was changed."""

import hashlib
import json
import os
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.cli import main
from syn2real.errors import InputError
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.report.bundle import bundle_contents, write_bundle
from syn2real.report.verify import METADATA, verify_bundle
from syn2real.version import __version__

ROOT = Path(__file__).resolve().parents[3]
NAME = "given"
LAWS = ("fits.json", "fits.csv", "advice.md", "advice.html")


REPORT = f"results/reports/{NAME}.html"


def _finish(experiment: str) -> Plan:
    """Return the plan of an experiment, whose results lie here with invented contents."""
    plan = load_plan(yaml.safe_load(Path("config/config.yaml").read_text()) | {"experiment": experiment})
    (name,) = plan.experiments
    folders: list[str] = []
    if name in plan.run:
        folders = [
            run.folder for run in (*plan.experiments[name].pretrainings, *plan.experiments[name].finetunings)
        ]
        folders += [f"results/references/{reference}" for reference in plan.trained_references()]
    files = [*plan.experiments[name].answer, *(f"{folder}/metrics.json" for folder in folders)]
    for file in [*files, "envs/requirements.txt", f"results/reports/{name}.html"]:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(f"content of {file}\n")
    return plan


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the configuration, to work in."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", "config")
    return tmp_path


@pytest.fixture
def plan(here: Path) -> Plan:
    """A finished experiment on given measurements, in a folder of its own."""
    question = {"name": NAME, "question": "q?", "cost": "none", "expected": "a law"}
    question |= {"measurements": {"path": "given.csv"}}
    Path("mine.yaml").write_text(yaml.safe_dump(question))
    return _finish("mine.yaml")


def test_a_bundle_holds_configuration_lock_results_and_report(plan: Plan) -> None:
    count = write_bundle(plan, NAME, "b.zip")
    with zipfile.ZipFile("b.zip") as archive:
        names = set(archive.namelist())
        graph = {entity["@id"]: entity for entity in json.loads(archive.read(METADATA))["@graph"]}
        assert archive.read("config/experiments/given.yaml") == Path("mine.yaml").read_bytes()
    configuration = {f"config/{file}" for file in ("config.yaml", "renderings.yaml", "targets.yaml")}
    assert configuration | {"config/datasets.tsv", "envs/requirements.txt", REPORT} < names
    assert {f"results/laws/{NAME}/{file}" for file in LAWS} < names
    assert {f"results/figures/{NAME}/curves.{kind}" for kind in ("svg", "png")} < names
    assert count == len(names) - 1
    run = graph["#run"]
    assert {"@id": f"results/points/{NAME}.csv"} in run["result"]
    assert {"@id": "envs/requirements.txt"} in run["object"]
    assert run["instrument"] == {"@id": "#syn2real"}
    assert graph["#syn2real"]["softwareVersion"] == __version__
    assert verify_bundle("b.zip") == (count, [])


def test_the_bundle_of_runs_holds_every_runs_metrics_and_both_recipes(here: Path) -> None:
    file = Path("config/experiments/smoke.yaml")
    reference = "recipe: smoke, ftask: sinclass"
    assert file.read_text().count(reference) == 1
    file.write_text(file.read_text().replace(reference, "recipe: demo, ftask: sinclass"))
    plan = _finish(str(file))
    judged = f"{plan.experiments['smoke'].finetunings[0].folder}/per_image.npz"
    Path(judged).touch()
    count = write_bundle(plan, "smoke", "b.zip")
    with zipfile.ZipFile("b.zip") as archive:
        names = archive.namelist()
        recipes = {name for name in names if name.startswith("config/recipes/")}
        for name in names:
            if name.endswith("metrics.json"):
                assert archive.read(name).decode() == f"content of {name}\n"
    stages = Counter(name.split("/")[1] for name in names if name.endswith("metrics.json"))
    assert stages == {"pretrain": 4, "finetune": 15, "references": 1}
    assert recipes == {"config/recipes/smoke.yaml", "config/recipes/demo.yaml"}
    assert judged in names and "results/complexity/smoke.md" in names and "results/points/smoke.csv" in names
    assert verify_bundle("b.zip") == (count, [])


def test_a_run_without_metrics_is_named(here: Path) -> None:
    plan = _finish("config/experiments/smoke.yaml")
    missing = Path(plan.experiments["smoke"].finetunings[3].folder) / "metrics.json"
    missing.unlink()
    with pytest.raises(InputError) as caught:
        write_bundle(plan, "smoke", "b.zip")
    assert str(caught.value) == f"{missing}: there is no such file; run the experiment first"


def test_a_bundle_takes_along_what_fetched_data_were(plan: Plan) -> None:
    fetched = Path("resources/downloads")
    (fetched / "ambientcg").mkdir(parents=True)
    for file in ("lock.tsv", "ambientcg/materials.tsv", "ambientcg/Fabric001_2K-JPG.zip"):
        (fetched / file).write_text(file)
    held = [path for path in bundle_contents(plan, NAME) if path.startswith("resources/")]
    assert sorted(held) == ["resources/downloads/ambientcg/materials.tsv", "resources/downloads/lock.tsv"]


def test_a_configuration_elsewhere_is_packed_under_the_usual_names(plan: Plan) -> None:
    elsewhere = Path("config/renderings.yaml").rename("elsewhere.yaml").resolve()
    plan.config = plan.config.model_copy(update={"renderings": str(elsewhere)})
    count = write_bundle(plan, NAME, "b.zip")
    assert verify_bundle("b.zip") == (count, [])
    with zipfile.ZipFile("b.zip") as archive:
        assert archive.read("config/renderings.yaml") == elsewhere.read_bytes()


@pytest.mark.parametrize("state", ["there is no such file", "is older than the results"])
def test_without_the_experiments_own_report_nothing_is_packed(
    plan: Plan, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if state == "there is no such file":
        Path(REPORT).rename("results/report.html")  # whichever experiment's it is
    else:
        os.utime(REPORT, (0, 0))
    assert main(["bundle", "mine.yaml"]) == 2
    command = f"snakemake --report {REPORT} --config experiment=mine.yaml"
    line = f"error: {REPORT}: {state}; make it: mkdir -p results/reports && {command}\n"
    assert capsys.readouterr().err == line and not Path("results/bundles").exists()


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
        (lambda c: c.pop(REPORT), f"{REPORT}: is missing"),
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


def test_complexity_alone_is_packed_without_laws(here: Path) -> None:
    name = "demo-complexity"
    plan = _finish(f"config/experiments/{name}.yaml")
    count = write_bundle(plan, name, "b.zip")
    assert verify_bundle("b.zip") == (count, [])
    with zipfile.ZipFile("b.zip") as archive:
        names = set(archive.namelist())
    files = [f"results/complexity/{name}.md", f"results/figures/{name}/complexity.svg"]
    files += [*plan.experiments[name].complexities, "results/references/demo-stand-in/metrics.json"]
    assert set(files) < names
    assert not any(path.startswith(("results/laws", "results/points")) for path in names)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle whose files are deflated, as all are."""
    path = tmp_path_factory.mktemp("packed") / "b.zip"
    content = b"n,error\n" + b"".join(b"%d,0.%d\n" % (n, n * n % 997) for n in range(40))
    digests = {"sha256": hashlib.sha256(content).hexdigest(), "contentSize": str(len(content))}
    files = [{"@id": name, "@type": "File", **digests} for name in ("one.csv", "two.csv")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(METADATA, json.dumps({"@graph": files}))
        archive.writestr("one.csv", content)
        archive.writestr("two.csv", content)
    assert verify_bundle(path) == (2, [])
    return path


def _odd(names: dict[str, bytes] | None = None, graph: object = None, **changes: object) -> Callable:
    """Return a function that writes an odd bundle of `one.csv`: more entries, another graph or attributes."""

    def write(path: Path) -> None:
        content = b"n,error\n"
        one = {
            "@id": "one.csv",
            "@type": "File",
            "contentSize": "8",
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        said = [one] if graph is None else graph(one) if callable(graph) else graph
        text = said if isinstance(said, bytes) else json.dumps({"@graph": said}).encode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(METADATA, text)
            entry = zipfile.ZipInfo("one.csv")
            for key, value in changes.items():
                setattr(entry, key, value)
            archive.writestr(entry, content)
            for name, more in (names or {}).items():
                archive.writestr(name, more)

    return write


def _bomb(path: Path) -> None:
    """Write a bundle whose one file unpacks from 80 kB to 80 MB, as it says."""
    size = 80 << 20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        file = {"@id": "one.csv", "@type": "File", "contentSize": str(size), "sha256": "0"}
        archive.writestr(METADATA, json.dumps({"@graph": [file]}))
        with archive.open("one.csv", "w") as stream:
            for _ in range(80):
                stream.write(bytes(1 << 20))


def _flagged(path: Path) -> None:
    """Write a bundle whose `one.csv` is encrypted, as its flags say."""
    _odd()(path)
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.rindex(mark) + place] |= 1
    path.write_bytes(bytes(content))


def _in_a_folder(path: Path) -> None:
    """Write a bundle as one is zipped again from the folder that it was unpacked to."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"demo/{METADATA}", "{}")


LINK = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("write", "code", "message"),
    [
        (_odd(), 0, ""),
        (_odd({"results/": b""}), 0, ""),
        (_odd(graph=lambda one: [one | {"@id": "on%65.csv", "sha256": one["sha256"].upper()}]), 0, ""),
        (_odd(graph=lambda one: [one, {"@id": "https://a.org/b.csv", "@type": "File"}]), 0, ""),
        (_odd(graph=lambda one: [one | {"@id": "%2e%2e/one.csv"}]), 1, "../one.csv: lies outside the bundle"),
        (_in_a_folder, 2, "the bundle lies in the folder demo/ of this zip; zip its content"),
        (_bomb, 1, "one.csv: would unpack from 81,"),
        (_flagged, 1, "one.csv: is encrypted"),
        (_odd(external_attr=LINK), 1, "one.csv: is a link, folder or device, no file"),
        (_odd(compress_type=zipfile.ZIP_LZMA), 1, "one.csv: is compressed in a way that bundles do not use"),
        (_odd({"..\\evil": b""}), 1, "..\\evil: lies outside the bundle"),
        (_odd({"C:evil": b""}), 1, "C:evil: lies outside the bundle"),
        (_odd({"/evil": b""}), 1, "/evil: lies outside the bundle"),
        (_odd({"../evil/": b""}), 1, "../evil/: lies outside the bundle"),
        (_odd({"folder/": b"content"}), 1, "folder/: is not described"),
        (_odd({"one.csv/two.csv": b""}), 1, "one.csv: is both a file and a folder"),
        (_odd(graph=lambda one: [one, one | {"sha256": "0"}]), 1, "one.csv: is described 2 times"),
        (_odd(graph=lambda one: [one | {"contentSize": float("nan")}]), 1, "one.csv: has 8 bytes, not nan"),
        (_odd(graph=lambda one: [one | {"sha256": [1]}]), 1, "one.csv: has no digest"),
        (_odd(graph=lambda one: [one | {"@id": "\ud800"}]), 1, r"\ud800: is missing"),
        (_odd(graph=lambda one: [one | {"@id": "x" * 5000}]), 1, "x…"),
        (_odd(graph=lambda one: [one | {"@id": 1}]), 2, "@graph.@id: a file without a name"),
        (_odd(graph=[]), 2, "describes no file"),
        (_odd(graph=[{"@id": "./", "@type": "Dataset"}]), 2, "describes no file"),
        (_odd(graph=[1]), 2, "@graph: is not a list of entities"),
        (_odd(graph={"a": 1}), 2, "@graph: is not a list of entities"),
        (_odd(graph=b"[]"), 2, "@graph: is not a list of entities"),
        (_odd(graph=b"[" * 100_000), 2, "is nested too deeply"),
        (_odd(graph=b"9" * 5000), 2, "is not a complete bundle"),
        (_odd(graph=b" " * (65 << 20)), 2, "has 68,157,440 bytes"),
        (lambda path: path.mkdir(), 2, "is a folder"),
        (os.mkfifo, 2, "is a pipe or device"),
    ],
)
def test_odd_bundles_never_pass(tmp_path, capsys, write, code, message) -> None:
    write(tmp_path / "b.zip")
    assert main(["verify", str(tmp_path / "b.zip")]) == code
    error = capsys.readouterr().err
    assert (message.split("…")[0] in error) and all(len(line) < 700 for line in error.splitlines())
    assert code != 2 or error.count("\n") == 1


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_told_without_a_traceback(packed: Path, data: st.DataObject) -> None:
    whole = packed.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1), label="byte")
    flipped = bytearray(whole)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    damaged = packed.with_name("damaged.zip")
    damaged.write_bytes(flipped)
    code = main(["verify", str(damaged)])
    # Some bits say nothing (dates), or the same otherwise: what passes holds what was packed.
    assert code in (1, 2) or _contents(damaged) == _contents(packed)


def _contents(path: Path) -> dict[str, bytes]:
    """Return what an archive holds."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_damaged_file_is_named_and_the_others_are_checked(
    packed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        start = archive.getinfo("one.csv").header_offset + 30 + len("one.csv")
    damaged[start] |= 0b110  # a kind of block that deflate does not have
    packed.with_name("damaged.zip").write_bytes(damaged)
    assert main(["verify", str(packed.with_name("damaged.zip"))]) == 1
    printed = capsys.readouterr()
    assert "one.csv: is damaged (Error -3 while decompressing data: invalid block type)" in printed.err
    assert printed.out.endswith("2 files described, 1 problems\n")
