"""Initial weights of a detector: backbone, pyramid and proposal network are those of torchvision's own."""

import pytest
import torch
from torchvision.models import detection
from torchvision.models.detection.image_list import ImageList

from syn2real.backbones.base import fetch_published, save_backbone
from syn2real.errors import InputError
from syn2real.tasks.base import build_model, load_start

SIDE = 96


def test_a_detector_starts_with_torchvisions_features_pyramid_and_proposals(
    smoke_task, monkeypatch, tmp_path
):
    torch.manual_seed(2)
    written = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    for layer in (layer for layer in written.modules() if isinstance(layer, torch.nn.BatchNorm2d)):
        layer.running_var.fill_(1e-4)  # so small that an eps of 1e-5 would show
        layer.weight.data.fill_(1e-2)
    # torchvision's loader looks here before it downloads.
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub/checkpoints"
    cache.mkdir(parents=True)
    url = detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.url
    torch.save(written.state_dict(), cache / url.rpartition("/")[2])
    reference = detection.fasterrcnn_resnet50_fpn(weights="COCO_V1").eval()
    state, _ = fetch_published("resnet50", "coco")
    save_backbone(tmp_path / "coco.safetensors", state, {})
    task = smoke_task("objdet", detector={})
    backbone, model = build_model(task, "resnet50")
    load_start(task, backbone, model, tmp_path / "coco.safetensors", detector=True)
    images = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        expected, found = reference.backbone(images), model.eval().backbone(images)
        assert [*expected] == [*found]
        assert all(torch.allclose(expected[level], found[level], 1e-4, 1e-5) for level in found)
        batch = ImageList(images, [(SIDE, SIDE)] * 2)
        proposals = [network.rpn(batch, found)[0] for network in (reference, model)]
    assert all(len(one) and torch.allclose(one, other, 1e-4) for one, other in zip(*proposals, strict=True))
    other = smoke_task("sinclass")
    classifier, whole = build_model(other, "resnet50")
    load_start(other, classifier, whole, tmp_path / "coco.safetensors", detector=True)
    assert all(torch.equal(value, backbone.state()[key]) for key, value in classifier.state().items())


def test_a_pyramid_of_another_width_is_refused_by_its_first_tensor(smoke_task, tmp_path):
    task, other = smoke_task("objdet"), smoke_task("objdet", detector={"pyramid": 64})
    backbone, model = build_model(task, "resnet18")
    state = {f"backbone.body.{key}": value for key, value in backbone.state().items()}
    for prefix, part in task.detector_parts(model).items():
        state |= {f"{prefix}{key}": value for key, value in part.state_dict().items()}
    save_backbone(tmp_path / "w.safetensors", state, {})
    for values in (False, True):
        built = build_model(other, "resnet18")
        with pytest.raises(InputError) as caught:
            load_start(other, *built, tmp_path / "w.safetensors", detector=True, values=values)
        shapes = "has the shape [256, 64, 1, 1], not [64, 64, 1, 1]"
        assert str(caught.value).startswith(
            f"{tmp_path}/w.safetensors: backbone.fpn.inner_blocks.0.0.weight: {shapes}"
        )
