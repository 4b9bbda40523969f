"""What Blender hands over of a view, through files: its radiance, and the passes that channels are made of.

An image may be rendered at twice its side and reduced here, after the denoiser: there the denoiser sees edges
that a pixel of the final image would have mixed.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# OpenCV reads EXR files only if this is set before it reads its first.
os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

RADIANCE = "radiance"
"""The file of linear RGB, half floats; files of passes are `passes-0` …"""
SWITCHES = {
    "Normal": "use_pass_normal",
    "Position": "use_pass_position",
    "IndexOB": "use_pass_object_index",
    "Depth": "use_pass_z",
}
"""Blender's passes, and the switch of each on a view layer."""
VECTORS = ("Normal", "Position")
"""Passes of three numbers a pixel, in world coordinates; the others have one."""
WHOLE = ("IndexOB",)
"""Passes of whole numbers."""
HALVING = np.array([0.075, 0.425, 0.425, 0.075])
"""Weights of the four pixels across one of half the resolution.

Blender's pixel filter, laid over itself with these weights, is that filter at half the resolution, as well as
least squares can make it: a reduced image is as sharp as one rendered at its final size.
"""

Pair = tuple[str | None, str | None]


def packed(passes: Sequence[str]) -> list[tuple[str, Pair]]:
    """Return the files of passes: the name of each, its vector pass (RGB) and its scalar pass (opacity)."""
    vectors = [name for name in passes if name in VECTORS]
    scalars = [name for name in passes if name not in VECTORS]
    return [(f"passes-{k}", pair) for k, pair in enumerate(zip_longest(vectors, scalars))]


def make_passes(scene: Any, layer: Any, folder: Path, passes: Sequence[str]) -> None:
    """Have the compositor write a view's files.

    Made once a process: the nodes outlive the scenes, and each scene's objects get their own pass_index.

    Parameters
    ----------
    scene, layer : Blender's scene and view layer
    folder : Path
        Where the files go.
    passes : sequence of str
        Blender's names of passes, keys of `SWITCHES`.
    """
    for name in passes:
        setattr(layer, SWITCHES[name], True)
    scene.use_nodes = scene.render.use_compositing = True
    tree = scene.node_tree
    for node in [node for node in tree.nodes if node.bl_idname == "CompositorNodeOutputFile"]:
        tree.nodes.remove(node)
    layers = next(node for node in tree.nodes if node.bl_idname == "CompositorNodeRLayers")
    scene.frame_set(0)
    _write_file(tree, layers.outputs["Image"], folder, RADIANCE, "RGB", "16")
    for file, (vector, scalar) in packed(passes):
        both = tree.nodes.new("CompositorNodeSetAlpha")
        both.mode = "REPLACE_ALPHA"
        if vector:
            tree.links.new(layers.outputs[vector], both.inputs["Image"])
        if scalar:
            tree.links.new(layers.outputs[scalar], both.inputs["Alpha"])
        _write_file(tree, both.outputs["Image"], folder, file, "RGBA", "32")


def _write_file(tree: Any, socket: Any, folder: Path, name: str, channels: str, bits: str) -> None:
    """Have the compositor write an uncompressed EXR file."""
    output = tree.nodes.new("CompositorNodeOutputFile")
    output.base_path = str(folder)
    output.format.file_format, output.format.color_mode = "OPEN_EXR", channels
    output.format.color_depth, output.format.exr_codec = bits, "NONE"
    output.file_slots[0].path = name
    tree.links.new(socket, output.inputs[0])


