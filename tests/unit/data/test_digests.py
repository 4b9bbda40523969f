"""A data set's digest stays while it does, and changes with labels, files and number."""

import json

import pytest

from syn2real.data.rendered import RenderedImages
from syn2real.data.targets.load import load_target


@pytest.mark.parametrize(
    ("name", "channel"),
    [("imagenet", "label"), ("coco", "objects"), ("coco", "class-map"), ("ade20k", "class-map")],
)
def test_targets(request, save_image, name, channel):
    target = request.getfixturevalue(name)
    before = load_target(target, "train", channel).digest()
    assert load_target(target, "train", channel).digest() == before
    path = next(p for p in sorted(target.image_folder("train").rglob("*")) if p.is_file())
    save_image(path, size=(16, 12), quality=5, pixels=(1, 250, 3))
    assert load_target(target, "train", channel).digest() != before


def test_cocos_annotations_count(coco):
    before = load_target(coco, "test", "objects").digest()
    content = json.loads(coco.annotation("test").read_text())
    content["annotations"][0]["category_id"] = 13
    coco.annotation("test").write_text(json.dumps(content))
    assert load_target(coco, "test", "objects").digest() != before


def test_synthetic(make_shards):
    paths, _ = make_shards()
    assert RenderedImages(paths, 4, "objects").digest() == RenderedImages(paths, 4, "objects").digest()
    digests = {RenderedImages(paths, n, task).digest() for n in (2, 4) for task in ("objects", "class-map")}
    assert len(digests) == 4
