"""Features are those of the backbone, whatever the batch, and any ResNet's weights file is a reference."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from syn2real.backbones.base import build_backbone, save_backbone
from syn2real.complexity import features as module
from syn2real.complexity.covariance import Covariance
from syn2real.complexity.features import features, load_reference
from syn2real.complexity.images import ShardImages
from syn2real.complexity.measure import measure_images
from syn2real.data.subsets import draw_from_pool
from syn2real.errors import InputError
from syn2real.tasks.base import normalise

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_backbone("resnet18")


@pytest.fixture
def weights(network, tmp_path):
    path = tmp_path / "backbone.safetensors"
    save_backbone(path, network.state(), {})
    return path


def gathered(images, backbone, activation="pooled", size=32):
    blocks = list(features(images, backbone, activation=activation, image_size=size, device=CPU))
    assert all(block.dtype == np.float32 for _, block in blocks)
    scenes = [scene for scene, block in blocks for _ in block]
    return scenes, np.concatenate([block for _, block in blocks])


def test_pooled_features_are_what_the_last_layer_sees(network, weights, shards) -> None:
    images = ShardImages(shards[0])
    scenes, ours = gathered(images, load_reference(weights, "resnet18"))
    assert scenes == images.scenes and len(set(scenes)) == 8
    network.eval()
    with torch.inference_mode():
        batch = normalise(torch.stack([images[i] for i in range(len(images))]), CPU)
        np.testing.assert_allclose(ours, network.net(batch).numpy(), rtol=1e-4, atol=1e-5)


def test_the_map_has_a_vector_for_each_position_and_its_mean_is_the_pooled_one(weights, shards) -> None:
    images, backbone = ShardImages(shards[0], 4), load_reference(weights, "resnet18")
    scenes, positions = gathered(images, backbone, "map", size=96)
    assert positions.shape == (4 * 3 * 3, 512) and scenes == sorted(scenes)
    pooled = gathered(images, backbone, "pooled", size=96)[1]
    np.testing.assert_allclose(positions.reshape(4, 9, 512).mean(axis=1), pooled, rtol=1e-4, atol=1e-6)


def test_images_drawn_from_a_pool_are_the_pools(weights, shards) -> None:
    pool, drawn = ShardImages(shards[0], 12), ShardImages(shards[0], 5, pool=12)
    chosen = draw_from_pool(12, 5)
    assert drawn.scenes == [pool.scenes[index] for index in chosen] == sorted(drawn.scenes)
    assert all(torch.equal(drawn[k], pool[index]) for k, index in enumerate(chosen))
    backbone = load_reference(weights, "resnet18")
    np.testing.assert_allclose(
        gathered(drawn, backbone)[1], gathered(pool, backbone)[1][chosen], rtol=1e-4, atol=1e-5
    )
    assert len({images.digest() for images in (pool, drawn, ShardImages(shards[0], 5, pool=14))}) == 3


def test_neither_batch_nor_repetition_changes_features(weights, shards, monkeypatch) -> None:
    images, backbone = ShardImages(shards[0]), load_reference(weights, "resnet18")
    once = gathered(images, backbone)
    np.testing.assert_array_equal(once[1], gathered(images, backbone)[1])
    monkeypatch.setattr(module, "BATCH", 3)
    scenes, other = gathered(images, backbone)
    assert scenes == once[0]
    np.testing.assert_allclose(other, once[1], rtol=1e-4, atol=1e-5)
    assert not any(p.requires_grad for p in backbone.parameters()) and not backbone.training


def test_a_reference_may_be_plain_weights_a_checkpoint_or_within_a_detector(tmp_path) -> None:
    torch.manual_seed(1)
    plain = build_backbone("resnet50").net
    detector = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    save_file(plain.state_dict(), tmp_path / "plain.safetensors")
    torch.save({"model": detector.state_dict(), "epoch": 3}, tmp_path / "detector.pth")
    for name, network in (("plain.safetensors", plain), ("detector.pth", detector.backbone.body)):
        loaded = load_reference(tmp_path / name, "resnet50")
        for key in ("conv1.weight", "layer4.2.bn3.weight", "layer3.5.conv2.weight"):
            assert torch.equal(loaded.net.state_dict()[key], network.state_dict()[key]), (name, key)


def test_what_is_no_reference_is_refused_in_one_line(weights, tmp_path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
    for path, model, message in (
        (tmp_path / "missing.pth", "resnet18", "there is no such file"),
        (tmp_path / "text.pth", "resnet18", "not readable as weights"),
        (tmp_path / "list.pth", "resnet18", "not a list"),
        (tmp_path / "other.pth", "resnet18", "holds no resnet18"),
        (weights, "resnet34", "does not fit a resnet34"),
        (weights, "resnet19", "'resnet19' is not defined; did you mean"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            load_reference(path, model)
        assert "\n" not in str(caught.value)


def test_a_shallower_backbone_is_not_taken_out_of_a_deeper_one(tmp_path) -> None:
    save_backbone(tmp_path / "deep.safetensors", build_backbone("resnet101").state(), {})
    with pytest.raises(InputError, match="does not fit a resnet50"):
        load_reference(tmp_path / "deep.safetensors", "resnet50")


def test_measured_images_say_what_was_measured(weights, shards) -> None:
    result = measure_images(
        ShardImages(shards[0]), weights, "resnet18", activation="pooled", image_size=32, threads=1
    )
    assert (result["images"], result["scenes"], result["vectors"], result["dimensions"]) == (16, 8, 16, 512)
    assert (result["activation"], result["image_size"], result["model"]) == ("pooled", 32, "resnet18")
    assert set(result["inputs"]) == {"images", "weights"}
    vectors = gathered(ShardImages(shards[0]), load_reference(weights, "resnet18"))[1]
    whole = Covariance(512)
    whole.update(vectors)
    lifted = whole.scatter / 16 + result["floor"] * np.eye(512)
    truth = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * lifted)[1]
    assert result["entropy"] == pytest.approx(truth, rel=1e-9)
