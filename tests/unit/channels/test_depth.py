"""Depth in metres along the viewing axis, to a tenth of a millimetre."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from syn2real.channels import depth
from syn2real.errors import InputError


def test_metres_come_back_and_what_is_too_far_is_unknown():
    metres = np.array([[0.0, 0.0001, 1.23456], [6.5535, 6.5536, 1e10]], dtype=np.float32)
    found = depth.decode(depth.encode(metres))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0.0001, 1.2346], [6.5535, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(("dtype", "unit_m"), [(np.uint16, 0.001), (np.uint8, 0.02)])
def test_own_files_are_in_the_unit_that_is_given(tmp_path: Path, dtype, unit_m):
    steps = np.array([[0, 1], [100, 200]], dtype=dtype)
    cv2.imwrite(str(tmp_path / "a.png"), steps)
    np.testing.assert_allclose(depth.read(tmp_path / "a.png", (2, 2), unit_m), steps * unit_m, rtol=1e-6)
    with pytest.raises(InputError, match="a.png: the depths are 2 x 2 pixels, but their image is 8 x 4"):
        depth.read(tmp_path / "a.png", (4, 8), unit_m)


def test_near_is_bright_and_unknown_is_black():
    drawn = depth.draw(np.array([[0.5, 1.0, 0.0]]), np.zeros((1, 3, 3), np.uint8))
    assert drawn[0, :, 0].tolist() == [255, 51, 0]
    assert (
        depth.draw(np.zeros((1, 3)), np.zeros((2, 2, 3), np.uint8)).tolist() == np.zeros((2, 2, 3)).tolist()
    )
