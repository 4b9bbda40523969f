"""From what Blender rendered to the files of a view: masks, boxes, class map, normals, visible fractions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from syn2real.data.shards import canonical_json, encode_normals
from syn2real.png import encode_png
from syn2real.render.schema import Rendering

SILHOUETTE_SIDE = 192
"""Least side, in pixels, of the grid on which silhouettes are measured."""


@dataclass(frozen=True)
class Solid:
    """An object as it stands in the room.

    Attributes
    ----------
    class_index : int
        Its class.
    vertices : float array, shape (N, 3)
        World coordinates, metres.
    triangles : int array, shape (M, 3)
        Vertex indices.
    object_to_world : float array, shape (4, 4)
        Its pose: a rotation, and a translation in metres.
    """

    class_index: int
    vertices: NDArray[np.floating]
    triangles: NDArray[np.integer]
    object_to_world: NDArray[np.float64]


@dataclass(frozen=True)
class RawView:
    """One view as Blender rendered it.

    Attributes
    ----------
    image : uint8 array, shape (H, W, 3)
        RGB, finished.
    passes : dict of str to array
        Blender's passes by name: `IndexOB` (int32, shape (H, W); 0 is background, k + 1 the scene's object
        k), `Normal` (float32, shape (H, W, 3); world-space shading normals, zero where nothing is hit), and
        what else was asked for.
    camera_to_world : float array, shape (4, 4)
        Blender's camera: x right, y up, looking along -z.
    intrinsics : float array, shape (3, 3)
        K with pixel centres at integers.
    """

    image: NDArray[np.uint8]
    passes: Mapping[str, NDArray[Any]]
    camera_to_world: NDArray[np.float64]
    intrinsics: NDArray[np.float64]


def view_files(
    rendering: Rendering,
    description: Mapping[str, Any],
    view: int,
    raw: RawView,
    solids: list[Solid],
    classes: int,
) -> tuple[dict[str, bytes], int]:
    """Return a view's files by extension, and how many objects are annotated in it.

    Parameters
    ----------
    rendering : Rendering
        The setting: thresholds of visibility.
    description : dict
        The scene's description.
    view : int
        Index of the view.
    raw : RawView
        What Blender rendered.
    solids : list of Solid
        The scene's objects, in the order of its description.
    classes : int
        Number of classes, which decides between 8 and 16 bits for the class map.
    """
    image = raw.image
    annotations = [
        annotation
        for k, solid in enumerate(solids)
        if (annotation := _annotation(rendering, raw, solid, raw.passes["IndexOB"] == k + 1)) is not None
    ]
    values = np.array([0, *[solid.class_index + 1 for solid in solids]])
    class_map = values[raw.passes["IndexOB"]].astype(np.uint8 if classes < 255 else np.uint16)
    rotation = raw.camera_to_world[:3, :3]
    world = raw.passes["Normal"]
    normals = encode_normals(world @ rotation, np.linalg.norm(world, axis=-1) > 0.1)
    record = {
        "scene": description["scene"],
        "view": view,
        "width": image.shape[1],
        "height": image.shape[0],
        "camera": {
            "K": np.round(raw.intrinsics, 6).tolist(),
            "camera_to_world": np.round(raw.camera_to_world, 6).tolist(),
        },
        "objects": annotations,
    }
    files = {
        "png": encode_png(image),
        "seg.png": encode_png(class_map),
        "normal.png": encode_png(normals),
        "json": canonical_json(record),
    }
    return files, len(annotations)


def _annotation(
    rendering: Rendering, raw: RawView, solid: Solid, mask: NDArray[np.bool_]
) -> dict[str, Any] | None:
    """Return an object's entry, or None where too little of it is seen."""
    area = int(mask.sum())
    if area < rendering.min_visible_pixels:
        return None
    whole = silhouette_area(raw, solid)
    fraction = min(1.0, area / whole) if whole else 0.0
    if fraction < rendering.min_visible_fraction:
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
        **bop_pose(raw, solid),
    }


def bop_pose(raw: RawView, solid: Solid) -> dict[str, list[float]]:
    """Return an object's pose as BOP's `scene_gt.json` has it.

    Returns
    -------
    dict
        `cam_R_m2c` (a rotation, row by row) and `cam_t_m2c` (millimetres): from the model's axes to those of
        the camera, which are OpenCV's: x right, y down, z into the scene.
    """
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    pose = flip @ np.linalg.inv(raw.camera_to_world) @ solid.object_to_world
    return {
        "cam_R_m2c": np.round(pose[:3, :3].ravel(), 6).tolist(),
        "cam_t_m2c": np.round(1000 * pose[:3, 3], 3).tolist(),
    }


def silhouette_area(raw: RawView, solid: Solid) -> float:
    """Return how many pixels an object would cover if nothing stood before it.

    As in BOP's `px_count_all`, up to one image's width beyond the border counts too, so that an object cut
    off by the border is only partly visible.
    """
    size = raw.image.shape[0]
    scale = max(1, -(-SILHOUETTE_SIDE // size))
    camera = np.linalg.inv(raw.camera_to_world)
    points = solid.vertices @ camera[:3, :3].T + camera[:3, 3]
    depth = np.maximum(-points[:, 2], 1e-6)
    x = raw.intrinsics[0, 0] * points[:, 0] / depth + raw.intrinsics[0, 2] + 0.5
    y = -raw.intrinsics[1, 1] * points[:, 1] / depth + raw.intrinsics[1, 2] + 0.5
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
