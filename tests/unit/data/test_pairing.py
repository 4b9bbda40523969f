"""Images and annotations belong together: names, folders, sizes; for targets and own renders alike."""

import json
import shutil
import unicodedata

import pytest
from PIL import Image

from syn2real.data.findings import Findings
from syn2real.data.own_renders.checks import check_own_renders
from syn2real.data.own_renders.importing import import_shard
from syn2real.data.own_renders.index import part_file, update_index
from syn2real.data.own_renders.schema import AnyOwnRenders
from syn2real.data.pairing import find_image
from syn2real.data.rendered import RenderedImages
from syn2real.data.targets.load import check_layout, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.schema import validate

COUNT = 6
COMPOSED = unicodedata.normalize("NFC", "Schlüssel.png")


def write(root, names, first_id=0, classes=(1, 2)):
    """Write images with a box each, as 0.png and so on, and the file that gives them the given names."""
    folder = root / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(names)):
        Image.new("RGB", (16, 12), (number, sum(map(ord, root.name)) % 256, 255)).save(
            folder / f"{number}.png"
        )
    images = [
        {"id": first_id + k, "file_name": name, "width": 16, "height": 12} for k, name in enumerate(names)
    ]
    rows = [
        {
            "id": k + 1,
            "image_id": first_id + k,
            "category_id": classes[k % len(classes)],
            "bbox": [1, 1, 5, 5],
        }
        for k in range(len(names))
    ]
    categories = [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    content = {"images": images, "annotations": rows, "categories": categories}
    (root / "labels.json").write_text(json.dumps(content))


def target(root):
    def both(name):
        return {"train": f"train/{name}", "test": f"val/{name}"}

    return Target(layout="coco", path=str(root), images=both("images"), annotations=both("labels.json"))


def own(root):
    def both(name):
        return {"train": str(root / "train" / name), "val": str(root / "val" / name)}

    return AnyOwnRenders(images=both("images"), annotations=both("labels.json"))


def check_target(root):
    found = check_layout(target(root), "objects")
    for split in ("train", "test"):
        data = load_target(target(root), split, "objects")
        assert [int(image[0, 0, 0]) for image, _ in data] == list(range(COUNT))
    return found


def check_own(root):
    found = check_own_renders("mine", own(root), ["objects"], {"train": COUNT, "val": COUNT})
    setting = own(root).model_dump(mode="json")
    where = {"shard": 0, "annotations": part_file("mine", "train", 0), "output": root / "shard.tar"}
    import_shard(setting="mine", own=setting, split="train", **where)
    images = RenderedImages([root / "shard.tar"], COUNT, "objects")
    assert [int(image[0, 0, 0]) for image, _ in images] == list(range(COUNT))
    return found


@pytest.fixture(params=[check_target, check_own], ids=["target", "own renders"])
def check(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        write(tmp_path / split, [f"{k}.png" for k in range(COUNT)])
    return lambda: request.param(tmp_path)


def rename(root, name, on_disk):
    """Give the first training image one name in the file and another one on the disk."""
    file = root / "train" / "labels.json"
    content = json.loads(file.read_text())
    content["images"][0]["file_name"] = name
    file.write_text(json.dumps(content))
    place = root / "train" / "images" / on_disk
    place.parent.mkdir(exist_ok=True)
    (root / "train" / "images" / "0.png").rename(place)


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("./a.png", "a.png"),
        ("rgb\\a.png", "rgb/a.png"),
        ("rgb/a.png", "rgb/a.png"),
        ("a\\b.png", "a\\b.png"),
        (COMPOSED, unicodedata.normalize("NFD", COMPOSED)),
        (unicodedata.normalize("NFD", COMPOSED), COMPOSED),
        ("my%20part.png", "my part.png"),
    ],
)
def test_what_one_file_can_be_is_read(check, tmp_path, name, on_disk):
    rename(tmp_path, name, on_disk)
    found = check()
    assert not found.problems and not found.warnings


@pytest.mark.parametrize(
    ("name", "on_disk", "message"),
    [
        ("A.png", "a.png", "images/A.png: there is no such file; did you mean .*images/a.png?"),
        ("a", "a.png", "images/a: there is no such file; did you mean .*images/a.png?"),
        ("a.jpg", "a.png", "images/a.jpg: there is no such file; did you mean .*images/a.png?"),
        ("b.png", "a.png", "images/b.png: there is no such file; .*labels.json names it for image 0"),
        (
            "/home/me/a.png",
            "a.png",
            "/home/me/a.png: there is no such file; .*/a.png is there: leave out the",
        ),
        ("train\\a.png", "a.png", "there is no such file; .*images/a.png is there: leave out the folders"),
        ("a" * 5000, "a.png", "there is no such file; "),
        ("a\0b.png", "a.png", "there is no such file; "),
        (
            "1.png",
            "a.png",
            "images/1.png: images 0 and 1 of .*labels.json both name this file; give each its own",
        ),
        ("./1.png", "a.png", "images 0 and 1 of .* both name this file"),
    ],
)
def test_what_is_not_there_or_named_twice_is_refused(check, tmp_path, name, on_disk, message):
    rename(tmp_path, name, on_disk)
    with pytest.raises(InputError, match=message):
        check()


