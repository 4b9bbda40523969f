"""Decoding images to RGB tensors as a person sees them, whatever the file holds."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.io import ImageReadMode
from torchvision.io import decode_image as torchvision_decode

from syn2real.data.pixels import opened, orientation, rgb, turned, wrong_size
from syn2real.data.targets.schema import Exif
from syn2real.errors import InputError


def read_image(
    path: str | Path,
    size: tuple[int, int] | None = None,
    exif: Exif | None = None,
) -> tv_tensors.Image:
    """Read an image file as RGB.

    torchvision decodes JPEGs (also grey and CMYK) to Pillow's values in half the time. Pillow decodes all
    other files: torchvision's PNG decoder crashes the process on a damaged one.

    Annotation tools disagree on whether a photograph's EXIF orientation was applied before boxes and masks
    were drawn. By default the image is turned upright, unless only the image as stored has the annotations'
    size.

    Parameters
    ----------
    path : str or Path
        The file.
    size : (height, width), optional
        The size that the annotations refer to, pixels.
    exif : {"apply", "ignore"}, optional
        Whether the annotations refer to the image as its EXIF orientation turns it, or as it is stored.

    Returns
    -------
    tv_tensors.Image, uint8, shape (3, H, W)

    Raises
    ------
    InputError
        The file is missing or broken, holds values of unknown scale, or has another size.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"the image cannot be read ({error.strerror})", file=path) from None
    image = _decode(path, content, turn=exif != "ignore")
    if size is not None and exif is None and tuple(image.shape[1:]) != size:
        image = _decode(path, content, turn=False)
    if size is not None and tuple(image.shape[1:]) != size:
        raise wrong_size(path, image.shape[1:], size)
    return tv_tensors.Image(image)


def to_rgb(image: Image.Image, path: str | Path = "") -> tv_tensors.Image:
    """Return a Pillow image as an RGB tensor, shape (3, H, W), uint8; `path` is for messages."""
    return tv_tensors.Image(_tensor(rgb(image, path)))


def _decode(path: str | Path, content: bytes, *, turn: bool) -> torch.Tensor:
    """Decode to uint8 (3, H, W), with or without regard to the EXIF orientation."""
    with opened(path, content) as image:
        if image.format in ("JPEG", "MPO"):
            data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            try:
                return torchvision_decode(data, ImageReadMode.RGB, apply_exif_orientation=turn)
            except RuntimeError:
                pass  # Pillow's message is clearer
        picture = rgb(image, path)
        return _tensor(turned(picture, orientation(image)) if turn else picture)


def _tensor(picture: Image.Image) -> torch.Tensor:
    """Return an RGB picture as a tensor uint8 (3, H, W)."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
