"""Every backbone gives what its family promises, and comes back from its file."""

import inspect
import re
from functools import cache

import pytest
import torch

from syn2real import plugins
from syn2real.backbones.base import Backbone, build_backbone, save_backbone
from syn2real.backbones.schema import RANDOM, family_of, model_names
from syn2real.tasks.base import build_model

FAMILIES = plugins.names("backbones")
SIZES = [(64, 96), (80, 48)]
"""Height and width of images that are not square."""


def needs_library(family):
    """Skip the test where the library that a family's networks come from is not installed."""
    if catalogue := plugins.constant("backbones", family, "CATALOGUE"):
        pytest.importorskip(catalogue["package"])


@cache
def smallest(family):
    """Return the smallest backbone of a family, which stands for all of it where numbers are computed."""
    needs_library(family)
    with torch.device("meta"):
        backbones = [build_backbone(name) for name in plugins.constant("backbones", family, "NAMES")]
    return min(backbones, key=Backbone.count_parameters).name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_names_its_backbones_without_being_imported(family):
    names = plugins.constant("backbones", family, "NAMES")
    assert names and all(family_of(name) == family for name in names)
    needs_library(family)
    module, published = plugins.load("backbones", family), plugins.constant("backbones", family, "PUBLISHED")
    assert inspect.signature(module.build).parameters["output_stride"].default == 32
    for start, about in published.items():
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", start) and start != RANDOM
        assert about["licence"] and {*about} <= {"licence", "models", "tags", "detector"}
        assert {*about.get("models", names)} <= {*names}
    assert not published or [*inspect.signature(module.fetch).parameters] == ["name", "start"]


def test_no_two_families_share_a_name():
    assert len(model_names()) == len(set(model_names()))


@pytest.mark.parametrize("output_stride", [32, 8])
@pytest.mark.parametrize("name", model_names())
def test_channels_and_strides_at_two_sizes(name, output_stride):
    needs_library(family_of(name))
    with torch.device("meta"):  # shapes without numbers
        backbone = build_backbone(name, output_stride=output_stride).eval()
        assert len(backbone.channels) == len(backbone.strides) >= 2
        for height, width in SIZES:
            images = torch.empty(2, 3, height, width)
            for found, channels, stride in zip(
                backbone(images), backbone.channels, backbone.strides, strict=True
            ):
                assert found.shape == (2, channels, -(-height // stride), -(-width // stride))
            assert backbone.pooled(images).shape == (2, backbone.width)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_come_back_from_their_file_and_from_within_a_model(family, smoke_task, tmp_path):
    name = smallest(family)
    backbone, model = build_model(smoke_task("sinclass"), name)
    save_backbone(tmp_path / "own.safetensors", backbone.state(), {})
    torch.save({"model": model.state_dict()}, tmp_path / "model.pt")
    images = torch.rand(2, 3, 48, 64)
    with torch.no_grad():
        expected = backbone.eval().pooled(images)
        for file in ("own.safetensors", "model.pt"):
            other = build_backbone(name).eval()
            assert not torch.equal(other.pooled(images), expected)
            other.load(tmp_path / file)
            assert torch.equal(other.pooled(images), expected)


@pytest.mark.parametrize("task", plugins.names("tasks"))
@pytest.mark.parametrize("family", FAMILIES)
def test_every_task_has_a_head_for_it(family, task, smoke_task):
    name = smallest(family)
    with torch.device("meta"):
        backbone, model = build_model(smoke_task(task), name)
    inside = {id(parameter) for parameter in model.parameters()}
    assert {id(parameter) for parameter in backbone.parameters()} < inside
