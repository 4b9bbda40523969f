"""Tiny ImageNet as it is unpacked: nested training folders, and a table of the test images' classes."""

import numpy as np
import pytest

from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError


@pytest.fixture
def tiny(tmp_path, save_image):
    rng = np.random.default_rng(0)
    for name in ("n01", "n02"):
        for k in range(2):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            save_image(tmp_path / "train" / name / "images" / f"{name}_{k}.JPEG", pixels)
        (tmp_path / "train" / name / f"{name}_boxes.txt").write_text("n01_0.JPEG\t0\t0\t62\t62\n")
    for k in range(3):
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        save_image(tmp_path / "val" / "images" / f"val_{k}.JPEG", pixels)
    rows = [f"val_{k}.JPEG\t{name}\t0\t32\t44\t62" for k, name in enumerate(["n02", "n01", "n02"])]
    (tmp_path / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")
    return Target(layout="image-folder", path=str(tmp_path), counts={"train": 4, "test": 3})


def test_it_is_read_as_it_comes(tiny):
    found = check_layout(tiny, "label")
    assert found.warnings == [
        f"2 files below {tiny.image_folder('train')}, in 2 folders, are not read as images: .txt (2)"
    ]
    train, test = load_splits(tiny, "label")
    assert train.classes == ["n01", "n02"] and train.labels.tolist() == [0, 0, 1, 1]
    assert test.labels.tolist() == [0, 1, 1]
    before = test.digest()
    table = tiny.image_folder("test") / "val_annotations.txt"
    table.write_text(table.read_text().replace("val_0.JPEG\tn02", "val_0.JPEG\tn01"))
    corrected = load_target(tiny, "test", "label")
    assert corrected.labels.tolist() == [0, 0, 1] and corrected.digest() != before


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("val_9.JPEG\tn01", "line 4: this image is not in images, or was listed before"),
        ("val_0.JPEG\tn01", "line 4: this image is not in images, or was listed before"),  # listed twice
        ("val_0.JPEG", "line 4: needs a name, a tab and a class"),
    ],
)
def test_a_wrong_row_is_named(tiny, row, problem):
    table = tiny.image_folder("test") / "val_annotations.txt"
    table.write_text(table.read_text() + row + "\n")
    with pytest.raises(InputError, match=f"val_annotations.txt: {problem}"):
        check_layout(tiny, "label")


def test_an_unknown_class_and_images_without_a_row(tiny):
    table = tiny.image_folder("test") / "val_annotations.txt"
    rows = table.read_text().splitlines()
    table.write_text("\n".join(rows[1:]))
    plain = tiny.model_copy(update={"counts": {}})
    assert any(
        "1 images of" in w and "are not in val_annotations.txt" in w
        for w in check_layout(plain, "label").warnings
    )
    table.write_text(rows[0].replace("n02", "n09"))
    with pytest.raises(InputError, match="n09: this class has no folder in"):
        check_layout(plain, "label")
