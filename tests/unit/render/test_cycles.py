"""Which devices Cycles computes on, with preferences made by hand: no GPU is needed."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from syn2real.render.cycles import choose_devices, set_quality
from syn2real.render.schema import Rendering


@dataclass
class Device:
    name: str
    type: str
    use: bool = True


@dataclass
class Preferences:
    """Cycles' preferences on a host whose driver shows these devices; Cycles lists the CPU beside them."""

    shown: dict[str, list[str]]
    compute_device_type: str = "?"
    devices: dict[str, list[Device]] = field(default_factory=dict)

    def get_devices_for_type(self, kind: str) -> list[Device]:
        gpus = [Device(name, kind) for name in self.shown.get(kind, ())]
        self.devices[kind] = [*gpus, Device("Xeon", "CPU")] if gpus else []
        return self.devices[kind]

    def used(self) -> list[str]:
        return [device.name for device in self.devices[self.compute_device_type] if device.use]


BOTH = {"CUDA": ["A100", "A100 (2)", "T4"], "OPTIX": ["A100", "A100 (2)", "T4"]}


@pytest.mark.parametrize(
    ("shown", "visible", "kind", "used"),
    [
        (BOTH, "4,6,7", "OPTIX", ["A100", "A100 (2)", "T4"]),
        ({"CUDA": ["K80"]}, "0", "CUDA", ["K80"]),
        (BOTH, "3", "OPTIX", ["A100"]),
        (BOTH, "GPU-8932f937,GPU-a1", "OPTIX", ["A100", "A100 (2)"]),
        # Nobody has shared the GPUs out: one, never every GPU of the host.
        (BOTH, None, "OPTIX", ["A100"]),
    ],
)
def test_the_jobs_gpus_are_used_and_no_other_device(shown, visible, kind, used):
    preferences = Preferences(shown)
    names = choose_devices(preferences, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
    assert preferences.compute_device_type == kind
    assert preferences.used() == used
    assert names == [f"{name} ({kind})" for name in used]


@pytest.mark.parametrize(
    ("shown", "environment"),
    [
        ({}, {}),
        ({}, {"CUDA_VISIBLE_DEVICES": "0"}),
        (BOTH, {"CUDA_VISIBLE_DEVICES": ""}),
        (BOTH, {"CUDA_VISIBLE_DEVICES": "-1"}),
        (BOTH, {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}),
        # A Slurm job that asked for no GPU, on a node that has some and does not hide them.
        (BOTH, {"SLURM_JOB_ID": "7"}),
    ],
)
def test_without_a_gpu_the_cpu_renders(shown, environment):
    preferences = Preferences(shown)
    assert choose_devices(preferences, environment) == ["CPU"]
    assert preferences.compute_device_type == "NONE"


@pytest.mark.parametrize(
    ("samples", "supersampling", "each", "prefilter", "tree"),
    [
        (6, 1, 6, "FAST", False),
        (24, 1, 24, "ACCURATE", True),
        (32, 2, 8, "FAST", True),
        (6, 2, 2, "FAST", True),
        (1, 2, 1, "FAST", True),
    ],
)
def test_samples_are_those_of_a_final_pixel(samples, supersampling, each, prefilter, tree):
    scene, layer = (SimpleNamespace(cycles=SimpleNamespace()) for _ in range(2))
    set_quality(scene, layer, Rendering(samples=samples, supersampling=supersampling))
    assert (scene.cycles.samples, scene.cycles.denoising_prefilter) == (each, prefilter)
    assert scene.cycles.use_light_tree == tree
    assert scene.cycles.use_denoising
    assert layer.cycles.use_denoising
    set_quality(scene, layer, Rendering(samples=samples, denoise=False))
    assert not scene.cycles.use_denoising
    assert not layer.cycles.use_denoising
