"""Renders with the photographs' classes."""

import numpy as np
import pytest
import torch

from syn2real.data.mixed import MixedImages, Relabelled
from syn2real.data.rendered import RenderedImages
from syn2real.errors import InputError


def test_objects_without_a_counterpart_are_left_out_and_others_have_the_photographs_class(shards):
    data = RenderedImages(shards[0], 16, "objects")
    mapped = Relabelled(data, {0: 4, 2: 0})
    for (image, before), (same, after) in zip(data, mapped, strict=True):
        assert torch.equal(image, same)
        kept = [item for item in before["objects"] if item["class"] != 1]
        assert [item["bbox"] for item in after["objects"]] == [item["bbox"] for item in kept]
        assert [item["class"] for item in after["objects"]] == [{0: 4, 2: 0}[item["class"]] for item in kept]
        assert after["image_id"] == before["image_id"]


def test_pixels_without_a_counterpart_have_no_label(shards):
    data = RenderedImages(shards[0], 16, "class-map")
    mapped = Relabelled(data, {1: 7, 3: 0})
    for (_, before), (_, after) in zip(data, mapped, strict=True):
        assert after.dtype == np.uint8
        assert np.array_equal(after, np.array([255, 7, 255, 0])[before])


def test_labels_without_classes_cannot_be_mixed(shards):
    with pytest.raises(InputError, match="renders labelled with normals cannot be mixed with photographs"):
        Relabelled(RenderedImages(shards[0], 16, "normals"), {})


def test_renders_follow_the_photographs():
    mixed = MixedImages(["p0", "p1", "p2"], ["r0", "r1"], 1)
    assert [mixed[index] for index in range(len(mixed))] == ["p0", "p1", "p2", "r0", "r1"]
