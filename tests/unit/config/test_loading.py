"""Mistakes in a file are reported in one line: file, key, what is wrong, how to fix it."""

from pathlib import Path

import pytest

from syn2real.config.experiment import Experiment
from syn2real.config.loading import read_yaml
from syn2real.errors import InputError
from syn2real.schema import validate

GOOD = {
    "name": "e",
    "question": "q",
    "cost": "c",
    "expected": "x",
    "recipe": "demo",
    "settings": ["a"],
    "ptasks": ["mulclass"],
    "ftasks": [{"task": "sinclass", "target": "t"}],
    "sizes": [0, 10],
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"setings": ["a"]}, "e.yaml: setings: unknown key; did you mean 'settings'?"),
        ({"costs": {"imge": 1}}, "e.yaml: costs.imge: unknown key; did you mean 'image'?"),
        (
            {"ftasks": [{"task": "sinclass", "target": "t", "percent": [1]}]},
            "e.yaml: ftasks.0.percent: unknown key; did you mean 'percents'?",
        ),
        (
            {"renderings": {"a": {"sampels": 3}}},
            "e.yaml: renderings.a.sampels: unknown key; did you mean 'samples'?",
        ),
        ({"ptasks": ["sinclass"]}, "e.yaml: ptasks.0: 'sinclass' is a task for fine-tuning only; choose"),
        ({"sizes": ["many"]}, "e.yaml: sizes.0: Input should be a valid integer"),
        ({"sizes": [-10]}, "e.yaml: sizes.0: Input should be greater than or equal to 0; it is -10"),
        ({"sizes": [10, 10]}, "e.yaml: sizes: 10 is listed twice; list it once"),
        ({"name": "My Experiment"}, "e.yaml: name: String should match pattern"),
        ({"target_error": 40}, "e.yaml: target_error: Input should be less than 1; it is 40"),
    ],
)
def test_one_line_names_file_key_and_fix(changes: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        validate(Experiment, GOOD | changes, file="e.yaml")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(InputError, match="e.yaml: recipe: this key is missing; add it"):
        validate(Experiment, {k: v for k, v in GOOD.items() if k != "recipe"}, file="e.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2: not valid YAML: key 'a' is given twice"),
        ("a: [1\n", "not valid YAML"),
        ("- a\n", "must hold a mapping"),
    ],
)
def test_yaml_that_would_be_misread_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(tmp_path / "e.yaml")


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n")
    assert read_yaml(tmp_path / "e.yaml")["b"] == {"x": 3, "y": 2}


def test_a_misspelt_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("")
    with pytest.raises(InputError, match=r"no such file; did you mean .*demo\.yaml"):
        read_yaml(tmp_path / "dmo.yaml")
