"""Decoding, with Pillow as the oracle."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from syn2real.data.images import decode_image, read_image, read_mask
from syn2real.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pillow(content):
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_of_every_colour_space_are_what_pillow_reads(mode):
    content = encode(Image.fromarray(PIXELS).convert(mode), "JPEG", quality=95)
    image = decode_image(content)
    assert image.dtype == torch.uint8 and image.shape == (3, 12, 16)
    assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - pillow(content)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_other_formats(kind, mode):
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(Image.fromarray(PIXELS).convert(mode), kind, **options)
    assert (decode_image(content).permute(1, 2, 0).numpy() == pillow(content)).all()


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1"])
def test_other_modes_of_png(mode):
    content = encode(Image.fromarray(PIXELS).convert(mode), "PNG")
    assert (decode_image(content).permute(1, 2, 0).numpy() == pillow(content)).all()


def test_sixteen_bits_are_scaled_not_clipped():
    deep = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 300
    image = decode_image(encode(Image.fromarray(deep), "PNG"))
    assert image.dtype == torch.uint8
    assert (image[0].numpy() == deep >> 8).all()


def test_a_png_with_a_jpegs_name_is_read(tmp_path):
    (tmp_path / "n02105855_2933.JPEG").write_bytes(encode(Image.fromarray(PIXELS), "PNG"))
    assert (read_image(tmp_path / "n02105855_2933.JPEG").permute(1, 2, 0).numpy() == PIXELS).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_does(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(Image.fromarray(PIXELS), "JPEG", quality=95, exif=exif))
    upright = np.array(ImageOps.exif_transpose(Image.open(path)))
    assert (read_image(path).permute(1, 2, 0).numpy() == upright).all()
    height, width = upright.shape[:2]
    assert read_image(path, (height, width)).shape == (3, height, width)
    # Annotations drawn on the image as stored: their size decides.
    assert read_image(path, (12, 16)).shape == (3, 12, 16)
    with pytest.raises(InputError, match="a.jpg: the image is .* pixels, but its annotation is for 5 x 4"):
        read_image(path, (4, 5))


@pytest.mark.parametrize("content", [b"", b"no image", encode(Image.fromarray(PIXELS), "PNG")[:100]])
def test_a_broken_image_is_named(tmp_path, content):
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(InputError, match="broken.png"):
        read_image(tmp_path / "broken.png")
    with pytest.raises(InputError, match="broken.png"):
        read_mask(tmp_path / "broken.png")
    with pytest.raises(InputError, match="absent.png"):
        read_image(tmp_path / "absent.png")


def test_masks_keep_the_numbers_of_a_palette(tmp_path):
    numbers = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    palette = Image.fromarray(numbers, "P")
    palette.putpalette([255 - i // 3 for i in range(768)])
    palette.save(tmp_path / "p.png")
    assert (read_mask(tmp_path / "p.png") == numbers).all()
    Image.fromarray(PIXELS).save(tmp_path / "rgb.png")
    with pytest.raises(InputError, match="one channel"):
        read_mask(tmp_path / "rgb.png")
