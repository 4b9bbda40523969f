"""COCO's format: boxes, masks, ids with holes, crowds, and how damaged sets are reported."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision import tv_tensors
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2

from syn2real.data.coco_format import read_annotations
from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError


def edit(target, split, change):
    path = target.annotation(split)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_boxes_are_torchvisions_with_contiguous_labels(coco, learnt):
    check_layout(coco, "objects")
    test = load_target(coco, "test", "objects")
    oracle = wrap_dataset_for_transforms_v2(
        CocoDetection(coco.image_folder("test"), coco.annotation("test")), target_keys=["boxes", "labels"]
    )
    assert test.category_ids == [1, 13, 90] and test.classes == ["person", "stop sign", "toothbrush"]
    image, found = learnt("objdet", test, 1)
    _, expected = oracle[1]
    assert isinstance(image, tv_tensors.Image) and image.shape == (3, 12, 16)
    keep = [0, 1, 3]  # without the box that has no width
    ids = [test.category_ids[label - 1] for label in found["labels"]]
    assert ids == expected["labels"][keep].tolist() == [90, 1, 13]
    assert found["boxes"][:2].tolist() == expected["boxes"][:2].tolist()
    assert found["boxes"][2].tolist() == [12, 8, 16, 12]  # cut at the image's edges
    assert found["boxes"].canvas_size == (12, 16) and found["boxes"].dtype == torch.float32
    assert found["iscrowd"].tolist() == [0, 1, 0] and found["area"].tolist() == [36, 24, 81]
    assert found["image_id"] == 42


def test_training_leaves_crowds_out_and_keeps_empty_images(coco, learnt):
    train = load_target(coco, "train", "objects")
    assert learnt("objdet", train, 1)[1]["labels"].tolist() == [3, 2]
    _, empty = learnt("objdet", train, 0)
    assert empty["image_id"] == 7 and empty["boxes"].shape == (0, 4) and empty["labels"].shape == (0,)
    assert empty["boxes"].canvas_size == (12, 16)


def test_the_ground_truth_is_pycocotools_own(coco):
    mine, oracle = load_target(coco, "test", "objects").coco, COCO(str(coco.annotation("test")))
    assert mine.getImgIds() == sorted(oracle.getImgIds()) and mine.getCatIds() == sorted(oracle.getCatIds())
    scores = []
    for truth in (mine, oracle):
        guesses = [
            {"image_id": 42, "category_id": 90, "bbox": [2, 2, 6, 5], "score": 0.9},
            {"image_id": 42, "category_id": 1, "bbox": [0, 0, 2, 6], "score": 0.8},
            {"image_id": 7, "category_id": 13, "bbox": [0, 0, 4, 4], "score": 0.7},
        ]
        evaluation = COCOeval(truth, truth.loadRes(guesses), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        scores.append(evaluation.stats)
    assert (scores[0] == scores[1]).all() and scores[0][1] > 0


def test_annotation_ids_of_zero_or_none_do_not_spoil_the_evaluation(coco):
    def strip(content):
        for annotation in content["annotations"]:
            annotation.pop("id")
            annotation.pop("iscrowd")
            annotation.pop("area")
        content["annotations"] = content["annotations"][:1]
        content["annotations"][0]["id"] = 0

    edit(coco, "test", strip)
    test = load_target(coco, "test", "objects")
    guess = [{"image_id": 42, "category_id": 90, "bbox": [2, 2, 6, 6], "score": 0.9}]
    evaluation = COCOeval(test.coco, test.coco.loadRes(guess), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_masks_become_class_maps(coco):
    check_layout(coco, "class-map")
    test = load_target(coco, "test", "class-map")
    assert test.classes == ["background", "person", "stop sign", "toothbrush"]
    _, mask = test[1]
    oracle = COCO(str(coco.annotation("test")))
    expected = np.zeros((12, 16), dtype=np.uint8)
    for annotation, label in ((1, 3), (2, 1)):
        expected[oracle.annToMask(oracle.anns[annotation]) == 1] = label
    assert (mask == expected).all() and set(np.unique(expected)) == {0, 1, 3}
    assert mask.dtype == np.uint8 and (test[0][1] == 0).all()


def test_pixels_of_two_classes_have_no_label(coco):
    def overlap(content):
        square = [[5.0, 2.0, 11.0, 2.0, 11.0, 8.0, 5.0, 8.0]]
        content["annotations"][3]["segmentation"] = square
        content["annotations"].append({**content["annotations"][0], "id": 5})  # the same class twice

    edit(coco, "train", overlap)
    _, mask = load_target(coco, "train", "class-map")[1]
    assert mask[4].tolist() == [1, 1, 3, 3, 3, 255, 255, 255, 2, 2, 2, 0, 0, 0, 0, 0]


def test_reading_keeps_only_what_a_task_uses(coco):
    """COCO's training file would not fit beside a job's other memory as lists of Python's numbers."""
    edit(coco, "test", lambda c: [image.update(flickr_url="…", license=3) for image in c["images"]])
    boxes = read_annotations([coco.annotation("test")], "objects")
    masks = read_annotations([coco.annotation("test")], "class-map")
    assert all("segmentation" not in annotation for annotation in boxes["annotations"])
    assert masks["annotations"][0]["segmentation"][0].itemsize == 8
    assert set(boxes["images"][0]) == {"id", "file_name", "width", "height"}


