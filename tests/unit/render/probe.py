"""Runs Blender for test_blender.py: loads every asset, renders two scenes, writes what came of it."""

import json
import os
import sys
from pathlib import Path

import numpy as np

from syn2real.channels import objects as objects_channel
from syn2real.channels.base import Limits, Solid
from syn2real.render.blender import world_triangles
from syn2real.render.randomise import camera
from syn2real.render.scene import draw_scene
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets
from syn2real.render.views import Renderer

BALL_M, BALL_HEIGHT_M, CAMERA_HEIGHT_M = 0.2, 0.5, 1.5
"""A ball above the floor, seen from straight above: its radius, its centre's height, and the camera's."""


CALIBRATION = {"K": [[150, 0, 40], [0, 120, 50], [0, 0, 1]], "width": 128, "height": 80}
"""Not square, neither the image nor its pixels, and the principal point beside the centre."""


def calibrated_view(rendering: Rendering, objects: dict, textures: Path, output: Path, scale: int) -> dict:
    """Return the annotations of a turned box seen by a calibrated camera, and the box's corners."""
    given = rendering.model_dump(mode="json") | {"camera": CALIBRATION, "supersampling": scale}
    del given["image_size"]
    own = Rendering.model_validate(given)
    renderer = Renderer(own, objects, textures, output, 1, ("IndexOB",))
    blender = renderer.blender
    camera.apply(renderer.stage, camera.draw(None, own.camera, None))
    box = blender.bproc.object.create_primitive("CUBE", scale=(0.08, 0.1, 0.06), location=(0.03, 0.02, 0.1))
    box.set_rotation_euler((0.3, 0.2, 0.7))
    blender.number([box])
    pose = blender.look_at((0.5, -0.7, 0.6), (0, 0, 0), 0.3)
    blender.render(pose, 1, keep=False)
    solid = Solid(0, *world_triangles(box))
    record = objects_channel.decode(
        objects_channel.render(renderer._read(pose, {}, 0, 0), [solid], Limits(1))
    )
    box.delete()
    found = blender.bproc.camera.get_intrinsics_as_K_matrix().tolist()
    return {"record": record, "corners": solid.vertices.tolist(), "blender": found, "scale": scale}


def main(request: dict) -> None:
    rendering = Rendering.model_validate(request["rendering"])
    objects = {name: Path(folder) for name, folder in request["objects"].items()}
    output, textures = Path(request["output"]), Path(request["textures"])
    passes = ("Normal", "IndexOB", "Depth", "Position")
    renderer = Renderer(rendering, objects, textures, output, 1, passes)
    blender = renderer.blender
    found = find_scene_assets("probe", rendering, objects, textures)
    loaded = {}
    for name in found.classes:
        collection, model = name.split("/")
        entity = blender.load_object(objects[collection], int(model.removeprefix("obj_")))
        mesh = entity.get_mesh()
        corners, colours = np.empty(3 * len(mesh.vertices)), np.zeros(0)
        mesh.vertices.foreach_get("co", corners)
        if mesh.color_attributes:
            attribute = mesh.color_attributes[0].data
            colours = np.empty(4 * len(attribute))
            attribute.foreach_get("color", colours)
        loaded[name] = {
            "size": (np.ptp(corners.reshape(-1, 3), axis=0) * np.array(entity.get_scale())).tolist(),
            "colours": len(np.unique(np.round(colours.reshape(-1, 4), 3), axis=0)),
        }
    materials = blender.bproc.loader.load_ccmaterials(str(textures))
    textured = {
        material.get_cp("asset_name"): sorted(
            node.image.name for node in material.nodes if node.bl_idname == "ShaderNodeTexImage"
        )
        for material in materials
    }
    arrays, blocks = {}, []
    for scene in range(3):
        views, solids = renderer.render(draw_scene("probe", rendering, "train", scene, found))
        for k, solid in enumerate(solids):
            arrays[f"{scene}-vertices-{k}"] = solid.vertices
        for v, view in enumerate(views):
            for field in ("image", "camera_to_world", "intrinsics"):
                arrays[f"{scene}-{v}-{field}"] = getattr(view, field)
            for name in passes:
                arrays[f"{scene}-{v}-{name}"] = view.passes[name]
        data = blender.bpy.data
        kinds = [
            name
            for name in dir(data)
            if isinstance(getattr(data, name), blender.bpy.types.bpy_prop_collection)
        ]
        blocks.append({kind: len(getattr(data, kind)) for kind in kinds})
    left = sorted(block.name for block in blender.bpy.context.scene.objects)
    ball = blender.bproc.object.create_primitive(
        "SPHERE", radius=BALL_M, segments=256, ring_count=128, location=(0, 0, BALL_HEIGHT_M)
    )
    above = np.eye(4)
    above[2, 3] = CAMERA_HEIGHT_M
    blender.render(above, 1, keep=False)
    view = renderer._read(above, {}, 0, 0)
    arrays |= {"ball-Depth": view.passes["Depth"], "ball-intrinsics": view.intrinsics}
    arrays["ball-Normal"] = view.passes["Normal"]
    ball.delete()
    calibrated = [calibrated_view(rendering, objects, textures, output, scale) for scale in (1, 2)]
    np.savez(output / "probe.npz", **arrays)
    report = {
        "loaded": loaded,
        "materials": textured,
        "left": left,
        "blocks": blocks,
        "devices": renderer.devices,
        "calibrated": calibrated,
    }
    (output / "probe.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main(json.load(sys.stdin))
    os._exit(0)
