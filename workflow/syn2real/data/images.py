"""Decoding images to RGB tensors as a person sees them, whatever the file holds."""

import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torchvision import tv_tensors
from torchvision.io import ImageReadMode
from torchvision.io import decode_image as torchvision_decode

from syn2real.errors import InputError


def decode_image(content: bytes) -> torch.Tensor:
    """Decode an image file to RGB, turned as its EXIF orientation says.

    torchvision decodes JPEGs (also grey and CMYK) to Pillow's values in half the time. Pillow decodes all
    other files: torchvision's PNG decoder crashes the process on a damaged one.

    Parameters
    ----------
    content : bytes
        The file's content.

    Returns
    -------
    uint8 tensor, shape (3, H, W)

    Raises
    ------
    OSError, SyntaxError
        What Pillow raises for what it cannot decode.
    """
    return _decode(content, upright=True)


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> tv_tensors.Image:
    """Read an image file as RGB.

    Annotation tools disagree on whether a photograph's EXIF orientation was applied before boxes and masks
    were drawn. The image is turned upright, unless only the image as stored has the annotations' size.

    Parameters
    ----------
    path : str or Path
        The file.
    size : (height, width), optional
        The size that the annotations refer to, pixels.

    Returns
    -------
    tv_tensors.Image, uint8, shape (3, H, W)

    Raises
    ------
    InputError
        The file is missing or broken, or has another size.
    """
    try:
        content = Path(path).read_bytes()
        image = _decode(content, upright=True)
        if size is not None and tuple(image.shape[1:]) != size:
            image = _decode(content, upright=False)
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for damaged PNGs
        raise InputError(f"the image cannot be read ({error})", file=path) from None
    if size is not None and tuple(image.shape[1:]) != size:
        height, width = image.shape[1:]
        raise InputError(
            f"the image is {width} x {height} pixels, but its annotation is for {size[1]} x {size[0]}",
            file=path,
        )
    return tv_tensors.Image(image)


def read_mask(path: str | Path) -> NDArray[np.uint8]:
    """Read an 8-bit class map: grey values, or the indices (not the colours) of a palette.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    uint8 array, shape (H, W)

    Raises
    ------
    InputError
        The file is missing or broken, or has more than one channel.
    """
    try:
        with Image.open(path) as mask:
            if mask.mode not in ("L", "P"):
                raise InputError(
                    f"a mask needs one channel of 8 bits; this has Pillow's mode {mask.mode}", file=path
                )
            return np.array(mask)
    except (OSError, SyntaxError) as error:
        raise InputError(f"the mask cannot be read ({error})", file=path) from None


def to_rgb(image: Image.Image) -> tv_tensors.Image:
    """Return a Pillow image as an RGB tensor, shape (3, H, W), uint8."""
    pixels = np.array(image.convert("RGB"))
    return tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())


def _decode(content: bytes, *, upright: bool) -> torch.Tensor:
    """Decode to uint8 (3, H, W), with or without regard to the EXIF orientation."""
    if content.startswith(b"\xff\xd8"):  # a JPEG
        data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        try:
            return torchvision_decode(data, ImageReadMode.RGB, apply_exif_orientation=upright)
        except RuntimeError:
            pass  # Pillow's message is clearer
    with Image.open(io.BytesIO(content)) as opened:
        picture: Image.Image = ImageOps.exif_transpose(opened) if upright else opened
        if picture.mode.startswith("I;16"):  # Pillow would clip 16-bit grey instead of scaling it
            picture = Image.fromarray((np.array(picture) >> 8).astype(np.uint8))
        return to_rgb(picture).as_subclass(torch.Tensor)
