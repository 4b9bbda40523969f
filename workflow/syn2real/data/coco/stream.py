"""Reading the lists of an annotation file one row at a time: COCO's largest has 450 MB, renders have more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from syn2real.errors import InputError
from syn2real.near import near_path

CHUNK = 1 << 20
"""Characters of a file that are read at a time."""
TAIL = 32
"""A value that ends so close to the end of what was read may go on: a number has no closing character."""
SPACE = re.compile(r"[ \t\n\r]*")
TABLES = ("images", "categories", "annotations")


class Rows:
    """The rows of a JSON file's lists, in the order of the file.

    Python's own `json` reads each row, so numbers of any size and NaN arrive as they stand and can be
    reported by their key. A list that stands twice is refused: readers disagree on which of the two counts.

    Parameters
    ----------
    path : Path
        The file: UTF-8, -16 or -32, with or without a byte order mark.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=_mapping)

    def read(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Yield (list, number from 0, row) of each row of the lists that COCO's format has.

        Raises
        ------
        InputError
            The file is missing, or is no JSON mapping of lists of mappings.
        """
        self.keys = []
        try:
            with self.path.open("rb") as stream:
                start = stream.read(4)
            if start.startswith((b"\x1f\x8b", b"PK\x03\x04")):
                raise InputError("this file is compressed; unpack it", file=self.path)
            encoding = json.detect_encoding(start)
            with self.path.open(encoding=encoding) as text:
                yield from self._tables(_Text(text, self._decoder))
        except FileNotFoundError:
            raise no_such_file(self.path) from None
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=self.path) from None
        except InputError:
            raise
        except RecursionError:
            raise InputError("not valid annotations: nested too deeply", file=self.path) from None
        except ValueError as error:
            problem = f"not valid JSON ({_reason(error)}); download or write it again"
            raise InputError(problem, file=self.path) from None

    def _tables(self, text: "_Text") -> Iterator[tuple[str, int, dict[str, Any]]]:
        if text.peek() != "{":
            raise InputError(_other_format(text.text), file=self.path)
        text.skip()
        more = text.peek() != "}"
        while more:
            key = text.value()
            if not isinstance(key, str):
                raise ValueError("a key is not a text")
            text.need(":")
            if key in TABLES and key in self.keys:
                raise InputError("this key stands twice; keep one of the two lists", file=self.path, key=key)
            self.keys.append(key)
            if key in TABLES:
                yield from self._list(text, key)
            else:
                text.value()
            if more := text.peek() != "}":
                text.need(",")
        text.skip()
        if text.peek():
            raise ValueError("more text behind the closing bracket")

    def _list(self, text: "_Text", key: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
        no_list = "COCO's format has a list of mappings under this key"
        if text.peek() != "[":
            raise InputError(no_list, file=self.path, key=key)
        text.skip()
        number, more = 0, text.peek() != "]"
        while more:
            row = text.value()
            if not isinstance(row, dict):
                raise InputError(no_list, file=self.path, key=f"{key}[{number}]")
            yield key, number, row
            number += 1
            if more := text.peek() != "]":
                text.need(",")
        text.skip()


def no_such_file(path: Path) -> InputError:
    """Return the error for an annotation file that is not there."""
    hint = near_path(path) or "; put the annotations there or change `annotations`"
    return InputError(f"there is no such file{hint}", file=path)


class _Text:
    """The text of a file, of which only what is being read is in memory."""

    def __init__(self, stream: IO[str], decoder: json.JSONDecoder) -> None:
        self.text, self._at = "", 0
        self._stream, self._decoder = stream, decoder

    def peek(self) -> str:
        """Return the next character that is no space, without passing it; "" at the end of the file."""
        while True:
            self._at = SPACE.match(self.text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            if self._at < len(self.text) or not self._more():
                return self.text[self._at : self._at + 1]

    def skip(self) -> None:
        """Pass one character."""
        self._at += 1

    def need(self, character: str) -> None:
        """Pass a character, which must come next."""
        if self.peek() != character:
            raise ValueError(f"'{character}' is missing {self._near()}")
        self.skip()

    def value(self) -> Any:
        """Return the next value and pass it."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self._at)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated") or error.pos + TAIL > len(self.text)
                if cut_off and self._more():
                    continue
                self._at = min(error.pos, len(self.text))
                raise ValueError(f"{error.msg} {self._near()}") from None
            if end + TAIL <= len(self.text) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        """Read on, at least as much again as is unread; False at the end of the file."""
        more = self._stream.read(max(CHUNK, len(self.text) - self._at))
        if more:
            self.text, self._at = self.text[self._at :] + more, 0
        return bool(more)

    def _near(self) -> str:
        """Return the text around the current place, for messages."""
        near = self.text[max(self._at - 20, 0) : self._at + 20].strip()
        return f"near {near!r}" if near else "at the end of the file"


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the mapping of some pairs; raise ValueError if a key stands twice with two values."""
    row = dict(pairs)
    if len(row) < len(pairs):
        for key, value in pairs:
            if row[key] != value:
                raise ValueError(f"the key {key!r} stands twice in one mapping")
    return row


def _reason(error: Exception) -> str:
    """Return an error's message without its advice to programmers."""
    return str(error).split("; use sys.")[0]


def _other_format(start: str) -> str:
    """Return what a file seems to hold that does not begin as a mapping."""
    formats = {
        "<": "this is XML, not JSON",
        "[": "this is a list, not a mapping of images, annotations and categories",
        "": "this file is empty",
    }
    sign = start.lstrip()[:1]
    found = formats.get(sign, "this is not a JSON mapping of images, annotations and categories")
    if sign == "[" and '"score"' in start:
        found = "this is a list of detections (COCO's format of results), not of annotations"
    return f"{found}; export the labels in COCO's format (JSON)"
