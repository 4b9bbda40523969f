"""What channels are made from: a rendered view and the objects in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from syn2real import plugins
from syn2real.errors import InputError
from syn2real.png import decode_png


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
        k), `Normal` (float32, shape (H, W, 3); world-space shading normals, zero where
        nothing is hit and shorter than 1 where several surfaces are), and
        what other passes the channels need.
    camera_to_world : float array, shape (4, 4)
        Blender's camera: x right, y up, looking along -z.
    intrinsics : float array, shape (3, 3)
        K with pixel centres at integers.
    scene, number : int
        The scene's index within its split, and the view's within its scene.
    """

    image: NDArray[np.uint8]
    passes: Mapping[str, NDArray[Any]]
    camera_to_world: NDArray[np.float64]
    intrinsics: NDArray[np.float64]
    scene: int = 0
    number: int = 0


@dataclass(frozen=True)
class Limits:
    """What a setting asks of its annotations.

    Attributes
    ----------
    classes : int
        Number of classes.
    min_visible_pixels, min_visible_fraction : int, float
        Objects of which less is seen are not annotated: pixels, and part of the whole silhouette.
    """

    classes: int
    min_visible_pixels: int = 4
    min_visible_fraction: float = 0.1


def load_channel(name: str) -> ModuleType:
    """Return a channel's module by its name."""
    return plugins.load("channels", name)


def learnt_classes(channel: ModuleType, names: list[str]) -> list[str]:
    """Return the classes that are learnt from a channel, from a data set's names of objects; none without.

    Raises
    ------
    ValueError
        The channel cannot hold so many.
    """
    classes: list[str] = channel.classes(names) if hasattr(channel, "classes") else []
    return classes


def decoded(content: bytes, *, colour: bool) -> NDArray[Any]:
    """Return the pixels of a PNG, shape (H, W), or (H, W, 3) with `colour`.

    Raises
    ------
    ValueError
        The PNG is not whole, or of the other kind.
    """
    pixels = decode_png(content)
    if pixels is None:
        raise ValueError("no whole PNG")
    if pixels.shape[2:] != ((3,) if colour else ()):
        raise ValueError(f"no PNG of {'three channels' if colour else 'one channel'}")
    return np.ascontiguousarray(pixels)


def read_pixels(path: Path, size: tuple[int, int], what: str, *, colour: bool) -> NDArray[Any]:
    """Read a PNG of 8 or 16 bits a channel that belongs to an image, for a user's own renders.

    Parameters
    ----------
    path : Path
        The file.
    size : (height, width)
        Of its image, pixels.
    what : str
        What the file holds, in the plural, for messages.
    colour : bool
        Whether it has three channels; else it has one.

    Returns
    -------
    uint8 or uint16 array, shape (H, W), or (H, W, 3) as RGB

    Raises
    ------
    InputError
        The file is missing or damaged, or has another size than its image or other channels.
    """
    try:
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as error:
        raise InputError(f"the {what} cannot be read ({error})", file=path) from None
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise InputError("not a PNG of 8 or 16 bits a channel", file=path)
    if pixels.shape[:2] != size:
        height, width = pixels.shape[:2]
        problem = f"the {what} are {width} x {height} pixels, but their image is {size[1]} x {size[0]}"
        raise InputError(problem, file=path)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    blue_green_red = pixels[..., :3]
    grey = (blue_green_red == blue_green_red[..., :1]).all()
    if colour and pixels.shape[2] < 3:
        raise InputError(f"the {what} need red, green and blue; this has one channel", file=path)
    if not colour and not grey:
        raise InputError(f"the {what} need one channel; this has colours", file=path)
    return blue_green_red[..., ::-1] if colour else pixels[..., 0]


def fitted(value: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return pixels, shape (h, w) or (h, w, 3), at a size (height, width): each is the nearest one."""
    height, width = size
    rows = (np.arange(height) + 0.5) * value.shape[0] / height
    columns = (np.arange(width) + 0.5) * value.shape[1] / width
    picked: NDArray[Any] = value[rows.astype(int)[:, None], columns.astype(int)]
    return picked
