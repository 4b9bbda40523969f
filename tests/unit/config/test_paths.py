"""Paths as a person writes them: a home folder, variables, and the near name of what is not there."""

from pathlib import Path

import pytest

from syn2real.config.workflow import WorkflowConfig
from syn2real.data.own_renders.schema import Splits
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.near import near_path
from syn2real.schema import validate


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("~", "/home/me"),
        ("~/renders/train", "/home/me/renders/train"),
        ("$DATA/train", "/data/train"),
        ("${DATA}/train", "/data/train"),
        ("$DATA/$SET", "/data/mine"),
        ("a/b/", "a/b/"),
        ("a//b", "a//b"),
        ("a~/b", "a~/b"),
        ("price$list", "price$list"),
    ],
)
def test_a_path_may_have_a_home_folder_and_variables(
    path: str, meaning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "price$list").mkdir()
    for name, value in {"HOME": "/home/me", "DATA": "/data", "SET": "mine"}.items():
        monkeypatch.setenv(name, value)
    assert validate(Target, {"layout": "imagenet", "path": path}, file="t.yaml").path == meaning
    assert validate(WorkflowConfig, {"experiments": [path]}, file="c.yaml").files() == (meaning,)
    assert validate(Splits, {"train": path, "val": "v"}, file="e.yaml").train == meaning


@pytest.mark.parametrize("path", ["a\0b", "x" * 256, "x/" * 2100])
def test_what_can_be_no_path_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="t.yaml: path: this cannot be a path: ") as caught:
        validate(Target, {"layout": "imagenet", "path": path}, file="t.yaml")
    assert len(str(caught.value)) < 200


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA", raising=False)
    with pytest.raises(
        InputError, match=r"t.yaml: path: the variable DATA of \$DATA/x is not set; set it, or"
    ):
        validate(Target, {"layout": "imagenet", "path": "$DATA/x"}, file="t.yaml")


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("photographs\\train", "photographs/train"),
        ("Photographs/Train", "photographs/train"),
        ("photogaphs/train", "photographs/train"),
        ("photographs/tain", "photographs/train"),
        ("photographs/Bu\u0308hne", "photographs/B\u00fchne"),
        ("photographs/other", None),
        ("nothing/like/it", None),
        ("\0", None),
        ("x" * 5000, None),
    ],
)
def test_the_near_name_is_shown(written: str, near: str | None, tmp_path: Path) -> None:
    for name in ("train", "B\u00fchne"):
        (tmp_path / "photographs" / name).mkdir(parents=True)
    expected = f"; did you mean {tmp_path / near}?" if near else ""
    assert near_path(f"{tmp_path}/{written}") == expected
