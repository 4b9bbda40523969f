"""COCO's annotation format: reading and checking it. No torch.

NumPy and pycocotools are imported where masks are decoded: Snakemake checks annotations without them.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from array import array
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syn2real.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pycocotools.coco import COCO

UNUSED = ("coco_url", "date_captured", "flickr_url", "license", "keypoints")


def read_annotations(path: Path, channel: str | None) -> dict[str, Any]:
    """Read and check a COCO annotation file.

    What your own sets may leave out is filled in: `iscrowd` (0), `area` (the box's), and the annotations'
    ids if any is missing, repeated or 0 (COCOeval does not count a match with id 0).

    Parameters
    ----------
    path : Path
        The file.
    channel : {"objects", "class-map", None}
        `objects` needs boxes, and drops masks, which are most of the file's memory; `class-map` needs masks,
        whose polygons are given as arrays; with None each annotation needs one or the other.

    Returns
    -------
    dict
        With `images`, `annotations` and `categories`, among others.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    data = _load(path, _slim(channel))
    for number, image in enumerate(images := _table(path, data, "images")):
        check_image(path, number, image)
    image_ids = unique_ids(path, images, "images")
    category_ids = unique_ids(path, categories := _table(path, data, "categories"), "categories")
    for number, category in enumerate(categories):
        if not isinstance(category.get("name"), str):
            raise InputError("a category needs a name", file=path, key=f"categories[{number}].name")
    annotations = _table(path, data, "annotations", may_be_empty=True)
    for number, annotation in enumerate(annotations):
        if problem := annotation_problem(annotation, channel, image_ids, category_ids):
            key, what = problem
            raise InputError(what, file=path, key=f"annotations[{number}].{key}")
        _complete(annotation, channel)
    ids = {annotation.get("id", 0) for annotation in annotations}
    if 0 in ids or len(ids) < len(annotations):
        for number, annotation in enumerate(annotations, start=1):
            annotation["id"] = number
    return data


def index(data: dict[str, Any]) -> COCO:
    """Return pycocotools' ground-truth object for a dictionary in COCO's format."""
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {"info": {}, "licenses": [], **data}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        coco.createIndex()
    return coco


def instance_mask(annotation: dict[str, Any], size: tuple[int, int], path: Path) -> NDArray[np.bool_]:
    """Return an instance's mask, from polygons or run lengths.

    Parameters
    ----------
    annotation : dict
        With `segmentation`; polygons of fewer than three points cover nothing.
    size : (height, width)
        Of its image, pixels.
    path : Path
        The annotation file, for messages.

    Returns
    -------
    bool array, shape (H, W)

    Raises
    ------
    InputError
        The mask cannot be read, or has another size than its image.
    """
    from pycocotools import mask as coco_mask

    name = f"the segmentation of annotation {annotation['id']}"
    try:
        mask = coco_mask.decode(_encoded(annotation["segmentation"], *size)).astype(bool)
    except Exception as error:  # pycocotools raises bare Exceptions
        problem = f"{name} cannot be read ({error})"
        raise InputError(problem, file=path, key="annotations.segmentation") from None
    if mask.shape != size:
        problem = f"{name} has another size than its image"
        raise InputError(problem, file=path, key="annotations.segmentation.size")
    return mask


def class_map(
    masks: Iterable[tuple[int, NDArray[np.bool_]]], size: tuple[int, int], dtype: type[np.unsignedinteger]
) -> NDArray[Any]:
    """Return the class map painted from instances' masks: 0 where there is none.

    A pixel in masks of different classes has no label: it gets the greatest number of `dtype`.
    (torchvision's reference also drops the pixels in two masks of the same class.)

    Parameters
    ----------
    masks : iterable of (int, bool array of shape (H, W))
        Class and mask of each instance.
    size : (height, width)
        Pixels.
    dtype : dtype
        uint8 or uint16.

    Returns
    -------
    array of dtype, shape (H, W)
    """
    import numpy as np

    painted = np.zeros(size, dtype=dtype)
    for label, mask in masks:
        clash = mask & (painted != 0) & (painted != label)
        painted[mask] = label
        painted[clash] = np.iinfo(dtype).max
    return painted


def _encoded(segmentation: Any, height: int, width: int) -> Any:
    """Return polygons or run lengths as compressed run lengths."""
    import numpy as np
    from pycocotools import mask as coco_mask

    if isinstance(segmentation, list):
        polygons = [list(polygon) for polygon in segmentation if len(polygon) >= 6]
        if not polygons:
            return coco_mask.encode(np.zeros((height, width), dtype=np.uint8, order="F"))
        return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, height, width)
    return segmentation


