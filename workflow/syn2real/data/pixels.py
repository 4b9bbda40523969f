"""Pixels of image files with Pillow alone, whatever a file holds: 8-bit RGB, or a mask's class numbers."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from syn2real.errors import InputError

MOST_PIXELS = 178_956_970
"""Pixels of the largest image that is decoded, half a gigabyte: Pillow's own limit."""
ORIENTATION = 0x0112
"""The EXIF tag that says how a photograph is to be turned; 1 is upright."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Large images and odd metadata are no fault; what is too large is an error all the same.
warnings.filterwarnings("ignore", module="PIL")


@contextlib.contextmanager
def opened(path: str | Path, content: bytes | None = None) -> Iterator[Image.Image]:
    """Open an image file; what goes wrong with it within the block becomes an InputError.

    Parameters
    ----------
    path : str or Path
        The file, for the message.
    content : bytes, optional
        What it holds; by default it is read, and only as far as the block needs it.

    Raises
    ------
    InputError
        The file is missing or broken, is no image, or has too many pixels.
    """
    try:
        with Image.open(str(path) if content is None else io.BytesIO(content)) as image:
            yield image
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(
            f"the image has more than the {MOST_PIXELS:,} pixels that are read; write it smaller", file=path
        ) from None
    except Exception as error:  # for damaged files Pillow raises nearly every kind there is
        raise InputError(f"the image cannot be read ({_reason(error, path, content)})", file=path) from None


def _reason(error: Exception, path: str | Path, content: bytes | None) -> str:
    """Return in words why Pillow cannot read a file."""
    if not isinstance(error, UnidentifiedImageError):
        return error.strerror if isinstance(error, OSError) and error.strerror else str(error) or repr(error)
    if content is None:
        with Path(path).open("rb") as stream:
            content = stream.read(64)
    if not content:
        return "the file is empty"
    if content.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; run git lfs pull"
    return "its content is no image that Pillow reads"


def rgb(image: Image.Image, path: str | Path) -> Image.Image:
    """Return an opened image in Pillow's mode RGB, 8 bits a channel.

    16 bits are scaled. What is transparent is laid on black: the colours that a file holds under full
    transparency are often arbitrary.

    Raises
    ------
    InputError
        The scale of its values cannot be known: floats, and integers of 32 bits.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        shift = 4 if _bits(image) == 12 else 8
        return Image.fromarray((np.asarray(image).astype(np.int32) >> shift).astype(np.uint8)).convert("RGB")
    if image.mode in ("F", "I"):
        kind = "floats" if image.mode == "F" else "integers of 32 bits"
        raise InputError(
            f"this image has Pillow's mode {image.mode}, {kind} of unknown scale; write 8 or 16 bits",
            file=path,
        )
    if is_transparent(image):
        layer = image.convert("RGBA")
        return Image.composite(layer.convert("RGB"), Image.new("RGB", layer.size), layer.getchannel("A"))
    return image.convert("RGB")


def is_transparent(image: Image.Image) -> bool:
    """Return whether any pixel of an image is not opaque; an alpha channel alone is not enough."""
    if not image.has_transparency_data:
        return False
    least: Any = image.convert("RGBA").getchannel("A").getextrema()[0]
    return bool(least < 255)


def orientation(image: Image.Image) -> int:
    """Return an opened image's EXIF orientation, 1 (upright) to 8; 1 where its EXIF data cannot be read."""
    try:
        tags = getattr(image, "tag_v2", None)  # a TIFF's
        if tags is None:  # Pillow's own `getexif` would decode a whole PNG
            tags = Image.Exif()
            tags.load(image.info.get("exif", b""))
        number = int(tags.get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data raise nearly every kind, and say nothing of the pixels
        return 1
    return number if number in _TURNS else 1


def wrong_size(path: str | Path, stored: Sequence[int], size: tuple[int, int]) -> InputError:
    """Return the error for an image whose size (height, width) is not that of its annotations."""
    return InputError(
        f"the image is {stored[1]} x {stored[0]} pixels, but its annotation is for {size[1]} x {size[0]}",
        file=path,
    )


def turned(picture: Image.Image, number: int) -> Image.Image:
    """Return a picture turned as an EXIF orientation says."""
    return picture.transpose(_TURNS[number]) if number in _TURNS else picture


def _bits(image: Image.Image) -> int:
    """Return the bits of a value, which in a TIFF may be 12."""
    bits = getattr(image, "tag_v2", {}).get(258, 16)
    return int(bits[0] if isinstance(bits, tuple) else bits)


def read_mask(path: str | Path) -> NDArray[np.uint8]:
    """Read a class map: grey values, or the indices (not the colours) of a palette.

    16 bits, and red, green and blue that are equal, are read where the numbers fit into 8 bits.

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
        The file is missing or broken, was compressed with loss, or holds colours or numbers above 255.
    """
    with opened(path) as mask:
        return class_numbers(mask, path)


def class_numbers(mask: Image.Image, path: str | Path) -> NDArray[np.uint8]:
    """Return the numbers of an opened class map, as `read_mask` does; `path` is for messages."""
    if mask.format == "JPEG":
        raise InputError("a mask in JPEG has lost its class numbers; write PNG", file=path)
    values = np.array(mask)
    if mask.mode in ("L", "P"):
        return values
    if mask.mode in ("RGB", "RGBA", "LA"):
        colours = 1 if mask.mode == "LA" else 3
        if (values[..., :colours] != values[..., :1]).any():
            raise InputError(
                "this mask holds colours; write the class numbers in one channel of 8 bits", file=path
            )
        values = values[..., 0]
    elif not (mask.mode in ("1", "I") or mask.mode.startswith("I;16")):
        raise InputError(f"a mask needs one channel of 8 bits; this has Pillow's mode {mask.mode}", file=path)
    if values.min(initial=0) < 0 or values.max(initial=0) > 255:
        raise InputError(f"this mask holds {values.max()}; class numbers are at most 255", file=path)
    return values.astype(np.uint8)
