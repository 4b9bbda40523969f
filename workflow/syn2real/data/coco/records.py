"""Images and categories of annotation files, and the ids that annotations name them by."""

import re
import reprlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from syn2real.data.coco.stream import TABLES, Rows
from syn2real.errors import InputError
from syn2real.near import near_name

MAX_PIXELS = 2**28
"""Of an image; a size beyond is a mistake that would take all memory."""
LARGEST_ID = 2**63 - 1
"""What a tensor of ids can hold."""


@dataclass
class Header:
    """The images and categories of a split, from one annotation file or several.

    Attributes
    ----------
    paths : sequence of Path
        The files.
    images : list of dict
        `id`, `file_name`, `width`, `height`, and `folder`, the number of the file, where it is not the first.
        The files in their order, within a file by id. Ids that are no 64-bit numbers, and those of several
        files, which may repeat, are replaced by the images' places from 1 on.
    categories : dict of int to str
        Names by id, sorted by id: the first is class 0. Text ids are replaced by places from 1 on.
    image_of : list of dict
        For each file its images by the id that stands there.
    category_of : dict
        The id of a category by the one that stands in the file.
    place_of : dict of int to int
        An image's place among all, from 0 on, by its id.
    """

    paths: Sequence[Path]
    images: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[int, str] = field(default_factory=dict)
    image_of: list[dict[Hashable, dict[str, Any]]] = field(default_factory=list)
    category_of: dict[Hashable, int] = field(default_factory=dict)
    place_of: dict[int, int] = field(default_factory=dict)


def read_header(paths: Sequence[Path]) -> Header:
    """Read the images and categories of annotation files, which must have the same categories.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    header = Header(paths)
    first: dict[Hashable, str] = {}
    for number, path in enumerate(paths):
        images, categories = _read(path)
        first = first or categories
        need_same_categories(categories, first, path, paths[0])
        for image in images.values():
            image.update({"folder": number} if number else {})
        header.images += images.values()
        header.image_of.append(images)
    if len(paths) > 1 or not _are_numbers(header.image_of[0]):
        for place, image in enumerate(header.images, start=1):
            image["id"] = place
    numbers = first if _are_numbers(first) else range(1, len(first) + 1)
    header.category_of = dict(zip(first, numbers, strict=True))  # type: ignore[arg-type]
    header.categories = dict(zip(header.category_of.values(), first.values(), strict=True))
    header.place_of = {image["id"]: place for place, image in enumerate(header.images)}
    return header


def need_same_categories(
    found: Mapping[Any, str], expected: Mapping[Any, str], file: Path, other: Path
) -> None:
    """Raise InputError unless the categories of a file, names by number, are those of another file."""
    for number in [*expected, *found]:
        here, there = (short(names[number]) if number in names else "missing" for names in (found, expected))
        if here != there:
            problem = f"{number} is {here}, but {there} in {other}; give both files the same"
            raise InputError(problem, file=file, key="categories")


def as_id(value: Any) -> int | str | None:
    """Return an id in one form: 3, 3.0 and "3" are the same, other texts are names; None is no id."""
    number = whole_number(value)
    return value if number is None and isinstance(value, str) and value else number


def whole_number(value: Any) -> int | None:
    """Return a whole number that is written as 48, 48.0 or "48", or None."""
    if type(value) is int:  # most are
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def short(value: Any) -> str:
    """Return a value as a message shows it: a long one abridged."""
    return reprlib.repr(value)


def _read(path: Path) -> tuple[dict[Hashable, dict[str, Any]], dict[Hashable, str]]:
    """Return a file's images and its categories' names, by id and in the ids' order."""
    rows = Rows(path)
    images: dict[Hashable, dict[str, Any]] = {}
    categories: dict[Hashable, str] = {}
    for table, number, row in rows.read():
        if table == "images":
            _add(path, images, f"images[{number}].id", row.get("id"), _image(path, number, row))
        elif table == "categories":
            _add(path, categories, f"categories[{number}].id", row.get("id"), _name(path, number, row))
        elif images and categories:
            break  # the annotations are read later
    for table, found in (("images", images), ("categories", categories)):
        if not found:
            raise _missing(path, table, rows.keys)
    if "annotations" not in rows.keys and _near("annotations", rows.keys):
        raise _missing(path, "annotations", rows.keys)
    order: Callable[[Any], Any] = lambda item: (isinstance(item[0], str), item[0])  # noqa: E731
    return dict(sorted(images.items(), key=order)), dict(sorted(categories.items(), key=order))


