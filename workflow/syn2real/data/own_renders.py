"""A user's own renders as their annotation file has them. No torch."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syn2real.data.coco_format import has_mask, read_annotations


@dataclass(frozen=True)
class OwnImages:
    """The content of an annotation file, in the order that counts.

    Attributes
    ----------
    images : list of dict
        Sorted by id.
    annotations : dict of int to list of dict
        By the image's id.
    categories : dict of int to str
        Names by id, sorted by id: the first is class 0.
    without_mask : int or None
        The id of the first annotation without a mask; None where all have one.
    """

    images: list[dict[str, Any]]
    annotations: dict[int, list[dict[str, Any]]]
    categories: dict[int, str]
    without_mask: int | None


def read_own(path: Path) -> OwnImages:
    """Read an annotation file of own renders.

    Parameters
    ----------
    path : Path
        The file, in COCO's format; each annotation needs a box or a mask.

    Raises
    ------
    InputError
        Naming the file and the first offending key.
    """
    data = read_annotations(path, None)
    annotations = defaultdict(list)
    for annotation in data["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    return OwnImages(
        images=sorted(data["images"], key=lambda image: image["id"]),
        annotations=dict(annotations),
        categories={c["id"]: c["name"] for c in sorted(data["categories"], key=lambda c: c["id"])},
        without_mask=next((a["id"] for a in data["annotations"] if not has_mask(a)), None),
    )


def normal_name(file_name: str) -> str:
    """Return the name of an image's surface normals within their folder."""
    return str(Path(file_name).with_suffix(".png"))
