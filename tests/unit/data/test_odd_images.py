"""What real sets hold: grey and CMYK JPEGs, turned photographs; sets that are half unpacked."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from syn2real.data.targets.load import check_layout, load_splits, load_target
from syn2real.errors import InputError
from syn2real.tasks.objdet.task import to_coco

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
HOLES = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""The numbers between 1 and 90 that COCO gives to no category."""


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera held upright
    return {"exif": exif}


ODD = {
    "grey": (lambda: Image.fromarray(PIXELS).convert("L"), dict),
    "cmyk": (lambda: Image.fromarray(PIXELS).convert("CMYK"), dict),
    "turned": (lambda: Image.fromarray(PIXELS), turned),
}


def upright(path):
    return np.array(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


@pytest.mark.parametrize("kind", ODD)
def test_a_class_folder_may_hold_it(kind, imagenet, save_image):
    make, options = ODD[kind]
    path = imagenet.image_folder("train") / "n01440764" / "n01440764_9.JPEG"
    save_image(path, make(), **options())
    check_layout(imagenet, "label")
    train = load_target(imagenet, "train", "label")
    image, label = train[3]
    assert label == 0 and image.dtype == torch.uint8
    assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - upright(path)).max() <= 1


@pytest.mark.parametrize("kind", ["grey", "cmyk"])
@pytest.mark.parametrize("task", ["objects", "class-map"])
def test_a_coco_set_may_hold_it(kind, task, coco, save_image):
    path = coco.image_folder("test") / "000000000042.jpg"
    save_image(path, ODD[kind][0]())
    check_layout(coco, task)
    image, _ = load_target(coco, "test", task)[1]
    assert image.shape == (3, 12, 16)
    assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - upright(path)).max() <= 1


@pytest.mark.parametrize("kind", ODD)
def test_ade20k_may_hold_it_with_its_mask_as_stored_or_upright(kind, ade20k, save_image):
    make, options = ODD[kind]
    save_image(ade20k.image_folder("test") / "v.jpg", make(), **options())
    masks = [np.full((12, 16), 7, dtype=np.uint8)]
    if kind == "turned":
        masks.append(np.full((16, 12), 7, dtype=np.uint8))
    for mask in masks:
        save_image(ade20k.annotation("test") / "v.png", mask)
        image, labels = load_target(ade20k, "test", "class-map")[0]
        assert image.shape[1:] == labels.shape == mask.shape and (labels == 6).all()


def test_cocos_ninety_numbers_are_eighty_labels_and_lead_back(coco, learnt):
    ids = [number for number in range(1, 91) if number not in HOLES]
    content = {
        "images": [{"id": 7, "file_name": "000000000007.jpg", "width": 16, "height": 12}],
        "annotations": [
            {
                "id": k + 1,
                "image_id": 7,
                "category_id": number,
                "bbox": [1, 1, 4, 4],
                "area": 16,
                "iscrowd": 0,
            }
            for k, number in enumerate(ids)
        ],
        "categories": [{"id": number, "name": f"category {number}"} for number in reversed(ids)],
    }
    for split in ("train", "test"):
        coco.annotation(split).write_text(json.dumps(content))
    train, test = load_splits(coco, "objects")
    assert len(train.classes) == 80 and train.category_ids == ids
    labels = learnt("objdet", test, 0)[1]["labels"]
    assert labels.tolist() == list(range(1, 81))
    found = {"boxes": torch.ones(80, 4), "labels": labels, "scores": torch.ones(80)}
    detections = to_coco(
        found, {"image_id": torch.tensor(7), "size": torch.tensor([12, 16])}, 32, test.category_ids
    )
    assert [detection["category_id"] for detection in detections] == ids


@pytest.mark.parametrize(
    ("layout", "task", "counts"),
    [
        ("imagenet", "label", {"train": 9, "test": 2}),
        ("coco", "objects", {"train": 2, "test": 2}),
        ("ade20k", "class-map", {"train": 2, "test": 1}),
    ],
)
def test_a_set_half_unpacked_is_refused_with_both_numbers(layout, task, counts, request):
    target = request.getfixturevalue(layout).model_copy(update={"counts": counts})
    check_layout(target, task)
    more = target.model_copy(update={"counts": counts | {"test": 2_000}})
    with pytest.raises(InputError, match=rf"counts.test: {counts['test']} images here, of 2,000; unpack"):
        check_layout(more, task)
