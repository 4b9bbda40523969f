"""What goes wrong in long renderings, made to happen: kills, a full disk, broken assets, crowded scenes."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from syn2real.assets.bop import model_file
from syn2real.errors import InputError
from syn2real.png import decode_png
from syn2real.render import job
from syn2real.render.blender import Blender
from syn2real.render.scene import description_bytes, draw_scene
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets
from syn2real.render.worker import READY


def start(assets, output) -> subprocess.Popen:
    """Start the render job of the tiny shard as a process of its own."""
    code = (
        "import json, sys; from pathlib import Path; from syn2real.render.job import render_shard;"
        "render_shard(**json.load(sys.stdin))"
    )
    call = {
        "setting": "tiny",
        "rendering": assets.setting,
        "split": "train",
        "shard": 0,
        "objects": {name: str(folder) for name, folder in assets.objects.items()},
        "textures": str(assets.textures),
        "output": str(output),
        "scratch": str(output.with_suffix(".scratch")),
        "fingerprint": "code",
        "threads": 1,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(json.dumps(call))
    process.stdin.close()
    return process


def child(pid: int) -> int:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    [number] = listed.stdout.split()
    return int(number)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for_scenes(process, scratch: Path, count: int) -> None:
    while len(list(scratch.glob("0*.tar"))) < count:
        assert process.poll() is None
        time.sleep(0.01)


def test_a_job_killed_twice_continues_and_gives_the_same_bytes(assets, tmp_path):
    # Scenes of a second: however late a kill comes, it finds the next one under way.
    assets = dataclasses.replace(assets, setting={**assets.setting, "samples": 100})
    undisturbed = assets.render(tmp_path / "whole" / "shard-000000.tar").path
    output = tmp_path / undisturbed.name
    scratch = output.with_suffix(".scratch")
    # Blender's process is killed, as a kernel short of memory would: its job says where.
    process = start(assets, output)
    wait_for_scenes(process, scratch, 1)
    os.kill(child(process.pid), signal.SIGKILL)
    printed = process.stderr.read()
    assert process.wait() == 1
    assert "setting tiny, train scene 1: Blender's process ended with signal SIGKILL" in printed
    assert [file.name for file in scratch.glob("0*.tar")] == ["00000000.tar"]
    # Then the job itself: Blender's process dies with it, so that no orphan goes on writing.
    process = start(assets, output)
    wait_for_scenes(process, scratch, 2)
    worker = child(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    for _ in range(500):
        if not is_running(worker):
            break
        time.sleep(0.02)
    assert not is_running(worker)
    assert len(list(scratch.glob("0*.tar"))) == 2
    assert not output.exists()
    assets.render(output)
    assert output.read_bytes() == undisturbed.read_bytes()
    assert not scratch.exists()


def test_two_jobs_of_one_shard_take_turns(tiny, assets, tmp_path):
    """As an orphan on a cluster and its resubmission do; the second one finds the shard whole."""
    output = tmp_path / tiny.path.name
    both = [start(assets, output), start(assets, output)]
    printed = [process.stderr.read() for process in both]
    assert [process.wait() for process in both] == [0, 0], printed
    assert output.read_bytes() == tiny.path.read_bytes()
    assert "".join(printed).count(READY) == 1
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@contextmanager
def small_disk(folder: Path, size: str):
    """Mount a file system of this size, where that is allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = (
        shutil.which("mount") and not subprocess.run(command, capture_output=True, check=False).returncode
    )
    if not mounted:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_reported_and_the_job_continues_when_there_is_room(tiny, assets, tmp_path):
    disk = tmp_path / "disk"
    # Room for what Blender writes of a view and for one finished scene, not for all three.
    room = (16 + 6) * 48**2 + 20_000 + tiny.path.stat().st_size // 2
    with small_disk(disk, f"{room // 1024}k"):
        output = disk / tiny.path.name
        with pytest.raises(
            RuntimeError, match=r"(?s)setting tiny, train scene [12]: .*process failed at \S*disk\S+: "
        ) as error:
            assets.render(output)
        assert len(str(error.value).splitlines()) == 1
        kept = list(output.with_suffix(".scratch").glob("0*.tar"))
        assert 0 < len(kept) < 3
        assert not output.exists()
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assets.render(output)
        assert output.read_bytes() == tiny.path.read_bytes()


