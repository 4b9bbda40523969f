"""What each task does to a sample, and what its loss is made of."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.transforms import v2

from syn2real.backbones.base import build_backbone
from syn2real.tasks.base import build_model
from syn2real.tasks.common.dense import RandomShortestSize, enlarged
from syn2real.tasks.common.images import stack_padded
from syn2real.training.optimiser import make_optimiser
from syn2real.training.seeding import temporarily_seeded

CPU = torch.device("cpu")


def test_detector_bears_an_image_without_objects(smoke_task, samples):
    task = smoke_task("objdet")
    image, target = samples("objdet")[0]
    empty = {
        "boxes": tv_tensors.BoundingBoxes(torch.zeros(0, 4), format="XYXY", canvas_size=(32, 32)),
        "labels": torch.zeros(0, dtype=torch.int64),
        "image_id": 1,
        "iscrowd": torch.zeros(0, dtype=torch.int64),
    }
    transform = task.train_transform()
    batch = task.collate([transform(image, empty), transform(image, target)])
    parts = task.loss(build_model(task, "resnet18")[1].train(), *task.move(batch, CPU))
    assert all(torch.isfinite(value) for value in parts.values())
    assert set(parts) == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}


def test_crowds_and_vanishing_boxes_are_not_trained_on(smoke_task):
    task = smoke_task("objdet", flip=False)  # resizes to 48
    boxes = tv_tensors.BoundingBoxes(
        torch.tensor([[0.0, 0, 96, 48], [10, 10, 20, 20], [5, 5, 5.5, 40]]),
        format="XYXY",
        canvas_size=(96, 192),
    )
    target = {
        "boxes": boxes,
        "labels": torch.tensor([1, 2, 3]),
        "image_id": 7,
        "iscrowd": torch.tensor([0, 1, 0]),
    }
    image, got = task.train_transform()(tv_tensors.Image(torch.zeros(3, 96, 192, dtype=torch.uint8)), target)
    assert image.shape == (3, 48, 48)
    assert got["labels"].tolist() == [1]
    assert got["boxes"].tolist() == [[0, 0, 24, 24]]


@pytest.mark.parametrize("name", ["semseg", "normal"])
def test_auxiliary_head_as_in_the_paper(name, smoke_task, samples):
    task = smoke_task(name)
    backbone, model = build_model(task, "resnet18")
    model.train()
    transform = task.train_transform()
    batch = task.collate([transform(*samples(name)[i]) for i in range(2)])
    parts = task.loss(model, *task.move(batch, CPU))
    with torch.random.fork_rng():
        outputs = model(task.move(batch, CPU)[0])
    assert parts.keys() == {"main", "auxiliary"}
    channels = 4 if name == "semseg" else 3
    for head in ("out", "aux"):
        assert enlarged(outputs[head], torch.Size([48, 48])).shape == (2, channels, 48, 48)
    found = make_optimiser(task, backbone, model).param_groups
    factors = {group["lr_factor"]: len(group["params"]) for group in found}
    auxiliary = [name for name, _ in model.named_parameters() if name.startswith("aux_classifier")]
    assert factors[10.0] == len(auxiliary) and set(factors) == {1.0, 10.0}


@pytest.mark.parametrize("name", ["semseg", "normal", "depth"])
def test_the_loss_is_that_of_the_batch_however_few_images_are_compared_at_once(name, smoke_task, monkeypatch):
    task = smoke_task(name)
    random = torch.Generator().manual_seed(0)
    heads = {head: torch.randn(3, task.outputs, 4, 4, generator=random) for head in ("out", "aux")}
    images = torch.zeros(3, 3, 32, 32, dtype=torch.uint8)
    targets = {
        "semseg": torch.randint(0, 4, (3, 32, 32), generator=random, dtype=torch.uint8),
        "normal": torch.randint(0, 256, (3, 3, 32, 32), generator=random, dtype=torch.uint8),
        "depth": torch.rand(3, 32, 32, generator=random),
    }[name]
    moved = task.move((images, targets), CPU)
    whole = task.loss(lambda _: heads, *moved)
    monkeypatch.setattr("syn2real.tasks.common.dense.AT_ONCE", 1)
    apart = task.loss(lambda _: heads, *moved)
    torch.testing.assert_close(apart, whole)
    if name == "semseg":  # torchvision's reference
        expected = F.cross_entropy(enlarged(heads["out"], images.shape[-2:]), moved[1], ignore_index=255)
        torch.testing.assert_close(apart["main"], expected)


def test_segmentation_loss_ignores_padding_alone(smoke_task):
    task = smoke_task("semseg")
    targets = torch.full((2, 32, 32), 255)
    parts = task.loss(build_model(task, "resnet18")[1].train(), torch.randn(2, 3, 32, 32), targets)
    assert parts["main"].item() == 0


def test_normals_stay_unit_vectors_where_valid(smoke_task, samples):
    task = smoke_task("normal", resize=(33, 61))
    transform = task.train_transform()
    chosen = []
    for i in range(4):
        with temporarily_seeded(i):
            chosen.append(transform(*samples("normal")[i]))
    batch = task.collate(chosen)
    assert batch[0].shape == (4, 3, 48, 48) and batch[0].dtype == torch.uint8
    images, targets = task.move(batch, CPU)
    valid = targets[:, 3] == 1
    length = targets[:, :3].norm(dim=1)
    assert torch.allclose(length[valid], torch.ones(1), atol=1e-5)
    assert not length[~valid].any()
    assert 0 < float(valid.float().mean()) < 1


def test_segmentation_samples_keep_image_and_mask_together(smoke_task, samples):
    task = smoke_task("semseg", resize=(40, 40))
    image, mask = samples("semseg")[6]  # all three classes; smaller than the crop, so padded
    with temporarily_seeded(3):
        image, mask = task.train_transform()(image, mask)
    images, masks = task.collate([(image, mask)])
    assert set(masks.unique().tolist()) == {0, 1, 2, 3, 255}
    for k, colour in enumerate(([220, 40, 40], [40, 200, 60], [50, 60, 230]), start=1):
        pixels = images[0][:, masks[0] == k].float()
        assert torch.allclose(pixels.median(dim=1).values, torch.tensor(colour).float(), atol=3)
    assert not images[0][:, masks[0] == 255].any()


def test_evaluation_pads_images_of_different_shapes(smoke_task):
    task = smoke_task("semseg", eval_size=24)
    samples = []
    for height, width in ((24, 48), (48, 24)):
        image = tv_tensors.Image(torch.ones(3, height, width, dtype=torch.uint8))
        mask = tv_tensors.Mask(torch.ones(height, width, dtype=torch.uint8))
        samples.append(task.eval_transform()(image, mask))
    images, masks = task.collate(samples)
    assert images.shape == (2, 3, 48, 48)
    assert int((masks == 255).sum()) == 2 * 24 * 48


def test_classification_sizes(smoke_task):
    wide = tv_tensors.Image(torch.zeros(3, 40, 90, dtype=torch.uint8))
    multi, single = smoke_task("mulclass"), smoke_task("sinclass")
    assert multi.train_transform()(wide, torch.zeros(3))[0].shape == (3, 32, 32)
    assert multi.eval_transform()(wide, torch.zeros(3))[0].shape == (3, 32, 32)
    assert single.train_transform()(wide, 1)[0].shape == (3, 32, 32)
    assert single.eval_transform()(wide, 1)[0].shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, [[100, 200], [100, 100], [100, 50]]),
        ({"grey": 1.0}, [[100, 124]] * 3),
        ({"invert": 1.0}, [[155, 55], [155, 155], [155, 205]]),
        ({"autocontrast": 1.0}, [[0, 255], [100, 100], [255, 0]]),
        ({"grey": 1.0, "invert": 1.0, "autocontrast": 1.0}, [[255, 0]] * 3),
    ],
)
def test_images_are_recoloured_as_the_recipe_says(keys, expected, smoke_task):
    pixels = torch.tensor([[100, 200], [100, 100], [100, 50]], dtype=torch.uint8)  # two halves, RGB
    image = tv_tensors.Image(pixels.repeat_interleave(2, dim=1)[:, None].repeat(1, 4, 1))
    task = smoke_task("mulclass", image_size=4, flip=False, **keys)
    got, _ = task.train_transform()(image, torch.zeros(3))
    np.testing.assert_allclose(got[:, 0, ::2], expected, atol=1)  # torchvision cuts fractions off
    assert torch.equal(task.eval_transform()(image, torch.zeros(3))[0], image)


def test_crops_cover_the_part_of_the_image_that_the_recipe_says(smoke_task):
    image = tv_tensors.Image(torch.arange(200, dtype=torch.uint8).repeat(3, 200, 1))
    task = smoke_task("mulclass", flip=False, crop_scale=(0.5, 0.6))
    widths = [int(np.ptp(task.train_transform()(image, torch.zeros(3))[0])) for _ in range(50)]
    assert 200 * (0.5 * 3 / 4) ** 0.5 * 0.9 < min(widths) < max(widths) < 200 * (0.6 * 4 / 3) ** 0.5


def test_weight_decay_spares_batch_norm_where_the_recipe_says(smoke_task):
    task = smoke_task("sinclass", decay_norm=False)
    backbone, model = build_model(task, "resnet18")
    found = make_optimiser(task, backbone, model).param_groups
    groups = {group["weight_decay"]: group["params"] for group in found}
    assert sum(p.numel() for p in groups[0.0]) == 9600
    assert any(p is model.last.bias for p in groups[1e-4])


def test_normals_are_those_of_a_pixel_never_a_mean(smoke_task, samples):
    data, task = samples("normal"), smoke_task("normal", resize=(33, 61))
    known = {tuple(code) for i in range(4) for code in data[i][1].flatten(1).T.tolist()} | {(0, 0, 0)}
    for i in range(4):
        with temporarily_seeded(i):
            packed = task.train_transform()(*data[i])[1]
        assert packed.shape == (3, 48, 48) and packed.dtype == torch.uint8
        assert {tuple(code) for code in packed.flatten(1).T.tolist()} <= known


@pytest.mark.parametrize("size", [260, 333, 640, 1040])
def test_masks_are_resized_to_the_nearest_pixels_as_torchvision_does(size):
    mask = tv_tensors.Mask(torch.randint(0, 255, (640, 640), dtype=torch.uint8))
    ours = RandomShortestSize([size])(mask)
    theirs = v2.RandomShortestSize([size])(mask)
    assert ours.shape == theirs.shape == (size, size)
    assert (ours != theirs).float().mean() < 0.005  # rounding at a pixel's border


def test_padding_is_right_and_below():
    small, large = torch.ones(3, 2, 4, dtype=torch.uint8), torch.ones(3, 5, 3, dtype=torch.uint8)
    batch = stack_padded([small, large], 7)
    assert batch.shape == (2, 3, 5, 4) and batch.is_contiguous(memory_format=torch.channels_last)
    assert (batch[0, :, :2] == 1).all() and (batch[0, :, 2:] == 7).all()
    assert (batch[1, ..., :3] == 1).all() and (batch[1, ..., 3] == 7).all()


@pytest.mark.parametrize("channels", [256, 64])
def test_the_pyramid_has_as_many_channels_as_the_recipe_says(smoke_task, channels):
    task = smoke_task("objdet")
    options = task.section.detector.model_copy(update={"pyramid": channels})
    task.section = task.section.model_copy(update={"detector": options})
    net = task.build(build_backbone("resnet10-w16"))
    assert net.backbone.out_channels == channels
    assert net.rpn.head.cls_logits.in_channels == channels


@pytest.mark.parametrize("width", [256, 64])
def test_the_dense_head_is_torchvisions_as_wide_as_the_recipe_says(smoke_task, width):
    task = smoke_task("semseg", head=width)
    backbone = build_backbone("resnet10-w16", output_stride=8)
    with temporarily_seeded(1):
        ours = task.build(backbone).classifier
    assert (ours[0].project[0].out_channels, ours[1].out_channels) == (width, width)
    if width == 256:  # the one width that torchvision offers
        with temporarily_seeded(1):
            theirs = DeepLabHead(backbone.channels[-1], task.outputs)
        assert {k: v.sum() for k, v in ours.state_dict().items()} == {
            k: v.sum() for k, v in theirs.state_dict().items()
        }
