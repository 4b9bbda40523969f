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

from syn2real.data.rendered import PTASKS, SyntheticImages
from syn2real.data.shards import decode_normals
from syn2real.errors import InputError


@pytest.mark.parametrize("ptask", PTASKS)
def test_the_first_n_images_in_order_across_shards(make_shards, ptask):
    paths, truth = make_shards()
    images = SyntheticImages(list(reversed(paths)), 6, ptask)
    assert len(images) == 6
    for (image, _), expected in zip(images, truth[:6], strict=True):
        assert isinstance(image, tv_tensors.Image) and image.dtype == torch.uint8
        assert (image.permute(1, 2, 0).numpy() == expected["image"]).all()
    with pytest.raises(IndexError):
        images[6]


def test_mulclass_marks_every_visible_class_once(make_shards):
    paths, truth = make_shards(objects=[[0], [2, 2], [], [1, 0], [0], [0], [0], [2]])
    images = SyntheticImages(paths, 8, "mulclass")
    assert images.classes == ["demo/obj_000001", "demo/obj_000002", "demo/obj_000003"]
    found = [images[i][1] for i in range(4)]
    assert all(row.dtype == torch.float32 for row in found)
    assert torch.stack(found).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0]]


def test_semseg_has_the_background_as_its_first_class(make_shards):
    paths, truth = make_shards()
    images = SyntheticImages(paths, 8, "semseg")
    assert images.classes[0] == "background" and len(images.classes) == 4
    for i in range(8):
        mask = images[i][1]
        assert isinstance(mask, tv_tensors.Mask) and (mask.numpy() == truth[i]["seg"]).all()


def test_objdet_agrees_with_its_ground_truth(make_shards):
    paths, truth = make_shards(objects=[[], [0, 2], [1], [1], [1], [1], [1], [1]])
    images = SyntheticImages(paths, 8, "objdet")
    empty, full = images[0][1], images[1][1]
    assert empty["boxes"].shape == (0, 4) and empty["labels"].dtype == torch.int64
    assert full["labels"].tolist() == [1, 3] and full["iscrowd"].tolist() == [0, 0]
    assert full["boxes"].tolist() == [[1, 2, 8, 6], [10, 2, 17, 7]]  # XYXY of [x, y, width, height]
    assert full["area"].tolist() == [28, 35] and full["boxes"].canvas_size == (32, 32)
    for i in range(8):
        annotation = images[i][1]
        known = images.coco.imgToAnns[annotation["image_id"]]
        labels = [images.category_ids.index(a["category_id"]) + 1 for a in known]
        assert labels == annotation["labels"].tolist()
        assert [a["bbox"] for a in known] == [t["bbox"] for t in truth[i]["things"]]
    assert len(images.coco.getImgIds()) == 8


def test_normals_come_back_within_a_degree(make_shards):
    paths, truth = make_shards()
    images = SyntheticImages(paths, 8, "normal")
    for i in range(8):
        packed = images[i][1]
        assert isinstance(packed, tv_tensors.Mask) and packed.dtype == torch.uint8
        normals, valid = decode_normals(packed.permute(1, 2, 0).numpy())
        assert (valid == (truth[i]["seg"] > 0)).all()
        cosine = (normals * truth[i]["normals"]).sum(-1)[valid]
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 1.5


@pytest.mark.parametrize(("method", "workers"), [("fork", 2), ("spawn", 1)])
def test_workers_read_what_the_main_process_reads(make_shards, method, workers):
    paths, _ = make_shards(scenes=12, per_shard=4)
    images = SyntheticImages(paths, 24, "semseg")
    alone = [images[i] for i in range(24)]  # opens files before the workers start
    context = multiprocessing.get_context(method)
    loader = DataLoader(images, batch_size=4, num_workers=workers, multiprocessing_context=context)
    batches = list(loader)
    assert torch.equal(torch.cat([b[0] for b in batches]), torch.stack([a[0] for a in alone]))
    assert torch.equal(torch.cat([b[1] for b in batches]), torch.stack([a[1] for a in alone]))


