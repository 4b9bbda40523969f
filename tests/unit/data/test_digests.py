"""A data set's digest stays while it does, and changes with labels, files and number."""

import json

import pytest

from syn2real.data.rendered import SyntheticImages
from syn2real.data.targets.load import load_target


@pytest.mark.parametrize(
    ("name", "ftask"),
    [("imagenet", "sinclass"), ("coco", "objdet"), ("coco", "semseg"), ("ade20k", "semseg")],
)
def test_targets(request, save_image, name, ftask):
    target = request.getfixturevalue(name)
    before = load_target(target, "train", ftask).digest()
    assert load_target(target, "train", ftask).digest() == before
    path = next(p for p in sorted(target.image_folder("train").rglob("*")) if p.is_file())
    save_image(path, size=(16, 12), quality=5, pixels=(1, 250, 3))
    assert load_target(target, "train", ftask).digest() != before


def test_cocos_annotations_count(coco):
    before = load_target(coco, "val", "objdet").digest()
    content = json.loads(coco.annotation("val").read_text())
    content["annotations"][0]["category_id"] = 13
    coco.annotation("val").write_text(json.dumps(content))
    assert load_target(coco, "val", "objdet").digest() != before


def test_synthetic(make_shards):
    paths, _ = make_shards()
    assert SyntheticImages(paths, 4, "objdet").digest() == SyntheticImages(paths, 4, "objdet").digest()
    digests = {SyntheticImages(paths, n, task).digest() for n in (2, 4) for task in ("objdet", "semseg")}
    assert len(digests) == 4
