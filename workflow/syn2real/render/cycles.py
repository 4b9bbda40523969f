"""Cycles' settings: devices, samples, denoiser. Works on Blender's objects as they are handed in.

What was tried at 128², by CPU seconds and errors over eight or ten scenes of the demo's objects. A tenth
less error costs a third more time in samples. Supersampled, the light tree takes a fifth more time and
leaves .85 of the error; without, it is worth its time from about 24 samples. An area lamp as bright as the
shining plane saves 4 % of the time and adds 8 % to the error: without the tree it leaves less, but more
than the plane with the tree. Not sampling the plane, so that only scattered rays find it, saves a tenth of
the time at the same error where lights are random, but adds a quarter to the error where they are fixed.
The denoiser's fast quality saves a tenth of the time and adds 4 % to the error, which is no gain. Reducing
after the view transform instead of before loses what supersampling gains; thrice the side is no better for
its time. Nothing came of the tabulated pattern, blue noise, path guiding, fewer bounces, clamping, adaptive
sampling, more samples where the contrast is greatest, and light and albedo denoised apart: most noise and
time are direct light's.
"""

from collections.abc import Mapping
from typing import Any

from syn2real.jobs.gpus import HIDDEN
from syn2real.render.schema import Rendering

GPU_KINDS = ("OPTIX", "CUDA")
"""Cycles' kinds of GPU devices, fastest first; both run on NVIDIA's GPUs."""

MANY = 24
"""Samples of a pixel from which, without supersampling, the light tree and the accurate prefilter pay."""


def choose_devices(preferences: Any, environment: Mapping[str, str]) -> list[str]:
    """Have Cycles compute on the GPUs that this job was given, else on the CPU.

    CUDA hides from the process what CUDA_VISIBLE_DEVICES leaves out, and Cycles sees the rest only. Where
    the variable is not set, a Slurm job was given no GPU; elsewhere nobody has shared them out, and the first
    one is taken, as PyTorch does, never every GPU of the host. The CPU never computes beside a GPU: two kinds
    of device round differently.

    Parameters
    ----------
    preferences : Cycles' preferences
        Offers `get_devices_for_type(kind)`; gets `compute_device_type`, and its devices get `use`.
    environment : mapping of str to str
        The process's environment.

    Returns
    -------
    list of str
        The devices' names with their kind, or `["CPU"]`.
    """
    shared_out = "SLURM_JOB_ID" in environment
    visible = environment.get("CUDA_VISIBLE_DEVICES", "" if shared_out else None)
    for kind in () if visible is not None and visible.strip() in HIDDEN else GPU_KINDS:
        devices = preferences.get_devices_for_type(kind)
        gpus = [device for device in devices if device.type == kind]
        if gpus:
            given = gpus[: len(visible.split(","))] if visible is not None else gpus[:1]
            preferences.compute_device_type = kind
            for device in devices:
                device.use = device in given
            return [f"{device.name} ({kind})" for device in given]
    preferences.compute_device_type = "NONE"
    return ["CPU"]


def set_quality(scene: Any, layer: Any, rendering: Rendering) -> None:
    """Set samples and denoiser of a Blender scene and its view layer."""
    cycles, supersampled = scene.cycles, rendering.supersampling > 1
    cycles.samples = -(-rendering.samples // rendering.supersampling**2)
    # Adaptive sampling spends itself on noise that the denoiser removes anyway. The light tree takes a fifth
    # more time a sample, and the accurate prefilter that of five samples of each pixel it works on.
    many = rendering.samples >= MANY
    cycles.use_adaptive_sampling, cycles.use_light_tree = False, many or supersampled
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = "ACCURATE" if many and not supersampled else "FAST"
    for level in (scene, layer):
        level.cycles.use_denoising = rendering.denoise
