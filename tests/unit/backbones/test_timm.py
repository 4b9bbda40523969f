# ruff: noqa: E402
"""timm's networks: its logits, its names, maps of any image in every task, and its own layer-wise decay."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

timm = pytest.importorskip("timm")

from safetensors.torch import load_file, save_file
from timm.optim import param_groups_layer_decay
from torch import nn

from syn2real.backbones.base import build_backbone, fetch_published, save_backbone
from syn2real.backbones.schema import _catalogue, published_starts
from syn2real.backbones.timm import NAMES, PUBLISHED, SimplePyramid
from syn2real.errors import InputError
from syn2real.tasks.base import build_model
from syn2real.tasks.common.images import MEAN, STD
from syn2real.training.launch import run_processes
from syn2real.training.optimiser import make_optimiser
from syn2real.training.pretrain import pretrain

SMALL = ("test_convnext", "test_efficientnet", "test_vit")
"""timm's own for tests, one of each kind: dilated, of one stride after the other, plain."""
SWIN = "swin_tiny_patch4_window7_224"
SIZES = [(112, 168), (96, 64)]
CPU = torch.device("cpu")


def test_every_name_of_timm_is_known_without_importing_it():
    assert _catalogue("timm") == {*timm.list_models()} > {*NAMES}
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in _catalogue("timm"))
    code = """
import sys
from syn2real.backbones.schema import family_of
assert family_of("test_vit") == "timm" and family_of("resnet50") == "resnet"
try:
    family_of("vit_tinny_patch16_224")
except KeyError as error:
    print(error.args[0])
assert not {"torch", "timm"} & {*sys.modules}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "'vit_tinny_patch16_224' is not defined; did you mean 'vit_tiny_patch16_224'?\n"


def test_a_network_of_one_image_size_is_refused_in_one_line():
    with pytest.raises(
        InputError, match=r"timm's mixer_s32_224 does not take images of every size .*choose"
    ) as it:
        build_backbone("mixer_s32_224")
    assert "\n" not in str(it.value)


@pytest.mark.parametrize("name", SMALL)
def test_images_may_be_smaller_than_a_stride(name):
    with torch.device("meta"):
        backbone, images = build_backbone(name), torch.empty(2, 3, 17, 12)
        assert backbone.pooled(images).shape == (2, backbone.width)
        assert [values.shape[-2:] for values in backbone(images)] == [(5, 3), (3, 2), (2, 1), (1, 1)]


@pytest.mark.parametrize("name", [*SMALL, SWIN])
def test_features_with_timms_own_head_are_its_logits(name, tmp_path):
    torch.manual_seed(3)
    options = {
        "test_vit": {"dynamic_img_size": True, "dynamic_img_pad": True},
        SWIN: {"strict_img_size": False},
    }
    whole = timm.create_model(name, num_classes=7, **options.get(name, {})).eval()
    backbone = build_backbone(name)
    torch.save({"model": whole.state_dict(), "epoch": 9}, tmp_path / "whole.pt")
    backbone.load(tmp_path / "whole.pt")
    save_backbone(tmp_path / "own.safetensors", backbone.state(), {})
    again = build_backbone(name).eval()
    again.load(tmp_path / "own.safetensors")
    for size in SIZES:
        images = torch.rand(2, 3, *size)
        with torch.no_grad():
            assert torch.equal(whole.get_classifier()(again.pooled(images)), whole(images))


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Put weights of a network where timm's loader looks before it downloads; return the network."""

    def put(name):
        torch.manual_seed(4)
        network = timm.create_model(name).eval()
        folder = tmp_path / f"models--timm--{name}.{network.pretrained_cfg['tag']}"
        for part in ("refs", "snapshots/1"):
            (folder / part).mkdir(parents=True)
        (folder / "refs/main").write_text("1")
        save_file(network.state_dict(), folder / "snapshots/1/model.safetensors")
        return network

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return put


@pytest.mark.parametrize("name", SMALL)
def test_published_weights_give_timms_logits_whatever_its_images_are_normalised_by(name, publish, tmp_path):
    network = publish(name)
    state, about = fetch_published(name, "imagenet")
    assert about["source"] == f"timm, {name}.r160_in1k (apache-2.0)" and about["licence"]
    save_backbone(tmp_path / "w.safetensors", state, about)
    backbone = build_backbone(name).eval()
    backbone.require_fit(tmp_path / "w.safetensors")
    backbone.load(tmp_path / "w.safetensors")
    images = torch.rand(2, 3, 160, 160)
    given = network.pretrained_cfg
    with torch.no_grad():
        theirs = network(normalised(images, given["mean"], given["std"]))
        own = network.get_classifier()(backbone.pooled(normalised(images, MEAN, STD)))
    assert torch.equal(own, theirs) if given["mean"] == MEAN else torch.allclose(own, theirs, atol=1e-5)


