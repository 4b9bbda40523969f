"""Damaged and odd versions of a valid file, as hypothesis draws them."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

ODD = (
    "null", "true", "[]", "{}", '""', '" "', "-1", "0", "0.5", "1e400", "-1e400", "NaN", "-Infinity",
    "1" + "0" * 400, "9" * 5000, "1000000", "9223372036854775808", "1e18", '"' + "x" * 5000 + '"',
    r'"\ud800"', r'"a\nb"', r'"\u0000"', '"../../evil"', '"/etc/passwd"', r'"..\\evil"', '"1.000"', '"1,5"',
    "[[[[null]]]]", "[" * 2000 + "]" * 2000, "[0, 0, 0, 0]", "[NaN, NaN, NaN, NaN]", '[1, "2", null, true]',
    "[1e400, 1, 1, 1]", '{"a": {"b": []}}', '{"size": [1000000, 1000000], "counts": "54"}',
    '{"size": [3, 4], "counts": [1]}', '{"size": [3, 4], "counts": [-5, 17]}',
)  # fmt: skip
"""JSON for a value that does not belong where it is put."""
ODD_YAML = (
    "2020-01-01", "2020-01-01 10:00:00", "!!int abc", "!!float x", "!!set {a, b}", "!!binary aGk=", "1:30",
    "0100", "0x1f", ".inf", ".nan", "!!python/object:os.system {}", "*unknown", "&a [*a]", "{[1]: 2}", "? a",
    "!!omap [a: 1]", "@", "yes", "~", "1_000", "!!timestamp 2020-99-99", "{1: 2, true: 3}",
)  # fmt: skip
ODD_CELLS = (
    "", " ", "nan", "inf", "-1", "0", "1e400", "1" + "0" * 400, "9" * 5000, "1,000", "1.000", "45%", "0,5",
    '"', '"a\nb"', "x" * 5000, "\x00", "\ufeff", "٣", "1e-320", "=1+1", "#", "NA", "64k", ";", "\t",
    "\r", "'", "true",
)  # fmt: skip
HOLE = "\x1fHOLE%d\x1f"
"""Marks a value that is replaced once the rest is text."""


@dataclass(frozen=True)
class Seed:
    """A valid file: a document that `dump` makes text of and `wrap` a file.

    `odd` are texts that may stand in place of a value of the document.
    """

    document: Any
    dump: Callable[[Any], str] = json.dumps
    wrap: Callable[[bytes], bytes] = bytes
    odd: tuple[str, ...] = ODD

    def file(self, document: Any = None, values: tuple[str, ...] = ()) -> bytes:
        """Return the file, with texts in place of the document's holes."""
        text = self.dump(self.document if document is None else document)
        for number, value in enumerate(values):
            mark = re.escape(json.dumps(HOLE % number)[1:-1]) + "|" + re.escape(HOLE % number)
            text = re.sub(rf"['\"]?(?:{mark})['\"]?", lambda _, value=value: value, text)
        return self.wrap(text.encode("utf-8", "surrogatepass"))


def whole(content: bytes) -> Seed:
    """Return the seed of a file whose bytes alone are changed."""
    return Seed(None, dump=lambda _: "", wrap=lambda _: content)


@st.composite
def damaged(draw: st.DrawFn, seed: Seed, other: Seed) -> bytes:
    """Return a seed's file with values replaced, or bytes changed, or both."""
    values: list[str] = []
    document = copy.deepcopy(seed.document)
    if document is not None and draw(st.integers(0, 3)):
        for number in range(draw(st.integers(1, 2))):
            document = _holed(draw, document, HOLE % number)
            values.append(draw(st.sampled_from(seed.odd)))
    content = seed.file(document, tuple(values)) if values else seed.file()
    if not values or not draw(st.integers(0, 4)):
        for _ in range(draw(st.integers(1, 3))):
            content = _changed(draw, content, other)
    return content


def _holed(draw: st.DrawFn, document: Any, hole: str) -> Any:
    """Return a document changed at a random place: a hole for a value or a key, an item lost or repeated."""
    places = [place for place in _places(document, ()) if place]
    if not places:
        return hole
    *above, last = draw(st.sampled_from(places))
    parent = document
    for step in above:
        parent = parent[step]
    action = draw(st.sampled_from(["value", "value", "value", "value", "key", "lost", "twice"]))
    if action == "key" and isinstance(parent, dict):
        parent[hole] = parent.pop(last)
    elif action == "lost":
        del parent[last]
    elif action == "twice" and isinstance(parent, list):
        parent.insert(last, copy.deepcopy(parent[last]))
    else:
        parent[last] = hole
    return document


def _places(value: Any, above: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return where each value of a document stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, item in inner for place in _places(item, (*above, key)))]


def _changed(draw: st.DrawFn, content: bytes, other: Seed) -> bytes:
    """Return bytes after one change."""
    # Half of the changes are near the beginning, where headers are.
    near = draw(st.integers(0, 600)) if draw(st.booleans()) else draw(st.integers(0, 2**20))
    place = near % (len(content) + 1)
    length = draw(st.sampled_from([1, 1, 2, 4, 8, 64, 512]))
    head, part, tail = content[:place], content[place : place + length], content[place + length :]
    kind = draw(st.sampled_from(["set", "set", "flip", "cut", "remove", "repeat", "splice", "odd"]))
    if kind == "set":
        return head + draw(st.binary(min_size=1, max_size=8)) + content[place + 1 :]
    if kind == "flip" and part:
        return head + bytes([part[0] ^ 1 << draw(st.integers(0, 7))]) + part[1:] + tail
    if kind == "cut":
        return head
    if kind == "remove":
        return head + tail
    if kind == "repeat":
        return head + part * draw(st.integers(2, 40)) + tail
    if kind == "splice":
        donor = other.file()
        start = draw(st.integers(0, 2**20)) % (len(donor) + 1)
        return head + donor[start : start + length] + tail
    return head + draw(st.sampled_from(ODD + ODD_CELLS)).encode("utf-8", "surrogatepass") + tail
