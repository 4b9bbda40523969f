"""What a run would miss on this machine is reported before it starts."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from syn2real.data.shards import SceneRecord, write_shard
from syn2real.plan.assets import asset_folders, downloads, objects_input, textures_input
from syn2real.plan.costs import check_configuration
from syn2real.plan.missing import missing_blender, missing_data
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]

PLY = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
PLY += "element face 1\n"
PLY += "property list uchar int vertex_indices\nend_header\n50 0 0\n0 50 0\n0 0 50\n3 0 1 2\n"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    shared["datasets"] = str(ROOT / "config/datasets.tsv")
    experiment = str(ROOT / "config/experiments/smoke.yaml")
    return load_plan({"experiment": experiment, "recipes": str(ROOT / "config/recipes"), **shared})


def test_a_network_that_cannot_be_trained_is_refused_before_the_first_job(plan: Plan) -> None:
    pytest.importorskip("timm")
    smoke = plan.experiments["smoke"]
    models = ("mixer_s32_224", "test_vit", "resnet18")
    asked = smoke.asked.model_copy(update={"models": models})
    plan.experiments["smoke"] = replace(smoke, asked=asked)
    found = [line for line in missing_data(plan).refusals if "trainings" in line]
    assert len(found) == 1, found
    assert found[0].startswith("models: timm's mixer_s32_224 does not take images of every size")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("libXi.so.6: cannot open shared object file", "install the system package that holds libXi.so.6"),
        (
            "No module named 'numpy'",
            "pip install '.[render]'" if sys.version_info[:2] == (3, 11) else "3.11",
        ),
    ],
)
def test_a_blender_that_cannot_be_imported_is_said_with_the_fix(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, fix: str
) -> None:
    (tmp_path / "bpy.py").write_text(f"raise ImportError({error!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    lines = list(missing_blender(plan))
    assert len(lines) == 1 and "\n" not in lines[0]
    assert error in lines[0] and lines[0].endswith(fix)


def test_rendered_settings_need_no_blender(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shard in plan.needed_shards(plan.rendered()):
        path = tmp_path / shard
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "bpy.py").write_text("raise ImportError('broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert list(missing_blender(plan)) == []


def test_data_the_workflow_makes_is_never_missing(plan: Plan) -> None:
    assert missing_data(plan).refusals == []


def _paper_plan(plan: Plan, tmp_path: Path, settings: list[str], **changes: object) -> Plan:
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    value |= {"settings": settings, "sizes": [0, 1000], "complexity": None}
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value))
    return load_plan(plan.config.model_dump() | {"experiment": str(tmp_path / "e.yaml")} | changes)


def test_what_will_be_fetched_is_told_with_size_and_licence(tmp_path: Path, plan: Plan) -> None:
    settings = ["multiple-fix-fix-textureless", "multiple-random-random-textureless"]
    paper = _paper_plan(plan, tmp_path, settings)
    assert list(downloads(paper, "smoke")) == [
        "itodd: 2 archives, 2 of unknown size, 2 without a published checksum; licence: CC BY-NC-SA 4.0",
        "tless: 2 archives, 0.05 MB and 1 of unknown size, 1 without a published checksum; "
        "licence: CC BY 4.0",
        "ambientcg: Fabric001; licence: CC0 1.0",
        "ambientcg: all materials that tile a room; licence: CC0 1.0",
    ]
    for setting, folder in zip(
        settings, ("materials/ambientcg/Fabric001", "textures/ambientcg"), strict=True
    ):
        assert asset_folders(paper, paper.rendered()[setting])["textures"] == f"results/assets/{folder}"
    assert missing_data(paper).refusals == []
    (tmp_path / "resources/downloads/tless").mkdir(parents=True)
    for name in ("base", "models"):
        (tmp_path / f"resources/downloads/tless/tless_{name}.zip").touch()
    (tmp_path / "results/assets/objects/itodd").mkdir(parents=True)
    lines = list(downloads(paper, "smoke"))
    assert lines[0] == "tless: archives at hand are unpacked; licence: CC BY 4.0" and len(lines) == 3
    assert list(downloads(plan, "smoke")) == []


def test_a_copy_of_ones_own_is_used_instead(tmp_path: Path, plan: Plan) -> None:
    own = {"objects": {"tless": "mine/tless"}, "textures": {"ambientcg": "mine/ambientcg"}}
    paper = _paper_plan(plan, tmp_path, ["multiple-fix-fix-textureless"], **own)
    assert [line.partition(":")[0] for line in downloads(paper, "smoke")] == ["itodd"]
    assert asset_folders(paper, paper.rendered()["multiple-fix-fix-textureless"]) == {
        "objects": {"itodd": "results/assets/objects/itodd", "tless": "mine/tless"},
        "textures": "mine/ambientcg",
    }
    assert len(missing_data(paper).refusals) == 2


def test_a_collection_that_is_not_there_is_named_with_who_needs_it(tmp_path: Path, plan: Plan) -> None:
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    value["renderings"]["smoke"]["collections"] = ["mine"]
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value))
    changes = {"experiment": str(tmp_path / "e.yaml"), "objects": {"mine": "objects/mine"}}
    changed = load_plan(plan.config.model_dump() | changes)
    lines = missing_data(changed).refusals
    assert len(lines) == 1
    assert lines[0].startswith("objects/mine: no object collection in BOP layout here")
    assert "needed by the renders of experiment smoke" in lines[0]


def _own_copies(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Make copies of one's own: T-LESS with CAD models, as BOP has it, and a material."""
    models = tmp_path / "mine/tless/models_cad"
    models.mkdir(parents=True)
    (models / "models_info.json").write_text('{"1": {}, "2": {}}')
    for number in (1, 2):
        (models / f"obj_{number:06d}.ply").write_text(PLY)
    material = tmp_path / "mine/ambientcg/Fabric001"
    material.mkdir(parents=True)
    (material / "Fabric001_2K_Color.jpg").touch()
    return {"objects": {"tless": "mine/tless"}, "textures": {"ambientcg": "mine/ambientcg"}}


