"""Shards of drawn scenes, for benchmarks that must not wait for a renderer.

Ten textured, shaded ellipsoids on a textured floor. An image has as many bytes as a denoised render of the
demo's objects at 640² (400 kB; there 370 to 400), and so has the class map (5 kB); normals have half (50 kB,
there 80 to 110).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from syn2real.channels.normals import pack
from syn2real.data.shards import SceneRecord, write_shard
from syn2real.files import canonical_json
from syn2real.png import encode_png

CLASSES = [f"drawn/obj_{k:06d}" for k in range(1, 174)]  # as many as the paper's setting has
OBJECTS, VIEWS = 10, 2


def draw_shard(path: Path, images: int, size: int) -> Path:
    """Write a shard of `images` (an even number) square images of a side of `size` pixels."""
    rng = np.random.default_rng(0)
    scenes = images // VIEWS
    meta = {"setting": "drawn", "split": "train", "first_scene": 0, "n_scenes": scenes, "views": VIEWS}
    meta |= {"classes": CLASSES, "rendering": {}, "versions": {}, "resampled": {}}
    records = (SceneRecord(s, b"{}", [draw_view(rng, size) for _ in range(VIEWS)]) for s in range(scenes))
    write_shard(path, meta, records)
    return path


def draw_view(rng: np.random.Generator, size: int) -> dict[str, bytes]:
    """Return the members of one view."""
    light = np.linspace(1.0, 0.7, size, dtype=np.float32)[:, None, None]
    image = texture(rng, size) * light
    class_map = np.zeros((size, size), dtype=np.uint8)
    normals = np.zeros((size, size, 3), dtype=np.float32)
    normals[..., 1:] = 0.6, 0.8
    for number in rng.choice(len(CLASSES), OBJECTS, replace=False):
        mask, facing = ellipsoid(rng, size)
        shade = 0.3 + 0.7 * np.clip(facing @ np.array([0.3, 0.6, 0.74], dtype=np.float32), 0, 1)
        image[mask] = (texture(rng, size) * rng.uniform(0.4, 1.4, 3).astype(np.float32) * shade[..., None])[
            mask
        ]
        class_map[mask], normals[mask] = number + 1, facing[mask]
    image += rng.standard_normal(image.shape, np.float32) * 0.5  # what a denoiser leaves
    view = {"width": size, "height": size, "objects": list(annotations(class_map))}
    return {
        "png": encode_png(np.clip(image, 0, 255).astype(np.uint8)),
        "seg.png": encode_png(class_map),
        "normal.png": encode_png(pack(normals, np.ones((size, size), dtype=bool))),
        "json": canonical_json(view),
    }


def texture(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return smooth colours with details at every scale, half as strong at half the size."""
    colours = np.full((size, size, 3), 120, dtype=np.float32)
    for octave in range(2, 8):
        coarse = rng.standard_normal((2**octave, 2**octave, 3)).astype(np.float32)
        colours += 80 * 0.5**octave * 2 * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return colours


def ellipsoid(rng: np.random.Generator, size: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return the mask of an ellipsoid somewhere in the image, and its normals where it is."""
    centre, radii = rng.uniform(0.15, 0.85, 2) * size, rng.uniform(0.05, 0.15, 2) * size
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    x, y = (columns - centre[0]) / radii[0], (centre[1] - rows) / radii[1]
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    return x**2 + y**2 < 1, np.stack([x, y, z], axis=-1).astype(np.float32)


def annotations(class_map: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Return the objects of a class map as shards hold them."""
    objects = []
    for number in np.unique(class_map[class_map > 0]):
        code = coco_mask.encode(np.asfortranarray(class_map == number, dtype=np.uint8))
        outline = {"size": list(class_map.shape), "counts": code["counts"].decode("ascii")}
        box, area = [float(value) for value in coco_mask.toBbox(code)], int(coco_mask.area(code))
        objects.append({"class": int(number) - 1, "bbox": box, "area": area, "segmentation": outline})
    return objects
