"""Rendered images from shards: every task's annotations, sizes in whole scenes, workers, damage."""

import json
import multiprocessing
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from syn2real.channels.normals import unpack
from syn2real.data.rendered import RenderedImages
from syn2real.data.subsets import draw_from_pool, indices_digest
from syn2real.errors import InputError
from syn2real.tasks.schema import channel_of

PTASKS = ("mulclass", "objdet", "semseg", "normal")


@pytest.mark.parametrize("ptask", PTASKS)
def test_the_first_n_images_in_order_across_shards(make_shards, ptask):
    paths, truth = make_shards()
    images = RenderedImages(list(reversed(paths)), 6, channel_of(ptask))
    assert len(images) == 6
    for (image, _), expected in zip(images, truth[:6], strict=True):
        assert isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8
        assert (image.permute(1, 2, 0).numpy() == expected["image"]).all()
    with pytest.raises(IndexError):
        images[6]


@pytest.mark.parametrize("n", [1, 3, 8])
def test_n_images_drawn_from_a_pool(make_shards, n):
    paths, truth = make_shards(scenes=6)
    images = RenderedImages(paths, n, "objects", pool=8)
    expected = [truth[index] for index in draw_from_pool(8, n)]
    for (image, value), view in zip(images, expected, strict=True):
        assert (image.permute(1, 2, 0).numpy() == view["image"]).all()
        assert [thing["bbox"] for thing in value["objects"]] == [t["bbox"] for t in view["things"]]
    known = [[a["bbox"] for a in images.coco.imgToAnns[number]] for number in range(1, n + 1)]
    assert known == [[t["bbox"] for t in view["things"]] for view in expected]
    assert images.draw_digest == indices_digest(8, draw_from_pool(8, n))


def test_a_larger_pool_changes_no_smaller_draw(make_shards):
    paths, _ = make_shards(scenes=6)
    digests = [RenderedImages(shards, 3, "objects", pool=8).digest() for shards in (paths[:2], paths)]
    assert digests[0] == digests[1]
    others = [RenderedImages(paths, n, "objects", pool).digest() for n, pool in ((3, 12), (2, 8), (8, 8))]
    assert len({digests[0], *others, RenderedImages(paths, 8, "objects").digest()}) == 5


@pytest.mark.parametrize(
    ("n", "pool", "message"),
    [
        (3, 7, "n: 7 images are not a whole number of scenes of 2 views; use 6 or 8"),
        (3, 10, "n: the shards hold 8 images, but 10 are asked for"),
        (9, 8, "n: 9 images cannot be drawn from a pool of 8"),
    ],
)
def test_a_pool_that_cannot_be_drawn_from(make_shards, n, pool, message):
    with pytest.raises(InputError, match=message):
        RenderedImages(make_shards()[0], n, "objects", pool)


def test_mulclass_marks_every_visible_class_once(make_shards, learnt):
    paths, truth = make_shards(objects=[[0], [2, 2], [], [1, 0], [0], [0], [0], [2]])
    images = RenderedImages(paths, 8, "objects")
    assert images.classes == ["demo/obj_000001", "demo/obj_000002", "demo/obj_000003"]
    found = [learnt("mulclass", images, i)[1] for i in range(4)]
    assert all(row.dtype == torch.float32 for row in found)
    assert torch.stack(found).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0]]


def test_semseg_has_the_background_as_its_first_class(make_shards, learnt):
    paths, truth = make_shards()
    images = RenderedImages(paths, 8, "class-map")
    assert images.classes[0] == "background" and len(images.classes) == 4
    for i, mask in enumerate(learnt("semseg", images, i)[1] for i in range(8)):
        assert isinstance(mask, tv_tensors.Mask) and (mask.numpy() == truth[i]["seg"]).all()