def test_an_own_copy_of_tless_has_cad_models(tmp_path: Path, plan: Plan) -> None:
    settings = ["multiple-fix-fix-textureless"]
    paper = _paper_plan(plan, tmp_path, settings, **_own_copies(tmp_path))
    assert missing_data(paper).refusals == []
    rendering = paper.rendered(settings)[settings[0]]
    assert objects_input(paper, rendering) == [
        "results/assets/objects/itodd",
        "mine/tless/models_cad/models_info.json",
    ]
    assert textures_input(paper, rendering) == ["mine/ambientcg"]


def test_what_an_own_copy_lacks_is_told_once_before_the_first_job(tmp_path: Path, plan: Plan) -> None:
    settings = ["multiple-fix-fix-textureless", "single-fix-fix-textureless"]
    settings.append("multiple-random-random-textureless")
    paper = _paper_plan(plan, tmp_path, settings, **_own_copies(tmp_path))
    (tmp_path / "mine/tless/models_cad/obj_000002.ply").unlink()
    other = (tmp_path / "mine/ambientcg/Fabric001").rename(tmp_path / "mine/ambientcg/Fence003")
    (other / "Fabric001_2K_Color.jpg").rename(other / "Fence003_2K_Color.jpg")
    who = "(needed by the renders of experiment smoke)"
    ply = "mine/tless/models_cad/obj_000002.ply"
    assert missing_data(paper).refusals == [
        f"{ply}: models_info.json lists object 2, but this file is missing {who}",
        *(
            f"{setting}: background_material: no material 'Fabric001' in mine/ambientcg {who}"
            for setting in settings[:2]
        ),
        f"{settings[2]}: materials: no material in mine/ambientcg has a name that begins so; "
        f"[] takes all 1 {who}",
    ]
    shutil.rmtree(tmp_path / "mine/ambientcg/Fence003")
    _, line = missing_data(paper).refusals
    assert line.startswith("mine/ambientcg: no materials in ambientCG layout here") and line.endswith(who)
    # What is not there is no input: Snakemake would end a dry run with an exception instead of the warning.
    shutil.rmtree(tmp_path / "mine")
    rendering = paper.rendered(settings)[settings[0]]
    assert objects_input(paper, rendering) == ["results/assets/objects/itodd"]
    assert textures_input(paper, rendering) == []
    assert len(missing_data(paper).refusals) == 2


