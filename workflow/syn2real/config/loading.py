"""Reading YAML: one certain meaning for each value, and errors for the person who wrote the file.

Values are those of YAML 1.2's core schema: decimal numbers, true and false, null. What YAML 1.1 takes for a
number, a boolean or a date (0100, 1:30, on, 2024-01-01) is the text that stands there; where a number
belongs, the model refuses it. A key is the text that stands there too.
"""

import codecs
import re
from pathlib import Path
from typing import Any

import yaml

from syn2real.errors import InputError
from syn2real.files import require_file

LARGEST_FILE = 4 * 2**20
"""Bytes; a configuration is some kilobytes, and reading megabytes of YAML takes a minute."""
DEEPEST = 50
"""Sections within sections; Python's own stack ends at some 300."""
MOST_VALUES = 100_000
"""Values in a file, those that an alias repeats counted each time."""
MOST_DIGITS = 18
"""Digits of a whole number that fits 64 bits."""

_TAG = "tag:yaml.org,2002:"
_NUMBER = r"[-+]?(?:0|[1-9]\d{0,2}(?:_\d{3})+|[1-9]\d*)"  # 64_000 can only be 64000
_FRACTION = (
    r"[-+]?(?:\.\d+|(?:0|[1-9]\d*)(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


class _Refused(yaml.MarkedYAMLError):
    """What is valid YAML and still refused."""


def _refused(problem: str, mark: Any) -> _Refused:
    return _Refused(problem=problem, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """A safe loader of YAML 1.2's core schema that refuses a key given twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == f"{_TAG}merge":  # `<<: *anchor`
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be text, as in `key: value`", key.start_mark)
            key.tag = f"{_TAG}str"
            if key.value in seen:
                raise _refused(f"key '{key.value}' is given twice; keep one", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_whole(self, node: yaml.ScalarNode) -> int:
        digits = str(self.construct_scalar(node)).replace("_", "")
        if len(digits.lstrip("+-")) > MOST_DIGITS:
            raise _refused(f"a number of {len(digits):,} digits; {MOST_DIGITS} at most", node.start_mark)
        return int(digits)

    def construct_fraction(self, node: yaml.ScalarNode) -> float | int:
        """Return a number; 1e3 and 1.28e6 are whole numbers, written short."""
        text = str(self.construct_scalar(node)).lower()
        value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        return int(value) if "e" in text and value.is_integer() and abs(value) < 10**MOST_DIGITS else value


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", _NUMBER, [*"-+0123456789"]),
    ("float", _FRACTION, [*"-+.0123456789"]),
    ("merge", "<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)
_Loader.add_constructor(_TAG + "int", _Loader.construct_whole)
_Loader.add_constructor(_TAG + "float", _Loader.construct_fraction)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its top-level mapping; empty for an empty file. Keys are text.

    Raises
    ------
    InputError
        The file is missing, is not valid YAML, holds no mapping, repeats a key, or has tags, several
        documents, or thousands of repeated or nested values.
    """
    path = Path(path)
    text = _text(path)
    try:
        _check_events(text)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else None
        raise InputError(_sentence(error), file=path, key=line) from None
    except yaml.reader.ReaderError as error:
        line = f"line {text.count(chr(10), 0, error.position) + 1}"
        problem = f"the character {chr(error.character)!a} may not stand in YAML; remove it"
        raise InputError(problem, file=path, key=line) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("the file must hold a mapping (key: value lines)", file=path)
    return value


def _text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with its mark."""
    try:
        require_file(path, "YAML file")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise InputError(f"{size / 1e6:,.0f} MB are no configuration; name a YAML file", file=path)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=path) from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = f"line {data[: error.start].count(10) + 1}"
        raise InputError("not text in UTF-8; save the file as UTF-8", file=path, key=line) from None


def _check_events(text: str) -> None:
    """Raise MarkedYAMLError for tags, several documents and too many values, before anything is built."""
    within: list[tuple[str | None, int]] = []  # of each open section: its anchor, the values before it
    sizes: dict[str, int | None] = {}  # of each anchor, how many values it stands for; None while it is open
    documents = values = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark = event.start_mark
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused("a second document begins here (---); keep one", mark)
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(str(event.anchor), 0)
            if size is None:
                raise _refused(f"*{event.anchor} repeats what it stands in; write the values", mark)
            values += size
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = within.pop()
            if anchor:
                sizes[anchor] = values - before
        elif isinstance(event, yaml.NodeEvent):
            if getattr(event, "tag", None):
                raise _refused("tags (!…) are not read; remove it and write the plain value", mark)
            if re.search(r"[\ud800-\udfff]", getattr(event, "value", "")):
                raise _refused("half of a character stands here (\\ud800 to \\udfff); write it whole", mark)
            values += 1
            if isinstance(event, yaml.CollectionStartEvent):
                within.append((event.anchor, values - 1))
            if event.anchor:
                sizes[event.anchor] = None if isinstance(event, yaml.CollectionStartEvent) else 1
            if len(within) > DEEPEST:
                raise _refused(f"more than {DEEPEST} sections within each other; write them flat", mark)
        if values > MOST_VALUES:
            raise _refused(
                f"more than {MOST_VALUES:,} values, those of aliases (*) counted; write fewer", mark
            )


def _sentence(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong, in one of our own sentences or one of YAML's."""
    if isinstance(error, _Refused):
        return str(error.problem)
    if r"'\t'" in str(error.problem):
        return "a tab stands here; indent with spaces"
    return f"not valid YAML: {error.problem}"
