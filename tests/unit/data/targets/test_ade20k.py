"""ADE20K's layout: loading, labels, and how damaged ones are reported."""

import pickle

import numpy as np
import pytest

from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.errors import InputError


def test_zero_is_unlabelled_and_classes_count_from_zero(ade20k):
    check_layout(ade20k, "class-map")
    train, val = load_splits(ade20k, "class-map")
    assert len(train) == 2 and len(val) == 1 and len(train.classes) == 150
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
    path = ade20k.annotation("val") / "v.png"
    save_image(path, np.full((12, 16), 151, dtype=np.uint8))
    with pytest.raises(InputError, match=r"v.png: class 151 is not one of the 150"):
        load_target(ade20k, "val", "class-map")[0]
    save_image(path, np.zeros((5, 5), dtype=np.uint8))
    with pytest.raises(InputError, match=r"v.png: the mask has another size"):
        check_layout(ade20k, "class-map")
    with pytest.raises(InputError, match="v.jpg: the image is 16 x 12 pixels"):
        load_target(ade20k, "val", "class-map")[0]