def test_finished_scenes_are_kept_for_the_same_assets(assets, tmp_path, monkeypatch):
    collection = tmp_path / "demo-textured"
    shutil.copytree(assets.objects["demo-textured"], collection)
    own = dataclasses.replace(assets, objects={"demo-textured": collection})
    small = {"collections": ["demo-textured"], "scenes_per_shard": 1, "views": 1, "image_size": 16}
    output = tmp_path / "s.tar"
    output.mkdir()
    with pytest.raises(RuntimeError, match="setting tiny, train scenes 0 to 0, kept in"):
        own.render(output, **small)
    assert len(list(output.with_suffix(".scratch").glob("0*.tar"))) == 1
    asked = []
    monkeypatch.setattr(job, "_run_worker", lambda request: asked.append(request.scenes))
    with pytest.raises(RuntimeError, match="kept in"):
        own.render(output, **small)
    assert asked == []
    mesh = model_file(collection, 1)
    content = bytearray(mesh.read_bytes())
    content[-1] ^= 1
    mesh.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"scene 0 was rendered, but is gone.*setting tiny, train"):
        own.render(output, **small)
    assert asked == [[0]]


def test_a_broken_mesh_is_named_with_setting_and_scene(assets, tmp_path):
    collection = tmp_path / "demo-textured"
    shutil.copytree(assets.objects["demo-textured"], collection)
    for number in range(1, 13):
        model_file(collection, number).write_text("ply\nnot a mesh\n")
    broken = dataclasses.replace(assets, objects={"demo-textured": collection})
    with pytest.raises(InputError, match=r"obj_0000\d\d\.ply.*setting tiny, train scene 0"):
        broken.render(tmp_path / "s.tar", collections=["demo-textured"])
    assert not (tmp_path / "s.tar").exists()


def test_a_missing_texture_is_named_before_blender_starts(assets, tmp_path):
    textures = tmp_path / "textures"
    shutil.copytree(assets.textures, textures)
    (textures / "Fabric001" / "Fabric001_2K_Color.jpg").unlink()
    without = dataclasses.replace(assets, textures=textures)
    with pytest.raises(InputError, match="tiny: background_material: no material 'Fabric001'"):
        without.render(tmp_path / "s.tar", background="fix")


@pytest.mark.parametrize("kind", ["Color", "Roughness"])
def test_a_broken_texture_is_named_with_setting_and_scene(assets, tmp_path, kind):
    """Blender would paint it pink and say nothing."""
    textures = tmp_path / "textures"
    shutil.copytree(assets.textures, textures)
    broken = textures / "Fabric001" / f"Fabric001_2K_{kind}.jpg"
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(InputError, match=rf"Fabric001_2K_{kind}\.jpg: not an image.*tiny, train scene 0"):
        dataclasses.replace(assets, textures=textures).render(tmp_path / "s.tar", background="fix")


def test_a_models_missing_texture_is_named_with_setting_and_scene(assets, tmp_path):
    """Some of BOP's models keep their colours in an image beside them."""
    collection = tmp_path / "demo-textured"
    shutil.copytree(assets.objects["demo-textured"], collection)
    for number in range(1, 13):
        file = model_file(collection, number)
        text = file.read_bytes().replace(b"comment ", b"comment TextureFile missing.png\ncomment ", 1)
        file.write_bytes(text)
    broken = dataclasses.replace(assets, objects={"demo-textured": collection})
    with pytest.raises(InputError, match=r"missing\.png.*setting tiny, train scene 0"):
        broken.render(tmp_path / "s.tar", collections=["demo-textured"])


CROWDED = {"placement": {"floor_part": [0.47, 0.53], "tries": 5}, "image_size": 16, "views": 1}


def test_scenes_that_cannot_be_built_are_drawn_again_counted_and_reported(assets, tmp_path, capfd):
    shard = assets.render(tmp_path / "s.tar", **CROWDED)
    resampled = shard.meta["resampled"]
    assert resampled
    rendering = Rendering.model_validate({**assets.setting, **CROWDED})
    found = find_scene_assets("tiny", rendering, assets.objects, assets.textures)
    for scene in shard.scenes:
        drawn = draw_scene("tiny", rendering, "train", scene, found, resampled.get(str(scene), 0))
        assert shard.read(f"{scene:08d}")["scene.json"] == description_bytes(drawn)
    printed = capfd.readouterr()
    assert f"scene {next(iter(resampled))} is drawn again: " in printed.err
    assert f"{len(resampled)} of 3 scenes could not be built and were drawn again" in printed.out


