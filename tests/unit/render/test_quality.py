"""Renders with the default samples, supersampling, denoiser and light tree; and on a GPU, if one is there."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from syn2real.data.shards import Shard, view_key
from syn2real.jobs.gpus import count_gpus

SMALL = {
    "collections": ["demo-textured", "demo-textureless"],
    "textures": "demo",
    "image_size": 64,
    "views": 2,
    "scenes_per_shard": 1,
}


@pytest.fixture(scope="module")
def defaults(assets):
    return dataclasses.replace(assets, setting=SMALL)


def images(shard: Shard, scene: int, extension: str = "png") -> np.ndarray:
    """Return a scene's images, shape (views, H, W, …), as floats."""
    contents = [shard.read(view_key(scene, view))[extension] for view in range(shard.meta["views"])]
    return np.stack([np.asarray(Image.open(io.BytesIO(content)), float) for content in contents])


def rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


@pytest.mark.slow
def test_a_scene_with_the_defaults_is_the_same_alone_and_cleaner_than_its_samples(defaults, tmp_path):
    pair = defaults.render(tmp_path / "pair.tar", scenes_per_shard=2)
    alone = defaults.render(tmp_path / "alone.tar", shard=1)
    assert alone.read("00000001") == pair.read("00000001")
    assert np.abs(images(alone, 1) - images(pair, 1)).max() <= 2
    assert (images(alone, 1, "seg.png") == images(pair, 1, "seg.png")).all()
    noisy = defaults.render(tmp_path / "noisy.tar", shard=1, denoise=False)
    many = defaults.render(tmp_path / "many.tar", shard=1, denoise=False, samples=400)
    assert many.read("00000001") == alone.read("00000001")
    errors = [rmse(images(shard, 1), images(many, 1)) for shard in (alone, noisy)]
    assert 0 < errors[0] < errors[1]


@pytest.mark.skipif(count_gpus() < 1, reason="needs a GPU")
def test_a_gpu_renders_what_the_cpu_renders(defaults, tmp_path, monkeypatch):
    gpu = defaults.render(tmp_path / "gpu.tar")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cpu = defaults.render(tmp_path / "cpu.tar")
    assert cpu.meta["devices"] == ["CPU"]
    [device] = gpu.meta["devices"]
    assert device.endswith(("(OPTIX)", "(CUDA)"))
    assert gpu.read("00000000") == cpu.read("00000000")
    assert rmse(images(gpu, 0), images(cpu, 0)) < 5
    assert (images(gpu, 0, "seg.png") == images(cpu, 0, "seg.png")).mean() > 0.98