def test_measurements_that_are_not_there_are_named(tmp_path: Path) -> None:
    question = {"name": "given", "question": "q?", "cost": "c", "expected": "e"}
    path = tmp_path / "given.yaml"
    path.write_text(yaml.safe_dump(question | {"measurements": {"path": str(tmp_path / "none.csv")}}))
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {name: str(ROOT / config[name]) for name in ("renderings", "targets", "recipes", "datasets")}
    (line,) = missing_data(load_plan(config | {"experiment": str(path)})).refusals
    assert line == f"{tmp_path}/none.csv: there is no such file (the measurements of experiment given)"


TABLE = "n,error,setting,seed\n0,0.5,a,0\n10,0.4,a,0\n100,0.3,a,0\n"


@pytest.mark.parametrize(
    ("text", "keys", "message"),
    [
        (TABLE, {}, None),
        (TABLE, {"select": {"setting": ["a"]}, "ignore": ["seed"]}, None),
        (TABLE, {"select": {"seting": ["a"]}}, "select: there is no column 'seting'; did you mean 'setting'"),
        (TABLE, {"select": {"setting": ["b"]}}, "select.setting: no row has the value 'b'"),
        (TABLE, {"select": {"n": [0, 10.0, 100]}}, None),
        (TABLE, {"ignore": ["error"]}, "ignore: error is what is measured"),
        (TABLE, {"ignore": ["sed"]}, "ignore: there is no column 'sed'"),
        (TABLE.replace("0.4", "many"), {}, "error"),
        ("a,b\n1,2\n", {}, "n"),
        ("", {}, "given.csv"),
    ],
)
def test_a_table_is_read_as_its_job_reads_it(
    tmp_path: Path, text: str, keys: dict, message: str | None
) -> None:
    table = tmp_path / "given.csv"
    table.write_text(text)
    value = {"name": "given", "question": "q?", "cost": "c", "expected": "e"}
    (tmp_path / "given.yaml").write_text(
        yaml.safe_dump(value | {"measurements": {"path": str(table)} | keys})
    )
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {name: str(ROOT / config[name]) for name in ("renderings", "targets", "recipes", "datasets")}
    config |= {"experiment": str(tmp_path / "given.yaml")}
    problems = missing_data(load_plan(config)).refusals
    assert len(problems) == (message is not None)
    assert all(line.startswith(str(table)) and message and message in line for line in problems)
    # A check refuses what is wrong, and a table that is not there: nothing makes it.
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert check_configuration(tmp_path / "config.yaml") == (2 if message else 0)
    table.unlink()
    assert check_configuration(tmp_path / "config.yaml") == 2


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.safetensors", len(HEADER).to_bytes(8, "little") + HEADER + bytes(8), None),
        ("w.safetensors", len(HEADER).to_bytes(8, "little") + HEADER + bytes(7), "the file ends early"),
        (
            "w.safetensors",
            b"version https://git-lfs.github.com/spec/v1\n",
            "no weights of torch or safetensors",
        ),
        ("w.safetensors", b"", "no weights of torch or safetensors"),
        ("w.safetensors", (3).to_bytes(8, "little") + b"[1]", "no weights of torch or safetensors"),
        ("w.pth", b"PK\3\4" + bytes(9), None),
        ("w.pth", b"\x80\2" + bytes(9), None),
        ("w.pth", b"<!DOCTYPE html>", "no weights of torch or safetensors: it begins with b'<!DOCTYP'"),
        ("w.pth", b"", "no weights of torch or safetensors"),
    ],
)
def test_weights_that_are_none_are_refused_before_the_run(
    tmp_path: Path, name: str, content: bytes, message: str | None, plan: Plan
) -> None:
    (tmp_path / name).write_bytes(content)
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    value["references"] = {"mine": {"weights": str(tmp_path / name), "model": "resnet18"}}
    value["complexity"]["reference"] = "mine"
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value))
    changed = load_plan(plan.config.model_dump() | {"experiment": str(tmp_path / "e.yaml")})
    problems = missing_data(changed).refusals
    assert len(problems) == (message is not None)
    assert all(f"{name}: {message}" in line for line in problems)


OBJECTS = [f"demo-textured/obj_{number:06d}" for number in range(1, 22)]
PHOTOGRAPHS = ["background", "cup", "lid"]
WHOLE = {"task": "objdet", "target": "photographs", "percents": [100], "arms": ["whole"]}


