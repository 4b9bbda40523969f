"""A shard's part of a user's own annotations. No torch."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syn2real.data.coco_format import read_annotations


@dataclass(frozen=True)
class OwnImages:
    """The content of a part (see `syn2real.data.own_renders.index`), in the order that counts.

    Attributes
    ----------
    images : list of dict
        Sorted by id.
    annotations : dict of int to list of dict
        By the image's id.
    categories : dict of int to str
        Names by id, sorted by id: the first is class 0.
    all_have_masks : bool
        Whether every annotation of the whole file has a mask, not only those of this part.
    """

    images: list[dict[str, Any]]
    annotations: dict[int, list[dict[str, Any]]]
    categories: dict[int, str]
    all_have_masks: bool


def read_part(path: Path) -> OwnImages:
    """Read a shard's part of the annotations of own renders.

    Raises
    ------
    InputError
        The part is damaged; names the file and the first offending key.
    """
    data = read_annotations(path, None)
    annotations = defaultdict(list)
    for annotation in data["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    return OwnImages(
        images=data["images"],
        annotations=dict(annotations),
        categories={category["id"]: category["name"] for category in data["categories"]},
        all_have_masks=data["all_have_masks"],
    )


def own_name(file_name: str) -> str:
    """Return the name of an image's file in a channel's folder: a PNG, named as the image."""
    return str(Path(file_name).with_suffix(".png"))