def read_passes(
    folder: Path, size: tuple[int, int], supersampling: int, passes: Sequence[str]
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Read a view's files, and remove them, so that nothing is ever read twice.

    Parameters
    ----------
    folder : Path
        Where `make_passes` sends them.
    size : (int, int)
        Width and height of the final image, pixels.
    supersampling : int
        1, or 2 where Blender rendered twice the width and the height.
    passes : sequence of str
        As for `make_passes`.

    Returns
    -------
    radiance : float32 array, shape (height, width, 3)
        Linear RGB.
    passes : dict of str to array
        Of shape (height, width), or (height, width, 3) for passes of three numbers; float32, object indices
        int32 with 0 where there is no object. A pixel has the value of one of its four parts, the one below
        and right of its centre; its normal is that of the part least mixed, of the longest vector, because
        Blender averages the normals of a part's samples.

    Raises
    ------
    OSError
        If a file is missing or not whole: Blender does not say when the disk is full.
    """
    pixels = size[0] * size[1] * supersampling**2
    radiance = _read_file(folder / f"{RADIANCE}0000.exr", pixels, 3 * 2)
    found: dict[str, NDArray[Any]] = {}
    for file, pair in packed(passes):
        content = _read_file(folder / f"{file}0000.exr", pixels, 4 * 4)
        found.update(_unpacked(content, pair, supersampling))
    return halve_resolution(radiance) if supersampling == 2 else radiance, found


def _read_file(file: Path, pixels: int, pixel_bytes: int) -> NDArray[np.float32]:
    """Read a file of the compositor's, channels in the order RGB or RGBA, and remove it."""
    enough = file.is_file() and file.stat().st_size >= pixel_bytes * pixels
    # Beyond its pixels a file has a header, so one that is long enough may still lack its end.
    array = cv2.imread(str(file), cv2.IMREAD_UNCHANGED) if enough else None
    if array is None:
        raise OSError(errno.EIO, "Blender could not write its whole image", str(file))
    file.unlink()
    order = [2, 1, 0, 3][: array.shape[2]]
    return np.ascontiguousarray(array[..., order], np.float32)


def _unpacked(
    content: NDArray[np.float32], pair: Pair, supersampling: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the passes of a file, shape (rows, columns, 4), by name, at the final size."""
    vector, scalar = pair
    part = content[supersampling // 2 :: supersampling, supersampling // 2 :: supersampling]
    if vector:
        yield (
            vector,
            least_mixed(content[..., :3], supersampling) if vector == "Normal" else part[..., :3].copy(),
        )
    if scalar:
        values = part[..., 3]
        yield scalar, np.rint(values).astype(np.int32) if scalar in WHOLE else values.copy()


def least_mixed(normals: NDArray[np.float32], supersampling: int) -> NDArray[np.float32]:
    """Return each pixel's longest normal of its parts', shape (rows, columns, 3), at the final size.

    The mean of normals of two surfaces is shorter than a normal of one. Among equals it is that of the part
    below and right of the centre.
    """
    rows, columns = (side // supersampling for side in normals.shape[:2])
    parts = normals.reshape(rows, supersampling, columns, supersampling, 3).transpose(0, 2, 1, 3, 4)
    parts = parts.reshape(rows, columns, -1, 3)[:, :, ::-1]
    longest = np.linalg.norm(parts, axis=-1).round(2).argmax(axis=-1)
    return np.take_along_axis(parts, longest[..., None, None], axis=2)[:, :, 0]


def halve_resolution(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce an image, shape (2 H, 2 W, 3), to shape (H, W, 3)."""
    wide = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    # The weighted mean around every second pixel; the window begins at the pixel itself.
    filtered = cv2.sepFilter2D(wide, cv2.CV_32F, HALVING, HALVING, anchor=(0, 0))
    return np.asarray(filtered[:-3:2, :-3:2], np.float32)


def apply_view_transform(
    bpy_data: Any, scene: Any, radiance: NDArray[np.float32], file: Path
) -> NDArray[np.uint8]:
    """Apply the scene's view transform (Blender's Filmic) to linear RGB, by way of a file.

    Parameters
    ----------
    bpy_data : Blender's data
        Gets an image for as long as this takes.
    scene : Blender's scene
        Its view transform and format of images count.
    radiance : float32 array, shape (H, W, 3)
        Linear RGB.
    file : Path
        The image's file, removed in the end.

    Returns
    -------
    uint8 array, shape (H, W, 3)
        RGB.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    height, width = radiance.shape[:2]
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = radiance[::-1]
    image = bpy_data.images.new("view", width, height, float_buffer=True)
    try:
        image.pixels.foreach_set(pixels.ravel())
        image.save_render(str(file), scene=scene)
    except RuntimeError as error:
        raise OSError(errno.EIO, str(error).strip(), str(file)) from error
    finally:
        bpy_data.images.remove(image)
    written = cv2.imread(str(file), cv2.IMREAD_COLOR) if file.is_file() else None
    if written is None:
        raise OSError(errno.EIO, "Blender could not write its whole image", str(file))
    file.unlink()
    return np.ascontiguousarray(written[..., ::-1])
