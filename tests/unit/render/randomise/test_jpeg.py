"""JPEG compression of images."""

import numpy as np
import pytest
from pydantic import ValidationError

from syn2real.config.experiment import AnyRendering
from syn2real.render.randomise.base import named_generator
from syn2real.render.randomise.jpeg import Section, apply, draw
from syn2real.render.scene import randomisations


def test_a_lower_quality_loses_more():
    rows, columns = np.mgrid[:64, :64]
    smooth = np.stack([rows * 3, columns * 3, (rows + columns) * 1.5], axis=-1).astype(np.uint8)
    noisy = smooth // 2 + np.random.default_rng(0).integers(0, 100, smooth.shape, dtype=np.uint8)
    errors = [np.abs(apply(noisy, {"quality": q}).astype(int) - noisy).mean() for q in (95, 60, 20)]
    assert 0 < errors[0] < errors[1] < errors[2]
    # Red stays red: no channel is taken for another.
    assert np.abs(apply(smooth, {"quality": 95}).astype(int) - smooth).mean() < 3


def test_qualities_cover_their_range():
    drawn = {draw(named_generator(k), Section(quality=(60, 63)), {})["quality"] for k in range(60)}
    assert drawn == {60, 61, 62, 63}


@pytest.mark.parametrize("quality", [[0, 50], [50, 101], [80, 40]])
def test_nonsense_is_refused(quality):
    with pytest.raises(ValidationError, match="quality"):
        AnyRendering(jpeg={"quality": quality})


def test_compression_comes_after_the_sensor():
    rendering = AnyRendering(sensor={"noise": [0, 0.1]}, jpeg={})
    assert [chosen.key for chosen in randomisations(rendering, "image")] == ["sensor", "jpeg"]
