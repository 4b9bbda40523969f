"""Settings of your own renders: recognised, refused in one line, counted before any job."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from syn2real.config.experiment import Experiment
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError
from syn2real.plan.missing import check_own_sizes, missing_blender, missing_data
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.render.schema import Rendering
from syn2real.schema import validate

ROOT = Path(__file__).resolve().parents[4]
OWN = {
    "images": {"train": "mine/train", "val": "mine/val"},
    "annotations": {"train": "mine/train.json", "val": "mine/val.json"},
}
GOOD = {
    "name": "e",
    "question": "q",
    "cost": "c",
    "expected": "x",
    "recipe": "smoke",
    "settings": ["mine"],
    "ptasks": ["objdet"],
    "ftasks": [{"task": "objdet", "target": "coco"}],
    "sizes": [0, 4],
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are written below the folder that the workflow runs in."""
    monkeypatch.chdir(tmp_path)


def _plan(tmp_path: Path, own: dict | None = None, **changes: object) -> Plan:
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump(GOOD | {"renderings": {"mine": own or OWN}} | changes))
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    shared["datasets"] = str(ROOT / "config/datasets.tsv")
    return load_plan({"experiment": str(path), "recipes": str(ROOT / "config/recipes"), **shared})


@pytest.fixture
def mine(tmp_path: Path, save_image) -> dict:
    """Return a setting of own renders that is really there: 6 images to train on, 8 for validation."""
    for split, count in (("train", 6), ("val", 8)):
        images = [{"id": k, "file_name": f"{k}.png", "width": 8, "height": 6} for k in range(count)]
        boxes = [{"id": k, "image_id": k, "category_id": 1, "bbox": [1, 1, 3, 3]} for k in range(count)]
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "screw"}]}
        for image in images:
            save_image(tmp_path / split / image["file_name"])
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    return {
        "images": {s: str(tmp_path / s) for s in ("train", "val")},
        "annotations": {s: str(tmp_path / f"{s}.json") for s in ("train", "val")},
    }


@pytest.fixture
def save_image():
    """Return a function that writes a small image."""
    from PIL import Image

    def save(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (0, 0, int(path.parent.name == "val"))).save(path)

    return save


def test_a_setting_with_annotations_is_your_own(tmp_path: Path) -> None:
    plan = _plan(tmp_path, OWN | {"views": 2, "scenes_per_shard": 3}, sizes=[0, 4, 14])
    assert isinstance(plan.renderings["mine"], OwnRenders)
    assert list(plan.own_renders()) == ["mine"] and "mine" not in plan.rendered()
    assert isinstance(plan.renderings["single-fix-fix-textured"], Rendering)
    assert len(plan.shards("mine", "train", 12)) == 2 and len(plan.shards("mine", "train", 14)) == 3
    assert plan.experiments["e"].images["mine"]["train"] == 14


