"""Reducing what was rendered at twice the side, and reading what Blender has written."""

import cv2
import numpy as np
import pytest

from syn2real.render.passes import HALVING, halve_resolution, least_mixed, packed, read_passes


def blackman_harris(x, support):
    """Cycles' pixel filter: a window of this support, integral 1."""
    phase = 2 * np.pi * (x / support + 0.5)
    window = sum(a * np.cos(k * phase) for k, a in enumerate((0.35875, -0.48829, 0.14128, -0.01168)))
    window[np.abs(x) > support / 2] = 0
    return window / window.sum()


def test_the_weights_make_the_pixel_filter_of_the_final_image():
    x = np.arange(-300, 301) / 100
    wanted = blackman_harris(x, 3.0)
    parts = [blackman_harris(x - at, 1.5) for at in (-0.75, -0.25, 0.25, 0.75)]
    best = np.linalg.lstsq(np.transpose(parts), wanted, rcond=None)[0]
    np.testing.assert_allclose(HALVING, best, atol=0.01)
    assert HALVING.sum() == pytest.approx(1)
    assert np.linalg.norm(HALVING @ parts - wanted) < 0.1 * np.linalg.norm(wanted)


def test_halving_keeps_places_and_brightness():
    """A linear ramp stays one: the value at a pixel's centre is that between its four parts."""
    rows, columns = np.mgrid[:32, :32].astype(np.float32)
    ramp = np.stack([rows, columns, np.ones_like(rows)], axis=-1)
    small = halve_resolution(ramp)
    assert small.shape == (16, 16, 3)
    centres = 2 * np.arange(1, 15) + 0.5
    np.testing.assert_allclose(small[1:-1, :, 0], np.tile(centres[:, None], 16), rtol=1e-5)
    np.testing.assert_allclose(small[:, 1:-1, 1], np.tile(centres, (16, 1)), rtol=1e-5)
    np.testing.assert_allclose(small[..., 2], 1, rtol=1e-6)


BOTH = ("Normal", "IndexOB")
RADIANCE_FILE, PASSES_FILE = "radiance0000.exr", "passes-00000.exr"


def write(folder, radiance, normals, index):
    """Write a view's files as Blender does, uncompressed."""
    flat = [cv2.IMWRITE_EXR_COMPRESSION, cv2.IMWRITE_EXR_COMPRESSION_NO]
    half = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF]
    cv2.imwrite(str(folder / RADIANCE_FILE), radiance[..., ::-1], flat + half)
    geometry = np.concatenate([normals[..., ::-1], index[..., None]], axis=-1).astype(np.float32)
    cv2.imwrite(str(folder / PASSES_FILE), geometry, flat)


@pytest.mark.parametrize("scale", [1, 2])
def test_passes_come_at_the_final_size_and_are_read_once(tmp_path, scale):
    rows, columns = 6 * scale, 8 * scale
    index = np.zeros((rows, columns))
    index[:, columns // 2 :] = 3
    normals = np.zeros((rows, columns, 3))
    normals[..., 2] = 1
    write(tmp_path, np.full((rows, columns, 3), (0.25, 0.5, 4.0), np.float32), normals, index)
    radiance, passes = read_passes(tmp_path, (8, 6), scale, BOTH)
    np.testing.assert_allclose(radiance, np.broadcast_to((0.25, 0.5, 4.0), (6, 8, 3)), rtol=1e-3)
    expected = np.where(np.arange(8) < 4, 0, 3) * np.ones((6, 1))
    np.testing.assert_array_equal(passes["IndexOB"], expected)
    assert passes["IndexOB"].dtype == np.int32
    np.testing.assert_allclose(passes["Normal"], np.broadcast_to((0, 0, 1), (6, 8, 3)))
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="could not write its whole image"):
        read_passes(tmp_path, (8, 6), scale, BOTH)


def test_a_pass_of_one_number_travels_in_the_opacity_of_one_of_three():
    assert packed(BOTH) == [("passes-0", BOTH)]
    assert packed(("Depth", *BOTH)) == [("passes-0", ("Normal", "Depth")), ("passes-1", (None, "IndexOB"))]
    assert packed(()) == []


def test_depth_is_that_of_one_part_of_a_pixel(tmp_path):
    """A mean over an edge would be the depth of nothing."""
    normals, depth = np.ones((16, 16, 3)), np.full((16, 16), 1.5)
    depth[:, 9:] = 1e10
    write(tmp_path, np.ones((16, 16, 3), np.float32), normals, depth)
    _, passes = read_passes(tmp_path, (8, 8), 2, ("Normal", "Depth"))
    assert passes["Depth"].dtype == np.float32
    np.testing.assert_array_equal(passes["Depth"][3], [1.5] * 4 + [np.float32(1e10)] * 4)


@pytest.mark.parametrize("name", [RADIANCE_FILE, PASSES_FILE])
@pytest.mark.parametrize("length", [300, -8])
def test_a_file_cut_short_is_reported(tmp_path, name, length):
    write(tmp_path, np.ones((8, 8, 3), np.float32), np.ones((8, 8, 3)), np.ones((8, 8)))
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:length])
    with pytest.raises(OSError, match="could not write its whole image") as error:
        read_passes(tmp_path, (8, 8), 1, BOTH)
    assert error.value.filename == str(tmp_path / name)


def test_a_normal_is_that_of_the_part_least_mixed():
    up, side = np.array([0, 0, 1.0]), np.array([0.1, 0, -0.99])
    parts = np.broadcast_to(up, (4, 4, 3)).copy()
    parts[:, :2] = (up + side) / 2, side  # left: a mixed column beside a column of another surface
    parts[2:, 1] = side / 2
    parts[2:, 0] = up
    found = least_mixed(parts.astype(np.float32), 2)
    np.testing.assert_allclose(found, [[side, up], [up, up]], atol=1e-6)
    assert least_mixed(parts, 1).shape == (4, 4, 3)
