"""Packed normals keep their direction to less than a degree."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from syn2real.channels.normals import pack, unpack


def angles(first, second):
    return np.degrees(np.arccos(np.clip((first * second).sum(-1), -1, 1)))


def test_normals_keep_their_direction():
    normals = np.random.default_rng(0).standard_normal((200, 200, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    decoded, valid = unpack(pack(normals, np.ones((200, 200), bool)))
    error = angles(normals, decoded)
    assert valid.all()
    assert np.median(error) < 0.5
    assert error.max() < 1.0
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=-1), 1, atol=1e-5)


@settings(deadline=None)
@given(st.tuples(*[st.floats(-10, 10)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3))
def test_any_direction_and_length_is_packed(vector):
    normal = np.array(vector)[None, None]
    decoded, valid = unpack(pack(normal, np.ones((1, 1), bool)))
    assert valid.all()
    assert angles(normal / np.linalg.norm(normal), decoded).max() < 1.0


def test_invalid_pixels_stay_invalid():
    normals = np.zeros((2, 2, 3))
    normals[0, :, 2] = 1
    mask = np.array([[True, False], [True, False]])
    decoded, valid = unpack(pack(normals, mask))
    # A pixel without a direction is not valid whatever the mask says.
    np.testing.assert_array_equal(valid, [[True, False], [False, False]])
    assert not decoded[~valid].any()
