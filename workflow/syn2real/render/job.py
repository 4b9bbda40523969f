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
from syn2real.render.worker import INPUT_ERROR, Order, scene_file

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
        If Blender crashes or is killed; names setting and scene.
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
    missing = [scene for scene in scenes if _attempts(scratch, scene, key) is None]
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
    resampled = {str(scene): count for scene in scenes if (count := _attempts(scratch, scene, key))}
    write_shard(output, meta | {"resampled": resampled}, _records(Path(scratch), scenes, model.views))
    shutil.rmtree(scratch)


def _attempts(scratch: Path, scene: int, key: str) -> int | None:
    """Return how often a finished scene was drawn anew, or None where this job has not rendered it."""
    try:
        meta = Shard(scene_file(scratch, scene)).meta
    except InputError:
        return None
    return int(meta["attempt"]) if meta.get("key") == key else None


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
    if done.stdout.strip() and done.returncode == INPUT_ERROR:
        raise InputError(**json.loads(done.stdout.strip().splitlines()[-1]))
    unfinished = [s for s in order.scenes if _attempts(Path(order.scratch), s, order.key) is None]
    how = f"exit code {done.returncode}"
    if done.returncode < 0:
        how = f"signal {signal.Signals(-done.returncode).name} (SIGKILL often means: out of memory)"
    raise RuntimeError(
        f"setting {order.setting}, {order.split} scene {unfinished[0] if unfinished else '?'}: "
        f"Blender's process ended with {how}; finished scenes are kept in {order.scratch}"
    )