def test_objdet_agrees_with_its_ground_truth(make_shards, learnt):
    paths, truth = make_shards(objects=[[], [0, 2], [1], [1], [1], [1], [1], [1]])
    images = RenderedImages(paths, 8, "objects")
    annotations = [learnt("objdet", images, i)[1] for i in range(8)]
    empty, full = annotations[:2]
    assert empty["boxes"].shape == (0, 4) and empty["labels"].dtype == torch.int64
    assert full["labels"].tolist() == [1, 3] and full["iscrowd"].tolist() == [0, 0]
    assert full["boxes"].tolist() == [[1, 2, 8, 6], [10, 2, 17, 7]]  # XYXY of [x, y, width, height]
    assert full["area"].tolist() == [28, 35] and full["boxes"].canvas_size == (32, 32)
    for i, annotation in enumerate(annotations):
        known = images.coco.imgToAnns[annotation["image_id"]]
        labels = [images.category_ids.index(a["category_id"]) + 1 for a in known]
        assert labels == annotation["labels"].tolist()
        assert [a["bbox"] for a in known] == [t["bbox"] for t in truth[i]["things"]]
    assert len(images.coco.getImgIds()) == 8


def test_normals_come_back_within_a_degree(make_shards, learnt):
    paths, truth = make_shards()
    images = RenderedImages(paths, 8, "normals")
    for i, packed in enumerate(learnt("normal", images, i)[1] for i in range(8)):
        assert isinstance(packed, tv_tensors.Mask) and packed.dtype == torch.uint8
        normals, valid = unpack(packed.permute(1, 2, 0).numpy())
        assert (valid == (truth[i]["seg"] > 0)).all()
        cosine = (normals * truth[i]["normals"]).sum(-1)[valid]
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 1.5


@pytest.mark.parametrize(("method", "workers"), [("fork", 2), ("spawn", 1)])
def test_workers_read_what_the_main_process_reads(make_shards, method, workers):
    paths, _ = make_shards(scenes=12, per_shard=4)
    images = RenderedImages(paths, 24, "class-map")
    alone = [images[i] for i in range(24)]  # opens files before the workers start
    context = multiprocessing.get_context(method)
    loader = DataLoader(images, batch_size=4, num_workers=workers, multiprocessing_context=context)
    batches = list(loader)
    assert torch.equal(torch.cat([b[0] for b in batches]), torch.stack([a[0] for a in alone]))
    assert torch.equal(
        torch.cat([b[1] for b in batches]), torch.stack([torch.from_numpy(a[1]) for a in alone])
    )


def test_pickles(make_shards):
    paths, _ = make_shards()
    images = RenderedImages(paths, 8, "objects")
    copy = pickle.loads(pickle.dumps(images))
    assert copy[5][1] == images[5][1]


def test_shards_past_n_are_not_opened(make_shards):
    paths, _ = make_shards()
    paths[1].write_bytes(b"damaged")
    assert len(RenderedImages(paths, 4, "objects")) == 4
    with pytest.raises(InputError, match="shard-000001.tar"):
        RenderedImages(paths, 6, "objects")


@pytest.mark.parametrize(("n", "hint"), [(3, "use 2 or 4"), (1, "use 2$"), (0, "use 2$"), (-2, "use 2$")])
def test_n_is_a_whole_number_of_scenes(make_shards, n, hint):
    paths, _ = make_shards()
    with pytest.raises(
        InputError, match=f"n: {n} images are not a whole number of scenes of 2 views; {hint}"
    ):
        RenderedImages(paths, n, "objects")


def test_too_few_shards(make_shards):
    paths, _ = make_shards()
    with pytest.raises(InputError, match="s/train: n: the shards hold 8 images, but 10 are asked for"):
        RenderedImages(paths, 10, "objects")
    with pytest.raises(InputError, match="no shards"):
        RenderedImages([], 2, "objects")