def test_pickles(make_shards):
    paths, _ = make_shards()
    images = SyntheticImages(paths, 8, "objdet")
    copy = pickle.loads(pickle.dumps(images))
    assert copy[5][1]["boxes"].tolist() == images[5][1]["boxes"].tolist()


def test_shards_past_n_are_not_opened(make_shards):
    paths, _ = make_shards()
    paths[1].write_bytes(b"damaged")
    assert len(SyntheticImages(paths, 4, "mulclass")) == 4
    with pytest.raises(InputError, match="shard-000001.tar"):
        SyntheticImages(paths, 6, "mulclass")


@pytest.mark.parametrize(("n", "told"), [(3, "use 2 or 4"), (1, "use 2$"), (0, "use 2$"), (-2, "use 2$")])
def test_n_is_a_whole_number_of_scenes(make_shards, n, told):
    paths, _ = make_shards()
    with pytest.raises(InputError, match=f"n: {n} images are no whole number of scenes of 2 views; {told}"):
        SyntheticImages(paths, n, "mulclass")


def test_too_few_shards(make_shards):
    paths, _ = make_shards()
    with pytest.raises(InputError, match="s/train: n: the shards hold 8 images, but 10 are asked for"):
        SyntheticImages(paths, 10, "mulclass")
    with pytest.raises(InputError, match="no shards"):
        SyntheticImages([], 2, "mulclass")


def test_shards_that_do_not_belong_together(make_shards):
    paths, _ = make_shards()
    other, _ = make_shards(setting="z")
    with pytest.raises(InputError, match="z/train/shard-000001.tar: setting: does not belong with"):
        SyntheticImages([paths[0], other[1]], 8, "mulclass")
    with pytest.raises(InputError, match="shard-000001.tar: first_scene: begins at scene 2, but scene 0"):
        SyntheticImages(paths[1:], 2, "mulclass")


def test_an_unknown_task_names_the_known_ones(make_shards):
    paths, _ = make_shards()
    with pytest.raises(InputError, match="mulclass, objdet, semseg, normal"):
        SyntheticImages(paths, 2, "sinclass")


def test_more_classes_than_a_mask_can_hold(make_shards):
    names = [f"many/obj_{k:06d}" for k in range(255)]
    paths, _ = make_shards(classes=names)
    assert len(SyntheticImages(paths, 2, "mulclass").classes) == 255
    with pytest.raises(InputError, match="255 classes; class maps"):
        SyntheticImages(paths, 2, "semseg")


@pytest.mark.parametrize(
    ("ptask", "extension"),
    [("mulclass", "png"), ("semseg", "seg.png"), ("normal", "normal.png"), ("mulclass", "json")],
)
def test_a_damaged_member_is_named(make_shards, ptask, extension):
    paths, _ = make_shards()
    images = SyntheticImages(paths, 8, ptask)
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
        images = SyntheticImages(paths, 60, "mulclass")
        pixels = [image.permute(1, 2, 0).numpy() for image, _ in images]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert all((shown == views["image"]).all() for shown, views in zip(pixels, truth, strict=True))


def test_a_shard_that_vanishes_or_shrinks_is_named(make_shards):
    paths, _ = make_shards()
    images = SyntheticImages(paths, 8, "mulclass")
    paths[0].unlink()
    with pytest.raises(InputError, match="shard-000000.tar: 00000000-00: cannot be read"):
        images[0]
    paths[1].write_bytes(b"")
    with pytest.raises(InputError, match="shard-000001.tar: 00000002-00.png"):
        images[4]


def test_the_reference_is_the_shards_own_json(make_shards):
    paths, truth = make_shards()
    images = SyntheticImages(paths, 8, "mulclass")
    shard = images._shards[0]
    view = json.loads(shard.read(shard.keys[1])["json"])
    assert [t["class"] for t in view["objects"]] == torch.nonzero(images[1][1]).flatten().tolist()


def test_no_annotation_is_read_before_it_is_asked_for(make_shards, monkeypatch):
    """A million images to train on: what is kept of them is where they lie."""
    paths, _ = make_shards()
    images = SyntheticImages(paths, 8, "objdet")
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
    assert SyntheticImages(paths, 8, "semseg").coco is None
