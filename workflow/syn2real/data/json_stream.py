"""Reading a JSON file that is larger than memory should be: the items of its lists, one at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

CHUNK = 1 << 20
"""Characters that are read at a time."""
LARGEST = 64 << 20
"""Characters that one item may have."""
NUMBER = "+-.0123456789eE"
"""Characters that may go on with a number."""


def stream_json(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the values of the mapping that a JSON file holds, those of its lists item by item.

    Parameters
    ----------
    path : Path
        The file, such as COCO's `{"images": [{…}, …], "annotations": [{…}, …], …}`.

    Yields
    ------
    key, value : str, object
        A list's key with each of its items in turn, so never for an empty list; any other key with its value.

    Raises
    ------
    json.JSONDecodeError
        The file holds no JSON mapping; names the place.
    OSError
        It cannot be read.
    """
    with path.open(encoding="utf-8") as stream:
        text = _Text(stream)
        text.take("{")
        while text.peek() != "}":
            key = text.value()
            text.take(":")
            if text.peek() != "[":
                yield key, text.value()
            else:
                text.take("[")
                while text.peek() != "]":
                    yield key, text.value()
                    if text.peek() != "]":
                        text.take(",")
                text.take("]")
            if text.peek() != "}":
                text.take(",")
        text.take("}")
        if text.peek():
            raise text.error("more than one value")


class _Text:
    """A JSON text of which only the part at hand is in memory."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._part, self._at, self._before = stream, "", 0, 0
        self._decoder = json.JSONDecoder()

    def error(self, message: str) -> json.JSONDecodeError:
        """Return an error that names the place in the whole file."""
        error = json.JSONDecodeError(message, self._part, self._at)
        error.args = (f"{message}, at character {self._before + self._at:,}",)
        return error

    def peek(self) -> str:
        """Return the next character that is no white space; the empty string at the end."""
        while True:
            while self._at < len(self._part) and self._part[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._part):
                return self._part[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Go past a character, which must be the wanted one."""
        if self.peek() != wanted:
            raise self.error(f"'{wanted}' is missing")
        self._at += 1

    def value(self) -> Any:
        """Return the next value, and go past it."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._part, self._at)
            except json.JSONDecodeError as error:
                if len(self._part) - self._at < LARGEST and self._more():
                    continue
                self._at = error.pos
                raise self.error(error.msg) from None
            if self._part[end : end + 1] in NUMBER and self._more():
                continue  # nothing follows yet, or the rest of a number
            self._at = end
            return value

    def _more(self) -> bool:
        """Read on and drop what is behind; return whether there was more."""
        chunk = self._stream.read(CHUNK)
        if chunk:
            self._before += self._at
            self._part, self._at = self._part[self._at :] + chunk, 0
        return bool(chunk)
