"""ADE20K's layout: loading, labels, and how damaged ones are reported."""

import pickle

import numpy as np
import pytest

from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.errors import InputError


def test_zero_is_unlabelled_and_classes_count_from_zero(ade20k):
    check_layout(ade20k, "class-map")
    train, test = load_splits(ade20k, "class-map")
    assert len(train) == 2 and len(test) == 1 and len(train.classes) == 150
    assert train.classes[0] == "name, 1"
    image, mask = train[0]
    assert mask.dtype == np.uint8
    assert image.shape[1:] == mask.shape == (12, 16)
    assert mask[:, 0].tolist() == [0] * 4 + [149] * 4 + [255] * 4


def test_sets_travel_to_workers(ade20k):
    copy = pickle.loads(pickle.dumps(load_target(ade20k, "train", "class-map")))
    assert (copy[1][1] == load_target(ade20k, "train", "class-map")[1][1]).all()


def test_a_missing_mask_is_named(ade20k):
    (ade20k.annotation("train") / "ADE_train_00000002.png").unlink()
    with pytest.raises(InputError, match="training/ADE_train_00000002.png: there is no such mask"):
        check_layout(ade20k, "class-map")


def test_the_class_table_is_needed_and_checked(ade20k):
    table = ade20k.root / "objectInfo150.txt"
    table.write_text("Idx\tName\n1\twall\n3\tsky\n")
    with pytest.raises(InputError, match="objectInfo150.txt: Idx: must number classes from 1"):
        check_layout(ade20k, "class-map")
    table.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="objectInfo150.txt: Idx, Name"):
        check_layout(ade20k, "class-map")
    table.unlink()
    with pytest.raises(InputError, match="objectInfo150.txt: there is no such file"):
        check_layout(ade20k, "class-map")


def test_a_mask_of_another_size_or_class_is_named(ade20k, save_image):
    path = ade20k.annotation("test") / "v.png"
    save_image(path, np.full((12, 16), 151, dtype=np.uint8))
    with pytest.raises(InputError, match=r"v.png: class 151 is not one of the 150"):
        check_layout(ade20k, "class-map")
    with pytest.raises(InputError, match=r"v.png: class 151 is not one of the 150"):
        load_target(ade20k, "test", "class-map")[0]
    save_image(path, np.zeros((5, 5), dtype=np.uint8))
    with pytest.raises(InputError, match=r"v.jpg: the image is 16 x 12 pixels"):
        check_layout(ade20k, "class-map")
    with pytest.raises(InputError, match="v.jpg: the image is 16 x 12 pixels"):
        load_target(ade20k, "test", "class-map")[0]


WARNED = {
    "all classes": ([0, 1, 2], None),
    "255 is no label": ([1, 2, 255], None),
    "numbered from 0": ([0, 1], "class 2 (bolt) is in none of the 2 masks of {} looked at; 0 is no label"),
    "no class at all": ([0, 255], InputError("none of the 2 masks looked at holds a class")),
    "numbers above the classes": ([1, 2, 3], InputError("class 3 is not one of the 2 of objectInfo150.txt")),
}


@pytest.mark.parametrize("name", WARNED)
def test_check_looks_into_masks(name, ade20k, save_image):
    values, expected = WARNED[name]
    (ade20k.root / "objectInfo150.txt").write_text("Idx\tName\n1\tfloor\n2\tbolt\n")
    for split in ("train", "test"):
        for path in ade20k.annotation(split).iterdir():
            save_image(path, np.resize(np.array(values, dtype=np.uint8), (12, 16)))
    masks = ade20k.annotation("train")
    if isinstance(expected, InputError):
        with pytest.raises(InputError, match=str(expected)):
            check_layout(ade20k, "class-map")
        return
    warnings = [line for line in check_layout(ade20k, "class-map").warnings if str(masks) in line]
    assert len(warnings) == (expected is not None)
    assert expected is None or warnings[0].startswith(expected.format(masks))
    assert set(np.unique(load_splits(ade20k, "class-map")[0][0][1])) <= {0, 1, 255}


def test_files_without_a_partner_are_counted(ade20k, save_image):
    save_image(ade20k.annotation("train") / "other.png", np.ones((12, 16), dtype=np.uint8))
    save_image(ade20k.image_folder("train") / "a" / "b.jpg")
    warnings = "\n".join(check_layout(ade20k, "class-map").warnings)
    assert f"1 masks of {ade20k.annotation('train')} have no image in" in warnings
    assert f"1 images in folders of {ade20k.image_folder('train')} are not read" in warnings
    for name in ("x", "y"):
        save_image(ade20k.image_folder("train") / f"{name}.jpg")
    with pytest.raises(InputError, match="x.png: there is no such mask; .*x.jpg and 1 more needs it"):
        check_layout(ade20k, "class-map")
