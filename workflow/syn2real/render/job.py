"""Rendering one shard, scene by scene into a scratch folder: a killed job continues where it stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from syn2real.data.shards import DESCRIPTION, SceneRecord, Shard, view_key, write_shard
from syn2real.errors import InputError
from syn2real.files import digest
from syn2real.jobs.locks import exclusive
from syn2real.render.provenance import assets_digest, shard_meta
from syn2real.render.randomise.base import SceneAssets
from syn2real.render.schema import read_rendering
from syn2real.render.stock import find_scene_assets
from syn2real.render.worker import FILE_ERROR, INPUT_ERROR, RenderRequest, scene_file

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
    fingerprint: str,
    threads: int,
) -> None:
    """Render one shard of a setting, in a process of its own.

    Jobs of the same shard take turns: who waited for another one finds the shard whole, or continues it.

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
    fingerprint : str
        Digest of the code that renders; the shard holds it.
    threads : int
        Threads of a render.

    Raises
    ------
    InputError
        If an asset is missing or broken, or a scene cannot be built; names setting, scene and file.
    RuntimeError
        If Blender crashes or is killed, or the disk is full; names setting, scene and file.
    """
    model = read_rendering(rendering)
    objects = {name: Path(folder).absolute() for name, folder in objects.items()}
    textures = Path(textures).absolute() if textures is not None else None
    output, scratch = Path(output), Path(scratch).absolute()
    found = find_scene_assets(setting, model, objects, textures)
    meta = shard_meta(
        setting=setting,
        rendering=model,
        split=split,
        shard=shard,
        fingerprint=fingerprint,
        scene_assets=found,
        assets=assets_digest(model, found, objects, textures),
    )
    with exclusive(output.with_name(f".{output.stem}.lock")):
        if not _is_whole(output, meta):
            _render(meta, found, objects, textures, scratch, threads)
            _assemble(output, meta, scratch)
        shutil.rmtree(scratch, ignore_errors=True)


def _is_whole(output: Path, meta: dict[str, Any]) -> bool:
    """Whether this very shard is there already: another job of it came first."""
    try:
        return Shard(output).meta.items() >= meta.items()
    except InputError:
        return False


def _scenes(meta: dict[str, Any]) -> range:
    """Return the scenes of the shard."""
    return range(meta["first_scene"], meta["first_scene"] + meta["n_scenes"])


def _render(
    meta: dict[str, Any],
    scene_assets: SceneAssets,
    objects: Mapping[str, Path],
    textures: Path | None,
    scratch: Path,
    threads: int,
) -> None:
    """Have those of the shard's scenes rendered that are not finished yet."""
    # A finished scene of other code, another setting, package or collection is not this shard's.
    key = digest(meta)
    missing = [scene for scene in _scenes(meta) if _finished(scratch, scene, key) is None]
    if not missing:
        return
    request = RenderRequest(
        setting=meta["setting"],
        split=meta["split"],
        rendering=meta["rendering"],
        names=list(scene_assets.objects),
        materials=list(scene_assets.materials),
        labels=list(scene_assets.labels),
        objects={name: str(folder) for name, folder in objects.items()},
        textures=str(textures) if textures is not None else None,
        scratch=str(scratch),
        key=key,
        scenes=missing,
        threads=threads,
    )
    _run_worker(request)


def _assemble(output: Path, meta: dict[str, Any], scratch: Path) -> None:
    """Write the shard from its finished scenes; print how many were drawn again, and objects left out."""
    scenes, key = _scenes(meta), digest(meta)
    place = f"setting {meta['setting']}, {meta['split']} scenes {scenes[0]} to {scenes[-1]}"
    finished = {scene: _finished(scratch, scene, key) for scene in scenes}
    parts = {scene: part for scene, part in finished.items() if part is not None}
    if len(parts) < len(scenes):
        gone = min(set(scenes) - set(parts))
        raise RuntimeError(f"{scratch}: scene {gone} was rendered, but is gone; render it again ({place})")
    resampled = {str(scene): part["attempt"] for scene, part in parts.items() if part["attempt"]}
    dropped = {scene: number for part in parts.values() for scene, number in part["dropped"].items()}
    devices = sorted({device for part in parts.values() for device in part["devices"]})
    members = next(iter(parts.values()))["members"]
    complete = meta | {"members": members, "resampled": resampled, "devices": devices}
    complete |= {"dropped": dropped} if dropped else {}
    try:
        write_shard(output, complete, _records(scratch, scenes, meta["views"]))
    except OSError as error:
        raise RuntimeError(f"{output}: {error.strerror or error} ({place}, kept in {scratch})") from error
    if resampled:
        print(f"{len(resampled)} of {len(scenes)} scenes could not be built and were drawn again")
    if dropped:
        left_out = f"{sum(dropped.values())} objects in {len(dropped)} of {len(scenes)} scenes"
        print(f"{left_out} fit nowhere and were left out")


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


def _run_worker(request: RenderRequest) -> None:
    """Have a process of its own render the missing scenes, and raise what went wrong in it."""
    Path(request.scratch).mkdir(parents=True, exist_ok=True)
    # What a killed Blender leaves behind then goes with the scratch folder.
    own = {"TMPDIR": request.scratch, "OMP_NUM_THREADS": str(request.threads)}
    done = subprocess.run(
        WORKER,
        input=json.dumps(asdict(request)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **own},
        check=False,
    )
    if done.returncode == 0:
        return
    expected = done.returncode in (INPUT_ERROR, FILE_ERROR) and done.stdout.strip()
    message = json.loads(done.stdout.strip().splitlines()[-1]) if expected else None
    if message and done.returncode == INPUT_ERROR:
        raise InputError(**message)
    unfinished = [s for s in request.scenes if _finished(Path(request.scratch), s, request.key) is None]
    how = f"ended with exit code {done.returncode}"
    if message:
        how = f"failed at {message['file'] or request.scratch}: {message['problem']}"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        how = f"ended with signal {name} (SIGKILL often means: out of memory)"
    raise RuntimeError(
        f"setting {request.setting}, {request.split} scene {unfinished[0] if unfinished else '?'}: "
        f"Blender's process {how}; finished scenes are kept in {request.scratch}"
    )
