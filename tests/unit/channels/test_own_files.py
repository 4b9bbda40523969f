"""Users' own files of channels: what is read, and what is refused for its unit, frame or channels."""

import cv2
import numpy as np
import pytest

from syn2real.channels import depth, normals
from syn2real.errors import InputError

SIZE = (4, 6)


def written(path, pixels):
    """Write pixels, [H, W] or RGB [H, W, 3]."""
    cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def facing(*direction):
    """Return 16-bit pixels of one normal everywhere."""
    vector = np.array(direction) / np.linalg.norm(direction)
    return np.broadcast_to(np.rint((vector + 1) / 2 * 65535).astype(np.uint16), (*SIZE, 3))


def deep(steps):
    return np.full(SIZE, steps, dtype=np.uint16)


NORMALS = {
    "towards the camera": ([facing(0, 0, 1), facing(1, 1, 1)], []),
    "a few away": ([facing(0, 0, 1), facing(0, 0, 1), facing(0, 0, -1)], []),
    "z into the scene": ([facing(0, 0, -1), facing(1, 0, -1)], "100% of the normals face away .* OpenCV"),
    "black": ([facing(0, 0, 1) * 0], "no pixel has a normal"),
    "one channel": ([deep(9)], "need red, green and blue"),
}
DEPTHS = {
    "metres in tenths of a millimetre": ([deep(20_000), deep(0)], 1e-4, []),
    "all unknown": ([deep(0)], 1e-3, "no pixel has a depth"),
    "millimetres given as metres": (
        [deep(1_500)],
        1.0,
        "all depths are beyond 6.55 m.* 1.5e.03 m: check unit",
    ),
    "some far": (
        [deep(1_500), deep(9_000)],
        1e-3,
        ["50% of the depths are beyond 6.55 m and become unknown"],
    ),
    "8 bits": ([np.arange(24, dtype=np.uint8).reshape(SIZE) + 200], 1e-2, ["no depth is above 255 steps"]),
    "a slope": ([np.arange(24, dtype=np.uint16).reshape(SIZE) + 700], 1e-3, []),
    "metres given as millimetres": ([deep(3)], 1e-3, ["nearer than 0.003 m: check unit_m"]),
    "colours": ([np.dstack([deep(1), deep(2), deep(3)])], 1e-3, "need one channel; this has colours"),
    "equal colours": ([np.dstack([deep(1_000)] * 3)], 1e-3, []),
}


def check(channel, pictures, path, expected, **options):
    if isinstance(expected, str):
        with pytest.raises((ValueError, InputError), match=expected):
            channel.check([channel.read(written(path, picture), SIZE, **options) for picture in pictures])
        return
    found = channel.check([channel.read(written(path, picture), SIZE, **options) for picture in pictures])
    assert len(found) == len(expected)
    for line, part in zip(found, expected, strict=True):
        assert part in line


@pytest.mark.parametrize("name", NORMALS)
def test_normals(name, tmp_path):
    pictures, expected = NORMALS[name]
    check(normals, pictures, tmp_path / "a.png", expected)


@pytest.mark.parametrize("name", DEPTHS)
def test_depths(name, tmp_path):
    pictures, unit_m, expected = DEPTHS[name]
    check(depth, pictures, tmp_path / "a.png", expected, unit_m=unit_m)
