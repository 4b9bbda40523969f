"""The one module that imports Blender, and all calls of BlenderProc: another release of either is met here.

BlenderProc is made to run in this process's own Python, without its launcher, which would download Blender.
Blender holds one scene at a time; meshes are loaded once and shared by the scenes' objects.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syn2real.assets.bop import model_file
from syn2real.errors import InputError
from syn2real.render.cycles import choose_devices, set_quality
from syn2real.render.schema import Rendering
from syn2real.render.substitutes import substitute

SMOOTH_ANGLE = 0.6
"""Edges sharper than this, in radians, stay sharp."""
NEAREST = 0.01
"""What is closer to the camera than this, metres, is not rendered."""
TRANSPARENT_BOUNCES = 8
UP = (0.0, 0.0, 1.0)
SCENE_KINDS = ("objects", "materials", "lights", "images", "meshes")
"""Kinds of Blender's data that scenes add to."""

Vector = Sequence[float] | NDArray[Any]


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
            f"Blender cannot be loaded: {error}; install the system libraries it needs (on Debian: libx11-6 "
            "libxi6 libxxf86vm1 libxfixes3 libxrender1 libgl1 libxkbcommon0 libsm6)"
        ) from error
    if "blenderproc" not in sys.modules:
        substitute()
        # BlenderProc removes the first entry of its own folder from sys.path: have a second one.
        sys.path.append(str(Path(specification.origin).parents[1]))
    with quiet():
        return bpy, importlib.import_module("blenderproc")


