"""Class maps painted from instances' masks, and how much of a class is lost where masks overlap.

NumPy and pycocotools are imported where masks are decoded: Snakemake checks annotations without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PIXELS = 2**27
"""Pixels of masks that `unlabelled` decodes: about a second's work."""


def instance_mask(annotation: Mapping[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
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


def unlabelled(
    shown: Iterable[tuple[tuple[int, int], Sequence[Mapping[str, Any]]]],
) -> dict[int, tuple[int, int]]:
    """Return how many pixels of each category have no label in class maps, as other ones claim them too.

    Parameters
    ----------
    shown : iterable of ((height, width), list of dict)
        Images with their annotations, as `used_annotations` gives them.

    Returns
    -------
    dict of int to (int, int)
        By category the pixels without a label, and all of its pixels. Empty where NumPy or pycocotools is
        not installed.
    """
    try:
        import numpy as np
        import pycocotools.mask  # noqa: F401  # instance_mask needs it
    except ModuleNotFoundError:
        return {}
    found: dict[int, tuple[int, int]] = {}
    left = MOST_PIXELS
    for size, rows in shown:
        masked = [row for row in rows if row.get("segmentation")]
        left -= size[0] * size[1] * len(masked)
        if left < 0:
            break
        numbers = sorted({row["category_id"] for row in masked})
        masks = [(numbers.index(row["category_id"]) + 1, instance_mask(row, size)) for row in masked]
        painted = class_map(masks, size, np.uint16)
        for place, number in enumerate(numbers, start=1):
            pixels = int(np.any([mask for label, mask in masks if label == place], axis=0).sum())
            lost, total = found.get(number, (0, 0))
            found[number] = (lost + pixels - int((painted == place).sum()), total + pixels)
    return found
