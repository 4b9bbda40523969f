"""The stand-in target: read back by the loaders and the tools of the real data sets."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from torchvision.datasets import ImageFolder

from syn2real.data import export
from syn2real.data.export import export_target
from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError


def target(folder, layout):
    return Target(layout=layout, path=str(folder / layout), stand_in=True)


@pytest.fixture
def made(make_shards, tmp_path):
    """Return the exported folder and the views of its test split."""
    shown = [[0], [1, 2], [2], [], [0, 1], [1], [2], [0]]
    train, _ = make_shards("train", objects=shown)
    test, truth = make_shards("val", objects=shown)
    folder = tmp_path / "targets" / "demo-stand-in"
    export_target({"train": train, "test": test}, folder)
    return folder, truth


@pytest.mark.parametrize(
    ("layout", "channel", "n"),
    [("imagenet", "label", 7), ("coco", "objects", 8), ("coco", "class-map", 8), ("ade20k", "class-map", 8)],
)
def test_the_real_ones_loaders_read_it(made, layout, channel, n):
    folder, _ = made
    check_layout(target(folder, layout), channel)
    train, test = load_splits(target(folder, layout), channel)
    assert len(train) == len(test) == n
    for i in range(n):
        assert test[i][0].shape == (3, 32, 32)


def test_imagenets_class_is_the_most_visible_object(made):
    folder, truth = made
    test = load_target(target(folder, "imagenet"), "test", "label")
    assert test.classes == ["demo-obj_000001", "demo-obj_000002", "demo-obj_000003"]
    # Objects further right are larger in these views; the empty fourth view has no class.
    assert sorted(test.labels) == [0, 0, 1, 1, 2, 2, 2]
    oracle = ImageFolder(folder / "imagenet" / "val")
    names = [path.rpartition("/")[2] for path, _ in oracle.samples]
    assert "demo-obj_000003_2.JPEG" in names and "demo-obj_000002_5.JPEG" in names
    assert oracle.targets == test.labels.tolist()


def test_images_are_jpegs_close_to_the_render(made, make_shards):
    folder, truth = made
    for path in (
        "coco/val2017/000000000001.jpg",
        "ade20k/ADEChallengeData2016/images/validation/ADE_val_00000001.jpg",
        "imagenet/val/demo-obj_000001/demo-obj_000001_1.JPEG",
    ):
        buffer = io.BytesIO()
        Image.fromarray(truth[0]["image"]).save(buffer, "JPEG", quality=95)
        assert (folder / path).read_bytes() == buffer.getvalue()


def test_cocos_own_tool_reads_boxes_and_masks(made):
    folder, truth = made
    coco = COCO(str(folder / "coco" / "annotations" / "instances_val2017.json"))
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == [f"demo/obj_00000{k}" for k in (1, 2, 3)]
    for number, view in enumerate(truth, start=1):
        annotations = coco.imgToAnns.get(number, [])
        assert [a["bbox"] for a in annotations] == [t["bbox"] for t in view["things"]]
        painted = np.zeros((32, 32), dtype=np.uint8)
        for a in annotations:
            painted[coco.annToMask(a) == 1] = a["category_id"]
        assert (painted == view["seg"]).all()


def test_both_segmentations_say_the_same(made):
    folder, truth = made
    coco = load_target(target(folder, "coco"), "test", "class-map")
    ade = load_target(target(folder, "ade20k"), "test", "class-map")
    assert ade.classes == ["room", "demo/obj_000001", "demo/obj_000002", "demo/obj_000003"]
    for i, view in enumerate(truth):
        assert (coco[i][1] == view["seg"]).all()
        assert (ade[i][1] == view["seg"]).all()  # the room, 1 in the file, is class 0


def test_it_says_that_it_is_a_stand_in(made):
    folder, _ = made
    text = (folder / "README.txt").read_text()
    assert text.startswith("demo-stand-in: a rendered stand-in, no real photographs")
    assert "test: 8 images" in text
    info = json.loads((folder / "coco" / "annotations" / "instances_val2017.json").read_text())["info"]
    assert "no real photographs" in info["description"]


def test_the_same_shards_give_the_same_bytes_in_place_of_what_was_there(made, make_shards, tmp_path):
    folder, _ = made
    before = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    (folder / "stale.txt").touch()
    renders = tmp_path / "renders" / "s"
    shards = {"train": sorted((renders / "train").iterdir()), "test": sorted((renders / "val").iterdir())}
    export_target(shards, folder)
    assert {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert [p.name for p in folder.parent.iterdir()] == ["demo-stand-in"]


def test_only_the_first_images(made, tmp_path):
    folder, _ = made
    renders = tmp_path / "renders" / "s"
    shards = {"train": sorted((renders / "train").iterdir()), "test": sorted((renders / "val").iterdir())}
    export_target(shards, tmp_path / "few", images={"train": 6, "test": 2})
    assert len(list((tmp_path / "few" / "coco" / "train2017").iterdir())) == 6
    assert len(list((tmp_path / "few" / "coco" / "val2017").iterdir())) == 2
    with pytest.raises(InputError, match="hold 8 images, but 10 are asked for"):
        export_target(shards, tmp_path / "many", images={"train": 10, "test": 2})


def test_a_failure_leaves_nothing_behind(make_shards, tmp_path, monkeypatch):
    train, _ = make_shards("train")
    test, _ = make_shards("val")
    monkeypatch.setattr(export, "_write_object_info", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_target({"train": train, "test": test}, tmp_path / "targets" / "t")
    assert list((tmp_path / "targets").iterdir()) == []


def test_what_cannot_be_a_target_is_refused(make_shards, tmp_path):
    train, _ = make_shards("train", objects=[[0]] * 8)
    test, _ = make_shards("val", objects=[[1]] * 8)
    with pytest.raises(InputError, match="demo-obj_000002 is seen in test but never in train"):
        export_target({"train": train, "test": test}, tmp_path / "t")
    with pytest.raises(InputError, match="shards.test: no shards for split test"):
        export_target({"train": train}, tmp_path / "t")
    other, _ = make_shards("val", setting="z")
    with pytest.raises(InputError, match="setting: does not belong with"):
        export_target({"train": train, "test": other}, tmp_path / "t")
    members = ["png", "normal.png", "json"]
    bare = {split: make_shards(split, setting="bare", members=members)[0] for split in ("train", "test")}
    with pytest.raises(InputError, match="shard-000000.tar: members: the images have no class-map; add it"):
        export_target(bare, tmp_path / "t")
    assert not (tmp_path / "t").exists()