def _coco(file: Path, names: list[str]) -> None:
    """Write an annotation file of one image with a box of each class."""
    box = {"image_id": 1, "bbox": [1, 1, 8, 8], "area": 64, "iscrowd": 0}
    boxes = [box | {"id": k, "category_id": k} for k in range(1, len(names) + 1)]
    image = {"id": 1, "file_name": f"{file.stem}.png", "width": 16, "height": 16}
    categories = [{"id": k, "name": name} for k, name in enumerate(names, start=1)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"images": [image], "annotations": boxes, "categories": categories}))


def _collection(names: int, name: str = "demo-textured") -> None:
    """Make an object collection as the workflow's rule leaves it."""
    models = Path(f"results/assets/objects/{name}/models")
    models.mkdir(parents=True)
    (models / "models_info.json").write_text(json.dumps({str(k + 1): {} for k in range(names)}))
    for number in range(1, names + 1):
        (models / f"obj_{number:06d}.ply").write_text(PLY)


def _classes_plan(plan: Plan, ftask: dict[str, object], **renderings: dict[str, object]) -> Plan:
    """Return a plan with a target of one's own, whose renders are of one collection."""
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    asked = WHOLE | ftask
    value |= {"complexity": None, "references": {}, "ptasks": [asked["task"]], "ftasks": [asked]}
    value["renderings"]["smoke"]["collections"] = ["demo-textured"]
    value["renderings"] |= renderings
    value["settings"] = [*renderings] or ["smoke"]
    annotations = {split: f"{split}.json" for split in ("train", "test")}
    coco = {"layout": "coco", "path": "photographs", "annotations": annotations}
    value["targets"]["photographs"] = coco | {"images": {"train": "train", "test": "test"}}
    Path("e.yaml").write_text(yaml.safe_dump(value))
    return load_plan(plan.config.model_dump() | {"experiment": "e.yaml"})


def _about_classes(plan: Plan) -> list[str]:
    return [line for line in missing_data(plan).refusals if "ftasks.classes" in line]


WHO = "(needed by the objdet runs on photographs with renders of smoke of experiment smoke)"
BOTH = {OBJECTS[0]: "cup", OBJECTS[2]: "cup"}


@pytest.mark.parametrize(
    ("ftask", "line"),
    [
        ({"classes": {OBJECTS[0]: "cup"}}, None),
        ({"classes": {OBJECTS[0]: "cup", OBJECTS[1]: "lid"}}, None),
        (
            {"classes": {OBJECTS[0][1:]: "cup"}},
            f"'{OBJECTS[0][1:]}' is no class of the renders; did you mean '{OBJECTS[0]}'?",
        ),
        (
            {"classes": {"x": "cup"}},
            f"'x' is no class of the renders; they have {', '.join(OBJECTS[:8])} and 13 more",
        ),
        ({"classes": {OBJECTS[0]: "cap"}}, "'cap' is no class of the photographs; did you mean 'cup'?"),
        (
            {},
            f"renders ({', '.join(OBJECTS[:8])} and 13 more) and photographs (cup, lid) have no class in "
            "common; map the renders' names to the photographs'",
        ),
        (
            {"classes": BOTH},
            f"several classes of the renders ({OBJECTS[0]}, {OBJECTS[2]}) are cup, but a pre-trained head "
            "has one output a class; map one of them alone, or take a mixed arm",
        ),
        ({"classes": BOTH, "arms": ["renders-only"]}, "several classes of the renders"),
        ({"classes": BOTH, "arms": ["mixed-0.5"]}, None),
        ({"classes": {"x": "cup"}, "arms": ["mixed-0.5"]}, "'x' is no class of the renders"),
        ({"arms": ["backbone"]}, None),
        ({"task": "semseg", "classes": {"background": "background"}}, "renders (background, "),
    ],
)
def test_classes_that_no_job_could_match_are_refused_before_the_first(
    plan: Plan, ftask: dict, line: str | None
) -> None:
    _collection(21)
    for split in ("train", "test"):
        _coco(Path(f"photographs/{split}.json"), PHOTOGRAPHS[1:])
    lines = _about_classes(_classes_plan(plan, ftask))
    assert len(lines) == (line is not None)
    who = WHO.replace("objdet", str(ftask.get("task", "objdet")))
    assert all(found.startswith(f"e.yaml: ftasks.classes: {line}") and found.endswith(who) for found in lines)