def test_a_set_of_your_own_with_boxes_alone(tmp_path, coco):
    def strip(content):
        for annotation in content["annotations"]:
            del annotation["segmentation"]

    for split in ("train", "test"):
        edit(coco, split, strip)
    own = Target(
        layout="coco",
        path=coco.path,
        images={"train": "train2017", "test": "val2017"},
        annotations={
            "train": "annotations/instances_train2017.json",
            "test": "annotations/instances_val2017.json",
        },
    )
    check_layout(own, "objects")
    [problem, _] = check_layout(own, "class-map").problems
    assert "annotations.segmentation: 4 of 4 annotations have no mask (the first: annotation 1)" in problem


def test_a_turned_photograph_fits_annotations_drawn_upright_or_as_stored(coco):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = coco.image_folder("test") / "000000000042.jpg"
    Image.new("RGB", (16, 12)).save(path, exif=exif)
    assert load_target(coco, "test", "objects")[1][0].shape == (3, 12, 16)
    edit(coco, "test", lambda c: c["images"][0].update(width=12, height=16))
    edit(coco, "test", lambda c: [a.pop("segmentation") for a in c["annotations"]])
    assert load_target(coco, "test", "objects")[1][0].shape == (3, 16, 12)
    edit(coco, "test", lambda c: c["images"][0].update(width=13))
    with pytest.raises(InputError, match="000000000042.jpg: the image is 16 x 12 pixels"):
        load_target(coco, "test", "objects")[1]


def test_missing_files_are_named(coco):
    image = coco.image_folder("train") / "000000000007.jpg"
    image.unlink()
    with pytest.raises(InputError, match="000000000007.jpg: .*train2017.json names it for image 7"):
        check_layout(coco, "objects")
    coco.annotation("train").unlink()
    with pytest.raises(InputError, match="instances_train2017.json: there is no such file"):
        check_layout(coco, "objects")


def test_not_json(coco):
    coco.annotation("test").write_text('{"images": [')
    with pytest.raises(InputError, match="instances_val2017.json: not valid JSON"):
        check_layout(coco, "objects")


def test_splits_with_other_categories_are_refused(coco, monkeypatch):
    edit(coco, "test", lambda c: c["categories"].append({"id": 2, "name": "bicycle"}))
    with pytest.raises(InputError, match="val2017.json: categories: 2 is 'bicycle', but missing in .*train"):
        check_layout(coco, "objects")
    with pytest.raises(InputError, match="do not name the same classes"):
        load_splits(coco, "objects")
