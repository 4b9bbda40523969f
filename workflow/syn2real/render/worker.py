"""The process that runs Blender: renders the scenes asked for on standard input into a scratch folder.

Blender lives in a process of its own: it is one global state, it may crash, and on some days it crashes at
the very end, when Python has already let go of it. So the process ends without letting Python clean up.
"""

import json
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from syn2real.channels import objects as objects_channel
from syn2real.channels.base import Limits, load_channel
from syn2real.data.shards import IMAGE, SceneRecord, write_shard
from syn2real.errors import InputError
from syn2real.jobs.child import die_with_parent, exit_now
from syn2real.png import encode_png
from syn2real.render.randomise.base import SceneAssets, SceneRejected
from syn2real.render.scene import description_bytes, draw_scene
from syn2real.render.schema import Rendering, read_rendering
from syn2real.render.views import Renderer

ATTEMPTS = 50
"""Draws of one scene before it is given up: then the setting asks for what does not fit."""
INPUT_ERROR, FILE_ERROR = 2, 3
"""Exit codes of bad input and of an error in a file, explained in one line of JSON on standard output."""

REPORT_EVERY = 5.0
"""Seconds between two lines of progress."""
READY = "Blender is ready"
"""Said on standard error before the first scene."""


@dataclass(frozen=True)
class RenderRequest:
    """What to render: plain data, as it comes from `syn2real.render.job`.

    Attributes
    ----------
    setting, split : str
        Names.
    rendering : dict
        The resolved setting.
    names, materials, labels : list of str
        See `SceneAssets`.
    objects : dict of str to str
        Folders of the object collections.
    textures : str or None
        Folder of the materials.
    scratch : str
        Where finished scenes go, each a shard of one scene.
    key : str
        Marks finished scenes as this job's.
    scenes : list of int
        The scenes to render, in this order.
    threads : int
        Threads of a render.
    """

    setting: str
    split: str
    rendering: dict[str, Any]
    names: list[str]
    materials: list[str]
    labels: list[str]
    objects: dict[str, str]
    textures: str | None
    scratch: str
    key: str
    scenes: list[int]
    threads: int


def scene_file(scratch: str | Path, scene: int) -> Path:
    """Return where a finished scene waits, as a shard of its own, for its shard to be whole."""
    return Path(scratch) / f"{scene:08d}.tar"


def work(request: RenderRequest) -> None:
    """Render every scene of a request; progress goes to standard error.

    Raises
    ------
    InputError
        If an asset is missing or broken, or a scene cannot be built; names setting, scene and file.
    OSError
        If a file cannot be written, for want of room above all.
    """
    rendering = read_rendering(request.rendering)
    objects = {name: Path(folder) for name, folder in request.objects.items()}
    textures = Path(request.textures) if request.textures is not None else None
    cv2.setNumThreads(request.threads)
    with tempfile.TemporaryDirectory(prefix="passes-") as folder:
        renderer = Renderer(rendering, objects, textures, Path(folder), request.threads, _passes(rendering))
        print(READY, file=sys.stderr, flush=True)
        began = reported = time.monotonic()
        for done, scene in enumerate(request.scenes, start=1):
            try:
                _render_scene(request, rendering, renderer, scene)
            except InputError as error:
                place = f"setting {request.setting}, {request.split} scene {scene}"
                raise InputError(f"{error.problem} ({place})", file=error.file, key=error.key) from error
            if time.monotonic() - reported > REPORT_EVERY or done == len(request.scenes):
                reported = time.monotonic()
                rate = done * rendering.views / (reported - began)
                print(
                    f"{done} of {len(request.scenes)} scenes, {rate:.2f} images/s",
                    file=sys.stderr,
                    flush=True,
                )


def _passes(rendering: Rendering) -> list[str]:
    """Return Blender's passes that a setting's channels need, and that show which objects are seen."""
    needed = [name for channel in rendering.channel_names() for name in load_channel(channel).PASSES]
    return list(dict.fromkeys([*needed, *objects_channel.PASSES]))


def _render_scene(request: RenderRequest, rendering: Rendering, renderer: Renderer, scene: int) -> None:
    """Render one scene into the scratch folder; draw it again, and count it, where it cannot be built."""
    assets = SceneAssets(tuple(request.names), tuple(request.materials), tuple(request.labels))
    last = SceneRejected("", key="", fix="")
    for attempt in range(ATTEMPTS):
        description = draw_scene(request.setting, rendering, request.split, scene, assets, attempt)
        try:
            views, standing = _render_views(rendering, renderer, description, len(assets.classes))
        except SceneRejected as error:
            last = error
            print(f"scene {scene} is drawn again: {error.reason}", file=sys.stderr, flush=True)
            continue
        record = SceneRecord(scene, description_bytes(description), views)
        missing = len(description["objects"]) - standing
        meta = {
            "setting": request.setting,
            "split": request.split,
            "classes": list(assets.classes),
            "first_scene": scene,
            "n_scenes": 1,
            "views": len(views),
            "members": list(views[0]),
            "attempt": attempt,
            "dropped": {str(scene): missing} if missing else {},
            "devices": renderer.devices,
            "key": request.key,
        }
        write_shard(scene_file(request.scratch, scene), meta, [record])
        return
    problem = f"a scene could not be built in {ATTEMPTS} draws (last: {last.reason}); {last.fix}"
    raise InputError(problem, key=last.key)


def _render_views(
    rendering: Rendering, renderer: Renderer, description: dict[str, Any], classes: int
) -> tuple[list[dict[str, bytes]], int]:
    """Return the files of a scene's views, and how many objects stand in it."""
    limits = Limits(classes, rendering.min_visible_pixels, rendering.min_visible_fraction)
    channels = [load_channel(name) for name in rendering.channel_names()]
    raws, solids = renderer.render(description)
    views = []
    for number, raw in enumerate(raws):
        files = {channel.MEMBER: channel.render(raw, solids, limits) for channel in channels}
        seen = objects_channel.decode(
            files.get(objects_channel.MEMBER) or objects_channel.render(raw, solids, limits)
        )
        if not seen["objects"]:
            raise SceneRejected(
                f"no object is seen in view {number}",
                key="min_visible_pixels",
                fix="lower it or min_visible_fraction, or bring the camera nearer (camera.radius_m)",
            )
        views.append({IMAGE: encode_png(raw.image)} | files)
    return views, len(solids)


def main() -> int:
    """Do the request on standard input and return the exit code."""
    die_with_parent()
    try:
        work(RenderRequest(**json.load(sys.stdin)))
    except InputError as error:
        file = str(error.file) if error.file else None
        print(json.dumps({"problem": error.problem, "file": file, "key": error.key}))
        return INPUT_ERROR
    except OSError as error:
        traceback.print_exc()
        print(json.dumps({"problem": error.strerror or str(error), "file": error.filename}))
        return FILE_ERROR
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    exit_now(main())
