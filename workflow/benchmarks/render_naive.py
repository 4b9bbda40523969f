"""The naive way of rendering a described scene, for render.py: a new BlenderProc, its defaults, its writers.

Reads a request as JSON from standard input, renders one scene as BlenderProc's own BOP example does (load,
place, ten camera poses, one `render()`), and writes what the authors' code kept: PNG images, COCO annotations
and each image's normals as float32 `.npy`. A line on standard error says when the scene stands.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from syn2real.render.blender import SMOOTH_ANGLE
from syn2real.render.randomise import camera, lights, placement, room
from syn2real.render.randomise.objects import apply_object_material
from syn2real.render.schema import Rendering
from syn2real.render.substitutes import substitute_installed
from syn2real.render.worker import READY

ROOM_CATEGORY = 333
"""The paper's code gives the room's planes this category and drops it afterwards."""


def start(temporary: str, threads: int) -> Any:
    """Import BlenderProc whole and do what its `init` does; its launcher would download Blender first."""
    os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
    import bpy  # noqa: F401

    substitute_installed()
    specification = find_spec("blenderproc")
    assert specification is not None
    assert specification.origin is not None
    sys.path.append(str(Path(specification.origin).parents[1]))
    import blenderproc as bproc
    from blenderproc.python.utility.Initializer import _Initializer, clean_up
    from blenderproc.python.utility.Utility import Utility

    Utility.temp_dir = temporary
    clean_up(clean_up_camera=True)
    bproc.renderer.set_render_devices(use_only_cpu=True)
    _Initializer.set_default_parameters()
    bproc.renderer.set_cpu_threads(threads)
    return bproc


def build(bproc: Any, rendering: Rendering, description: dict[str, Any], request: dict[str, Any]) -> None:
    """Load objects and materials, furnish the room, place the objects and set the camera poses."""
    entities = []
    for item in description["objects"]:
        collection, model = item["name"].split("/")
        number = int(model.removeprefix("obj_"))
        folder = request["objects"][collection]
        [entity] = bproc.loader.load_bop_objs(folder, obj_ids=[number], object_model_unit="mm")
        entity.set_shading_mode("smooth")
        if rendering.sharp_edges:
            entity.get_mesh().set_sharp_from_angle(angle=SMOOTH_ANGLE)
        entity.set_cp("category_id", item["class"] + 1)
        apply_object_material(entity.get_materials()[0], item)
        entities.append(entity)
    planes = furnish(bproc, description, request["textures"])
    for point in description["lights"]["points"]:
        light = bproc.types.Light()
        light.set_location(point["location"])
        light.set_energy(point["energy"])
        light.set_color(point["colour"])
    place(bproc, rendering, entities, planes[0], description["placement_seed"])
    aim(bproc, rendering, description, entities)


def furnish(bproc: Any, description: dict[str, Any], textures: str) -> list[Any]:
    """Make floor, walls and the shining ceiling; every material is loaded, as in BlenderProc's example."""
    create, half = bproc.object.create_primitive, room.HALF
    planes = [create("PLANE", scale=[half, half, 1], location=at, rotation=turn) for at, turn in room.PLANES]
    half = lights.CEILING_HALF
    ceiling = create("PLANE", scale=[half, half, 1], location=lights.CEILING_LOCATION)
    area, light = description["lights"]["area"], bproc.material.create("light")
    light.make_emissive(emission_strength=area["strength"], emission_color=[*area["colour"], 1.0])
    ceiling.replace_materials(light)
    materials = {m.get_cp("asset_name"): m for m in bproc.loader.load_ccmaterials(textures)}
    for plane in (*planes, ceiling):
        plane.set_cp("category_id", ROOM_CATEGORY)
    for plane in planes:
        plane.replace_materials(materials[description["room"]["material"]])
    return planes


def place(bproc: Any, rendering: Rendering, entities: list[Any], floor: Any, seed: int) -> None:
    """Put the objects where ours puts them: the same seed and sampler."""
    sample = placement.sampler(rendering.placement, seed)
    low, high = rendering.placement.spacing_m
    bproc.object.sample_poses_on_surface(
        entities, floor, sample, max_tries=rendering.placement.tries, min_distance=low, max_distance=high
    )


def aim(bproc: Any, rendering: Rendering, description: dict[str, Any], entities: list[Any]) -> None:
    """Add the camera poses that ours takes, after the same checks."""
    bproc.camera.set_resolution(*rendering.size)
    tree = bproc.object.create_bvh_tree_multi_objects(entities)
    for view in description["views"]:
        poses = camera.candidates(rendering.camera, view["camera_seed"], len(entities))
        for pose in islice(poses, camera.TRIES):
            target = bproc.object.compute_poi([entities[k] for k in pose.targets])
            rotation = bproc.camera.rotation_from_forward_vec(
                target - pose.location, inplane_rot=np.radians(pose.roll)
            )
            matrix = bproc.math.build_transformation_mat(pose.location, rotation)
            if bproc.camera.perform_obstacle_in_view_check(
                matrix, {"min": rendering.camera.clearance_m}, tree
            ):
                bproc.camera.add_camera_pose(matrix)
                break


def render(bproc: Any, rendering: Rendering, request: dict[str, Any], output: Path) -> None:
    """Render all poses with BlenderProc's defaults but for samples and seed, and write everything.

    Without the denoiser, for a reference, every pixel gets all samples. Blender's dithering is off: it would
    add the same (0.4 of 255 on average) to the references and the naive image, and nothing to ours.
    BlenderProc's default is no light tree.
    """
    import bpy

    bpy.context.scene.cycles.seed = request["seed"]
    bproc.renderer.toggle_light_tree(request["light_tree"])
    bpy.context.scene.render.dither_intensity = 0
    bproc.renderer.enable_normals_output()
    bproc.renderer.enable_segmentation_output(map_by=["instance", "class"], default_values={"category_id": 0})
    bproc.renderer.set_max_amount_of_samples(rendering.samples)
    if not rendering.denoise:
        bproc.renderer.set_denoiser(None)
        bproc.renderer.set_noise_threshold(0)
    data = bproc.renderer.render()
    bproc.writer.write_coco_annotations(
        str(output), data["instance_segmaps"], data["instance_attribute_maps"], data["colors"]
    )
    for view, normals in enumerate(data["normals"]):
        np.save(output / f"{view}.npy", np.asarray(normals, np.float32))


def main(request: dict[str, Any]) -> None:
    """Render the scene asked for."""
    rendering, output = Rendering.model_validate(request["rendering"]), Path(request["output"])
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=request["temporary"]) as temporary:
        bproc = start(temporary, request["threads"])
        build(bproc, rendering, request["description"], request)
        print(READY, file=sys.stderr, flush=True)
        render(bproc, rendering, request, output)


if __name__ == "__main__":
    main(json.load(sys.stdin))
    sys.stdout.flush()
    os._exit(0)