def _add(path: Path, rows: dict[Any, Any], key: str, value: Any, row: Any) -> None:
    """Add a row under its id, which must be one and stand once; the same row again changes nothing."""
    number = as_id(value)
    if number is None:
        raise InputError(f"{short(value)} is not an id; give a whole number", file=path, key=key)
    if isinstance(row, dict):
        row["id"] = number
    if rows.setdefault(number, row) != row:
        names = [one if isinstance(one, str) else one["file_name"] for one in (rows[number], row)]
        problem = f"{short(number)} stands twice, as {names[0]} and as {names[1]}; keep one"
        if isinstance(row, str):
            problem += " (annotations use the id alone)"
        raise InputError(problem, file=path, key=key)


def _image(path: Path, number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Return what is needed of an image: its file and its size."""
    # LVIS names images by their address alone.
    name = row.get("file_name") or str(row.get("coco_url") or "").rpartition("/")[2]
    if not _is_text(name) or not PurePosixPath(name).name:
        problem = f"the image's file belongs here, not {short(row.get('file_name'))}"
        raise InputError(problem, file=path, key=f"images[{number}].file_name")
    width, height = (_side(path, number, row, side) for side in ("width", "height"))
    if width * height > MAX_PIXELS:
        problem = f"{width} x {height} pixels are more than an image may have here ({MAX_PIXELS:,})"
        raise InputError(f"{problem}; correct the size", file=path, key=f"images[{number}]")
    return {"id": row.get("id"), "file_name": name, "width": width, "height": height}


def _side(path: Path, number: int, row: dict[str, Any], side: str) -> int:
    """Return an image's width or height."""
    size = whole_number(row.get(side))
    if size is None or size < 1:
        problem = f"its size in pixels belongs here, not {short(row.get(side))}"
        raise InputError(problem, file=path, key=f"images[{number}].{side}")
    return size


def _name(path: Path, number: int, row: dict[str, Any]) -> str:
    """Return a category's name; a number is one too, as BlenderProc writes them."""
    name = row.get("name")
    if isinstance(name, int | float) and not isinstance(name, bool):
        number_name = whole_number(name)
        name = str(name if number_name is None else number_name)
    if not _is_text(name) or not name.strip():
        raise InputError("a category needs a name", file=path, key=f"categories[{number}].name")
    return name


def _is_text(value: Any) -> TypeGuard[str]:
    """Return whether a value is a text that a file can hold: half a surrogate pair is none."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _are_numbers(ids: Any) -> bool:
    return all(isinstance(value, int) and abs(value) <= LARGEST_ID for value in ids)


def _near(table: str, keys: Sequence[str]) -> str | None:
    """Return the key that is probably meant by a list's name."""
    return near_name(table, (key for key in keys if key not in TABLES), cutoff=0.75)


def _missing(path: Path, table: str, keys: Sequence[str]) -> InputError:
    """Return the error for a list that is missing or empty: what the file has in its place."""
    if table in keys:
        return InputError("this list is empty; a data set needs at least one", file=path, key=table)
    if near := _near(table, keys):
        return InputError(
            f"there is no such list; did you mean it by '{near}'? Rename that", file=path, key=table
        )
    formats = {"shapes": "LabelMe", "imagePath": "LabelMe", "assets": "VoTT"}
    found = next((name for key, name in formats.items() if key in keys), None)
    if any(key.startswith("_via") or re.search(r"\.(jpe?g|png)-?\d*$", key, re.IGNORECASE) for key in keys):
        found = "VIA (VGG Image Annotator)"
    problem = "COCO's format has a list of mappings under this key; add it"
    if found:
        problem = f"there is no such list; this file is {found}'s own format: export it in COCO's format"
    return InputError(problem, file=path, key=table)
