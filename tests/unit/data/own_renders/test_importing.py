"""A user's own renders become shards that pre-training reads like rendered ones."""

import io
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import webdataset
from PIL import Image

from syn2real.channels import normals as normals_channel
from syn2real.channels.normals import unpack
from syn2real.data.own_renders.checks import check_own_renders
from syn2real.data.own_renders.importing import import_shard
from syn2real.data.own_renders.index import part_file, update_index
from syn2real.data.own_renders.schema import AnyOwnRenders
from syn2real.data.rendered import RenderedImages
from syn2real.data.shards import Shard
from syn2real.errors import InputError
from syn2real.report.contact_sheet import contact_sheet

SPLITS = {"train": "train", "val": "test"}
"""Of renders, and what the target calls them."""


@pytest.fixture
def own(coco):
    """Return a setting over the images of the `coco` fixture: ids 7 (empty) and 42 (with all sorts)."""
    return {
        "images": {split: str(coco.image_folder(its)) for split, its in SPLITS.items()},
        "annotations": {split: str(coco.annotation(its)) for split, its in SPLITS.items()},
    }


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Return a function that imports a shard and returns its path."""
    monkeypatch.chdir(tmp_path)

    def run(own, shard=0, split="train", name="shard"):
        path = tmp_path / f"{name}-{shard:06d}.tar"
        update_index("mine", AnyOwnRenders(**own), split)
        annotations = part_file("mine", split, shard)
        import_shard(setting="mine", own=own, split=split, shard=shard, annotations=annotations, output=path)
        return path

    return run


def edit(own, change, split="train"):
    path = Path(own["annotations"][split])
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_images_stand_in_the_order_of_their_ids(own, imported, tmp_path):
    shard = Shard(imported(own))
    assert shard.keys == ["00000000-00", "00000001-00"]
    assert shard.meta["classes"] == ["person", "stop sign", "toothbrush"]
    assert (shard.meta["setting"], shard.meta["first_scene"], shard.meta["n_scenes"]) == ("mine", 0, 2)
    named = [json.loads(shard.read(f"{k:08d}")["scene.json"])["images"] for k in (0, 1)]
    assert [images[0]["id"] for images in named] == [7, 42]
    source = np.array(Image.open(f"{own['images']['train']}/000000000042.jpg").convert("RGB"))
    assert (np.array(Image.open(io.BytesIO(shard.read("00000001-00")["png"]))) == source).all()


def test_boxes_are_cut_and_crowds_and_what_covers_nothing_left_out(own, imported, learnt):
    def add(content):
        square = [[12.0, 8.0, 16.0, 8.0, 16.0, 12.0, 12.0, 12.0]]
        content["annotations"][3]["segmentation"] = square
        content["annotations"].append(
            {"image_id": 42, "category_id": 1, "segmentation": [[0.0, 0.0, 4.0, 0.0, 4.0, 3.0, 0.0, 3.0]]}
        )

    edit(own, add)
    images = RenderedImages([imported(own)], 2, "objects")
    empty, full = (learnt("objdet", images, k)[1] for k in range(2))
    assert empty["boxes"].shape == (0, 4)
    assert full["boxes"].tolist() == [[2, 2, 8, 8], [12, 8, 16, 12], [0, 0, 4, 3]]  # the last from its mask
    assert full["labels"].tolist() == [3, 2, 1] and full["area"].tolist() == [36, 16, 12]
    assert len(images.coco.getAnnIds()) == 3
    assert learnt("mulclass", images, 1)[1].tolist() == [1, 1, 1]


def test_class_maps_hold_every_mask_crowds_too(own, imported):
    path = imported(own)
    mask = RenderedImages([path], 2, "class-map")[1][1]
    expected = np.zeros((12, 16), dtype=np.uint8)
    expected[:, :2] = 1  # the crowd of people
    expected[2:8, 2:8] = 3
    assert (mask == expected).all()
    thing, flat = json.loads(Shard(path).read("00000001-00")["json"])["objects"]
    assert thing["segmentation"]["size"] == [12, 16] and thing["visible_fraction"] is None
    assert flat["segmentation"] is None and flat["bbox"] == [
        12,
        8,
        4,
        4,
    ]  # its mask covers nothing: the box counts


def test_boxes_alone_serve_all_but_semseg(own, imported, tmp_path, learnt):
    edit(own, lambda content: [a.pop("segmentation") for a in content["annotations"]])
    path = imported(own)
    assert "seg.png" not in Shard(path).read("00000001-00")
    images = RenderedImages([path], 2, "objects")
    assert learnt("objdet", images, 1)[1]["labels"].tolist() == [3, 2]
    assert learnt("mulclass", images, 1)[1].tolist() == [0, 1, 1]
    with pytest.raises(InputError, match="members: the images have no class-map"):
        RenderedImages([path], 2, "class-map")
    contact_sheet(path, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 2 * 192


def test_any_kind_of_image_file(own, imported, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    pictures = {
        "grey.png": Image.new("L", (16, 12), 77),
        "ink.jpg": Image.new("CMYK", (16, 12), (0, 0, 0, 55)),
    }
    pictures |= {
        "turned.jpg": Image.new("RGB", (12, 16), (9, 99, 199)),
        "alpha.png": Image.new("RGBA", (16, 12)),
    }
    (tmp_path / "mixed" / "sub").mkdir(parents=True)
    images = []
    for number, (name, picture) in enumerate(pictures.items()):
        picture.save(tmp_path / "mixed" / "sub" / name, **({"exif": exif} if name == "turned.jpg" else {}))
        images.append({"id": number, "file_name": f"sub/{name}", "width": 16, "height": 12})
    edit(own, lambda content: content.update(images=images, annotations=[]))
    shard = Shard(imported(own | {"images": {"train": str(tmp_path / "mixed"), "val": "v"}}))
    decoded = [np.array(Image.open(io.BytesIO(shard.read(key)["png"]))) for key in shard.keys]
    assert all(image.shape == (12, 16, 3) and image.dtype == np.uint8 for image in decoded)
    assert decoded[0].mean() == 77 and abs(decoded[1].mean() - 200) < 2


def many(own, save_image, count):
    images = [{"id": 3 * k, "file_name": f"{k}.png", "width": 16, "height": 12} for k in range(count)]
    for image in images:
        save_image(Path(own["images"]["train"]) / image["file_name"], (image["id"], 0, 0))
    edit(own, lambda content: content.update(images=images[::-1], annotations=[]))


def test_whole_scenes_fill_shards_and_the_last_holds_the_rest(own, imported, save_image):
    many(own, save_image, 11)
    own |= {"views": 2, "scenes_per_shard": 2}
    paths = [imported(own, k) for k in range(3)]
    assert [Shard(path).meta["n_scenes"] for path in paths] == [2, 2, 1]  # the 11th image is no whole scene
    images = RenderedImages(paths, 10, "objects")
    assert [int(image[0, 0, 0]) for image, _ in images] == [3 * k for k in range(10)]


def test_a_shard_is_the_same_whenever_and_from_wherever_it_is_made(own, imported, tmp_path):
    first = imported(own).read_bytes()
    moved = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "coco", moved)
    text = json.dumps(own).replace(str(tmp_path / "coco"), str(moved))
    assert imported(json.loads(text), name="again").read_bytes() == first


def test_webdataset_reads_it(own, imported):
    samples = list(webdataset.WebDataset(str(imported(own)), shardshuffle=False, empty_check=False))
    views = [sample for sample in samples if "png" in sample]
    assert [sample["__key__"] for sample in views] == ["00000000-00", "00000001-00"]
    assert all({"png", "seg.png", "json"} <= set(sample) for sample in views)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_normals_come_back(own, imported, tmp_path, kind):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(12, 16, 3))
    truth /= np.linalg.norm(truth, axis=-1, keepdims=True)
    coded = np.rint((truth + 1) / 2 * np.iinfo(kind).max).astype(kind)
    coded[0], coded[1] = 0, np.iinfo(kind).max // 2  # black and mid-grey: no surface
    folder = tmp_path / "normals"
    folder.mkdir()
    for name in ("000000000007.png", "000000000042.png"):
        cv2.imwrite(str(folder / name), coded[..., ::-1])
    own |= {"normals": {"train": str(folder), "val": str(folder)}}
    packed = RenderedImages([imported(own)], 2, "normals")[1][1]
    normals, valid = unpack(packed)
    assert not valid[:2].any() and valid[2:].all()
    cosine = (normals * truth).sum(-1)[valid]
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 1.5
    with pytest.raises(InputError, match="the normals are 16 x 12 pixels, but their image is 8 x 8"):
        normals_channel.read(folder / "000000000007.png", (8, 8))
    (folder / "000000000042.png").write_bytes(b"no PNG")
    with pytest.raises(InputError, match=r"000000000042.png: not a PNG of 8 or 16 bits"):
        imported(own, name="broken")


def test_a_failed_import_leaves_nothing(own, imported, tmp_path):
    (Path(own["images"]["train"]) / "000000000042.jpg").write_bytes(b"\xff\xd8 no JPEG")
    with pytest.raises(InputError, match=r"000000000042.jpg: the image cannot be read"):
        imported(own)
    assert list(tmp_path.glob("*.tar")) == []


def test_the_check_names_what_is_missing(own, tmp_path, monkeypatch):
    def check(**changes):
        check_own_renders("mine", AnyOwnRenders(**own | changes), ["class-map"], {"train": 2, "val": 1})

    monkeypatch.chdir(tmp_path)
    check()
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        check(images={"train": "nowhere", "val": "nowhere"})
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        check(normals={"train": "nowhere", "val": "nowhere"})
    away = np.full((12, 16, 3), 128, dtype=np.uint8)
    away[..., 2] = 0
    for name in ("000000000007.png", "000000000042.png"):
        (tmp_path / "away").mkdir(exist_ok=True)
        Image.fromarray(away).save(tmp_path / "away" / name)
    with pytest.raises(InputError, match="away: 100% of the normals face away from the camera"):
        check(normals={"train": "away", "val": "away"})
    edit(own, lambda content: content["images"][1].update(width=99))
    with pytest.raises(
        InputError, match="jpg: the image is 16 x 12 pixels, but its annotation is for 99 x 12"
    ):
        check()
    edit(own, lambda content: content["images"][1].update(width=16))
    edit(own, lambda content: content["categories"].pop(), split="val")
    edit(own, lambda content: content["annotations"].clear(), split="val")
    with pytest.raises(InputError, match="val2017.json: categories: 2 is 'toothbrush', but 'stop sign' in "):
        check()
    edit(own, lambda content: content["annotations"][0].update(bbox=[1, 2, 3]))
    with pytest.raises(InputError, match=r"annotations\[0\].bbox: \[1, 2, 3\] is not a box"):
        check()
