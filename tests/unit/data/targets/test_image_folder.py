"""Class folders as ImageNet has them: loading, labels, and how damaged ones are reported."""

import shutil
import unicodedata

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.datasets import ImageFolder

from syn2real.data.targets.load import check_layout, fetch_target, load_splits, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError


def test_imagenet_is_read_as_torchvision_reads_it(imagenet):
    check_layout(imagenet, "label")
    train = load_target(imagenet, "train", "label")
    oracle = ImageFolder(imagenet.image_folder("train"))
    assert train.classes == oracle.classes and train.labels.tolist() == oracle.targets
    for (image, label), (picture, expected) in zip(train, oracle, strict=True):
        assert isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8
        assert (image.permute(1, 2, 0).numpy() == np.array(picture)).all()
        assert label == expected and isinstance(label, int)


def test_a_class_missing_from_val_does_not_shift_labels(imagenet):
    train, test = load_splits(imagenet, "label")
    assert test.classes == train.classes
    assert test.labels.tolist() == [0, 2]  # ImageFolder by itself would say [0, 1]
    assert len(test) == 2


def test_a_class_without_training_images_is_refused(imagenet, save_image):
    save_image(imagenet.image_folder("test") / "n99999999" / "a.JPEG")
    for action in (check_layout, lambda target, task: load_target(target, "test", task)):
        with pytest.raises(InputError, match="val/n99999999: this class has no folder in .*train"):
            action(imagenet, "label")


def test_a_class_whose_accents_are_composed_otherwise_is_the_same(imagenet, save_image):
    save_image(imagenet.image_folder("train") / unicodedata.normalize("NFC", "schlüssel") / "a.JPEG")
    save_image(imagenet.image_folder("test") / unicodedata.normalize("NFD", "schlüssel") / "b.JPEG")
    check_layout(imagenet, "label")
    assert load_target(imagenet, "test", "label").labels.tolist() == [0, 2, 3]


def test_a_class_folder_that_is_a_dangling_link_is_refused(imagenet):
    (imagenet.image_folder("train") / "washer").symlink_to("/gone")
    with pytest.raises(InputError, match="train/washer: this link leads to /gone, which is not there"):
        check_layout(imagenet, "label")


def test_an_empty_class_folder_is_named(imagenet):
    (imagenet.image_folder("train") / "n00000001").mkdir()
    (imagenet.image_folder("train") / "n00000001" / "notes.txt").touch()
    with pytest.raises(InputError, match="train/n00000001: no image in this class folder"):
        check_layout(imagenet, "label")


def test_validation_images_not_sorted_into_classes(imagenet, save_image):
    shutil.rmtree(imagenet.image_folder("test"))
    save_image(imagenet.image_folder("test") / "ILSVRC2012_val_00000001.JPEG")
    with pytest.raises(
        InputError, match="val_00000001.JPEG: no class folders here, only images.*val/<class>"
    ):
        check_layout(imagenet, "label")


@pytest.mark.parametrize(("split", "folder"), [("train", "train"), ("test", "val")])
def test_a_missing_split_is_named(imagenet, split, folder):
    shutil.rmtree(imagenet.image_folder(split))
    with pytest.raises(InputError, match=f"in/{folder}: there is no such folder"):
        check_layout(imagenet, "label")


def test_an_unreadable_image_is_named_when_read(imagenet):
    path = imagenet.image_folder("train") / "n01440764" / "n01440764_0.JPEG"
    path.write_bytes(b"\xff\xd8 cut")
    with pytest.raises(InputError, match="n01440764_0.JPEG"):
        load_target(imagenet, "train", "label")[0]


def test_an_image_folder_of_your_own(tmp_path, save_image):
    for split in ("learn", "test"):
        for name in ("cat", "dog"):
            save_image(tmp_path / split / name / "1.png", np.full((5, 4), len(split), dtype=np.uint8))
    own = Target(layout="image-folder", path=str(tmp_path), images={"train": "learn", "test": "test"})
    check_layout(own, "label")
    test = load_target(own, "test", "label")
    assert test.classes == ["cat", "dog"] and test[1][1] == 1
    assert (test[0][0] == len("test")).all() and test[0][0].shape == (3, 5, 4)


def test_pairs_that_do_not_exist(imagenet):
    with pytest.raises(InputError, match="is not labelled with objects; it has label"):
        check_layout(imagenet, "objects")
    with pytest.raises(InputError, match="is not labelled with class-map"):
        load_target(imagenet, "train", "class-map")
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch_target(imagenet)
