"""Which devices Cycles computes on, with preferences made by hand: no GPU is needed."""

from dataclasses import dataclass, field

import pytest

from syn2real.render.cycles import choose_devices


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
    names = choose_devices(preferences, visible)
    assert preferences.compute_device_type == kind
    assert preferences.used() == used
    assert names == [f"{name} ({kind})" for name in used]


@pytest.mark.parametrize(
    ("shown", "visible"), [({}, None), ({}, "0"), (BOTH, ""), (BOTH, "-1"), (BOTH, "NoDevFiles")]
)
def test_without_a_gpu_the_cpu_renders(shown, visible):
    preferences = Preferences(shown)
    assert choose_devices(preferences, visible) == ["CPU"]
    assert preferences.compute_device_type == "NONE"