def normalised(images, mean, std):
    return (images - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def test_published_weights_that_do_not_take_our_images_are_refused(publish, monkeypatch):
    publish("test_efficientnet")
    monkeypatch.setattr("syn2real.backbones.timm.IMAGENET_DEFAULT_MEAN", (0.5, 0.5, 0.5))
    with pytest.raises(InputError, match="initial: imagenet: test_efficientnet.r160_in1k takes images norm"):
        fetch_published("test_efficientnet", "imagenet")


def test_published_weights_that_are_not_there_are_one_line(publish):
    with pytest.raises(InputError, match="initial: imagenet: the weights of test_vit cannot be fetched"):
        fetch_published("test_vit", "imagenet")


def test_the_starts_of_a_name_are_timms_tags():
    tags = "|".join(about["tags"] for about in PUBLISHED.values())
    theirs = {name for name in timm.list_pretrained() if re.fullmatch(tags, name.partition(".")[2])}
    assert len(theirs) > 900 and theirs <= _catalogue("timm", "weights")
    starts = {name: [*published_starts(name)] for name in NAMES}
    dino = {"convnext_tiny", "vit_small_patch14_dinov2", "vit_small_patch16_224"}
    assert {name for name in NAMES if "dino" in starts[name]} == dino
    assert {name for name in NAMES if "imagenet" not in starts[name]} == {"vit_small_patch14_dinov2"}


def test_weights_of_another_image_size_are_refused_by_their_first_tensor(tmp_path):
    backbone = build_backbone("test_vit")
    state = backbone.state()
    save_backbone(tmp_path / "w.safetensors", state | {"pos_embed": state["pos_embed"][:, :50].clone()}, {})
    with pytest.raises(InputError, match=r"w.safetensors: pos_embed: .* \[1, 50, 64\], not \[1, 101, 64\]"):
        backbone.load(tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["test_convnext", "test_efficientnet"])
def test_maps_are_timms(name):
    backbone = build_backbone(name).eval()
    images = torch.rand(1, 3, 96, 64)
    with torch.no_grad():
        theirs = backbone.net.forward_intermediates(images, intermediates_only=True)[-4:]
        for own, norm, values in zip(backbone(images), backbone.norms, theirs, strict=True):
            assert torch.equal(own, norm(values))


@pytest.mark.parametrize(
    ("name", "strides"),
    [
        ("test_convnext", (4, 8, 8, 8)),
        ("test_efficientnet", (4, 8, 8, 8)),
        ("test_vit", (16,) * 4),
        (SWIN, (4, 8, 16, 32)),
    ],
)
def test_dense_heads_get_a_stride_of_8_or_the_networks_own(name, strides):
    with torch.device("meta"):
        assert build_backbone(name, output_stride=8).strides == strides


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_a_plain_vits_pyramid_has_the_detectors_strides_and_every_map_lies_on_the_image(patch):
    pyramid = SimplePyramid(64, patch)
    pyramid.levels = nn.ModuleList(
        level if isinstance(level, nn.Identity | nn.MaxPool2d) else nn.Identity() for level in pyramid.levels
    )
    centres = (torch.arange(40) + 0.5) * patch
    tokens = centres.expand(1, 64, 40, 40)
    stride = pyramid.stride
    resampled = pyramid(tokens)[(4, 8, 16, 32).index(stride)][0, 0, 0]
    assert stride == {8: 8, 14: 16, 16: 16, 32: 32}[patch]
    expected = (torch.arange(len(resampled)) + 0.5) * stride
    assert torch.allclose(resampled, expected, atol=1e-3)
    assert SimplePyramid(64, 16).channels == (16, 32, 64, 64)


@pytest.mark.parametrize("task_name", ["sinclass", "semseg", "objdet"])
@pytest.mark.parametrize("name", SMALL)
def test_every_task_learns_on_it_at_two_sizes(name, task_name, smoke_task):
    task = smoke_task(task_name)
    torch.manual_seed(0)
    backbone, model = build_model(task, name)
    assert {id(weight) for weight in backbone.parameters()} < {id(weight) for weight in model.parameters()}
    for height, width in SIZES:
        images = torch.randint(0, 256, (2, 3, height, width), dtype=torch.uint8)
        boxes = {"boxes": torch.tensor([[8.0, 9.0, 50.0, 60.0]]), "labels": torch.tensor([1])}
        targets = {
            "sinclass": torch.tensor([0, 1]),
            "semseg": torch.randint(0, 3, (2, height, width), dtype=torch.uint8),
            "objdet": [boxes, boxes],
        }[task_name]
        batch = task.move((images, targets), CPU)
        sum(task.loss(model.train(), *batch).values()).backward()
        used = [weight.grad for weight in backbone.net.parameters() if weight.grad is not None]
        assert len(used) > 10 and all(grad.isfinite().all() for grad in used)
        with torch.no_grad():
            assert len(model.eval()(batch[0])) == 2


@pytest.mark.parametrize("strides", [(16, 32, 64), (7, 14, 28, 56)])
def test_maps_that_torchvisions_detector_would_misplace_boxes_on_are_refused(strides, smoke_task):
    with pytest.raises(
        InputError, match="models: odd has maps of strides .* detection takes four, powers of two"
    ):
        smoke_task("objdet").build(SimpleNamespace(name="odd", strides=strides))


@pytest.mark.parametrize("name", [*SMALL, SWIN, "resnet18"])
def test_adamws_groups_are_those_of_timms_layer_wise_decay(name, smoke_task):
    """timm's ResNet has torchvision's names."""
    with torch.device("meta"):
        whole = timm.create_model(name, num_classes=3)
        task = smoke_task(
            "sinclass", classes=list("abc"), optimiser="adamw", weight_decay=0.05, layer_decay=0.7
        )
        backbone, model = build_model(task, name)
    spared = whole.no_weight_decay() if hasattr(whole, "no_weight_decay") else ()
    groups = param_groups_layer_decay(whole, 0.05, no_weight_decay_list=spared, layer_decay=0.7)
    theirs = by_name(whole, groups, "lr_scale")
    head = {f"last.{kind}": theirs.pop(f"{classifier_of(whole)}.{kind}") for kind in ("weight", "bias")}
    expected = head | {f"backbone.net.{key}": value for key, value in theirs.items()}
    found = by_name(model, make_optimiser(task, backbone, model).param_groups, "lr_factor")
    assert all(found[key] == pytest.approx(expected[key]) for key in expected)
    added = {key: factor for key, (factor, _) in found.items() if key not in expected}
    assert all(key.startswith(("backbone.norms.", "backbone.pyramid.")) for key in added)
    assert {*added.values()} <= {1.0}


def by_name(model, groups, factor):
    names = {weight: name for name, weight in model.named_parameters()}
    return {names[w]: (group[factor], group["weight_decay"]) for group in groups for w in group["params"]}


def classifier_of(model):
    return next(name for name, module in model.named_modules() if module is model.get_classifier())


def test_the_last_stages_are_trained_alone(smoke_task):
    with torch.device("meta"):
        backbone = build_backbone("test_convnext")
    distances = backbone.distances(stages=True)
    assert {distance for name, distance in distances.items() if name.startswith("stages.3.")} == {1}
    assert {distance for name, distance in distances.items() if name.startswith("stem.")} == {5}


def test_two_processes_do_what_one_does_though_no_loss_depends_on_some_weights(
    shards, key, resolve, tmp_path
):
    numbers = {"batch_size": 4, "norm_batch_size": 2, "iterations": 3, "evaluation_iterations": 3}
    found = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        files = {"backbone": "backbone.safetensors", "metrics": "metrics.json", "curve": "curve.csv"}
        arguments = {
            "key": key | {"ptask": "normal", "model": "test_convnext"},
            "recipe": resolve("pretrain", "normal", optimiser="adamw", lr=1e-3, **numbers),
            "shards": shards[0],
            "val_shards": shards[1],
            "n": 16,
            "n_val": 8,
            "outputs": {name: str(out / file) for name, file in files.items()},
            "scratch": out / ".scratch",
            "threads": 1,
        }
        if processes == 1:
            pretrain(**arguments)
        else:
            run_processes(pretrain, arguments, processes=processes)
        found.append(load_file(out / "backbone.safetensors"))
        assert json.loads((out / "metrics.json").read_text())["devices"] == processes
    start = build_backbone("test_convnext").state()
    assert found[0].keys() == found[1].keys() == start.keys()
    for name, values in found[0].items():
        assert torch.allclose(found[1][name], values, rtol=1e-3, atol=1e-4), name
