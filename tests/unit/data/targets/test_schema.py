"""Targets as configuration: layouts, tasks and what is refused."""

from pathlib import Path

import pytest

from syn2real.config.experiment import StandIn
from syn2real.config.loading import read_yaml
from syn2real.data.targets.schema import TORCHVISION_CHANNELS, Target
from syn2real.errors import InputError
from syn2real.schema import to_params, validate

SHARED = Path(__file__).parents[4] / "config" / "targets.yaml"


def make(**fields):
    return validate(Target, fields, file="my.yaml", key="targets.mine")


def test_every_shared_target_is_valid_and_serves_a_task():
    targets = {name: validate(Target, value, file=SHARED) for name, value in read_yaml(SHARED).items()}
    assert {"imagenet", "coco", "ade20k"} <= set(targets)
    assert targets["imagenet"].channels == ("label",)
    assert targets["coco"].channels == ("objects", "class-map")
    assert targets["ade20k"].channels == ("class-map",)
    assert {name for name, target in targets.items() if target.stand_in} == {
        "small-imagenet", "small-imagenet-all", "small-coco", "small-ade20k",
    }  # fmt: skip
    assert all(target.description for target in targets.values())
    assert targets["imagenet"].counts == {"train": 1_281_167, "test": 50_000}
    assert targets["coco"].counts == {"train": 118_287, "test": 5_000}
    assert targets["ade20k"].counts == {"train": 20_210, "test": 2_000}


def test_default_places():
    coco = make(layout="coco", path="data/coco")
    assert coco.image_folder("test") == Path("data/coco/val2017")
    assert coco.annotation("train") == Path("data/coco/annotations/instances_train2017.json")
    for path in ("data", "data/ADEChallengeData2016"):
        ade = make(layout="ade20k", path=path)
        assert ade.annotation("test") == Path("data/ADEChallengeData2016/annotations/validation")


def test_own_places_are_within_the_path_unless_absolute():
    own = make(
        layout="coco",
        path="data",
        images={"train": "a", "test": "/b"},
        annotations={"train": "a.json", "test": "b.json"},
    )
    assert own.image_folder("train") == Path("data/a")
    assert own.image_folder("test") == Path("/b")
    assert own.annotation("test") == Path("data/b.json")


OLD = {
    "own folders": {"layout": "image-folder", "path": "x", "images": {"train": "a", "val": "b"}},
    "lists": {"layout": "coco", "path": "x"}
    | {"images": {"train": ["a"], "val": ["b", "c"]}, "annotations": {"train": ["d"], "val": ["e", "f"]}},
    "counts": {"layout": "imagenet", "path": "x", "counts": {"train": 9, "val": 3}, "exif": "ignore"},
    "default places": {"layout": "ade20k", "path": "x"},
}


@pytest.mark.parametrize("name", OLD)
def test_the_test_split_may_be_called_val_and_params_still_call_it_so(name):
    old = OLD[name]
    parts = {
        key: {"test" if split == "val" else split: v for split, v in old[key].items()}
        for key in ("images", "annotations", "counts")
        if key in old
    }
    assert make(**old) == make(**old | parts)
    params = to_params(make(**old | parts))
    assert {key: params[key] for key in old} == old
    assert Target.model_validate(params) == make(**old)


def test_a_stand_in_may_say_val_images():
    new = validate(StandIn, {"setting": "s", "train_images": 2, "test_images": 4}, file="e.yaml")
    old = {"setting": "s", "train_images": 2, "val_images": 4}
    assert validate(StandIn, old, file="e.yaml") == new
    with pytest.raises(InputError, match="e.yaml: .*both test_images and val_images.*; remove val_images"):
        validate(StandIn, old | {"test_images": 4}, file="e.yaml")


@pytest.mark.parametrize("key", ["images", "annotations", "counts"])
def test_a_split_with_both_names_is_refused(key):
    value = {"train": 1, "val": 1, "test": 1} if key == "counts" else {"train": "a", "val": "b", "test": "c"}
    problem = f"my.yaml: targets.mine.{key}: has both test and val, which name one split; remove val"
    with pytest.raises(InputError) as caught:
        make(layout="coco", path="x", **{key: value})
    assert str(caught.value) == problem


def test_plain_json_brings_the_same_target_back():
    target = make(layout="torchvision", path="x", dataset="OxfordIIITPet", download=True, stand_in=False)
    assert Target.model_validate(target.model_dump(mode="json")) == target
    assert target.channels == ("label", "class-map")


def test_a_pair_that_does_not_exist_names_those_that_do():
    with pytest.raises(InputError) as caught:
        make(layout="coco", path="x").require(
            "label", file="e.yaml", key="ftasks.target", name="coco", task="sinclass"
        )
    text = str(caught.value)
    assert text.startswith("e.yaml: ftasks.target: target coco")
    assert "not labelled with label, which sinclass learns from; it has objects, class-map" in text
    make(layout="coco", path="x").require("class-map")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layout": "torchvision"}, "needs `dataset`"),
        ({"layout": "torchvision", "dataset": "FashionMIST"}, "did you mean 'FashionMNIST'?"),
        ({"layout": "torchvision", "dataset": "zzz"}, "CIFAR10"),
        (
            {"layout": "torchvision", "dataset": "EuroSAT"},
            "no test set of its own; sort it into train/<class>",
        ),
        ({"layout": "torchvision", "dataset": "Cityscapes", "download": True}, "cannot download Cityscapes"),
        ({"layout": "torchvision", "dataset": "MNIST", "exif": "apply"}, "remove `exif`"),
        ({"layout": "coco", "exif": "auto"}, "one of apply, ignore belongs here"),
        ({"layout": "imagenet", "counts": {"dev": 1}}, "counts.dev"),
        ({"layout": "imagenet", "counts": {"test": 0}}, "must be above 0; it is 0"),
        ({"layout": "coco", "dataset": "CIFAR10"}, "layout: torchvision"),
        ({"layout": "imagenet", "download": True}, "torchvision"),
        ({"layout": "imagenet", "images": {"train": "a", "test": "b"}}, "remove `images`"),
        ({"layout": "ade20k", "annotations": {"train": "a", "test": "b"}}, "remove `annotations`"),
        ({"layout": "coco", "images": {"train": "a"}}, "both train and test"),
        ({"layout": "voc"}, "imagenet"),
        ({"layout": "coco", "annotation": {}}, "did you mean 'annotations'?"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_fix(fields, message):
    with pytest.raises(InputError, match="my.yaml: targets.mine") as caught:
        make(path="x", **fields)
    assert message in str(caught.value)


def test_every_known_data_set_is_torchvisions():
    datasets = pytest.importorskip("torchvision.datasets")
    assert all(hasattr(datasets, name) for name in TORCHVISION_CHANNELS)
