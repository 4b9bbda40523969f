"""What Blender hands over of a view, through files: radiance, normals, object indices.

An image may be rendered at twice its side and reduced here, after the denoiser: there the denoiser sees edges
that a pixel of the final image would have mixed.
"""

import errno
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# OpenCV reads EXR files only where it is told to, once, before its first.
os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

RADIANCE, GEOMETRY = "radiance0000.exr", "geometry0000.exr"
"""Files of a view: linear RGB in half floats; normals with the object index in place of opacity."""
HALVING = np.array([0.075, 0.425, 0.425, 0.075])
"""Weights of the four pixels across one of half the resolution.

Blender's pixel filter, laid over itself with these weights, is that filter at half the resolution, as well as
least squares can make it: a reduced image is as sharp as one rendered at its final size.
"""


def make_passes(scene: Any, layer: Any, folder: Path) -> None:
    """Have the compositor write a view's two files.

    Made once a process: the nodes outlive the scenes, and each scene's objects get their own pass_index.

    Parameters
    ----------
    scene, layer : Blender's scene and view layer
    folder : Path
        Where the files go.
    """
    layer.use_pass_normal = layer.use_pass_object_index = True
    scene.use_nodes = scene.render.use_compositing = True
    tree = scene.node_tree
    for node in [node for node in tree.nodes if node.bl_idname == "CompositorNodeOutputFile"]:
        tree.nodes.remove(node)
    layers = next(node for node in tree.nodes if node.bl_idname == "CompositorNodeRLayers")
    scene.frame_set(0)
    # Normals in red, green and blue, the index in place of opacity.
    both = tree.nodes.new("CompositorNodeSetAlpha")
    both.mode = "REPLACE_ALPHA"
    tree.links.new(layers.outputs["Normal"], both.inputs["Image"])
    tree.links.new(layers.outputs["IndexOB"], both.inputs["Alpha"])
    for name, socket, channels, depth in (
        (RADIANCE, layers.outputs["Image"], "RGB", "16"),
        (GEOMETRY, both.outputs["Image"], "RGBA", "32"),
    ):
        output = tree.nodes.new("CompositorNodeOutputFile")
        output.base_path = str(folder)
        output.format.file_format, output.format.color_mode = "OPEN_EXR", channels
        output.format.color_depth, output.format.exr_codec = depth, "NONE"
        output.file_slots[0].path = name.removesuffix("0000.exr")
        tree.links.new(socket, output.inputs[0])


def read_passes(
    folder: Path, side: int, supersampling: int
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Read a view's files, and remove them, so that nothing is ever read twice.

    Parameters
    ----------
    folder : Path
        Where `make_passes` sends them.
    side : int
        Side of the final image, pixels.
    supersampling : int
        1, or 2 where Blender rendered twice the side.

    Returns
    -------
    radiance : float32 array, shape (side, side, 3)
        Linear RGB.
    index : int32 array, shape (side, side)
        The objects' pass_index, 0 where there is none; of a pixel's four parts, the one below and right of
        its centre.
    normals : float32 array, shape (side, side, 3)
        World-space shading normals, the mean over a pixel.

    Raises
    ------
    OSError
        If a file is missing or not whole: Blender does not tell when the disk is full.
    """
    arrays = []
    for name, pixel_bytes in ((RADIANCE, 3 * 2), (GEOMETRY, 4 * 4)):
        file = folder / name
        enough = file.is_file() and file.stat().st_size >= pixel_bytes * (supersampling * side) ** 2
        # Beyond its pixels a file has a header, so one that is long enough may still lack its end.
        array = cv2.imread(str(file), cv2.IMREAD_UNCHANGED) if enough else None
        if array is None:
            raise OSError(errno.EIO, "Blender could not write its whole image", str(file))
        arrays.append(array)
        file.unlink()
    radiance = np.ascontiguousarray(arrays[0][..., ::-1], np.float32)
    geometry = np.asarray(arrays[1], np.float32)
    index = np.rint(geometry[supersampling // 2 :: supersampling, supersampling // 2 :: supersampling, 3])
    normals = np.ascontiguousarray(geometry[..., 2::-1])
    if supersampling == 2:
        radiance = halved(radiance)
        normals = normals.reshape(side, 2, side, 2, 3).mean(axis=(1, 3), dtype=np.float32)
    return radiance, index.astype(np.int32), normals


def halved(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce an image, shape (2 H, 2 W, 3), to shape (H, W, 3)."""
    wide = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    # The weighted mean around every second pixel; the window begins at the pixel itself.
    filtered = cv2.sepFilter2D(wide, cv2.CV_32F, HALVING, HALVING, anchor=(0, 0))
    return np.asarray(filtered[:-3:2, :-3:2], np.float32)


def as_seen(bpy_data: Any, scene: Any, radiance: NDArray[np.float32], file: Path) -> NDArray[np.uint8]:
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
    seen = cv2.imread(str(file), cv2.IMREAD_COLOR) if file.is_file() else None
    if seen is None:
        raise OSError(errno.EIO, "Blender could not write its whole image", str(file))
    file.unlink()
    return np.ascontiguousarray(seen[..., ::-1])
