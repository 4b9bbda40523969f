"""Decoding, with Pillow as the oracle."""

import io

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from syn2real.data.images import read_image
from syn2real.data.pixels import MOST_PIXELS, read_mask
from syn2real.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pillow(content):
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def save(tmp_path, content, name="a.image"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_of_every_colour_space_are_what_pillow_reads(mode, tmp_path):
    content = encode(Image.fromarray(PIXELS).convert(mode), "JPEG", quality=95)
    image = read_image(save(tmp_path, content))
    assert image.dtype == torch.uint8 and image.shape == (3, 12, 16)
    assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - pillow(content)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP", "AVIF", "JPEG2000", "TGA"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_other_formats(kind, mode, tmp_path):
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(Image.fromarray(PIXELS).convert(mode), kind, **options)
    image = read_image(save(tmp_path, content))
    assert (image.permute(1, 2, 0).numpy() == pillow(content)).all()


# A ramp and what files hold of it: the same picture, or a refusal by name.
GREY = np.tile(np.arange(40, 56, dtype=np.uint8) * 4, (12, 1))
DEEP = GREY.astype(np.uint16) << 8
BLACK = np.where(np.arange(16) < 8, GREY, 0)
CLEAR = Image.fromarray(np.dstack([GREY, GREY, GREY, np.where(BLACK > 0, 255, 0).astype(np.uint8)]))
HALF = Image.fromarray(np.dstack([GREY, GREY, GREY, np.full_like(GREY, 128)]))


def keyed():
    """Return a picture whose right half is transparent by its palette."""
    palette = Image.fromarray(GREY, "P")
    palette.putpalette([k // 3 for k in range(768)])
    return encode(palette, "PNG", transparency=bytes([255] * 192 + [0] * 64))


def by_opencv(ending, pixels):
    return cv2.imencode(ending, pixels)[1].tobytes()


PICTURES = {
    "16-bit grey PNG": (lambda: encode(Image.fromarray(DEEP), "PNG"), GREY),
    "16-bit grey TIFF": (lambda: encode(Image.fromarray(DEEP), "TIFF"), GREY),
    "16-bit grey PGM": (lambda: b"P5 16 12 65535\n" + DEEP.astype(">u2").tobytes(), GREY),
    "12-bit grey PGM": (lambda: b"P5 16 12 4095\n" + (DEEP >> 4).astype(">u2").tobytes(), GREY),
    "16-bit grey JPEG 2000": (lambda: encode(Image.fromarray(DEEP), "JPEG2000"), GREY),
    "16-bit RGB PNG": (lambda: by_opencv(".png", np.dstack([DEEP] * 3)), GREY),
    "16-bit RGB TIFF": (lambda: by_opencv(".tif", np.dstack([DEEP] * 3)), GREY),
    "16-bit RGBA PNG": (lambda: by_opencv(".png", np.dstack([DEEP] * 3 + [DEEP * 0 + 65535])), GREY),
    "an opaque alpha channel": (lambda: encode(Image.fromarray(GREY).convert("RGBA"), "PNG"), GREY),
    "an opaque grey alpha channel": (lambda: encode(Image.fromarray(GREY).convert("LA"), "PNG"), GREY),
    "colours under full transparency": (lambda: encode(CLEAR, "PNG"), BLACK),
    "grey under full transparency": (lambda: encode(CLEAR.convert("LA"), "PNG"), BLACK),
    "a transparent palette": (keyed, BLACK),
    "half transparency": (lambda: encode(HALF, "PNG"), GREY // 2),
    "transparent WebP": (lambda: encode(CLEAR, "WEBP", lossless=True), BLACK),
    "one bit": (lambda: encode(Image.fromarray(GREY > 190), "PNG"), np.where(GREY > 190, 255, 0)),
    "YCbCr TIFF": (lambda: encode(Image.fromarray(GREY).convert("YCbCr"), "TIFF"), GREY),
    "the first frame of a GIF": (
        lambda: encode(
            Image.fromarray(GREY), "GIF", save_all=True, append_images=[Image.fromarray(255 - GREY)]
        ),
        GREY,
    ),
    "floats": (lambda: encode(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"), "mode F, floats"),
    "integers of 32 bits": (
        lambda: encode(Image.fromarray(DEEP.astype(np.int32)), "TIFF"),
        "mode I, .* write 8 or 16 bits",
    ),
    "a portable float map": (lambda: b"Pf\n4 4\n-1.0\n" + bytes(64), "mode F"),
    "nothing": (lambda: b"", "the file is empty"),
    "a page of a web site": (lambda: b"<html>404</html>", "its content is no image that Pillow reads"),
    "a pointer of Git LFS": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a cut JPEG": (lambda: encode(Image.fromarray(PIXELS), "JPEG")[:-60], "truncated"),
    "a cut PNG": (lambda: encode(Image.fromarray(PIXELS), "PNG")[:300], "truncated"),
    "a huge picture": (
        lambda: b"P4 20000 20000\n",
        f"more than the {MOST_PIXELS:,} pixels that are read; write it smaller",
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_scaled_or_refused_by_name(name, tmp_path):
    make, expected = PICTURES[name]
    path = save(tmp_path, make())
    if isinstance(expected, str):
        with pytest.raises(InputError, match=f"{path.name}: .*{expected}") as caught:
            read_image(path)
        assert "object at" not in str(caught.value)
        return
    image = read_image(path)
    assert image.dtype == torch.uint8
    assert np.abs(image.numpy().astype(int) - expected).max() <= 1


NUMBERS = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
MASKS = {
    "grey": (lambda: encode(Image.fromarray(NUMBERS), "PNG"), NUMBERS),
    "one bit": (lambda: encode(Image.fromarray(NUMBERS > 9), "PNG"), NUMBERS > 9),
    "16 bits": (lambda: encode(Image.fromarray(NUMBERS.astype(np.uint16)), "PNG"), NUMBERS),
    "equal red, green and blue": (lambda: encode(Image.fromarray(NUMBERS).convert("RGB"), "PNG"), NUMBERS),
    "grey and alpha": (lambda: encode(Image.fromarray(NUMBERS).convert("LA"), "PNG"), NUMBERS),
    "large numbers": (lambda: encode(Image.fromarray(DEEP), "PNG"), "holds 56320; class numbers are at most"),
    "colours": (lambda: encode(Image.fromarray(PIXELS), "PNG"), "holds colours; write .* one channel"),
    "loss": (lambda: encode(Image.fromarray(NUMBERS), "JPEG"), "JPEG has lost its class numbers"),
    "floats": (lambda: encode(Image.fromarray(NUMBERS.astype(np.float32)), "TIFF"), "mode F"),
    "a huge one": (PICTURES["a huge picture"][0], "pixels that are read"),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_hold_class_numbers(name, tmp_path):
    make, expected = MASKS[name]
    path = save(tmp_path, make())
    if isinstance(expected, str):
        with pytest.raises(InputError, match=f"{path.name}: .*{expected}"):
            read_mask(path)
    else:
        mask = read_mask(path)
        assert mask.dtype == np.uint8 and (mask == expected).all()


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
    assert (read_image(path, exif="ignore").permute(1, 2, 0).numpy() == pillow(path.read_bytes())).all()
    # Annotations drawn on the image as stored: their size decides, unless the target says it.
    assert read_image(path, (12, 16)).shape == read_image(path, (12, 16), "ignore").shape == (3, 12, 16)
    if orientation > 4:
        with pytest.raises(InputError, match="is 12 x 16 pixels, but its annotation is for 16 x 12"):
            read_image(path, (12, 16), "apply")
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
