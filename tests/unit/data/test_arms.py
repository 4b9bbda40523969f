"""The names of the arms, whole numbers of renders, and classes of renders and photographs."""

import pytest

from syn2real.data import arms as of_runs
from syn2real.data.arms import Arm, match_classes
from syn2real.errors import InputError
from syn2real.laws import arms as of_laws

RENDERS = ["background", "box/red", "box/green", "box/blue"]


@pytest.mark.parametrize(
    ("name", "whole", "longer", "share"),
    [
        ("backbone", False, False, 0),
        ("whole", True, False, 0),
        ("renders-only", True, False, 0),
        ("photographs-longer", False, True, 0),
        ("mixed-0.25", False, True, 0.25),
    ],
)
def test_what_an_arm_does_is_in_its_name(name, whole, longer, share):
    arm = Arm.named(name)
    assert (arm.whole, arm.longer, arm.share) == (whole, longer, share)


@pytest.mark.parametrize("name", ["", "mixed", "mixed-0", "mixed-1", "mixed-0.0", "mixed-.5", "half"])
def test_there_is_no_other_arm(name):
    with pytest.raises(ValueError, match=f"'{name}' is no arm; there are backbone, whole, "):
        Arm.named(name)


def test_renders_of_a_batch_are_a_whole_number():
    assert Arm.named("mixed-0.3").renders_in(10) == 3
    assert Arm.named("mixed-0.29").renders_in(100) == 29  # 0.29 x 100 is not 29 in binary
    with pytest.raises(ValueError, match=r"^mixed-0.3: 0.3 of a batch of 4 images are 1.2, no whole number;"):
        Arm.named("mixed-0.3").renders_in(4)


def test_classes_are_matched_by_the_map_and_then_by_name():
    photographs = ["background", "cup", "box/green", "plate"]
    given = {"box/red": "cup"}
    assert match_classes(RENDERS, photographs, given) == {0: 0, 1: 1, 2: 2}
    # What the map names has that counterpart alone.
    assert match_classes(RENDERS, photographs, {"box/green": "plate"}) == {0: 0, 2: 3}
    assert match_classes(RENDERS, photographs, given | {"box/blue": "cup"}) == {0: 0, 1: 1, 2: 2, 3: 1}


@pytest.mark.parametrize(
    ("given", "once", "line"),
    [
        ({}, False, r"renders \(background, box/red, .*\) and photographs .* have no class in common; map"),
        ({"box/rd": "cup"}, False, "'box/rd' is no class of the renders; did you mean 'box/red'[?]"),
        ({"box/red": "tub"}, False, "'tub' is no class of the photographs; they have background, cup"),
        (
            {"box/red": "cup", "box/blue": "cup"},
            True,
            r"several classes of the renders \(box/red, box/blue\) are cup, but a ",
        ),
    ],
)
def test_classes_that_cannot_be_matched_are_refused(given, once, line):
    with pytest.raises(InputError, match=f"^classes: {line}"):
        match_classes(RENDERS, ["background", "cup"], given, once=once)


def test_laws_know_the_same_arms() -> None:
    names = ("BACKBONE", "WHOLE", "RENDERS_ONLY", "LONGER")
    assert [getattr(of_laws, name) for name in names] == [getattr(of_runs, name) for name in names]
    for name in ("mixed-0.5", "mixed-0.125", "mixed-0.50", "mixed-0.", "mixed-1.5", "mixed-0.12345"):
        assert (of_laws.MIXED.fullmatch(name) is None) == (of_runs.MIXED.fullmatch(name) is None), name


def test_of_many_classes_the_first_are_named():
    photographs = [f"photograph{k:02}" for k in range(21)]
    with pytest.raises(InputError, match=r"photograph07 and 13 more\) have no class in common"):
        match_classes(RENDERS, photographs)
    with pytest.raises(InputError, match=r"'cup' is no class .*; they have .*photograph07 and 13 more$"):
        match_classes(RENDERS, photographs, {"box/red": "cup"})
