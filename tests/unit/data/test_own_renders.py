"""A user's own renders in COCO's format, for pre-training."""

import pytest

from syn2real.data.own_renders import own_renders
from syn2real.errors import InputError


@pytest.fixture
def places(coco):
    return coco.image_folder("train"), coco.annotation("train")


def test_the_first_images_by_id(places):
    one = own_renders(*places, 1, "objdet")
    assert len(one) == 1 and one.coco.getImgIds() == [7] and one[0][1]["boxes"].shape == (0, 4)
    two = own_renders(*places, 2, "objdet", views=2)
    assert two.coco.getImgIds() == [7, 42] and len(two.coco.getAnnIds()) == 4
    assert two.classes == one.classes == ["person", "stop sign", "toothbrush"]


def test_mulclass_marks_what_has_an_annotation(places):
    both = own_renders(*places, 2, "mulclass")
    assert both[0][1].tolist() == [0, 0, 0] and both[1][1].tolist() == [1, 1, 1]
    assert both.coco is None


def test_semseg_has_a_background(places):
    assert own_renders(*places, 2, "semseg").classes[0] == "background"


def test_what_cannot_be(places):
    with pytest.raises(InputError, match="no annotations for normal; your own renders serve mulclass"):
        own_renders(*places, 2, "normal")
    with pytest.raises(InputError, match="3 images are no whole number of scenes of 2 views; use 2 or 4"):
        own_renders(*places, 3, "objdet", views=2)
    with pytest.raises(InputError, match="instances_train2017.json: images: holds 2 images, but 4 are asked"):
        own_renders(*places, 4, "objdet", views=2)
