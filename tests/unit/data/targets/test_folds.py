"""Folds: every photograph is tested once, by runs that have not learnt from it."""

import re
import shutil

import numpy as np
import pytest

from syn2real.data.targets.folds import cut, load_fold
from syn2real.data.targets.load import check_layout
from syn2real.data.targets.schema import Target, fold_name, fold_of, is_pilot
from syn2real.errors import InputError


def test_parts_are_as_large_as_can_be_in_each_class_and_always_the_same():
    labels = np.repeat([0, 1, 2], [50, 20, 30])
    parts = cut(100, 5, labels)
    assert [np.bincount(parts[labels == k]).tolist() for k in range(3)] == [[10] * 5, [4] * 5, [6] * 5]
    assert np.array_equal(parts, cut(100, 5, labels)) and np.ptp(np.bincount(cut(13, 5))) == 1
    scenes = np.arange(100) // 4
    of_scenes = cut(100, 5, labels, scenes)
    assert all(len(set(of_scenes[scenes == k])) == 1 for k in range(25)) and set(of_scenes) == set(range(5))


@pytest.mark.parametrize("layout", ["imagenet", "coco", "ade20k"])
def test_each_photograph_is_tested_once_and_never_learnt_from_then(layout, request):
    given, channel = request.getfixturevalue(layout), {"coco": "objects", "ade20k": "class-map"}
    target = given.model_copy(update={"folds": 2})
    folds = [load_fold(target, channel.get(layout, "label"), k) for k in (1, 2)]
    (learnt, tested), (others, rest) = folds
    # The training and the test folder of COCO hold files of one name each.
    assert sorted(learnt.names()) == sorted(rest.names()) and sorted(others.names()) == sorted(tested.names())
    assert len(tested) + len(rest) == {"imagenet": 11, "coco": 4, "ade20k": 3}[layout]
    assert tested.classes == rest.classes and tested.digest() != rest.digest()
    for part in (*folds[0], *folds[1]):
        assert len([part[k] for k in range(len(part))]) == len(part.names()) == len(part)
    if layout == "coco":
        ids = {part[k][1]["image_id"] for part in (tested, rest) for k in range(len(part))}
        assert len(ids) == 4 and ids == set(tested.coco.getImgIds())
    if layout == "imagenet":
        assert [tested[k][1] for k in range(len(tested))] == tested.labels.tolist()


@pytest.mark.parametrize("layout", ["imagenet", "coco", "ade20k"])
def test_a_pilot_cuts_the_training_set_and_never_reads_the_test_set(layout, request):
    given, channel = request.getfixturevalue(layout), {"coco": "objects", "ade20k": "class-map"}
    target = given
    for file in [*target.root.rglob("*val*")]:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    (learnt, tested), (rest, _) = (
        load_fold(target, channel.get(layout, "label"), k, pilot=2) for k in (1, 2)
    )
    assert sorted(rest.names()) == sorted(tested.names()) and not {*learnt.names()} & {*tested.names()}
    assert len(learnt) + len(tested) == {"imagenet": 9, "coco": 2, "ade20k": 2}[layout]
    assert len([tested[k] for k in range(len(tested))]) == len(tested)


def test_photographs_of_one_scene_stay_together(imagenet):
    target = imagenet.model_copy(update={"folds": 3, "scene": r"_(\d)\.JPEG|val"})
    sides = [
        {name[-6] for name in load_fold(target, "label", k)[1].names() if "train" in name} for k in (1, 2, 3)
    ]
    assert sum(map(len, sides)) == 3
    by_split = target.model_copy(update={"scene": r"train/.*_(\d)\.JPEG"})
    for k in (1, 2, 3):  # a pilot has the names of the whole target
        learnt, tested = load_fold(by_split, "label", k, pilot=3)
        assert len(tested) == 3 and {n[-6] for n in tested.names()} & {n[-6] for n in learnt.names()} == set()
    with pytest.raises(InputError, match="fewer scenes than 5 folds"):
        load_fold(target.model_copy(update={"folds": 5}), "label", 1)


@pytest.mark.parametrize(
    ("layout", "keys", "found"),
    [
        ("imagenet", {"folds": 5}, "lines: 11 photographs in 5 folds"),
        ("imagenet", {"folds": 12}, "problems: 11 photographs make no 12 folds; give fewer"),
        ("imagenet", {"folds": 3, "scene": r"_(\d)\.|val"}, "lines: 11 photographs of 4 scenes in 3 folds"),
        ("imagenet", {"folds": 5, "scene": r"_(\d)\.|val"}, "problems: 4 scenes make no 5 folds; give"),
        ("imagenet", {"folds": 2, "scene": ""}, "problems: 1 scene make no 2 folds; give fewer folds, or"),
        (
            "imagenet",
            {"folds": 2, "scene": "room"},
            "problems: 'room' matches no photograph's name, such as tr",
        ),
        (
            "imagenet",
            {"folds": 2, "scene": r"_(\d)\."},
            "warnings: does not match 2 of 11 .*: each .* its own",
        ),
        (
            "coco",
            {"folds": 2, "scene": r"^(0+\d)\."},
            "warnings: does not match 2 of 4 .* names, such as 0+42",
        ),
        ("ade20k", {"folds": 3, "scene": "^(train|test)/images"}, "problems: 2 scenes make no 3 folds"),
    ],
)
def test_what_a_cut_needs_is_checked_before_any_job(layout, keys, found, request):
    target, channel = request.getfixturevalue(layout), {"coco": "objects", "ade20k": "class-map"}
    checked = check_layout(target.model_copy(update=keys), channel.get(layout, "label"))
    kind, line = found.split(": ", 1)
    assert any(re.search(line, one) for one in getattr(checked, kind)), checked


@pytest.mark.parametrize(("layout", "split"), [("imagenet", "train"), ("coco", "test"), ("ade20k", "train")])
def test_photographs_that_a_split_has_twice_are_refused(layout, split, request):
    """One of the two would be tested by a run that learnt from the other."""
    given, channel = request.getfixturevalue(layout), {"coco": "objects", "ade20k": "class-map"}
    for overlap, kind in (("refuse", "problems"), ("warn", "warnings")):
        target = given.model_copy(update={"folds": 2, "overlap": overlap})
        first, *_, last = sorted(
            path for path in target.image_folder(split).rglob("*") if path.suffix in (".jpg", ".JPEG")
        )
        first.write_bytes(last.read_bytes())
        found = [
            getattr(
                check_layout(target.model_copy(update={"folds": folds}), channel.get(layout, "label")), kind
            )
            for folds in (None, 2)
        ]
        twice = f"{last}: this photograph is there twice, also as .*{first.name}, .*; 1 of .* remove it"
        assert [sum(bool(re.match(twice, line)) for line in lines) for lines in found] == [0, 1]


def test_a_fold_is_named_and_read():
    assert fold_of(fold_name("my-photos", 2, 5)) == ("my-photos", 2, 5)
    assert fold_of("my-photos") == ("my-photos", None, 1)
    name = fold_name("my-photos", 2, 5, pilot=True)
    assert fold_of(name) == ("my-photos", 2, 5)
    assert [is_pilot(n) for n in (name, fold_name("my-photos", 2, 5), "my-photos")] == [True, False, False]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"folds": 2, "scene": "("}, "no regular expression"),
        ({"folds": 1}, "2"),
    ],
)
def test_what_makes_no_folds_is_refused(keys, problem):
    with pytest.raises(ValueError, match=problem):
        Target(layout="coco", path="x", **keys)