def test_classes_that_no_render_has_are_a_warning(plan: Plan) -> None:
    _collection(21)
    _coco(Path("photographs/train.json"), PHOTOGRAPHS[1:])
    asked = _classes_plan(plan, {"classes": {OBJECTS[0]: "cup"}})
    assert [line for line in missing_data(asked).warnings if "ftasks" in line] == [
        "e.yaml: ftasks.classes: the renders lack 1 of the photographs' 2 classes (lid); where one has "
        f"another name there, map it {WHO}"
    ]


def test_classes_that_are_not_known_yet_are_left_to_the_job(plan: Plan) -> None:
    asked = _classes_plan(plan, {"classes": {"x": "y"}})
    assert _about_classes(asked) == []
    _collection(3)
    assert _about_classes(asked) == []
    _coco(Path("photographs/train.json"), PHOTOGRAPHS[1:])
    assert len(_about_classes(asked)) == 1
    Path("results/assets/objects/demo-textured/models/models_info.json").write_text("{")
    assert _about_classes(asked) == []


def test_a_shard_names_the_classes_unless_it_is_to_be_rendered_again(plan: Plan) -> None:
    _coco(Path("photographs/train.json"), PHOTOGRAPHS[1:])
    asked = _classes_plan(plan, {"classes": {"box/red": "cap"}})
    rendering = asked.rendered()["smoke"].model_dump(mode="json")
    meta = {"setting": "smoke", "split": "train", "first_scene": 0, "n_scenes": 1, "views": 1}
    meta |= {
        "members": ["png"],
        "classes": ["box/red"],
        "rendering": rendering,
        "versions": {},
        "resampled": {},
    }
    for made, count in ((rendering, 1), (rendering | {"views": 9}, 0)):
        scene = SceneRecord(0, b"{}", [{"png": b""}])
        write_shard("results/renders/smoke/train/shard-000000.tar", meta | {"rendering": made}, [scene])
        lines = _about_classes(asked)
        assert len(lines) == count and all("'cap' is no class of the photographs" in line for line in lines)


def test_own_renders_name_their_classes_in_their_annotations(plan: Plan) -> None:
    splits = ("train", "val")
    folders, files = dict.fromkeys(splits, "own"), {split: f"own/{split}.json" for split in splits}
    own = {"images": folders, "annotations": files}
    for file in (*files.values(), "photographs/train.json"):
        _coco(Path(file), ["mug", "lid"])
    assert _about_classes(_classes_plan(plan, {"classes": {"mug": "lid"}}, mine=own)) == [
        "e.yaml: ftasks.classes: several classes of the renders (mug, lid) are lid, but a pre-trained head "
        "has one output a class; map one of them alone, or take a mixed arm (needed by the objdet runs on "
        "photographs with renders of mine of experiment smoke)"
    ]
    asked = _classes_plan(plan, {"classes": {"mgu": "lid"}}, mine=own, other=own)
    (line,) = _about_classes(asked)
    assert "'mgu' is no class of the renders; did you mean 'mug'?" in line and "of mine, other of" in line
    assert _about_classes(_classes_plan(plan, {}, mine=own)) == []


@pytest.mark.parametrize(
    ("task", "layout", "classes", "line"),
    [
        ("objdet", "coco", {}, None),
        ("semseg", "coco", {}, None),
        ("semseg", "ade20k", {"background": "room"}, None),
        (
            "semseg",
            "ade20k",
            {"background": "rom"},
            "'rom' is no class of the photographs; did you mean 'room'?",
        ),
        ("objdet", "coco", {OBJECTS[0]: "cup"}, "'cup' is no class of the photographs; they have demo-tex"),
    ],
)
def test_a_stand_in_has_the_classes_that_it_is_rendered_from(
    plan: Plan, task: str, layout: str, classes: dict[str, str], line: str | None
) -> None:
    _collection(3)
    target = f"smoke-stand-in-{layout}"
    lines = _about_classes(_classes_plan(plan, {"task": task, "target": target, "classes": classes}))
    assert len(lines) == (line is not None) and all(str(line) in found for found in lines)
