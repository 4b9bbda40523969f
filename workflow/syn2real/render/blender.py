"""The one module that touches Blender: builds a described scene with BlenderProc and renders its views.

BlenderProc is made to run in this process's own Python, without its launcher, which would download Blender.
One process renders many scenes: meshes are loaded once and shared by the scenes' objects.
"""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syn2real.assets.bop import model_file
from syn2real.errors import InputError
from syn2real.render.annotations import RawView, Solid
from syn2real.render.cycles import choose_devices, set_quality
from syn2real.render.passes import as_seen, make_passes, read_passes
from syn2real.render.scene import camera_poses
from syn2real.render.schema import ROOM_SIDE_M, Rendering
from syn2real.render.substitutes import substitute
from syn2real.render.surfaces import dress, plain

SMOOTH_ANGLE = 0.6
"""Edges sharper than this, in radians, stay sharp."""
CAMERA_TRIES = 100
FRESH_START = 20
"""Scenes after which Cycles lets go of what it keeps: it grows with each, and costs a start to make anew."""
DROP_HEIGHT = (1.0, 4.0)
"""Height above the floor from which BOP's on-surface sampling lowers objects, metres."""


class Unbuildable(Exception):
    """A described scene that cannot be built; it is drawn anew from its own stream.

    Parameters
    ----------
    reason : str
        What is wrong with the scene.
    key : str
        The setting's key that decides it.
    mend : str
        What to do where it happens in every draw.
    """

    def __init__(self, reason: str, *, key: str, mend: str) -> None:
        super().__init__(reason)
        self.reason, self.key, self.mend = reason, key, mend


