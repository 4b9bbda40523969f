"""PNGs for shards: any reader reads them, they come back exactly, damage is noticed."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from syn2real import png
from syn2real.png import decode_png, encode_png

SHAPES = [(1, 1), (5, 3), (64, 48), (1, 7, 3), (9, 1, 3), (40, 56, 3)]


def pixels(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_come_back_and_opencv_reads_them_too(shape, dtype, monkeypatch):
    image = pixels(shape, dtype)
    content = encode_png(image)
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (read == (image[..., ::-1] if image.ndim == 3 else image)).all()
    monkeypatch.setattr(png, "_decode_any", None)  # the quick way alone
    decoded = decode_png(content)
    assert decoded.dtype == dtype and decoded.shape == shape and (decoded == image).all()
    assert decoded.flags.c_contiguous and decoded.flags.writeable


def test_pillow_reads_them():
    image = pixels((30, 20, 3), np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(encode_png(image)))) == image).all()


def test_rows_that_do_not_lie_side_by_side_in_memory():
    image = pixels((20, 30, 3), np.uint8)
    turned = image[::2, ::-1].transpose(1, 0, 2)
    assert (decode_png(encode_png(turned)) == turned).all()
    assert encode_png(turned) == encode_png(turned.copy())


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.parametrize("size", [8, 200])
def test_other_writers_files_are_read(mode, size):
    image = Image.fromarray(pixels((size, size, 3), np.uint8)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    expected = image if mode == "L" else image.convert("RGB")
    assert (decode_png(stream.getvalue()) == np.asarray(expected)).all()


@settings(max_examples=200, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_changes_no_pixel(place, flip):
    image = np.tile(np.arange(48, dtype=np.uint8)[:, None, None], (1, 40, 3))
    content = bytearray(encode_png(image))
    content[int(place * len(content))] ^= flip
    decoded = decode_png(bytes(content))
    assert decoded is None or decoded.shape != image.shape or (decoded == image).all()


def test_a_file_cut_short_is_noticed():
    content = encode_png(pixels((32, 32, 3), np.uint8))
    for length in (0, 8, 40, 60, len(content) - 13, len(content) - 1):
        assert decode_png(content[:length]) is None
