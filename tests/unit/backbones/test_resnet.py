"""torchvision's ResNets: digits, names and stages; one backbone file fits every task's model (A.2)."""

from urllib.error import URLError

import pytest
import torch
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.base import build_backbone, fetch_published, save_backbone
from syn2real.backbones.resnet import NAMES
from syn2real.errors import InputError
from syn2real.tasks.base import build_model

TASKS = ("mulclass", "objdet", "semseg", "normal", "sinclass")
MILLIONS = {
    "resnet18": 11.176512,
    "resnet34": 21.284672,
    "resnet50": 23.508032,
    "resnet101": 42.500160,
    "resnet152": 58.143808,
}


@pytest.mark.parametrize("model", ["resnet18", "resnet50"])
def test_interchangeable_among_all_tasks(model, smoke_task, tmp_path):
    backbones = {name: build_model(smoke_task(name), model)[0] for name in TASKS}
    # Weights of another task come through every other one unchanged.
    state = backbones["mulclass"].state()
    for name in ("objdet", "semseg", "normal", "sinclass", "mulclass"):
        path = tmp_path / f"{name}.safetensors"
        save_backbone(path, state, {"model": model})
        backbones[name].load(path)
        passed_on = backbones[name].state()
        assert passed_on.keys() == state.keys()
        assert all(torch.equal(passed_on[key], value) for key, value in state.items())
        state = passed_on


@pytest.mark.parametrize("model", NAMES)
def test_every_depth_builds_for_every_task(model, smoke_task):
    with torch.device("meta"):  # shapes without numbers
        backbones = [build_model(smoke_task(name), model)[0] for name in TASKS]
        torchvision = getattr(torchvision_resnet, model)()
    theirs = {key: v.shape for key, v in torchvision.state_dict().items() if not key.startswith("fc.")}
    for backbone in backbones:
        assert {key: value.shape for key, value in backbone.net.state_dict().items()} == theirs
        assert backbone.count_parameters() == MILLIONS[model] * 1e6


@pytest.mark.parametrize("zero", [True, False])
def test_a_seeds_classifier_starts_as_torchvisions(zero, smoke_task):
    task = smoke_task("sinclass", zero_init_residual=zero, classes=list("abcde"))
    torch.manual_seed(3)
    backbone, model = build_model(task, "resnet50")
    torch.manual_seed(3)
    theirs = torchvision_resnet.resnet50(num_classes=5, zero_init_residual=zero)
    torch.nn.init.normal_(theirs.fc.weight, std=0.01)
    expected = theirs.state_dict()
    assert torch.equal(model.last.weight, expected.pop("fc.weight")) and not model.last.bias.any()
    del expected["fc.bias"]
    state = backbone.state()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], value) for key, value in expected.items())


@pytest.mark.parametrize(("model", "stride"), [("resnet18", 32), ("resnet34", 32), ("resnet50", 8)])
def test_dilation_by_depth(model, stride, smoke_task):
    backbone, _ = build_model(smoke_task("semseg"), model)
    with torch.no_grad():
        maps = backbone.eval()(torch.rand(1, 3, 64, 64))
    assert maps[-1].shape[-1] == 64 // stride and backbone.strides[-1] == stride


def test_dilation_of_the_last_stage_alone():
    with torch.no_grad():
        maps = build_backbone("resnet50", output_stride=16).eval()(torch.rand(1, 3, 64, 64))
    assert [64 // m.shape[-1] for m in maps] == [4, 8, 16, 16]


def test_every_layer_of_the_detector_is_trained(smoke_task):
    backbone, _ = build_model(smoke_task("objdet"), "resnet18")
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert type(backbone.net.bn1) is torch.nn.BatchNorm2d


def test_another_depth_is_refused(tmp_path):
    path = tmp_path / "backbone.safetensors"
    save_backbone(path, build_backbone("resnet18").state(), {})
    with pytest.raises(InputError, match=r"backbone.safetensors: layer1\.2.*does not fit a resnet34"):
        build_backbone("resnet34").load(path)


def published(monkeypatch, folder, network, weights):
    """Keep a network's tensors where torchvision's loader looks before it downloads published ones."""
    monkeypatch.setenv("TORCH_HOME", str(folder))
    cache = folder / "hub/checkpoints"
    cache.mkdir(parents=True)
    torch.save(network.state_dict(), cache / weights.url.rpartition("/")[2])


def test_published_weights_come_through_torchvisions_loader_and_their_file(monkeypatch, tmp_path):
    torch.manual_seed(1)
    network = torchvision_resnet.resnet18()
    published(monkeypatch, tmp_path, network, torchvision_resnet.ResNet18_Weights.IMAGENET1K_V1)
    state, about = fetch_published("resnet18", "imagenet")
    assert about["licence"].startswith("BSD-3-Clause") and about["source"] == "torchvision, IMAGENET1K_V1"
    save_backbone(tmp_path / "w.safetensors", state, about)
    backbone = build_backbone("resnet18").eval()
    backbone.load(tmp_path / "w.safetensors")
    backbone.require_fit(tmp_path / "w.safetensors")
    images = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        logits = network.eval().fc(backbone.pooled(images))
        assert torch.equal(logits, network(images)), "the original head gives the full model's logits"


def test_published_weights_that_cannot_be_fetched_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(
        InputError, match="initial: imagenet: the weights of resnet18 cannot be fetched .*no net"
    ):
        fetch_published("resnet18", "imagenet")
