"""Cycles' settings: devices, samples, denoiser, passes. Works on Blender's objects as they are handed in."""

from collections.abc import Mapping
from typing import Any

from syn2real.config.rendering import Rendering
from syn2real.devices import HIDDEN

GPU_KINDS = ("OPTIX", "CUDA")
"""Cycles' kinds of GPU devices, fastest first; both run on NVIDIA's GPUs."""

ACCURATE_FROM = 24
"""Samples from which the denoiser's accurate prefilter pays: it takes the time of five more."""


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
    cycles = scene.cycles
    cycles.samples = rendering.samples
    # Adaptive sampling spends itself on noise that the denoiser removes anyway, not on the edges, where the
    # error is; the light tree lowers the error as half as many samples again would, for a sixth of the time.
    cycles.use_adaptive_sampling, cycles.use_light_tree = False, True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = "ACCURATE" if rendering.samples >= ACCURATE_FROM else "FAST"
    for level in (scene, layer):
        level.cycles.use_denoising = rendering.denoise


def make_passes(scene: Any, layer: Any, folder: str) -> str:
    """Have the compositor write normals and object indices as one file beside the image; return its name.

    Made once a process: the nodes outlive the scenes, and each scene's objects get their own pass_index.

    Parameters
    ----------
    scene, layer : Blender's scene and view layer
    folder : str
        Where the file goes.
    """
    layer.use_pass_normal = layer.use_pass_object_index = True
    scene.use_nodes = scene.render.use_compositing = True
    tree = scene.node_tree
    for node in [node for node in tree.nodes if node.bl_idname == "CompositorNodeOutputFile"]:
        tree.nodes.remove(node)
    layers = next(node for node in tree.nodes if node.bl_idname == "CompositorNodeRLayers")
    scene.frame_set(0)
    # Normals in red, green and blue, the index in place of opacity.
    both = tree.nodes.new("CompositorNodeSetAlpha")
    both.mode = "REPLACE_ALPHA"
    tree.links.new(layers.outputs["Normal"], both.inputs["Image"])
    tree.links.new(layers.outputs["IndexOB"], both.inputs["Alpha"])
    output = tree.nodes.new("CompositorNodeOutputFile")
    output.base_path = folder
    output.format.file_format, output.format.color_mode = "OPEN_EXR", "RGBA"
    output.format.color_depth, output.format.exr_codec = "32", "NONE"
    output.file_slots[0].path = "geometry"
    tree.links.new(both.outputs["Image"], output.inputs[0])
    return "geometry0000.exr"
