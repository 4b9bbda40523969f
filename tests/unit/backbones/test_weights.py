"""Weights files of others: what each holds is read, or refused in one line that names the tensor."""

import io
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from syn2real.backbones.base import Backbone
from syn2real.errors import InputError


class Tiny(Backbone):
    """The smallest network that a backbone may be."""

    def __init__(self):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        super().__init__("tiny", net, (4,), (1,), 4)

    def forward(self, images):
        return [self.net(images)]

    def pooled(self, images):
        return self.net(images).mean((2, 3))


class Object:
    """What a pickle of a whole model holds beside tensors."""


def state():
    torch.manual_seed(0)
    return {key: value.detach().clone() for key, value in Tiny().net.state_dict().items()}


def changed(key, change):
    return state() | {key: change(state()[key])}


def cast(dtype):
    return {key: value.to(dtype) if value.is_floating_point() else value for key, value in state().items()}


def of_safetensors(path):
    save_file(state(), path)


def cut(path):
    save_file(state(), path)
    path.write_bytes(path.read_bytes()[:-9])


def header(text, length=None):
    return lambda path: path.write_bytes((length or len(text)).to_bytes(8, "little") + text)


def script(path):
    torch.jit.script(Tiny().net).save(path)


def array(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"x")


HUGE = b'{"0.weight":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
SAVE = r"torch\.save\(model\.state_dict\(\), file\)"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (state(), None),
        (of_safetensors, None),
        (cast(torch.float16), None),
        (cast(torch.bfloat16), None),
        (cast(torch.float64), None),
        ({"model": state(), "epoch": 3}, None),
        ({"state_dict": {f"module.{key}": value for key, value in state().items()}}, None),
        ({"teacher": state(), "epoch": 3}, None),
        ({key: value for key, value in state().items() if "num_batches" not in key}, None),
        ({"a": state(), "b": state()}, r"holds tensors under 'a', 'b'; save the one you mean"),
        (
            {f"{stem}.{key}": value for stem in "qk" for key, value in state().items()},
            r"holds 2 of tiny, whose names begin with 'q\.', 'k\.'",
        ),
        ({}, "holds no tensors"),
        ([1, 2], "not a list"),
        ({1: torch.zeros(2)}, "1 is not the name of a tensor"),
        (Object(), f"holds Python objects other than tensors; save the weights alone: {SAVE}"),
        (state() | {"args": Object()}, f"holds Python objects other than tensors; .*{SAVE}"),
        (script, f"is a TorchScript program; .*{SAVE}"),
        (array, "neither torch nor safetensors wrote it"),
        (lambda path: path.write_text("<html>"), "neither torch nor safetensors wrote it"),
        (lambda path: path.write_bytes(b""), "neither torch nor safetensors wrote it"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "run git lfs pull"),
        (cut, "not readable as weights"),
        (header(HUGE), "not readable as weights"),
        (header(b"{", length=90 << 20), "not readable as weights"),
        (lambda path: path.mkdir(), "is a folder; give a file"),
        (lambda path: None, "there is no such file"),
        (state() | {"0.weight": torch.zeros(4, 3, 5, 5)}, r"0\.weight: has the shape \[4, 3, 5, 5\], not"),
        (state() | {"0.weight": torch.zeros(())}, r"0\.weight: has the shape \[\], not"),
        (state() | {"0.weight": torch.zeros(0)}, r"0\.weight: has the shape \[0\], not"),
        (state() | {"0.weight": torch.zeros(1).expand(10**6, 10**6)}, r"0\.weight: has the shape \[1000000"),
        (state() | {"1.num_batches_tracked": torch.zeros(3)}, r"tracked: has the shape \[3\], not"),
        (state() | {"0.more": torch.zeros(3)}, "0.more: has no place in it: the file does not fit a tiny"),
        (
            {k: v for k, v in state().items() if k != "0.bias"},
            "0.bias: is missing: the file does not fit a tiny",
        ),
        (state() | {"0.bias": None}, "0.bias: is a NoneType, not a tensor"),
        (state() | {"0.bias": [0.0] * 4}, "0.bias: is a list, not a tensor"),
        (changed("0.weight", lambda t: t.to(torch.int8)), "0.weight: holds int8, not float weights"),
        (changed("0.weight", lambda t: t > 0), "0.weight: holds bool, not float weights"),
        (changed("0.weight", lambda t: t.to(torch.complex64)), "0.weight: holds complex64"),
        (changed("0.weight", lambda t: t.to("meta")), "0.weight: is on torch's meta device"),
        (changed("0.weight", lambda t: t.to_sparse()), "0.weight: is quantised or sparse"),
        (changed("0.weight", lambda t: t / 0), r"0.weight: has 108 of 108 values that are not finite"),
        (changed("0.bias", lambda t: t.double() + 1e300), r"0.bias: has 4 of 4 values that are not finite"),
        (changed("1.running_var", lambda t: -t), "1.running_var: has 4 negative variances"),
    ],
)
def test_weights_are_read_or_refused_in_one_line(tmp_path, written, message) -> None:
    path = tmp_path / "w.safetensors"  # a name says nothing
    if callable(written):
        written(path)
    else:
        stream = io.BytesIO()
        torch.save(written, stream)
        path.write_bytes(stream.getvalue())
    backbone = Tiny()
    if message is None:
        backbone.load(path)
        assert torch.allclose(backbone.state()["0.weight"], state()["0.weight"], atol=0.01)
        return
    with pytest.raises(InputError, match=message) as caught:
        backbone.load(path)
    text = str(caught.value)
    assert "weights_only" not in text and "\n" not in text and text.startswith(f"{path}: ")