def test_shards_that_do_not_belong_together(make_shards):
    paths, _ = make_shards()
    other, _ = make_shards(setting="z")
    with pytest.raises(InputError, match="z/train/shard-000001.tar: setting: does not belong with"):
        RenderedImages([paths[0], other[1]], 8, "objects")
    with pytest.raises(InputError, match="shard-000001.tar: first_scene: begins at scene 2, but scene 0"):
        RenderedImages(paths[1:], 2, "objects")


def test_a_channel_that_was_not_rendered_is_named(make_shards):
    paths, _ = make_shards()
    with pytest.raises(InputError, match="shard-000000.tar: members: the images have no depth; add it to"):
        RenderedImages(paths, 2, "depth")
    with pytest.raises(InputError, match="the images have no label; only targets have one"):
        RenderedImages(paths, 2, "label")


def test_more_classes_than_a_mask_can_hold(make_shards):
    names = [f"many/obj_{k:06d}" for k in range(255)]
    paths, _ = make_shards(classes=names)
    assert len(RenderedImages(paths, 2, "objects").classes) == 255
    with pytest.raises(InputError, match="255 classes; class maps"):
        RenderedImages(paths, 2, "class-map")


@pytest.mark.parametrize(
    ("ptask", "extension"),
    [("mulclass", "png"), ("semseg", "seg.png"), ("normal", "normal.png"), ("mulclass", "json")],
)
def test_a_damaged_member_is_named(make_shards, ptask, extension):
    paths, _ = make_shards()
    images = RenderedImages(paths, 8, channel_of(ptask))
    content = images._shards[1].read("00000003-01")[extension]
    images._shards[1].close()
    whole = paths[1].read_bytes()
    place = whole.index(content)
    middle = place + len(content) // 2
    damaged = bytes(b ^ 0xFF for b in whole[middle : middle + 8])
    paths[1].write_bytes(whole[:middle] + damaged + whole[middle + 8 :])
    images[6]
    with pytest.raises(InputError, match=f"shard-000001.tar: 00000003-01.{extension}: no "):
        images[7]


def test_there_may_be_more_shards_than_a_process_may_open_files(make_shards):
    paths, truth = make_shards(scenes=60, views=1, per_shard=1, size=32)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 10, limits[1]))
    try:
        images = RenderedImages(paths, 60, "objects")
        pixels = [image.permute(1, 2, 0).numpy() for image, _ in images]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert all((shown == views["image"]).all() for shown, views in zip(pixels, truth, strict=True))


def test_a_shard_that_vanishes_or_shrinks_is_named(make_shards):
    paths, _ = make_shards()
    images = RenderedImages(paths, 8, "objects")
    paths[0].unlink()
    with pytest.raises(InputError, match="shard-000000.tar: 00000000-00: cannot be read"):
        images[0]
    paths[1].write_bytes(b"")
    with pytest.raises(InputError, match="shard-000001.tar: 00000002-00.png"):
        images[4]


def test_the_reference_is_the_shards_own_json(make_shards, learnt):
    paths, truth = make_shards()
    images = RenderedImages(paths, 8, "objects")
    shard = images._shards[0]
    view = json.loads(shard.read(shard.keys[1])["json"])
    assert [t["class"] for t in view["objects"]] == torch.nonzero(
        learnt("mulclass", images, 1)[1]
    ).flatten().tolist()


def test_no_annotation_is_read_before_it_is_asked_for(make_shards, monkeypatch):
    """A million images to train on: what is kept of them is where they lie."""
    paths, _ = make_shards()
    images = RenderedImages(paths, 8, "objects")
    assert len(pickle.dumps(images)) < 20_000
    read = []
    original = type(images._shards[0]).read

    def reading(shard, key, extensions):
        read.append((key, tuple(extensions)))
        return original(shard, key, extensions)

    monkeypatch.setattr(type(images._shards[0]), "read", reading)
    images[3]
    assert read == [("00000001-01", ("png", "json"))]
    assert len(images.coco.anns) and len(read) == 1 + 8
    assert RenderedImages(paths, 8, "class-map").coco is None