def test_folders_dangling_links_and_other_sizes_are_refused(check, tmp_path):
    image = tmp_path / "train" / "images" / "3.png"
    image.unlink()
    image.symlink_to("gone.png")
    with pytest.raises(InputError, match="3.png: this link leads to gone.png, which is not there"):
        check()
    image.unlink()
    image.mkdir()
    with pytest.raises(InputError, match="3.png: this is a folder, not an image"):
        check()
    image.rmdir()
    Image.new("RGB", (12, 16)).save(image)
    with pytest.raises(InputError, match="3.png: the image is 12 x 16 pixels, but its .* for 16 x 12"):
        check()
    image.write_bytes(b"no image")
    with pytest.raises(InputError, match="3.png: the image cannot be read"):
        check()


def test_images_that_no_annotation_file_names_are_counted(check, tmp_path):
    for name in ("a.png", "b.png"):
        shutil.copy(tmp_path / "train/images/0.png", tmp_path / "train/images" / name)
    [warning] = check().warnings
    assert "train/images: 2 of 8 images here are not named in" in warning and "such as a.png" in warning


def test_a_folder_may_be_the_current_one(tmp_path, monkeypatch):
    for split in ("train", "val"):
        write(tmp_path / split, [f"{k}.png" for k in range(COUNT)])
    monkeypatch.chdir(tmp_path / "train" / "images")
    here = Target(
        layout="coco",
        path=".",
        images={"train": ".", "test": "../../val/images"},
        annotations={"train": "../labels.json", "test": "../../val/labels.json"},
    )
    assert check_layout(here, "objects").warnings == []


def test_one_folder_for_both_splits_is_no_mistake(tmp_path):
    write(tmp_path / "all", [f"{k}.png" for k in range(COUNT)])
    content = json.loads((tmp_path / "all/labels.json").read_text())
    for split, numbers in (("train", (0, 1, 2, 3)), ("val", (4, 5))):
        part = {"images": [content["images"][k] for k in numbers]}
        part["annotations"] = [row for row in content["annotations"] if row["image_id"] in numbers]
        (tmp_path / f"{split}.json").write_text(json.dumps(content | part))
    files = {"train": "train.json", "val": "val.json"}
    images = dict.fromkeys(files, "all/images")
    shared = Target(layout="coco", path=str(tmp_path), images=images, annotations=files)
    assert check_layout(shared, "objects").warnings == []


def test_several_files_whose_ids_begin_again(tmp_path, monkeypatch):
    """BlenderProc's BopWriter writes a folder and a file for every 1,000 images."""
    monkeypatch.chdir(tmp_path)
    parts = [tmp_path / f"{k:06d}" for k in range(2)]
    for part in parts:
        write(part, ["0.png", "1.png", "2.png"])
    lists = {"images": [str(part / "images") for part in parts]}
    lists["annotations"] = [str(part / "labels.json") for part in parts]
    write(tmp_path / "val", ["0.png"])
    ends = {"images": "images", "annotations": "labels.json"}
    splits = {key: {"train": value, "val": str(tmp_path / "val" / ends[key])} for key, value in lists.items()}
    setting = validate(AnyOwnRenders, splits, file="my.yaml")
    check_own_renders("mine", setting, ["objects"], {"train": 6, "val": 1})
    index = update_index("mine", setting, "train")
    assert index.images == 6
    own = json.loads(json.dumps(setting.model_dump(mode="json")))
    part = part_file("mine", "train", 0)
    import_shard(setting="mine", own=own, split="train", shard=0, annotations=part, output=tmp_path / "s.tar")
    images = RenderedImages([tmp_path / "s.tar"], 6, "objects")
    assert [int(image[0, 0, 0]) for image, _ in images] == [0, 1, 2, 0, 1, 2]
    assert [value["objects"][0]["class"] for _, value in images] == [0, 1, 0, 0, 1, 0]
    both = validate(Target, {"layout": "coco", "path": "/", **splits}, file="my.yaml")
    assert check_layout(both, "objects").problems == []
    data = load_target(both, "train", "objects")
    assert [value["image_id"] for _, value in data] == [1, 2, 3, 4, 5, 6] and len(data.digest()) == 64
    for model, other in ((AnyOwnRenders, {}), (Target, {"layout": "coco", "path": "/"})):
        three = splits | other | {"images": splits["images"] | {"train": lists["images"] * 2}}
        with pytest.raises(InputError, match=r"my.yaml: .*images.train has 4 folders"):
            validate(model, three, file="my.yaml")
        with pytest.raises(InputError, match=r"my.yaml: images.train: .*"):
            validate(model, splits | other | {"images": {"train": 5, "val": "a"}}, file="my.yaml")


def test_renders_in_the_order_of_their_classes_are_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        write(tmp_path / split, [f"{k}.png" for k in range(COUNT)], classes=(1, 1, 1, 1, 2, 2))

    def warnings(*sizes):
        wanted = {"train": COUNT, "val": COUNT}
        return check_own_renders("mine", own(tmp_path), ["objects"], wanted, sizes=sizes).warnings

    [warning] = warnings(0, 4, 6)
    assert "the first 4 of 6 images (n = 4) have no nut: " in warning
    assert "number the images in random order" in warning
    assert warnings(5) == warnings(6) == warnings(0) == []


def test_a_name_that_nothing_matches_stays(tmp_path):
    assert find_image(tmp_path, "a\\b.png") == tmp_path / "a\\b.png" and Findings().warnings == []
