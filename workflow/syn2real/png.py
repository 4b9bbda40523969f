"""PNG files that are quick to read, for shards.

Any PNG reader reads them. All rows have the filter "up" (each byte less the one above), which is undone by
one vector addition a row, and the pixels are one DEFLATE stream, which ISA-L inflates faster than zlib does.
libpng chooses a filter for each row; files of renders are hardly smaller for it.
"""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = ">IIBBBBB"  # width, height, bits, colour type, compression, filter method, interlacing
GREY, RGB = 0, 2  # PNG's colour types
UP = 2  # PNG's number of the filter
PIXELS = 41  # where the pixels' bytes begin: signature, a header chunk of 25 bytes, length and type of theirs
DENSEST = 1040
"""Bytes that DEFLATE can at most make of one; a damaged header may say any size."""
END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def encode_png(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode an image without loss; the same pixels give the same bytes.

    Parameters
    ----------
    pixels : array, shape (H, W) or (H, W, 3)
        Grey of 8 or 16 bits, or RGB of 8 or 16 bits.

    Returns
    -------
    bytes
        The file.
    """
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    filtered = np.full((height, 1 + rows.shape[1]), UP, dtype=np.uint8)
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    colour = GREY if pixels.ndim == 2 else RGB
    header = struct.pack(HEADER, width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0)
    return _head(header) + _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)) + END


def decode_png(content: bytes) -> NDArray[Any] | None:
    """Decode a PNG quickly if `encode_png` wrote it, and any other with OpenCV; a damaged one is noticed.

    Parameters
    ----------
    content : bytes
        The file's content.

    Returns
    -------
    array of the file's own depth, shape (H, W) or (H, W, 3) in RGB, or None
        None if the content is damaged.
    """
    size = len(content) - PIXELS - 4 - len(END)
    begins = _head(content[16:29]) + struct.pack(">I4s", max(0, size), b"IDAT")
    if not content.startswith(begins):
        return _decode_any(content)
    width, height, depth, colour, *rest = struct.unpack(HEADER, content[16:29])
    if depth not in (8, 16) or colour not in (GREY, RGB) or any(rest):
        return _decode_any(content)
    if not 0 < height * width <= DENSEST * len(content):
        return None
    shape = (height, width) if colour == GREY else (height, width, 3)
    return _decode_rows(content, shape, np.dtype(f">u{depth // 8}"))


def _decode_rows(content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Decode a file whose pixels are one chunk."""
    length = dtype.itemsize * int(np.prod(shape[1:]))
    try:
        stream = memoryview(content)[PIXELS : -len(END) - 4]
        # With room to spare: a buffer that is filled to the brim is grown and copied to look for more.
        raw = isal_zlib.decompress(stream, bufsize=shape[0] * (1 + length) + 64)
    except isal_zlib.IsalError:  # type: ignore[misc]  # its stub has an instance
        return None
    if len(raw) != shape[0] * (1 + length):
        return None
    filtered = np.frombuffer(raw, dtype=np.uint8).reshape(shape[0], 1 + length)
    if (filtered[:, 0] != UP).any():
        return _decode_any(content)
    rows = np.empty((shape[0], length), dtype=np.uint8)
    rows[0] = filtered[0, 1:]
    for above, row, difference in zip(rows, rows[1:], filtered[1:, 1:], strict=False):
        np.add(above, difference, out=row)
    return rows.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _decode_any(content: bytes) -> NDArray[Any] | None:
    """Decode any PNG with OpenCV."""
    try:
        image = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return image[..., ::-1] if image is not None and image.ndim == 3 else image


def _head(header: bytes) -> bytes:
    """Return the beginning of a file, before the pixels' chunk."""
    return SIGNATURE + _chunk(b"IHDR", header)


def _chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk: length, type, content, checksum."""
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))
