"""Mistakes in a file are reported in one line: file, key, what is wrong, how to fix it."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from syn2real.config.experiment import Experiment
from syn2real.config.loading import read_yaml
from syn2real.errors import InputError
from syn2real.schema import validate

ROOT = Path(__file__).resolve().parents[3]

COCO = {"layout": "coco", "path": "p"}
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
        ({"sizes": ["many"]}, 'e.yaml: sizes.0: a whole number belongs here; it is "many"'),
        ({"sizes": [-10]}, "e.yaml: sizes.0: must be at least 0; it is -10"),
        ({"sizes": [10, 10]}, "e.yaml: sizes: 10 is listed twice; list it once"),
        (
            {"name": "My Experiment"},
            "e.yaml: name: a name has lower-case letters, digits and single hyphens, such as my-experiment;",
        ),
        ({"target_error": 40}, "e.yaml: target_error: must be below 1; it is 40"),
        ({"sizes": [True]}, "e.yaml: sizes.0: a whole number belongs here; it is true"),
        ({"sizes": ["0100"]}, "e.yaml: sizes.0: a whole number belongs here, without zeros before it: 100;"),
        ({"sizes": ["100"]}, "e.yaml: sizes.0: a whole number belongs here, without quotes; it is"),
        ({"sizes": ["1:30"]}, "e.yaml: sizes.0: a whole number belongs here in decimal digits; it is"),
        ({"sizes": [100.0]}, "e.yaml: sizes.0: a whole number belongs here, write 100; it is 100.0"),
        ({"sizes": [1e300]}, "e.yaml: sizes.0: a whole number belongs here; it is 1e+300"),
        (
            {"settings": ["a"], "models": ["x" * 999]},
            f"e.yaml: models.0: '{'x' * 80} …' is not defined; choose",
        ),
        ({"sizes": [None]}, "e.yaml: sizes.0: a whole number belongs here; it is empty"),
        ({"sizes": 100}, "e.yaml: sizes: a list belongs here, in square brackets: [100]; it is 100"),
        ({"sizes": {str(k): k for k in range(99)}}, "e.yaml: sizes: a list belongs here, in square brackets"),
        ({"target_error": "0.4"}, "e.yaml: target_error: a number belongs here, without quotes; it is"),
        ({"target_error": float("nan")}, "e.yaml: target_error: a finite number belongs here; it is NaN"),
        ({"recipe": 5}, 'e.yaml: recipe: text belongs here, in quotes: "5"; it is 5'),
        ({"recipe": True}, 'e.yaml: recipe: text belongs here, in quotes: "True"; it is true'),
        ({"question": ""}, "e.yaml: question: text belongs here; it is empty"),
        ({"costs": None}, "e.yaml: costs: keys belong here (key: value lines); it is empty"),
        ({"renderings": ["a"]}, 'e.yaml: renderings: keys belong here (key: value lines); it is ["a"]'),
        ({"renderings": {"A b": {}}}, "e.yaml: renderings.A b: a name has lower-case letters, digits and"),
        (
            {"renderings": {"a": {"denoise": "yes"}}},
            "e.yaml: renderings.a.denoise: true or false belongs here",
        ),
        (
            {"renderings": {"a": {"camera": {"radius_m": [1]}}}},
            "e.yaml: renderings.a.camera.radius_m.1: one mo",
        ),
        (
            {"renderings": {"a": {"light": "fixx"}}},
            "e.yaml: renderings.a.light: one of fix, random belongs here; it is \"fixx\"; did you mean 'fix'",
        ),
        ({"renderings": {"a": {"supersampling": True}}}, "e.yaml: renderings.a.supersampling: one of 1, 2"),
        (
            {"targets": {"t": COCO | {"images": {"train": [5], "test": "v"}}}},
            "e.yaml: targets.t.images.train: text b",
        ),
        (
            {"targets": {"t": COCO | {"images": {"train": [], "test": "v"}}}},
            "e.yaml: targets.t.images.train: text o",
        ),
        (
            {"targets": {"t": COCO | {"images": {"train": "a", "vla": "v"}}}},
            "e.yaml: targets.t.images.vla: one of",
        ),
        ({"settings": []}, "e.yaml: settings: at least 1 value belongs in this list; it is []"),
        ({"complexity": {"reference": "r", "images": 8, "activation": "pool"}}, "e.yaml: complexity.activat"),
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


def test_keys_that_are_wrong_too_are_named() -> None:
    with pytest.raises(InputError, match=r"name: this key .*\(wrong too: question, cost, expected"):
        validate(Experiment, {}, file="e.yaml")


VALUES = {
    "1": 1,
    "-3": -3,
    "0": 0,
    "64_000": 64000,
    "1e3": 1000,
    "1.28e6": 1280000,
    "1e-4": 1e-4,
    "5e-1": 0.5,
    "100.0": 100.0,
    ".5": 0.5,
    "1.": 1.0,
    "-0.25": -0.25,
    ".inf": math.inf,
    "1e400": math.inf,
    "true": True,
    "False": False,
    "~": None,
    "": None,
    "null": None,
    "'1'": "1",
    # Read as the text that stands there: YAML 1.1 has a number, a boolean or a date for each.
    "0100": "0100",
    "08": "08",
    "1:30": "1:30",
    "1_00": "1_00",
    "0x10": "0x10",
    "0o17": "0o17",
    "0b11": "0b11",
    "yes": "yes",
    "on": "on",
    "No": "No",
    "2024-01-01": "2024-01-01",
    "2024-01-01 10:00:00": "2024-01-01 10:00:00",
    "1,000": "1,000",
    "=": "=",
    "~/data": "~/data",
}
"""What stands in a file, and what it is."""


@pytest.mark.parametrize("text", VALUES)
def test_a_value_has_one_certain_meaning(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.yaml").write_text(f"a: {text}\n")
    found = read_yaml(tmp_path / "e.yaml")["a"]
    assert (found, type(found)) == (VALUES[text], type(VALUES[text]))


@pytest.mark.parametrize("key", ["on", "0100", "5", "2024-01-01", "null", "1.5", "true"])
def test_a_key_is_the_text_that_stands_there(tmp_path: Path, key: str) -> None:
    (tmp_path / "e.yaml").write_text(f"{key}: 1\n")
    assert read_yaml(tmp_path / "e.yaml") == {key: 1}


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join(9 * [f'*{b}'])}]\n" for b, c in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2: key 'a' is given twice; keep one"),
        ("1: 1\n'1': 2\n", "line 2: key '1' is given twice"),
        ("a: [1\n", "line 2: not valid YAML: "),
        ("- a\n", "must hold a mapping"),
        ("word\n", "must hold a mapping"),
        ("? [a, b]\n: 1\n", "line 1: a key must be text"),
        ("? {a: b}\n: 1\n", "line 1: a key must be text"),
        ("{{a: 1}: 2}\n", "line 1: a key must be text"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins here"),
        ("a: !!int abc\n", "line 1: tags (!…) are not read; remove it"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: tags (!…) are not read"),
        ("a: !!binary aGVsbG8=\n", "line 1: tags (!…) are not read"),
        ("!!set {a, b}\n", "line 1: tags (!…) are not read"),
        ('a: "\\ud800"\n', "line 1: half of a character stands here"),
        ("a: !mine 1\n", "line 1: tags (!…) are not read"),
        (f"a: {'9' * 5000}\n", "line 1: a number of 5,000 digits; 18 at most"),
        (f"a: {'[' * 5000}{']' * 5000}\n", "line 1: more than 50 sections within each other"),
        (LAUGHS, "line 6: more than 100,000 values"),
        ("a: &a [1, *a]\n", "line 1: *a repeats what it stands in"),
        ("a: *b\n", "line 1: not valid YAML: found undefined alias"),
        ("a:\n  <<: 5\n", "line 2: not valid YAML: expected a mapping"),
        ("a:\n\tb: 1\n", "line 2: a tab stands here; indent with spaces"),
        ("a: 1\nb: \0\n", "line 2: the character '\\x00' may not stand in YAML"),
        (b"a: 1\nb: caf\xe9\n", "line 2: not text in UTF-8; save the file as UTF-8"),
        (b"#" * 5_000_000, "5 MB are no configuration; name a YAML file"),
    ],
)
def test_yaml_that_would_be_misread_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = tmp_path / "e.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_certain_meaning_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "e.yaml").write_bytes("a: Größe\r\nb: 1\r\n".encode(encoding))
    assert read_yaml(tmp_path / "e.yaml") == {"a": "Größe", "b": 1}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", ".: is a folder; give a YAML file"),
        ("/dev/zero", "/dev/zero: is a pipe or device; give a YAML file"),
        ("x" * 5000, "the file cannot be read: File name too long"),
        ("a\0b", "there is no such YAML file"),
    ],
)
def test_what_is_no_file_is_refused(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_yaml(path)


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_files_read_as_before(path: Path) -> None:
    assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n")
    assert read_yaml(tmp_path / "e.yaml")["b"] == {"x": 3, "y": 2}


def test_a_misspelt_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("")
    with pytest.raises(InputError, match=r"no such YAML file; did you mean .*demo\.yaml"):
        read_yaml(tmp_path / "dmo.yaml")
