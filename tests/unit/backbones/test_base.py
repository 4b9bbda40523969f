"""Weight files: one reader for this project's and others'; what does not fit is refused in one line."""

import pytest

from syn2real.backbones.base import build_backbone
from syn2real.backbones.schema import family_of, model_names
from syn2real.errors import InputError


def test_what_is_not_a_weights_file_is_refused(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="weights.safetensors: not readable as weights"):
        build_backbone("resnet18").load(tmp_path / "weights.safetensors")


def test_a_family_is_found_by_the_backbones_name():
    assert family_of("resnet101") == "resnet" and "resnet101" in model_names()
    with pytest.raises(KeyError, match="did you mean"):
        family_of("resnet51")
