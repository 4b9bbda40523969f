"""COCO's annotation format, as a data set needs it. No torch.

pycocotools is imported where it is needed: Snakemake checks annotations without it.
"""

from __future__ import annotations

import contextlib
import io
import logging
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syn2real.data.coco.cleaning import used_annotations
from syn2real.data.coco.counts import Counts
from syn2real.data.coco.records import Header, read_header
from syn2real.data.coco.tally import Tally
from syn2real.errors import InputError

if TYPE_CHECKING:
    from pycocotools.coco import COCO

logger = logging.getLogger(__name__)


def read_annotations(paths: Sequence[Path], channel: str) -> dict[str, Any]:
    """Read and check the annotation file of a split, or its several files.

    What your own sets may leave out is filled in: `iscrowd` (0), `bbox` (the mask's), `area` (the box's), and
    the annotations' ids if any is missing, repeated or 0 (COCOeval does not count a match with id 0). What is
    left out is logged.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    channel : {"objects", "class-map"}
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
    header = read_header(paths)
    tally = Tally(header)
    rows = [_packed(row) for row in used_annotations(header, channel, tally)]
    counts = tally.counts()
    for line in counts.lines():
        logger.info(line)
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


def classes_of(channel: str, names: list[str], path: Path) -> list[str]:
    """Return the classes that a channel makes of categories; `path` is for the message.

    Raises
    ------
    InputError
        There are more than the channel can hold.
    """
    try:
        from syn2real.channels.base import learnt_classes, load_channel

        return learnt_classes(load_channel(channel), names)
    except ModuleNotFoundError:
        return names  # Snakemake alone is installed: the job that reads the data checks it
    except ValueError as error:
        raise InputError(str(error), file=path, key="categories") from None


def index(data: dict[str, Any]) -> COCO:
    """Return pycocotools' ground-truth object for a dictionary in COCO's format."""
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {"info": {}, "licenses": [], **data}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        coco.createIndex()
    return coco


def _packed(row: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation with its polygons as arrays.

    COCO's training file is 450 MB of text; all of its polygons as lists of Python's numbers would take 3 GB.
    """
    if isinstance(polygons := row.get("segmentation"), list):
        row["segmentation"] = [array("d", polygon) for polygon in polygons]
    return row
