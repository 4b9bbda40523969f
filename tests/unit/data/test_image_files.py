"""Which files are images: endings, hidden files, nested folders, and the count of what is not read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from syn2real.complexity.images import FolderImages
from syn2real.data.image_files import IMAGE_ENDINGS, files_below, images_below, is_image, passed_over
from syn2real.data.targets.load import check_layout, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError


def folder_of(root, names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize(
    ("name", "read"),
    [
        *((f"a{ending}", True) for ending in IMAGE_ENDINGS),
        ("A.JPEG", True),
        ("a.b.Png", True),
        ("._a.jpg", False),
        (".a.jpg", False),
        ("a.heic", False),
        ("a.txt", False),
        ("jpg", False),
    ],
)
def test_names(name, read):
    assert is_image(name) == read


def test_every_ending_is_one_that_pillow_decodes():
    Image.init()
    assert {e for e, name in Image.registered_extensions().items() if name in Image.OPEN} >= {*IMAGE_ENDINGS}


@pytest.mark.parametrize(
    ("names", "images", "warning"),
    [
        (["b.jpg", "a.png"], ["a.png", "b.jpg"], None),
        (["b.jpg", "sub/a.png", "b/c.gif"], ["b.jpg", "b/c.gif", "sub/a.png"], None),
        (["a.jpg", "._a.jpg", ".DS_Store", ".cache/a.jpg", "__MACOSX/._a.jpg"], ["a.jpg"], None),
        (["a.jpg", "@eaDir/a.jpg/b.jpg", "__MACOSX/b.jpg", "Thumbs.db", "desktop.ini"], ["a.jpg"], None),
        (
            ["a.jpg", "b.HEIC", "c.heic", "d"],
            ["a.jpg"],
            "3 files of {} are not read as images: .heic (2), no",
        ),
        (["a.jpg", "b.txt"], ["a.jpg"], "1 file of {} is not read as images: .txt (1)"),
        (["x/a.txt", "y/b.txt", "x/c.jpg"], ["x/c.jpg"], "2 files below {}, in 2 folders, are not read"),
    ],
)
def test_folders(tmp_path, names, images, warning):
    folder_of(tmp_path, names)
    assert [path.relative_to(tmp_path).as_posix() for path in images_below(tmp_path)] == images
    said = passed_over(files_below(tmp_path), tmp_path)
    assert said is None if warning is None else said.startswith(warning.format(tmp_path))


def test_a_link_back_does_not_lead_round(tmp_path):
    folder_of(tmp_path, ["a/1.jpg"])
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    assert images_below(tmp_path) == [tmp_path / "a" / "1.jpg"]


def class_folders(root, names):
    """Write images in class folders of both splits; what is no image by its name is text."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    for number, (split, name) in enumerate((s, n) for s in ("train", "val") for n in names):
        path = root / split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_image(name.rpartition("/")[2]):
            kind = {".jfif": "JPEG", ".pgm": "PPM"}.get(path.suffix)
            Image.fromarray(pixels + np.uint8(number)).save(path, kind)
        else:
            path.write_bytes(b"\0\5\26\7")
    return Target(layout="image-folder", path=str(root))


@pytest.mark.parametrize(
    ("names", "read", "warnings"),
    [
        (["bolt/1.jpg", "nut/1.jfif", "nut/2.AVIF", "nut/3.tif", "nut/4.webp", "nut/5.gif"], 6, []),
        (["bolt/1.jpg", "bolt/._1.jpg", "nut/._1.jpg", "nut/1.jpg", "nut/.DS_Store"], 2, []),
        (["bolt/images/bolt_0.jpg", "nut/images/nut_0.jpg", "nut/images/deep/nut_1.jpg"], 3, []),
        (
            ["bolt/1.jpg", "nut/1.jpg", "nut/2.heic", "nut/3.txt"],
            2,
            ["nut are not read as images: .heic (1)"],
        ),
        (["bolt/1.jpg", "nut/1.jpg", "loose.jpg"], 2, ["1 image in {} itself is not read, as it is in no"]),
    ],
)
def test_check_and_loader_read_the_same_files(tmp_path, names, read, warnings):
    target = class_folders(tmp_path, names)
    found = check_layout(target.model_copy(update={"counts": {"train": read}}), "label")
    data = load_target(target, "train", "label")
    assert len(data) == read and [data[k][1] for k in range(read)] == data.labels.tolist()
    assert f"{target.image_folder('train')}: {read} images of 2 classes" in "\n".join(found.lines)
    train = [line for line in found.warnings if f"{Path('train')}" in line]
    assert len(train) == len(warnings)
    for line, expected in zip(train, warnings, strict=True):
        assert expected.format(target.image_folder("train")) in line
    more = target.model_copy(update={"counts": {"train": read + 1}})
    with pytest.raises(InputError, match=rf"counts.train: {read} images here, of {read + 1}"):
        check_layout(more, "label")
    assert len(FolderImages(tmp_path / "train")) == read + ("loose.jpg" in names)
