"""Rendering one shard, scene by scene into a scratch folder: a killed job goes on where it stopped."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syn2real.config.rendering import Rendering
from syn2real.data.shards import SceneRecord, Shard, view_key, write_shard
from syn2real.errors import InputError
from syn2real.files import digest
from syn2real.render.annotations import view_files
from syn2real.render.bop import take_stock
from syn2real.render.scene import Stock, describe, description_bytes

ATTEMPTS = 50
"""Draws of one scene before it is given up: then the setting asks for what does not fit."""


def render_shard(
    *,
    setting: str,
    rendering: dict[str, Any],
    split: str,
    shard: int,
    objects: Mapping[str, Path],
    textures: Path | None,
    output: Path,
    scratch: Path,
    threads: int,
) -> None:
    """Render one shard of a setting. Call it in a process of its own: Blender is a global state.

    Parameters
    ----------
    setting : str
        The setting's name.
    rendering : dict
        The resolved setting, as `Rendering.model_dump(mode="json")` gives it.
    split : str
        `train` or `val`.
    shard : int
        Shard k holds the scenes from `k * scenes_per_shard`.
    objects : dict of str to Path
        The folder, in BOP layout, of each object collection.
    textures : Path or None
        The folder, in ambientCG layout, of the setting's texture collection.
    output : Path
        The shard's file; it appears when it is whole.
    scratch : Path
        Folder of finished scenes; kept when the job is killed, removed at the end.
    threads : int
        Threads of a render.

    Raises
    ------
    InputError
        If an asset is missing or broken, or a scene cannot be built; names setting, scene and file.
    """
    model = Rendering.model_validate(rendering)
    objects = {name: Path(folder).absolute() for name, folder in objects.items()}
    textures = Path(textures).absolute() if textures is not None else None
    stock = take_stock(setting, model, objects, textures)
    first = shard * model.scenes_per_shard
    meta = {
        "setting": setting,
        "split": split,
        "first_scene": first,
        "n_scenes": model.scenes_per_shard,
        "views": model.views,
        "classes": list(stock.classes),
        "rendering": model.model_dump(mode="json"),
    }
    job = _Job(model, meta, stock, Path(scratch))
    records = job.run(range(first, first + model.scenes_per_shard), objects, textures, threads)
    meta |= {"versions": job.versions, "resampled": job.resampled}
    write_shard(output, meta, records)
    shutil.rmtree(scratch)


class _Job:
    """The scenes of one shard, finished ones kept as one-scene shards in the scratch folder."""

    def __init__(self, rendering: Rendering, meta: dict[str, Any], stock: Stock, scratch: Path) -> None:
        from syn2real.render.blender import versions

        self.rendering, self.meta, self.stock, self.scratch = rendering, meta, stock, scratch
        self.versions = versions()
        # A scene left by another setting, package or shard of the same name is not this one's.
        self.key = digest({**meta, "versions": self.versions})
        self.resampled: dict[str, int] = {}

    def run(
        self, scenes: range, objects: Mapping[str, Path], textures: Path | None, threads: int
    ) -> Iterator[SceneRecord]:
        """Render what is missing and return the scenes in order, read one at a time."""
        missing = [scene for scene in scenes if not self._is_finished(scene)]
        if missing:
            with _temporary_folder() as folder:
                self._render(missing, objects, textures, Path(folder), threads)
        for scene in scenes:
            attempt = Shard(self._file(scene)).meta["attempt"]
            if attempt:
                self.resampled[str(scene)] = attempt
        return (self._record(scene) for scene in scenes)

    def _render(
        self,
        scenes: list[int],
        objects: Mapping[str, Path],
        textures: Path | None,
        folder: Path,
        threads: int,
    ) -> None:
        from syn2real.render.blender import Renderer

        renderer = Renderer(self.rendering, objects, textures, folder, threads)
        began = reported = time.monotonic()
        for done, scene in enumerate(scenes, start=1):
            try:
                self._render_scene(renderer, scene)
            except InputError as error:
                name = f"{self.meta['setting']}, {self.meta['split']} scene {scene}"
                raise InputError(f"{name}: {error.problem}", file=error.file, key=error.key) from error
            if time.monotonic() - reported > 5 or done == len(scenes):
                reported = time.monotonic()
                rate = done * self.rendering.views / (reported - began)
                print(f"{done} of {len(scenes)} scenes, {rate:.2f} images/s", file=sys.stderr, flush=True)

    def _render_scene(self, renderer: Any, scene: int) -> None:
        """Render one scene into the scratch folder; draw it anew where it cannot be built."""
        from syn2real.render.blender import Unbuildable

        reason = ""
        for attempt in range(ATTEMPTS):
            description = describe(
                self.meta["setting"], self.rendering, self.meta["split"], scene, self.stock, attempt
            )
            try:
                raws, solids = renderer.render(description)
                views = []
                for number, raw in enumerate(raws):
                    files, seen = view_files(
                        self.rendering, description, number, raw, solids, len(self.stock.classes)
                    )
                    if not seen:
                        raise Unbuildable(f"no object is seen in view {number}")
                    views.append(files)
            except Unbuildable as error:
                reason = str(error)
                continue
            record = SceneRecord(scene, description_bytes(description), views)
            meta = {"n_scenes": 1, "views": len(views), "attempt": attempt, "key": self.key}
            write_shard(self._file(scene), meta, [record])
            return
        raise InputError(f"could not be built in {ATTEMPTS} draws (last: {reason}); give objects more room")

    def _file(self, scene: int) -> Path:
        return self.scratch / f"{scene:08d}.tar"

    def _is_finished(self, scene: int) -> bool:
        """Whether the scene was rendered by an earlier call of this very job."""
        try:
            return Shard(self._file(scene)).meta.get("key") == self.key
        except InputError:
            return False

    def _record(self, scene: int) -> SceneRecord:
        part = Shard(self._file(scene))
        views = [part.read(view_key(scene, view)) for view in range(self.rendering.views)]
        record = SceneRecord(scene, part.read(f"{scene:08d}")["scene.json"], views)
        part.close()
        return record


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of this process alone, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="syn2real-", dir=place)
