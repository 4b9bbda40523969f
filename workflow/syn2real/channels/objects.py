"""Objects: the class, box, mask and pose of each object that is seen, as JSON."""

import colorsys
import json
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from syn2real.channels.base import Limits, RawView, Solid
from syn2real.files import canonical_json

MEMBER = "json"
PASSES = ("IndexOB",)
SILHOUETTE_SIDE = 192
"""Least side, in pixels, of the grid on which silhouettes are measured."""
GOLDEN_TURN = 0.381966
"""Part of the colour wheel between one class and the next: neighbours differ much."""
LARGEST = 1e7
"""Pixels; no number of an object is larger."""


def classes(names: list[str]) -> list[str]:
    """Return the classes that are learnt: the objects' own."""
    return names


def render(view: RawView, solids: list[Solid], limits: Limits) -> bytes:
    """Return a view's annotations: its place, its camera, and an entry for each object that is seen."""
    found = (
        _annotation(view, solid, view.passes["IndexOB"] == k + 1, limits) for k, solid in enumerate(solids)
    )
    record = {
        "scene": view.scene,
        "view": view.number,
        "width": view.image.shape[1],
        "height": view.image.shape[0],
        "camera": {
            "K": np.round(view.intrinsics, 6).tolist(),
            "camera_to_world": np.round(view.camera_to_world, 6).tolist(),
        },
        "objects": [annotation for annotation in found if annotation is not None],
    }
    return encode(record)


def encode(value: dict[str, Any]) -> bytes:
    """Return annotations as JSON; equal ones are equal bytes."""
    return canonical_json(value)


def decode(content: bytes) -> dict[str, Any]:
    """Return a view's annotations: `width`, `height` and `objects`, each with `class`, `bbox` and `area`.

    Raises
    ------
    ValueError
        The JSON is not whole, or lacks one of these.
    """
    try:
        value: dict[str, Any] = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("no valid JSON") from None
    whole = isinstance(value, dict) and isinstance(value.get("objects"), list)
    if not whole or not all(type(value.get(side)) is int and value[side] > 0 for side in ("width", "height")):
        raise ValueError("no width, height and objects")
    for number, thing in enumerate(value["objects"]):
        if not _is_object(thing):
            raise ValueError(f"objects[{number}] has no class, bbox and area")
    return value


def _is_object(thing: Any) -> bool:
    """Return whether an entry has a class, a box [x, y, width, height], and an area."""
    if not isinstance(thing, dict) or not isinstance(thing.get("bbox"), list) or len(thing["bbox"]) != 4:
        return False
    index, numbers = thing.get("class"), [*thing["bbox"], thing.get("area")]
    if type(index) is not int or index < 0:
        return False
    if not all(isinstance(number, int | float) and abs(number) < LARGEST for number in numbers):
        return False
    return min(thing["bbox"][2:]) >= 0


def draw(value: dict[str, Any], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image, uint8 [H, W, 3], with each object's box and the number of its class from 1 on."""
    picture = Image.fromarray(image)
    pen, scale = ImageDraw.Draw(picture), image.shape[1] / value["width"]
    for item in value["objects"]:
        x, y, width, height = (side * scale for side in item["bbox"])
        ink = tuple(int(255 * part) for part in colour(item["class"]))
        pen.rectangle((x, y, x + max(0, width - 1), y + max(0, height - 1)), outline=ink)
        # A class's number among the setting's: whole names would cover the image.
        pen.text((x + 3, y + 1), str(item["class"] + 1), fill=ink, stroke_width=1, stroke_fill="black")
    return np.asarray(picture)


def colour(index: int) -> tuple[float, float, float]:
    """Return a class's colour, red, green and blue from 0 to 1."""
    return colorsys.hsv_to_rgb(index * GOLDEN_TURN % 1, 0.9 - 0.4 * (index / 7 % 1), 1.0)


def _annotation(
    view: RawView, solid: Solid, mask: NDArray[np.bool_], limits: Limits
) -> dict[str, Any] | None:
    """Return an object's entry, or None where too little of it is seen."""
    area = int(mask.sum())
    if area < limits.min_visible_pixels:
        return None
    whole = silhouette_area(view, solid)
    fraction = min(1.0, area / whole) if whole else 0.0
    if fraction < limits.min_visible_fraction:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "class": solid.class_index,
        "bbox": [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y],
        "area": area,
        "segmentation": {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")},
        "visible_fraction": round(fraction, 4),
        **bop_pose(view, solid),
    }


def bop_pose(view: RawView, solid: Solid) -> dict[str, list[float]]:
    """Return an object's pose as BOP's `scene_gt.json` has it.

    Returns
    -------
    dict
        `cam_R_m2c` (a rotation, row by row) and `cam_t_m2c` (millimetres): from the model's axes to those of
        the camera, which are OpenCV's: x right, y down, z into the scene.
    """
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    pose = flip @ np.linalg.inv(view.camera_to_world) @ solid.object_to_world
    return {
        "cam_R_m2c": np.round(pose[:3, :3].ravel(), 6).tolist(),
        "cam_t_m2c": np.round(1000 * pose[:3, 3], 3).tolist(),
    }


def silhouette_area(view: RawView, solid: Solid) -> float:
    """Return how many pixels an object would cover if nothing stood before it.

    As in BOP's `px_count_all`, up to one image's width or height beyond the border counts too, so that an
    object cut off by the border is only partly visible.
    """
    size = np.array(view.image.shape[1::-1])
    scale = max(1, -(-SILHOUETTE_SIDE // min(size)))
    camera = np.linalg.inv(view.camera_to_world)
    points = solid.vertices @ camera[:3, :3].T + camera[:3, 3]
    depth = np.maximum(-points[:, 2], 1e-6)
    x = view.intrinsics[0, 0] * points[:, 0] / depth + view.intrinsics[0, 2] + 0.5
    y = -view.intrinsics[1, 1] * points[:, 1] / depth + view.intrinsics[1, 2] + 0.5
    pixels = scale * np.clip(np.column_stack([x, y]), -size, 2 * size)
    pixels -= np.floor(pixels.min(axis=0))
    return _covered(pixels[solid.triangles]) / scale**2


def _covered(corners: NDArray[np.floating]) -> int:
    """Return how many pixels a heap of triangles, shape (M, 3, 2), covers."""
    width, height = np.ceil(corners.max(axis=(0, 1))).astype(int) + 1
    canvas = np.zeros((height, width), np.uint8)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # A closed surface is covered by the triangles that face the camera.
    corners = corners[first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]]
    small = np.ptp(corners, axis=1).max(axis=1) < 1.5
    # Triangles of a pixel's size are marked all at once: scanned models have hundreds of thousands.
    dots = np.concatenate([corners[small].reshape(-1, 2), corners[small].mean(axis=1)]).astype(int)
    canvas[dots[:, 1], dots[:, 0]] = 1
    for triangle in np.rint(corners[~small] * 16 - 8).astype(np.int32):
        cv2.fillConvexPoly(canvas, triangle, (1,), lineType=cv2.LINE_8, shift=4)
    return int(cv2.countNonZero(canvas))
