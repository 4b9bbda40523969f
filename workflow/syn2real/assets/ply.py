"""The header of a .ply mesh and its first vertices, read without Blender."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from syn2real.errors import InputError

FIRST = 1000
"""Vertices that are read: enough to see a mesh's unit."""
LONGEST_HEADER = 65536
_TYPES = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I", "float": "f",
          "double": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
          "float32": "f", "float64": "d"}  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """What a header says: the format, where the data begins, counts, and the vertices' properties."""

    format: str
    start: int
    counts: dict[str, int]
    vertex: list[tuple[str, str]]


def farthest_vertex(path: Path) -> float:
    """Return the largest coordinate, without its sign, of a mesh's first vertices.

    Parameters
    ----------
    path : Path
        A .ply file, text or binary.

    Raises
    ------
    InputError
        The file is no mesh, is damaged or ends early.
    """
    with path.open("rb") as stream:
        data = stream.read(LONGEST_HEADER)
        try:
            header = _header(data)
        except (ValueError, IndexError, KeyError) as error:
            raise InputError(f"not a .ply mesh ({error}); export it again", file=path) from None
        names = [name for name, _ in header.vertex]
        if not header.counts.get("vertex") or not header.counts.get("face"):
            raise InputError("the mesh has no vertices or no faces; export it again", file=path)
        if not {"x", "y", "z"} <= {*names}:
            raise InputError("its vertices have no x, y and z; export it again", file=path)
        count = min(FIRST, header.counts["vertex"])
        stream.seek(header.start)
        try:
            rows = _rows(stream, header, count)
            if len(rows) < count:
                raise ValueError("it ends early")
            return max(abs(float(row[names.index(axis)])) for row in rows for axis in "xyz")
        except (ValueError, IndexError, KeyError, struct.error) as error:
            raise InputError(f"the mesh is damaged ({error}); export or copy it again", file=path) from None


def _header(data: bytes) -> _Header:
    """Return what the header at the beginning of a file says."""
    head, end, _ = data.partition(b"end_header")
    lines = [line.split() for line in head.decode("latin-1").splitlines()]
    if not end or lines[0] != ["ply"]:
        raise ValueError("no header that begins with ply and ends with end_header")
    newline = data.index(b"\n", len(head))
    counts: dict[str, int] = {}
    vertex: list[tuple[str, str]] = []
    layout, element = "", ""
    for line in lines[1:]:
        if line[:1] == ["format"]:
            layout = line[1]
        elif line[:1] == ["element"]:
            element = line[1]
            counts[element] = int(line[2])
        elif line[:1] == ["property"] and element == "vertex":
            vertex.append((line[-1], line[1]))
    if layout not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise ValueError("its format is not known")
    return _Header(layout, newline + 1, counts, vertex)


def _rows(stream: BinaryIO, header: _Header, count: int) -> Sequence[Sequence[Any]]:
    """Return the properties of the first vertices that are there."""
    if header.format == "ascii":
        return [line.split() for line in stream.read(count * 512).splitlines()[:count]]
    types = "".join(_TYPES[kind] for _, kind in header.vertex)
    layout = struct.Struct(("<" if "little" in header.format else ">") + types)
    data = stream.read(count * layout.size)
    return [*layout.iter_unpack(data[: len(data) // layout.size * layout.size])]
