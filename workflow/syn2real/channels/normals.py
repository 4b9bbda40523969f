"""Surface normals in camera space: x right, y up, z towards the camera."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from syn2real.channels.base import Limits, RawView, Solid, decoded, fitted, read_pixels
from syn2real.png import encode_png

MEMBER = "normal.png"
PASSES = ("Normal",)
FILES = {
    "description": "folders of surface normals: a PNG of 8 or 16 bits named as its image, with red, green, "
    "blue = (n + 1) / 2 in camera space (x right, y up, z towards the camera); black has none",
    "measured": False,
}
"""A user's own files: how they are, and whether they hold lengths in a unit that must be given."""
LEAST, MOST = 0.5, 1.5
"""Lengths between which a user's own pixel is a normal: black and mid-grey backgrounds are none."""
UNMIXED = 0.95
"""Least length of a normal of one surface; Blender gives the mean of a pixel's samples, and where they hit
surfaces of different directions it is shorter. Of 25,600 pixels of a ball and a box then none is beside every
normal in it by 15 degrees, and 7 without supersampling, else none, by more than 10."""


def render(view: RawView, solids: list[Solid], limits: Limits) -> bytes:
    """Turn Blender's world-space normals to the camera's axes and pack those that are of one surface."""
    world = view.passes["Normal"]
    return encode(pack(world @ view.camera_to_world[:3, :3], np.linalg.norm(world, axis=-1) > UNMIXED))


def read(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Read a user's own normals, whose red, green and blue are (n + 1) / 2 of full scale, and pack them.

    Raises
    ------
    InputError
        The file is missing or damaged, or has another size (height, width) than its image.
    """
    pixels = read_pixels(path, size, "normals", colour=True)
    normals = pixels.astype(np.float32) * (2 / np.iinfo(pixels.dtype).max) - 1
    length = np.linalg.norm(normals, axis=-1)
    return pack(normals, (length > LEAST) & (length < MOST))


def check(values: Sequence[NDArray[np.uint8]]) -> list[str]:
    """Return warnings about a user's own normals, a few images' as `read` gives them: there is none yet.

    Raises
    ------
    ValueError
        There is no normal, or most of them face away from the camera, which no visible surface does.
    """
    z = np.concatenate([normals[valid][:, 2] for normals, valid in map(unpack, values)])
    if not z.size:
        raise ValueError("no pixel has a normal: red, green, blue must be (n + 1) / 2 of full scale")
    if (away := float(np.mean(z < 0))) > 0.5:
        raise ValueError(
            f"{away:.0%} of the normals face away from the camera: z must point towards it. From OpenCV's "
            "axes (z into the scene) write (x, -y, -z); world axes must be turned to the camera's"
        )
    return []


def encode(value: NDArray[np.uint8]) -> bytes:
    """Return packed normals as a PNG."""
    return encode_png(value)


def decode(content: bytes) -> NDArray[np.uint8]:
    """Return packed normals, uint8 [H, W, 3]: they travel as bytes, and `unpack` makes numbers of them."""
    return decoded(content, colour=True)


def draw(value: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the normals as colours, uint8 [H, W, 3]: black where there is none."""
    normals, valid = unpack(fitted(value, image.shape[:2]))
    return np.where(valid[..., None], np.rint((normals + 1) * 127.5), 0).astype(np.uint8)


def pack(normals: NDArray[np.floating], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack unit normals into 8-bit RGB: an octahedral map in red and green, validity in blue.

    Octahedral coordinates spread 2^16 codes nearly evenly over the sphere: the median error stays below
    half a degree, at a thirteenth of float32's size before compression (Cigolla et al., "A survey of
    efficient representations for independent unit vectors", JCGT 2014).

    Parameters
    ----------
    normals : array, shape (H, W, 3)
        Camera-space normals: x right, y up, z towards the camera. They need not have unit length.
    valid : bool array, shape (H, W)
        Pixels that have a normal.

    Returns
    -------
    uint8 array, shape (H, W, 3)
    """
    sums = np.abs(normals).sum(axis=-1, keepdims=True)
    valid = valid & (sums[..., 0] > 0)
    flat = normals / np.where(sums > 0, sums, 1)
    sign = np.where(flat[..., :2] >= 0, 1.0, -1.0)
    folded = (1 - np.abs(flat[..., 1::-1])) * sign
    plane = np.where(flat[..., 2:] >= 0, flat[..., :2], folded)
    codes = np.rint((plane + 1) * 127.5)
    packed = np.concatenate([codes, np.full_like(codes[..., :1], 255)], axis=-1)
    return np.where(valid[..., None], packed, 0).astype(np.uint8)


def unpack(packed: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Unpack what `pack` packed.

    Parameters
    ----------
    packed : uint8 array, shape (H, W, 3)
        RGB as read from a `normal.png`.

    Returns
    -------
    normals : float32 array, shape (H, W, 3)
        Unit normals in camera space; zero where invalid.
    valid : bool array, shape (H, W)
    """
    valid = packed[..., 2] > 127
    plane = packed[..., :2].astype(np.float32) / 127.5 - 1
    z = 1 - np.abs(plane).sum(axis=-1, keepdims=True)
    sign = np.where(plane >= 0, np.float32(1), np.float32(-1))
    xy = np.where(z >= 0, plane, (1 - np.abs(plane[..., ::-1])) * sign)
    normals = np.concatenate([xy, z], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(valid[..., None], normals, 0).astype(np.float32), valid