def _slim(channel: str | None) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that drops or packs what a mapping needs no more, as soon as it is read.

    COCO's training file is 450 MB of text; all of its polygons as lists of Python's numbers would take 3 GB.
    """

    def slim(entry: dict[str, Any]) -> dict[str, Any]:
        for key in UNUSED:
            entry.pop(key, None)
        if channel == "objects":
            entry.pop("segmentation", None)
        elif isinstance(polygons := entry.get("segmentation"), list):
            with contextlib.suppress(TypeError):  # malformed polygons are reported where they are used
                entry["segmentation"] = [array("d", polygon) for polygon in polygons]
        return entry

    return slim


def _load(path: Path, slim: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return the mapping a JSON file holds, each mapping in it through `slim`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"), object_hook=slim)
    except FileNotFoundError:
        raise InputError(
            "there is no such file; put the annotations there or change `annotations`", file=path
        ) from None
    except ValueError as error:
        raise InputError(f"not valid JSON ({error}); download or write it again", file=path) from None
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


def unique_ids(path: Path, rows: Iterable[dict[str, Any]], key: str) -> set[int]:
    """Return the rows' ids, which must be whole numbers, each used once."""
    seen: set[int] = set()
    for number, row in enumerate(rows):
        value = row.get("id")
        if not isinstance(value, int) or value in seen:
            problem = f"{value!r} is not a whole number, or is used twice"
            raise InputError(problem, file=path, key=f"{key}[{number}].id")
        seen.add(value)
    return seen


def check_image(path: Path, number: int, image: dict[str, Any]) -> None:
    """Raise InputError unless an image has a file name and a size."""
    for key, kind in (("file_name", str), ("width", int), ("height", int)):
        if not isinstance(image.get(key), kind) or image[key] in ("", 0):
            what = "the image's file" if kind is str else "its size in pixels"
            raise InputError(f"is missing; {what} belongs here", file=path, key=f"images[{number}].{key}")


def annotation_problem(
    annotation: dict[str, Any], channel: str | None, image_ids: Container[int], category_ids: Container[int]
) -> tuple[str, str] | None:
    """Return the first offending key of an annotation and what is wrong, or None."""
    if annotation.get("image_id") not in image_ids:
        return "image_id", f"{annotation.get('image_id')!r} is not the id of an image in this file"
    if annotation.get("category_id") not in category_ids:
        return "category_id", f"{annotation.get('category_id')!r} is not the id of a category in this file"
    box, masked = annotation.get("bbox"), has_mask(annotation)
    if not _is_box(box) and (channel == "objects" or (channel is None and (box is not None or not masked))):
        return "bbox", f"{box!r} is not a box [x, y, width, height] in pixels"
    if channel == "class-map" and not masked:
        return "segmentation", "there is no mask, so this set is for objdet only; add polygons or RLE"
    return None


def has_mask(annotation: dict[str, Any]) -> bool:
    """Return whether an annotation has a mask: polygons or run lengths."""
    return isinstance(annotation.get("segmentation"), list | dict)


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(part, int | float) and math.isfinite(part) for part in value)
    )


def _complete(annotation: dict[str, Any], channel: str | None) -> None:
    """Fill in what your own sets may leave out."""
    annotation.setdefault("iscrowd", 0)
    if channel == "objects":
        annotation.setdefault("area", annotation["bbox"][2] * annotation["bbox"][3])
