"""COCO's annotation format: reading it, and saying what is wrong with it. No torch."""

import contextlib
import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pycocotools.coco import COCO

from syn2real.errors import InputError


def read_annotations(path: Path, ftask: str) -> dict[str, Any]:
    """Read and check a COCO annotation file.

    What a set of one's own often leaves out is filled in: `iscrowd` (0), `area` (the box's), and the
    annotations' ids where they are missing, repeated or 0 (COCOeval takes a match with id 0 for none).

    Parameters
    ----------
    path : Path
        The file.
    ftask : str
        `objdet` needs boxes, `semseg` masks, `mulclass` neither. Masks that are not needed are dropped, for
        they are most of the file's memory.

    Returns
    -------
    dict
        With `images`, `annotations` and `categories`, among others.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    data = _load(path)
    for number, image in enumerate(images := _table(path, data, "images")):
        _check_image(path, number, image)
    image_ids = _unique_ids(path, images, "images")
    category_ids = _unique_ids(path, categories := _table(path, data, "categories"), "categories")
    for number, category in enumerate(categories):
        if not isinstance(category.get("name"), str):
            raise InputError("a category needs a name", file=path, key=f"categories[{number}].name")
    annotations = _table(path, data, "annotations", may_be_empty=True)
    for number, annotation in enumerate(annotations):
        if problem := _problem(annotation, ftask, image_ids, category_ids):
            key, what = problem
            raise InputError(what, file=path, key=f"annotations[{number}].{key}")
        _complete(annotation, ftask)
    ids = {annotation.get("id", 0) for annotation in annotations}
    if 0 in ids or len(ids) < len(annotations):
        for number, annotation in enumerate(annotations, start=1):
            annotation["id"] = number
    return data


def first_images(data: dict[str, Any], n: int, path: Path) -> dict[str, Any]:
    """Return the first n images in the order of their ids, with their annotations and all categories.

    Raises
    ------
    InputError
        There are fewer.
    """
    images = sorted(data["images"], key=lambda image: image["id"])[:n]
    if len(images) < n:
        raise InputError(f"holds {len(images)} images, but {n} are asked for", file=path, key="images")
    kept = {image["id"] for image in images}
    annotations = [a for a in data["annotations"] if a["image_id"] in kept]
    return {**data, "images": images, "annotations": annotations}


def index(data: dict[str, Any]) -> COCO:
    """Return pycocotools' ground-truth object for a dictionary in COCO's format."""
    coco = COCO()
    coco.dataset = {"info": {}, "licenses": [], **data}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        coco.createIndex()
    return coco


def _load(path: Path) -> dict[str, Any]:
    """Return the mapping a JSON file holds."""
    try:
        with path.open("rb") as stream:
            data = json.load(stream)
    except FileNotFoundError:
        raise InputError(
            "there is no such file; put the annotations there or change the target's `annotations`", file=path
        ) from None
    except ValueError as error:
        raise InputError(f"no valid JSON ({error}); download or write it again", file=path) from None
    if not isinstance(data, dict):
        raise InputError("needs a mapping with images, annotations and categories", file=path)
    return data


def _table(path: Path, data: dict[str, Any], key: str, *, may_be_empty: bool = False) -> list[dict[str, Any]]:
    """Return the list of mappings under `key`."""
    rows = data.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("COCO's format has a list of mappings under this key; add it", file=path, key=key)
    if not rows and not may_be_empty:
        raise InputError("this list is empty; a data set needs at least one", file=path, key=key)
    return rows


def _unique_ids(path: Path, rows: Iterable[dict[str, Any]], key: str) -> set[int]:
    """Return the rows' ids, which must be whole numbers, each once."""
    seen: set[int] = set()
    for number, row in enumerate(rows):
        value = row.get("id")
        if not isinstance(value, int) or value in seen:
            raise InputError(f"{value!r} is no whole number of its own", file=path, key=f"{key}[{number}].id")
        seen.add(value)
    return seen


def _check_image(path: Path, number: int, image: dict[str, Any]) -> None:
    """Raise InputError unless an image has a file name and a size."""
    for key, kind in (("file_name", str), ("width", int), ("height", int)):
        if not isinstance(image.get(key), kind) or image[key] in ("", 0):
            what = "the image's file" if kind is str else "its size in pixels"
            raise InputError(f"is missing; {what} belongs here", file=path, key=f"images[{number}].{key}")


def _problem(
    annotation: dict[str, Any], ftask: str, image_ids: set[int], category_ids: set[int]
) -> tuple[str, str] | None:
    """Return the first offending key of an annotation and what is wrong, or None."""
    if annotation.get("image_id") not in image_ids:
        return "image_id", f"{annotation.get('image_id')!r} is the id of no image of this file"
    if annotation.get("category_id") not in category_ids:
        return "category_id", f"{annotation.get('category_id')!r} is the id of no category of this file"
    if ftask == "objdet" and not _is_box(annotation.get("bbox")):
        return "bbox", f"{annotation.get('bbox')!r} is no box [x, y, width, height] in pixels"
    if ftask == "semseg" and not isinstance(annotation.get("segmentation"), list | dict):
        return "segmentation", "there is no mask, so this set serves objdet only; add polygons or RLE"
    return None


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(part, int | float) and math.isfinite(part) for part in value)
    )


def _complete(annotation: dict[str, Any], ftask: str) -> None:
    """Fill in what sets of one's own leave out, and drop what the task does not use."""
    annotation.setdefault("iscrowd", 0)
    if ftask != "semseg":
        annotation.pop("segmentation", None)
    if ftask == "objdet":
        annotation.setdefault("area", annotation["bbox"][2] * annotation["bbox"][3])