@contextmanager
def quiet() -> Iterator[None]:
    """Send what Blender and BlenderProc print, from C too, nowhere: it is hundreds of lines a scene."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def start() -> tuple[Any, Any]:
    """Import bpy and BlenderProc into this process and return both.

    Raises
    ------
    InputError
        If they are not installed, or bpy lacks a system library.
    """
    os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
    specification = find_spec("blenderproc")
    if specification is None or specification.origin is None or find_spec("bpy") is None:
        raise InputError("Blender is not installed; rendering needs Python 3.11 and `pip install .[render]`")
    try:
        bpy = importlib.import_module("bpy")
    except ImportError as error:
        raise InputError(
            f"Blender cannot be loaded: {error}; install the system libraries it wants (on Debian: libx11-6 "
            "libxi6 libxxf86vm1 libxfixes3 libxrender1 libgl1 libxkbcommon0 libsm6)"
        ) from error
    if "blenderproc" not in sys.modules:
        substitute()
        # BlenderProc removes the first entry of its own folder from sys.path: have a second one.
        sys.path.append(str(Path(specification.origin).parents[1]))
    with quiet():
        return bpy, importlib.import_module("blenderproc")


class Renderer:
    """Builds and renders the scenes of one setting.

    Parameters
    ----------
    rendering : Rendering
        The resolved setting.
    objects : dict of str to Path
        The folder, in BOP layout, of each collection.
    textures : Path or None
        Folder of materials in ambientCG layout.
    temporary : Path
        A folder of this process alone: through files in it Blender hands over its passes.
    threads : int
        Threads of a render.

    Attributes
    ----------
    devices : list of str
        What renders: the job's GPUs, or the CPU.
    """

    def __init__(
        self,
        rendering: Rendering,
        objects: Mapping[str, Path],
        textures: Path | None,
        temporary: Path,
        threads: int,
    ) -> None:
        self.rendering, self.folders, self.textures = rendering, objects, textures
        self.temporary = temporary
        self.bpy, self.bproc = start()
        self._originals: dict[str, Any] = {}
        self._scenes = 0
        with quiet():
            self._initialise(threads)
            self._room = self._make_room()
            self._ceiling = self.bproc.object.create_primitive("PLANE", scale=[3, 3, 1], location=[0, 0, 10])
            self._ceiling.add_material(self.bproc.material.create("light"))
            layer = self.bpy.context.view_layer
            make_passes(self.bpy.context.scene, layer, temporary)
        # What stands now stays; `_clear` removes what a scene adds to it.
        self._kept = self._blocks()

    def _initialise(self, threads: int) -> None:
        """Do what `bproc.init` does, but for the language: the wheel has one only and would refuse."""
        importlib.import_module("blenderproc.python.utility.Utility").Utility.temp_dir = str(self.temporary)
        initializer = importlib.import_module("blenderproc.python.utility.Initializer")
        initializer.clean_up(clean_up_camera=True)
        renderer = self.bproc.renderer
        initializer._Initializer.set_default_parameters()
        scene = self.bpy.context.scene
        preferences = self.bpy.context.preferences.addons["cycles"].preferences
        self.devices = choose_devices(preferences, os.environ)
        scene.cycles.device = "CPU" if self.devices == ["CPU"] else "GPU"
        renderer.set_cpu_threads(threads)
        bounces = self.rendering.bounces
        renderer.set_light_bounces(bounces, 0, bounces, bounces, 0, 8, 0)
        renderer.set_denoiser(None)
        set_quality(scene, self.bpy.context.view_layer, self.rendering)
        side = self.rendering.image_size * self.rendering.supersampling
        self.bproc.camera.set_resolution(side, side)
        scene.camera.data.clip_start = 0.01

    def _make_room(self) -> list[Any]:
        """Return floor and four walls of the cube-shaped room."""
        half, right = ROOM_SIDE_M / 2, np.pi / 2
        poses = [
            ((0, 0, 0), (0, 0, 0)),
            ((0, -half, half), (-right, 0, 0)),
            ((0, half, half), (right, 0, 0)),
            ((half, 0, half), (0, -right, 0)),
            ((-half, 0, half), (0, right, 0)),
        ]
        create = self.bproc.object.create_primitive
        planes = [create("PLANE", scale=[half, half, 1], location=at, rotation=turn) for at, turn in poses]
        for plane in planes:
            plane.add_material(self.bproc.material.create("plain"))
        return planes

    def render(self, description: Mapping[str, Any]) -> tuple[list[RawView], list[Solid]]:
        """Build a described scene and render its views.

        Returns
        -------
        views : list of RawView
        solids : list of Solid
            The scene's objects, in the description's order.

        Raises
        ------
        Unbuildable
            If an object fits nowhere or no camera pose has a free view.
        InputError
            If an asset is missing or broken.
        """
        try:
            with quiet():
                entities = [self._add(item, k) for k, item in enumerate(description["objects"])]
                self._furnish(description["room"])
                self._light(description["lights"])
                self._place(entities, description["placement_seed"])
                return self._views(entities, description), [
                    _solid(entity, item)
                    for entity, item in zip(entities, description["objects"], strict=True)
                ]
        finally:
            self._clear()

    def _original(self, name: str) -> Any:
        """Return the object of a class as loaded from its collection, once a process, hidden from scenes."""
        if name not in self._originals:
            collection, model = name.split("/")
            folder, number = self.folders[collection], int(model.removeprefix("obj_"))
            before = self._blocks()
            try:
                [entity] = self.bproc.loader.load_bop_objs(
                    str(folder), obj_ids=[number], object_model_unit="mm"
                )
            except Exception as error:
                file = model_file(folder, number)
                raise InputError(f"not a mesh that BlenderProc reads ({error})", file=file) from error
            self._check_images()
            mesh = entity.get_mesh()
            if not len(mesh.polygons):
                raise InputError("the mesh has no faces", file=model_file(folder, number))
            mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
            mesh.set_sharp_from_angle(angle=SMOOTH_ANGLE)
            self.bpy.context.scene.collection.objects.unlink(entity.blender_obj)
            self._originals[name] = entity
            self._kept |= self._blocks() - before
        return self._originals[name]

    def _add(self, item: Mapping[str, Any], index: int) -> Any:
        """Put a copy of an object into the scene: the same mesh, a material of its own."""
        entity = self._original(item["name"]).duplicate(linked=True)
        entity.blender_obj.pass_index = index + 1
        slot = entity.blender_obj.material_slots[0]
        material = self.bproc.types.Material(slot.material.copy())
        slot.link = "OBJECT"
        slot.material = material.blender_obj
        dress(material, item)
        return entity

    def _furnish(self, room: Mapping[str, Any]) -> None:
        """Cover the room's planes with its material or plain colours."""
        if "colours" in room:
            for plane, colour in zip(self._room, room["colours"], strict=True):
                material = self.bproc.material.create("plain")
                plain(material, colour, room["roughness"])
                plane.replace_materials(material)
            return
        assert self.textures is not None, "a setting with materials has a folder of them"
        folder = self.textures / room["material"]
        try:
            loaded = self.bproc.loader.load_ccmaterials(str(self.textures), [room["material"]])
        except Exception as error:
            raise InputError(f"not a material that BlenderProc reads ({error})", file=folder) from error
        chosen = [material for material in loaded if material.get_cp("asset_name") == room["material"]]
        if not chosen:
            raise InputError("no material that BlenderProc reads, or no longer there", file=folder)
        self._check_images()
        for plane in self._room:
            plane.replace_materials(chosen[0])

    def _check_images(self) -> None:
        """Refuse a new texture that is missing or broken: Blender would paint it pink without a word."""
        for image in self.bpy.data.images:
            if image.source != "FILE" or ("images", image.name) in self._kept:
                continue
            if not all(image.size):
                file = self.bpy.path.abspath(image.filepath)
                raise InputError("not an image that Blender reads; mend or remove it", file=file)
            # Asking for the size has decoded the pixels, and Cycles reads the file itself.
            image.buffers_free()

    def _light(self, lights: Mapping[str, Any]) -> None:
        """Set the ceiling's emission and the point lights."""
        material = self.bproc.material.create("light")
        area = lights["area"]
        material.make_emissive(emission_strength=area["strength"], emission_color=[*area["colour"], 1.0])
        self._ceiling.replace_materials(material)
        for point in lights["points"]:
            light = self.bproc.types.Light()
            light.set_location(point["location"])
            light.set_energy(point["energy"])
            light.set_color(point["colour"])

    def _place(self, entities: list[Any], seed: int) -> None:
        """Put the objects upright on the floor without collisions; the seed decides where."""
        generator = np.random.default_rng(seed)
        placement, floor = self.rendering.placement, self._room[0]

        def sample(entity: Any) -> None:
            at = generator.uniform(*placement.floor_part, 2) * ROOM_SIDE_M - ROOM_SIDE_M / 2
            entity.set_location([*at, generator.uniform(*DROP_HEIGHT)])
            entity.set_rotation_euler([0, 0, generator.uniform(0, 2 * np.pi)])

        placed = self.bproc.object.sample_poses_on_surface(
            entities,
            floor,
            sample,
            max_tries=placement.tries,
            min_distance=placement.spacing_m[0],
            max_distance=placement.spacing_m[1],
            up_direction=np.array([0.0, 0.0, 1.0]),
        )
        if len(placed) < len(entities):
            raise Unbuildable(
                f"{len(entities) - len(placed)} of {len(entities)} objects fit nowhere",
                key="placement.floor_part",
                mend="use more of the floor, a wider placement.spacing_m or fewer objects_per_scene",
            )

    def _views(self, entities: list[Any], description: Mapping[str, Any]) -> list[RawView]:
        """Render every view of the scene that stands."""
        scene = self.bpy.context.scene
        scene.camera.data.angle = float(np.radians(description["field_of_view"]))
        obstacles = self.bproc.object.create_bvh_tree_multi_objects(entities)
        poses = [
            self._camera_pose(entities, description, view, obstacles)
            for view in range(len(description["views"]))
        ]
        views: list[RawView] = []
        self._scenes += 1
        for pose, view in zip(poses, description["views"], strict=True):
            is_last = len(views) == len(poses) - 1
            scene.render.use_persistent_data = not (is_last and self._scenes % FRESH_START == 0)
            scene.camera.matrix_world = pose.T.tolist()
            scene.cycles.seed = view["cycles_seed"]
            self.bpy.ops.render.render()
            views.append(self._read(pose))
        return views

    def _camera_pose(
        self, entities: list[Any], description: Mapping[str, Any], view: int, obstacles: Any
    ) -> NDArray[np.float64]:
        """Return the first candidate whose view is not blocked by an object close before the camera."""
        camera, clearance = self.bproc.camera, {"min": self.rendering.camera.clearance_m}
        for pose in islice(camera_poses(self.rendering, description, view), CAMERA_TRIES):
            target = self.bproc.object.compute_poi([entities[k] for k in pose.targets]) + pose.offset
            roll = np.radians(pose.roll)
            rotation = camera.rotation_from_forward_vec(target - pose.location, inplane_rot=roll)
            matrix = self.bproc.math.build_transformation_mat(pose.location, rotation)
            if camera.perform_obstacle_in_view_check(matrix, clearance, obstacles):
                return matrix
        raise Unbuildable(
            f"no free view among {CAMERA_TRIES} camera poses",
            key="camera.clearance_m",
            mend="lower it, or move the camera away from the objects (camera.radius_m)",
        )

    def _read(self, pose: NDArray[np.float64]) -> RawView:
        """Return what the render has just written, at the final image's size."""
        scale = self.rendering.supersampling
        radiance, index, normals = read_passes(self.temporary, self.rendering.image_size, scale)
        intrinsics = self.bproc.camera.get_intrinsics_as_K_matrix()
        # Pixel centres lie at integers: the first one's corner at -1/2, at every resolution.
        intrinsics[:2, 2] += 0.5
        intrinsics[:2] /= scale
        intrinsics[:2, 2] -= 0.5
        return RawView(
            image=as_seen(self.bpy.data, self.bpy.context.scene, radiance, self.temporary / "image.png"),
            index=index,
            normals=normals,
            camera_to_world=pose,
            intrinsics=intrinsics,
        )

    def _blocks(self) -> set[tuple[str, str]]:
        """Return kind and name of everything in Blender's memory that scenes add to."""
        kinds = ("objects", "materials", "lights", "images", "meshes")
        return {(kind, block.name) for kind in kinds for block in getattr(self.bpy.data, kind)}

    def _clear(self) -> None:
        """Remove what the scene brought along; loaded meshes, room and camera stay."""
        for plane in (*self._room, self._ceiling):
            plane.blender_obj.data.materials[0] = None
        for kind, name in sorted(self._blocks() - self._kept, reverse=True):
            blocks = getattr(self.bpy.data, kind)
            if name in blocks:
                blocks.remove(blocks[name])


def _solid(entity: Any, item: Mapping[str, Any]) -> Solid:
    """Return an object's triangles in world coordinates, and its pose."""
    mesh = entity.get_mesh()
    mesh.calc_loop_triangles()
    vertices = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", vertices)
    triangles = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    matrix = np.asarray(entity.get_local2world_mat(), dtype=np.float64)
    world = vertices.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    pose = matrix.copy()
    # The model's millimetres are in the matrix as a scale.
    pose[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    return Solid(item["class"], world, triangles.reshape(-1, 3), pose)
