"""Builds described scenes on the stage and renders their views."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syn2real.channels.base import RawView, Solid
from syn2real.render.blender import Blender, quiet, world_triangles
from syn2real.render.passes import apply_view_transform, make_passes, read_passes
from syn2real.render.randomise import camera, lights, room
from syn2real.render.randomise.base import Stage
from syn2real.render.scene import LEVELS, randomisations
from syn2real.render.schema import EVERY_SCENE, Rendering

FRESH_START = 20
"""Scenes after which Cycles lets go of what it keeps: it grows with each, and costs a start to make again."""


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
    passes : sequence of str
        Blender's passes that every view gets, see `syn2real.render.passes`.

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
        passes: Sequence[str],
    ) -> None:
        self.rendering, self.temporary, self.passes = rendering, temporary, passes
        self._on = {level: randomisations(rendering, level) for level in LEVELS}
        self._scenes = 0
        with quiet():
            self.blender = Blender(rendering, temporary, threads)
            self.stage = Stage(self.blender, rendering, objects, textures)
            room.build(self.stage)
            lights.build(self.stage)
            make_passes(self.blender.scene, self.blender.layer, temporary, passes)
        self.blender.keep()
        self.devices = self.blender.devices

    def render(self, description: Mapping[str, Any]) -> tuple[list[RawView], list[Solid]]:
        """Build a described scene and render its views.

        Returns
        -------
        views : list of RawView
        solids : list of Solid
            The scene's objects, in the description's order; without those that are dropped.

        Raises
        ------
        SceneRejected
            If an object fits nowhere and is not dropped, or no camera pose has a free view.
        InputError
            If an asset is missing or broken.
        """
        try:
            with quiet():
                self._build(description)
                views = self._views(description)
                solids = [
                    Solid(placed.item["class"], *world_triangles(placed.entity))
                    for placed in self.stage.objects
                ]
                return views, solids
        finally:
            for plane in (*self.stage.planes, self.stage.ceiling):
                plane.blender_obj.data.materials[0] = None
            self.blender.clear()

    def _build(self, description: Mapping[str, Any]) -> None:
        """Make the described scene stand."""
        for aspect in EVERY_SCENE:
            aspect.apply(self.stage, description)
        for placed in self.stage.objects:
            self._apply("object", placed, placed.item)
        self._apply("scene", self.stage, description)

    def _apply(self, level: str, target: Any, drawn: Mapping[str, Any]) -> None:
        """Apply to a target what is on at a level and drawn for it."""
        for chosen in self._on[level]:
            if chosen.key in drawn:
                chosen.module.apply(target, drawn[chosen.key])

    def _views(self, description: Mapping[str, Any]) -> list[RawView]:
        """Render every view of the scene that stands."""
        obstacles = self.blender.obstacles([placed.entity for placed in self.stage.objects])
        poses = [camera.free_pose(self.stage, v["camera_seed"], obstacles) for v in description["views"]]
        views: list[RawView] = []
        self._scenes += 1
        for pose, view in zip(poses, description["views"], strict=True):
            self._apply("view", self.stage, view)
            is_last = len(views) == len(poses) - 1
            keep = not (is_last and self._scenes % FRESH_START == 0)
            self.blender.render(pose, view["cycles_seed"], keep=keep)
            views.append(self._read(pose, view, description["scene"], len(views)))
        return views

    def _read(self, pose: NDArray[np.float64], view: Mapping[str, Any], scene: int, number: int) -> RawView:
        """Return what the render has just written, at the final image's size."""
        scale = self.rendering.supersampling
        radiance, passes = read_passes(self.temporary, self.rendering.size, scale, self.passes)
        file = self.temporary / "image.png"
        image = apply_view_transform(self.blender.bpy.data, self.blender.scene, radiance, file)
        for chosen in self._on["image"]:
            if chosen.key in view:
                image = chosen.module.apply(image, view[chosen.key])
        return RawView(image, passes, pose, self.blender.intrinsics(), scene, number)
