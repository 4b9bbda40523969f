"""One backbone file fits every task's model (A.2: dilated and plain weights are interchangeable)."""

import pytest
import torch

from syn2real.backbones.base import backbone_state, count_parameters, load_backbone, save_backbone
from syn2real.errors import InputError

TASKS = ("mulclass", "objdet", "semseg", "normal", "sinclass")


@pytest.mark.parametrize(("model", "millions"), [("resnet18", 11.176512), ("resnet50", 23.508032)])
def test_interchangeable_among_all_tasks(model, millions, smoke_task, tmp_path):
    tasks = {name: smoke_task(name, model) for name in TASKS}
    models = {name: task.build() for name, task in tasks.items()}
    source = tasks["mulclass"].body(models["mulclass"])
    # Weights of another task come through every other one unchanged.
    state = backbone_state(source)
    for name in ("objdet", "semseg", "normal", "sinclass", "mulclass"):
        path = tmp_path / f"{name}.safetensors"
        save_backbone(path, state, {"model": model})
        body = tasks[name].body(models[name])
        load_backbone(body, path)
        passed_on = backbone_state(body)
        assert passed_on.keys() == state.keys()
        assert all(torch.equal(passed_on[key], value) for key, value in state.items())
        assert count_parameters(body) == millions * 1e6
        state = passed_on


@pytest.mark.parametrize(
    ("model", "millions"),
    [
        ("resnet18", 11.176512),
        ("resnet34", 21.284672),
        ("resnet50", 23.508032),
        ("resnet101", 42.500160),
        ("resnet152", 58.143808),
    ],
)
def test_every_depth_builds_for_every_task(model, millions, smoke_task):
    with torch.device("meta"):  # shapes without numbers
        tasks = [smoke_task(name, model) for name in TASKS]
        bodies = [task.body(task.build()) for task in tasks]
    shapes = [{key: value.shape for key, value in body.state_dict().items()} for body in bodies]
    for own in shapes:
        own = {key: shape for key, shape in own.items() if not key.startswith("fc.")}
        assert own == {key: shape for key, shape in shapes[0].items() if not key.startswith("fc.")}
    assert all(count_parameters(body) == millions * 1e6 for body in bodies)


def test_features_do_not_depend_on_the_task(smoke_task):
    plain, detector = smoke_task("sinclass"), smoke_task("objdet")
    classifier, rcnn = plain.build(), detector.build()
    body = detector.body(rcnn)
    body.load_state_dict(backbone_state(classifier))
    classifier.eval(), body.eval()
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        pooled = body(image)["3"].mean(dim=(2, 3))
        assert torch.allclose(classifier.fc(pooled), classifier(image), atol=1e-6)


@pytest.mark.parametrize(("model", "side"), [("resnet18", 2), ("resnet50", 8)])
def test_dilation_by_depth(model, side, smoke_task):
    task = smoke_task("semseg", model)
    body = task.body(task.build()).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 3, 64, 64))["out"].shape[-1] == side


def test_every_layer_of_the_detector_is_trained(smoke_task):
    task = smoke_task("objdet")
    body = task.body(task.build())
    assert all(parameter.requires_grad for parameter in body.parameters())
    assert type(body["bn1"]) is torch.nn.BatchNorm2d


def test_another_depth_is_refused(smoke_task, tmp_path):
    small, large = smoke_task("sinclass"), smoke_task("sinclass", "resnet34")
    path = tmp_path / "backbone.safetensors"
    save_backbone(path, backbone_state(small.body(small.build())), {})
    with pytest.raises(InputError, match=r"backbone.safetensors: layer1\.2.*another depth"):
        load_backbone(large.body(large.build()), path)


def test_what_is_no_backbone_file_is_refused(smoke_task, tmp_path):
    task = smoke_task("sinclass")
    (tmp_path / "weights.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="weights.safetensors: no readable safetensors"):
        load_backbone(task.body(task.build()), tmp_path / "weights.safetensors")
