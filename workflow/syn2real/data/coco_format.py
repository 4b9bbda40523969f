"""COCO's annotation format, as a data set needs it. No torch.

NumPy and pycocotools are imported where masks are decoded: Snakemake checks annotations without them.
"""

from __future__ import annotations

import contextlib
import io
import logging
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syn2real.data.coco.cleaning import used_annotations
from syn2real.data.coco.counts import Counts
from syn2real.data.coco.records import Header, read_header
from syn2real.data.coco.tally import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pycocotools.coco import COCO

logger = logging.getLogger(__name__)


def read_annotations(path: Path | Sequence[Path], channel: str | None) -> dict[str, Any]:
    """Read and check the annotation file of a split, or its several files.

    What your own sets may leave out is filled in: `iscrowd` (0), `bbox` (the mask's), `area` (the box's), and
    the annotations' ids if any is missing, repeated or 0 (COCOeval does not count a match with id 0). What is
    left out is logged.

    Parameters
    ----------
    path : Path or sequence of Path
        The files.
    channel : {"objects", "class-map", None}
        See `used_annotations`; polygons are given as arrays.

    Returns
    -------
    dict
        `images`, `annotations` and `categories`, numbered as `Header` says.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    header = read_header([path] if isinstance(path, Path) else path)
    tally = Tally(header)
    rows = [_packed(row) for row in used_annotations(header, channel, tally)]
    counts = tally.counts()
    for line in counts.lines():
        logger.info(line)
    if channel is not None:
        counts.require(channel)
    ids = {row["id"] for row in rows}
    if len(ids) < len(rows) or not all(isinstance(number, int) and 0 < number < 2**63 for number in ids):
        for number, row in enumerate(rows, start=1):
            row["id"] = number
    categories = [{"id": number, "name": name} for number, name in header.categories.items()]
    return {"images": header.images, "annotations": rows, "categories": categories}


def count_annotations(paths: Sequence[Path], channel: str | None) -> tuple[Header, Counts]:
    """Read all annotations as `read_annotations` does, but keep only their counts.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    header = read_header(paths)
    tally = Tally(header)
    for _ in used_annotations(header, channel, tally):
        pass
    return header, tally.counts()


def index(data: dict[str, Any]) -> COCO:
    """Return pycocotools' ground-truth object for a dictionary in COCO's format."""
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {"info": {}, "licenses": [], **data}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        coco.createIndex()
    return coco


def instance_mask(annotation: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return an instance's mask.

    Parameters
    ----------
    annotation : dict
        With `segmentation`, as `read_annotations` gives it.
    size : (height, width)
        Of its image, pixels.

    Returns
    -------
    bool array, shape (H, W)
    """
    import numpy as np
    from pycocotools import mask as coco_mask

    mask = annotation["segmentation"]
    if not mask:
        return np.zeros(size, dtype=bool)
    if isinstance(mask, list):
        runs = coco_mask.merge(coco_mask.frPyObjects([list(polygon) for polygon in mask], *size))
    else:
        runs = coco_mask.frPyObjects(mask, *size) if isinstance(mask["counts"], list) else mask
    return coco_mask.decode(runs).astype(bool)


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


def _packed(row: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation with its polygons as arrays.

    COCO's training file is 450 MB of text; all of its polygons as lists of Python's numbers would take 3 GB.
    """
    if isinstance(polygons := row.get("segmentation"), list):
        row["segmentation"] = [array("d", polygon) for polygon in polygons]
    return row