def test_the_shared_file_may_hold_it(tmp_path: Path) -> None:
    shared = tmp_path / "renderings.yaml"
    shared.write_text(yaml.safe_dump({"mine": OWN, "other": {"views": 2}}))
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(GOOD))
    config = {"experiment": str(tmp_path / "e.yaml"), "recipes": str(ROOT / "config/recipes")}
    config |= {"renderings": str(shared), "targets": str(ROOT / "config/targets.yaml")}
    config["datasets"] = str(ROOT / "config/datasets.tsv")
    assert list(load_plan(config).own_renders()) == ["mine"]
    shared.write_text(yaml.safe_dump({"mine": OWN | {"view": 2}}))
    with pytest.raises(InputError, match=r"renderings.yaml: mine.view: unknown key; did you mean 'views'\?"):
        load_plan(config)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (OWN | {"normal": {}}, "renderings.mine.normal: unknown key; did you mean 'normals'?"),
        (
            {"images": OWN["images"], "anotations": {}},
            "renderings.mine.anotations: unknown key; did you",
        ),
        (OWN | {"samples": 5}, "renderings.mine.samples: unknown key; "),
        (OWN | {"images": {"train": "a"}}, "renderings.mine.images.val: this key is missing; add it"),
        (OWN | {"images": {"trein": "a", "val": "b"}}, "renderings.mine.images.trein: unknown key; did you"),
        (OWN | {"images": "a"}, "renderings.mine.images: keys belong here"),
        (OWN | {"views": 0}, "renderings.mine.views: must be at least 1; it is 0"),
        ({"camera": {"radius": 3}}, "renderings.mine.camera.radius: unknown key; did you mean 'radius_m'?"),
        (3, "renderings.mine: keys belong here"),
    ],
)
def test_mistakes_are_reported_for_the_right_kind(own: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        validate(Experiment, GOOD | {"renderings": {"mine": own}}, file="e.yaml")
    assert str(caught.value).startswith(f"e.yaml: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("own", "changes", "message"),
    [
        (OWN | {"views": 3}, {}, "sizes: 4 images are not a whole number of scenes of 3 views"),
        (OWN, {"ptasks": ["normal"]}, "ptasks: setting mine has no normals; give its `normals`"),
        (
            OWN,
            {"stand_ins": {"s": {"setting": "mine", "train_images": 2, "test_images": 2}}},
            "stand_ins.s.setting: 'mine' is not defined",
        ),
    ],
)
def test_what_own_renders_cannot_be(tmp_path: Path, own: dict, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"e.yaml: {message}"):
        _plan(tmp_path, own, **changes)


def test_more_than_there_are_is_refused(tmp_path: Path, mine: dict) -> None:
    check_own_sizes(_plan(tmp_path, mine, sizes=[0, 6]))
    with pytest.raises(InputError, match=r"e.yaml: sizes: 8 images are asked for, but .*train.json .* 6;"):
        check_own_sizes(_plan(tmp_path, mine, sizes=[0, 8]))
    with pytest.raises(InputError, match=r"e.yaml: recipe: demo validates on \d+ images .*val.json .* 8;"):
        check_own_sizes(_plan(tmp_path, mine, recipe="demo"))
    check_own_sizes(_plan(tmp_path))  # what is not there yet cannot be counted
    check_own_sizes(_drawn(tmp_path, mine, 6))
    message = r"e.yaml: renderings.drawn.pools: a pool of 8 images is asked for, but .*train.json .* 6;"
    with pytest.raises(InputError, match=message):
        check_own_sizes(_drawn(tmp_path, mine, 8))


def _drawn(tmp_path: Path, mine: dict, pool: int) -> Plan:
    """Return the plan of an experiment on draws from own renders."""
    drawn = {"subset": "images", "of": "mine", "pools": [pool]}
    return _plan(tmp_path, settings=["drawn"], renderings={"mine": mine, "drawn": drawn}, sizes=[0, 3])


def test_sorted_renders_are_warned_of_but_where_a_pool_holds_all_classes(tmp_path: Path, mine: dict) -> None:
    for split in ("train", "val"):
        content = json.loads((tmp_path / f"{split}.json").read_text())
        content["categories"].append({"id": 2, "name": "nut"})
        content["annotations"][-1]["category_id"] = 2
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    plans = (_plan(tmp_path, mine), _drawn(tmp_path, mine, 4), _drawn(tmp_path, mine, 6))
    found = [[line for line in missing_data(plan).warnings if "classes met" in line] for plan in plans]
    assert [len(lines) for lines in found] == [1, 1, 0]
    assert "the first 4 of 6 images (n = 4) have no nut" in found[0][0]


def test_what_is_missing_is_named_with_who_needs_it(tmp_path: Path, mine: dict) -> None:
    def lines(**changes: object) -> list[str]:
        return [line for line in missing_data(_plan(tmp_path, mine, **changes)).refusals if "on mine" in line]

    assert lines() == []
    (tmp_path / "train" / "5.png").unlink()
    assert lines() == []  # the first four are all that is used
    [line] = lines(sizes=[6])
    assert line.startswith(f"{tmp_path}/train/5.png: there is no such file; {tmp_path}/train.json names it")
    assert line.endswith("(needed by the pre-training on mine of experiment e)")
    line, _ = lines(ptasks=["semseg"])  # of both splits
    assert (
        "train.json: annotations.segmentation: 6 of 6 annotations have no mask (the first: annotation 0)"
        in line
    )
    (tmp_path / "val.json").unlink()
    assert "val.json: there is no such file" in lines()[0]


def test_nothing_is_to_be_rendered_so_blender_is_not_needed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert list(missing_blender(_plan(tmp_path))) == []


def test_validation_images_that_are_trained_on_are_refused(tmp_path: Path, mine: dict) -> None:
    shutil.copy(tmp_path / "train/1.png", tmp_path / "val/3.png")
    (problem,) = (line for line in missing_data(_plan(tmp_path, mine)).problems)
    assert "val/3.png: this validation image is a training image, too, as " in problem
    assert "/train/" in problem
