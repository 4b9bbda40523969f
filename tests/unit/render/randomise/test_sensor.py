"""Noise and blur of a real camera."""

import numpy as np
import pytest

from syn2real.render.randomise.sensor import apply


def test_the_sensor_adds_the_noise_it_says():
    image = np.full((200, 200, 3), 100, np.uint8)
    noisy = apply(image, {"noise": 0.05, "blur": 0.0, "seed": 3})
    assert noisy.std() == pytest.approx(0.05 * 255, rel=0.03)
    assert noisy.mean() == pytest.approx(100, abs=0.3)
    np.testing.assert_array_equal(noisy, apply(image, {"noise": 0.05, "blur": 0.0, "seed": 3}))
    assert (noisy != apply(image, {"noise": 0.05, "blur": 0.0, "seed": 4})).any()


def test_the_lens_blurs_edges():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 200
    blurred = apply(image, {"noise": 0.0, "blur": 2.0, "seed": 0})
    assert len(np.unique(blurred)) > 5
    assert (np.diff(blurred[10, :, 0].astype(int)) >= 0).all()
