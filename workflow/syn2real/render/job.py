"""Rendering one shard, scene by scene into a scratch folder: a killed job goes on where it stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from syn2real.config.rendering import Rendering
from syn2real.data.shards import DESCRIPTION, SceneRecord, Shard, view_key, write_shard
from syn2real.errors import InputError
from syn2real.files import digest
from syn2real.render.bop import take_stock
from syn2real.render.worker import DISK_ERROR, INPUT_ERROR, Order, scene_file

PACKAGES = ("bpy", "blenderproc", "numpy", "opencv-python-headless")
"""Packages whose versions decide pixels and files."""
WORKER = [sys.executable, "-m", "syn2real.render.worker"]


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
    """Render one shard of a setting, in a process of its own.

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
    RuntimeError
        If Blender crashes or is killed, or the disk is full; names setting, scene and file.
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
        "versions": {name: version(name) for name in PACKAGES},
    }
    # A scene that another setting, package or collection left in the scratch folder is not this job's.
    key = digest([meta, stock.materials])
    scenes = range(first, first + model.scenes_per_shard)
    missing = [scene for scene in scenes if _finished(scratch, scene, key) is None]
    if missing:
        order = Order(
            setting=setting,
            split=split,
            rendering=model.model_dump(mode="json"),
            classes=list(stock.classes),
            materials=list(stock.materials),
            objects={name: str(folder) for name, folder in objects.items()},
            textures=str(textures) if textures is not None else None,
            scratch=str(Path(scratch).absolute()),
            key=key,
            scenes=missing,
            threads=threads,
        )
        _run_worker(order)
    try:
        _assemble(output, meta, scratch, scenes, key)
    except OSError as error:
        place = f"setting {setting}, {split} scenes {scenes[0]} to {scenes[-1]}"
        raise RuntimeError(f"{output}: {error.strerror or error} ({place}, kept in {scratch})") from error
    shutil.rmtree(scratch)


def _assemble(output: Path, meta: dict[str, Any], scratch: Path, scenes: range, key: str) -> None:
    """Write the shard from its finished scenes, and tell how many had to be drawn anew."""
    finished = {scene: _finished(scratch, scene, key) or {} for scene in scenes}
    resampled = {str(scene): part["attempt"] for scene, part in finished.items() if part["attempt"]}
    devices = sorted({device for part in finished.values() for device in part["devices"]})
    told = meta | {"resampled": resampled, "devices": devices}
    write_shard(output, told, _records(scratch, scenes, meta["views"]))
    if resampled:
        print(f"{len(resampled)} of {len(scenes)} scenes could not be built and were drawn anew")


def _finished(scratch: Path, scene: int, key: str) -> dict[str, Any] | None:
    """Return what a finished scene says of itself, or None where this job has not rendered it."""
    try:
        meta = Shard(scene_file(scratch, scene)).meta
    except InputError:
        return None
    return meta if meta.get("key") == key else None


def _records(scratch: Path, scenes: range, views: int) -> Iterator[SceneRecord]:
    """Read finished scenes back, one at a time."""
    for scene in scenes:
        part = Shard(scene_file(scratch, scene))
        description = part.read(f"{scene:08d}")[DESCRIPTION]
        yield SceneRecord(scene, description, [part.read(view_key(scene, view)) for view in range(views)])
        part.close()


def _run_worker(order: Order) -> None:
    """Have a process of its own render the missing scenes, and tell what went wrong in it."""
    Path(order.scratch).mkdir(parents=True, exist_ok=True)
    # What a killed Blender leaves behind then goes with the scratch folder.
    own = {"TMPDIR": order.scratch, "OMP_NUM_THREADS": str(order.threads)}
    done = subprocess.run(
        WORKER,
        input=json.dumps(asdict(order)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **own},
        check=False,
    )
    if done.returncode == 0:
        return
    expected = done.returncode in (INPUT_ERROR, DISK_ERROR) and done.stdout.strip()
    told = json.loads(done.stdout.strip().splitlines()[-1]) if expected else None
    if told and done.returncode == INPUT_ERROR:
        raise InputError(**told)
    unfinished = [s for s in order.scenes if _finished(Path(order.scratch), s, order.key) is None]
    how = f"ended with exit code {done.returncode}"
    if told:
        how = f"cannot write {told['file'] or order.scratch}: {told['problem']}"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        how = f"ended with signal {name} (SIGKILL often means: out of memory)"
    raise RuntimeError(
        f"setting {order.setting}, {order.split} scene {unfinished[0] if unfinished else '?'}: "
        f"Blender's process {how}; finished scenes are kept in {order.scratch}"
    )