@pytest.fixture(scope="module")
def with_large_ones(assets, tmp_path_factory):
    """The demo's bare objects, every odd one longer than the room."""
    collection = tmp_path_factory.mktemp("large") / "demo-textureless"
    shutil.copytree(assets.objects["demo-textureless"], collection)
    beam = trimesh.creation.box(extents=(5000, 50, 50))
    for number in range(1, 13, 2):
        model_file(collection, number).write_bytes(trimesh.exchange.ply.export_ply(beam))
    return dataclasses.replace(assets, objects={"demo-textureless": collection})


DROP = {
    "collections": ["demo-textureless"],
    "objects_per_scene": 2,
    "scenes_per_shard": 6,
    "views": 1,
    "placement": {"unplaced": "drop", "tries": 5},
    "camera": {"K": [[48, 0, 30], [0, 50, 12], [0, 0, 1]], "width": 48, "height": 32, "clearance_m": 0.1},
    "min_visible_fraction": 0,
    "min_visible_pixels": 1,
}


def test_objects_that_fit_nowhere_are_left_out_and_counted(with_large_ones, tmp_path, capfd):
    """Scenes of large objects alone, and views in which none is seen, are drawn again."""
    given = {key: value for key, value in with_large_ones.setting.items() if key != "image_size"}
    shard = dataclasses.replace(with_large_ones, setting=given).render(tmp_path / "s.tar", **DROP)
    dropped, resampled = shard.meta["dropped"], shard.meta["resampled"]
    assert dropped
    assert resampled
    for scene in shard.scenes:
        description = json.loads(shard.read(f"{scene:08d}")["scene.json"])
        large = [item for item in description["objects"] if item["class"] % 2 == 0]
        assert len(large) == dropped.get(str(scene), 0) < 2
        files = shard.read(f"{scene:08d}-00")
        record = json.loads(files["json"])
        assert record["camera"]["K"] == DROP["camera"]["K"]
        assert (record["width"], record["height"]) == (48, 32)
        classes = {item["class"] for item in record["objects"]}
        standing = {item["class"] for item in description["objects"]} - {item["class"] for item in large}
        assert classes and classes <= standing
        shown = {int(value) - 1 for value in np.unique(decode_png(files["seg.png"])) if value}
        assert classes == shown
    printed = capfd.readouterr()
    assert "2 of 2 objects fit nowhere" in printed.err
    assert (
        f"{len(dropped)} objects in {len(dropped)} of 6 scenes fit nowhere and were left out" in printed.out
    )


FITS_NOWHERE = {"objects_per_scene": 6, "placement": {"floor_part": [0.499, 0.501], "tries": 1}}
UNSEEN = {"min_visible_pixels": 10_000, "image_size": 16, "samples": 1, "views": 1}
CLOSE = {"radius_m": [0.45, 0.8], "clearance_m": 3, "field_of_view_deg": [5, 5]}
BLOCKED = {"camera": CLOSE, "views": 1, "image_size": 16}


@pytest.mark.parametrize(
    ("changes", "key", "reason", "fix"),
    [
        (FITS_NOWHERE, "placement.floor_part", r"\d of 6 objects fit nowhere", "use more of the floor"),
        (UNSEEN, "min_visible_pixels", "no object is seen in view 0", "lower it or min_visible_fraction"),
        (
            BLOCKED,
            "camera.clearance_m",
            "no free view among 100 camera poses",
            "lower it, or move the camera",
        ),
    ],
)
def test_what_cannot_be_built_names_its_key_and_fix(assets, tmp_path, changes, key, reason, fix):
    message = rf"{key}: .* in 50 draws \(last: {reason}\); {fix}.*\(setting tiny, train scene 0\)"
    with pytest.raises(InputError, match=message) as error:
        assets.render(tmp_path / "s.tar", **changes)
    assert error.value.key == key


def test_materials_that_vanish_are_reported_as_such(tmp_path):
    """Between two scenes; nothing is written here, so nothing may be reported as not written."""
    loader = SimpleNamespace(load_ccmaterials=lambda folder, names: Path(folder).stat())
    blender = SimpleNamespace(bproc=SimpleNamespace(loader=loader))
    with pytest.raises(InputError, match=r"gone/Wood001: not a material .*No such file"):
        Blender.load_material(blender, tmp_path / "gone", "Wood001")