class Blender:
    """Blender as rendering uses it. Objects and materials are those of BlenderProc.

    Parameters
    ----------
    rendering : Rendering
        The resolved setting: size and quality of images.
    temporary : Path
        A folder of this process alone.
    threads : int
        Threads of a render.

    Attributes
    ----------
    bpy, bproc : modules
        Blender and BlenderProc.
    scene, layer : Blender's scene and view layer
    devices : list of str
        What renders: the job's GPUs, or the CPU.
    """

    def __init__(self, rendering: Rendering, temporary: Path, threads: int) -> None:
        self.bpy, self.bproc = start()
        self.rendering = rendering
        self._loaded: dict[tuple[Path, int], Any] = {}
        self._kept: set[tuple[str, str]] = set()
        # What `bproc.init` does, but for the language: the wheel has one only and would refuse.
        importlib.import_module("blenderproc.python.utility.Utility").Utility.temp_dir = str(temporary)
        initializer = importlib.import_module("blenderproc.python.utility.Initializer")
        initializer.clean_up(clean_up_camera=True)
        initializer._Initializer.set_default_parameters()
        self.scene, self.layer = self.bpy.context.scene, self.bpy.context.view_layer
        self._set_quality(threads)

    def _set_quality(self, threads: int) -> None:
        """Set devices, samples, denoiser, light bounces and resolution."""
        rendering = self.rendering
        preferences = self.bpy.context.preferences.addons["cycles"].preferences
        self.devices = choose_devices(preferences, os.environ)
        self.scene.cycles.device = "CPU" if self.devices == ["CPU"] else "GPU"
        renderer, bounces = self.bproc.renderer, rendering.bounces
        renderer.set_cpu_threads(threads)
        renderer.set_light_bounces(
            diffuse_bounces=bounces,
            glossy_bounces=0,
            ao_bounces_render=bounces,
            max_bounces=bounces,
            transmission_bounces=0,
            transparent_max_bounces=TRANSPARENT_BOUNCES,
            volume_bounces=0,
        )
        renderer.set_denoiser(None)
        set_quality(self.scene, self.layer, rendering)
        self.bproc.camera.set_resolution(*self._render_size())
        self.scene.camera.data.clip_start = NEAREST

    def _render_size(self) -> tuple[int, int]:
        """Return the width and the height of what Blender renders, pixels."""
        width, height = self.rendering.size
        return width * self.rendering.supersampling, height * self.rendering.supersampling

    # What scenes are built of

    def keep(self) -> None:
        """Keep what stands now: `clear` removes what is added to it."""
        self._kept = self._blocks()

    def clear(self) -> None:
        """Remove what the scene brought along; what is kept and loaded meshes stay."""
        for kind, name in sorted(self._blocks() - self._kept, reverse=True):
            blocks = getattr(self.bpy.data, kind)
            if name in blocks:
                blocks.remove(blocks[name])

    def _blocks(self) -> set[tuple[str, str]]:
        """Return kind and name of everything in Blender's memory that scenes add to."""
        return {(kind, block.name) for kind in SCENE_KINDS for block in getattr(self.bpy.data, kind)}

    def make_plane(self, half: float, location: Vector, rotation: Vector, material: str) -> Any:
        """Make a square plane with a new material: half its side, centre (metres), rotation (radians)."""
        scale = [half, half, 1]
        plane = self.bproc.object.create_primitive("PLANE", scale=scale, location=location, rotation=rotation)
        plane.add_material(self.make_material(material))
        return plane

    def make_material(self, name: str) -> Any:
        """Make a material."""
        return self.bproc.material.create(name)

    def load_material(self, textures: Path, name: str) -> Any:
        """Load a material of a folder in ambientCG layout.

        Raises
        ------
        InputError
            If it is missing or broken.
        """
        folder = textures / name
        try:
            loaded = self.bproc.loader.load_ccmaterials(str(textures), [name])
        except Exception as error:
            raise InputError(f"not a material that BlenderProc reads ({error})", file=folder) from error
        chosen = [material for material in loaded if material.get_cp("asset_name") == name]
        if not chosen:
            raise InputError("no material that BlenderProc reads, or no longer there", file=folder)
        self._check_images()
        return chosen[0]

    def add_point_light(self, location: Vector, energy: float, colour: Vector) -> None:
        """Add a light: place (metres), power (watts), linear RGB."""
        light = self.bproc.types.Light()
        light.set_location(location)
        light.set_energy(energy)
        light.set_color(colour)

    def load_object(self, folder: Path, number: int) -> Any:
        """Return an object of a folder in BOP layout, loaded once a process and hidden from scenes.

        Raises
        ------
        InputError
            If its mesh or its texture is missing or broken.
        """
        if (folder, number) not in self._loaded:
            file, before = model_file(folder, number), self._blocks()
            try:
                [entity] = self.bproc.loader.load_bop_objs(
                    str(folder), obj_ids=[number], object_model_unit="mm"
                )
            except Exception as error:
                raise InputError(f"not a mesh that BlenderProc reads ({error})", file=file) from error
            self._check_images()
            mesh = entity.get_mesh()
            if not len(mesh.polygons):
                raise InputError("the mesh has no faces", file=file)
            mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
            if self.rendering.sharp_edges:
                mesh.set_sharp_from_angle(angle=SMOOTH_ANGLE)
            self.scene.collection.objects.unlink(entity.blender_obj)
            self._loaded[folder, number] = entity
            self._kept |= self._blocks() - before
        return self._loaded[folder, number]

    def add_object(self, folder: Path, number: int) -> tuple[Any, Any]:
        """Put a copy of an object into the scene: the same mesh, a material of its own.

        Parameters
        ----------
        folder : Path
            The collection, in BOP layout.
        number : int
            The object's BOP number.

        Returns
        -------
        entity, material : BlenderProc's
        """
        entity = self.load_object(folder, number).duplicate(linked=True)
        slot = entity.blender_obj.material_slots[0]
        material = self.bproc.types.Material(slot.material.copy())
        slot.link = "OBJECT"
        slot.material = material.blender_obj
        return entity, material

    def number(self, entities: list[Any]) -> None:
        """Give objects their values in the pass of object indices: 1, 2, …"""
        for index, entity in enumerate(entities, start=1):
            entity.blender_obj.pass_index = index

    def _check_images(self) -> None:
        """Refuse a new texture that is missing or broken: Blender would paint it pink without a word."""
        for image in self.bpy.data.images:
            if image.source != "FILE" or ("images", image.name) in self._kept:
                continue
            if not all(image.size):
                file = self.bpy.path.abspath(image.filepath)
                raise InputError("not an image that Blender reads; repair or remove it", file=file)
            # Asking for the size has decoded the pixels, and Cycles reads the file itself.
            image.buffers_free()

    # Where things stand

    def place_on_floor(
        self, entities: list[Any], floor: Any, sample: Callable[[Any], None], tries: int, spacing: Vector
    ) -> list[bool]:
        """Put objects upright on the floor without collisions; return which of them found a place.

        BlenderProc hides the others from the camera and from the lights.

        Parameters
        ----------
        entities : list of BlenderProc's objects
        floor : BlenderProc's object
        sample : function
            Gives an object a random pose above the floor.
        tries : int
            Poses tried for an object.
        spacing : (float, float)
            Least and greatest distance to the closest other object, metres.
        """
        placed = self.bproc.object.sample_poses_on_surface(
            entities,
            floor,
            sample,
            max_tries=tries,
            min_distance=spacing[0],
            max_distance=spacing[1],
            up_direction=np.array(UP),
        )
        found = {entity.get_name() for entity in placed}
        return [entity.get_name() in found for entity in entities]

    def obstacles(self, entities: list[Any]) -> Any:
        """Return the tree of objects that `is_free` searches."""
        return self.bproc.object.create_bvh_tree_multi_objects(entities)

    def point_of_interest(self, entities: list[Any]) -> NDArray[np.float64]:
        """Return the centre, metres, of that object which is closest to the mean of all centres."""
        return self.bproc.object.compute_poi(entities)

    def look_at(self, location: Vector, target: Vector, roll: float) -> NDArray[np.float64]:
        """Return the pose, shape (4, 4), of a camera that looks at a point; roll in radians."""
        forward = np.asarray(target) - location
        rotation = self.bproc.camera.rotation_from_forward_vec(forward, inplane_rot=roll)
        return self.bproc.math.build_transformation_mat(location, rotation)

    def is_free(self, pose: NDArray[np.float64], clearance: float, obstacles: Any) -> bool:
        """Return whether nothing in a camera's view is closer to it than a distance in metres."""
        return self.bproc.camera.perform_obstacle_in_view_check(pose, {"min": clearance}, obstacles)

    # The camera

    def set_lens(self, angle: float) -> None:
        """Set the camera's angle of view, radians."""
        self.scene.camera.data.angle = angle

    def set_calibration(self, matrix: Sequence[Vector]) -> None:
        """Set the camera's K, shape (3, 3): of the final image, pixel centres at integers.

        Raises
        ------
        InputError
            If Blender's camera has another K then.
        """
        asked, scale = np.array(matrix, dtype=float), self.rendering.supersampling
        asked[:2] *= scale
        asked[:2, 2] += (scale - 1) / 2
        self.bproc.camera.set_intrinsics_from_K_matrix(asked, *self._render_size())
        if not np.allclose(self.bproc.camera.get_intrinsics_as_K_matrix(), asked, rtol=1e-4, atol=0.01):
            raise InputError("Blender's camera cannot have this calibration", key="camera.K")

    def render(self, pose: NDArray[np.float64], seed: int, *, keep: bool) -> None:
        """Render the scene from a camera's pose.

        Parameters
        ----------
        pose : float array, shape (4, 4)
            Blender's camera to the world.
        seed : int
            Of Cycles' samples.
        keep : bool
            Whether Cycles keeps what it has prepared for the next render.
        """
        self.scene.render.use_persistent_data = keep
        self.scene.camera.matrix_world = pose.T.tolist()
        self.scene.cycles.seed = seed
        self.bpy.ops.render.render()

    def intrinsics(self) -> NDArray[np.float64]:
        """Return K, shape (3, 3), of the final image: pixel centres lie at integers."""
        if self.rendering.camera.K is not None:
            return np.array(self.rendering.camera.K)
        matrix = np.array(self.bproc.camera.get_intrinsics_as_K_matrix())
        # The first pixel's corner lies at -1/2, at every resolution.
        matrix[:2, 2] += 0.5
        matrix[:2] /= self.rendering.supersampling
        matrix[:2, 2] -= 0.5
        return matrix


def world_triangles(entity: Any) -> tuple[NDArray[np.floating], NDArray[np.int32], NDArray[np.float64]]:
    """Return an object's triangles in world coordinates, and its pose.

    Returns
    -------
    vertices : float array, shape (N, 3)
        Metres.
    triangles : int array, shape (M, 3)
        Vertex indices.
    object_to_world : float array, shape (4, 4)
        A rotation, and a translation in metres.
    """
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
    return world, triangles.reshape(-1, 3), pose
