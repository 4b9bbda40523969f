"""A whole render job: what lies in the shard, the same bytes again, kills, errors that name their place."""

import io
import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from syn2real.channels.normals import unpack
from syn2real.data.shards import SceneRecord, write_shard
from syn2real.errors import InputError
from syn2real.jobs.fingerprint import imported_modules
from syn2real.render import job
from syn2real.render.scene import description_bytes, draw_scene
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets
from syn2real.report.contact_sheet import contact_sheet


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_shard_says_what_it_is(tiny, assets):
    meta = tiny.meta
    assert (meta["setting"], meta["split"], meta["first_scene"], meta["n_scenes"]) == ("tiny", "train", 0, 3)
    assert meta["rendering"] == Rendering.model_validate(assets.setting).model_dump(mode="json")
    assert len(meta["classes"]) == 24
    assert meta["classes"][0] == "demo-textured/obj_000001"
    assert {"bpy", "blenderproc"} < set(meta["versions"])
    assert meta["code"] == "code"
    assert meta["devices"]
    assert set(meta["resampled"]) <= {"0", "1", "2"}
    assert len(tiny.keys) == 6
    assert not tiny.path.with_suffix(".scratch").exists()


def test_scenes_are_what_was_described(tiny, assets):
    rendering = Rendering.model_validate(assets.setting)
    found = find_scene_assets("tiny", rendering, assets.objects, assets.textures)
    for scene in tiny.scenes:
        attempt = tiny.meta["resampled"].get(str(scene), 0)
        described = draw_scene("tiny", rendering, "train", scene, found, attempt)
        assert tiny.read(f"{scene:08d}")["scene.json"] == description_bytes(described)


def test_every_view_of_every_scene_is_annotated(tiny):
    """Also of the second scene: masks that are set up once and go empty afterwards are a known trap."""
    for key in tiny.keys:
        files = tiny.read(key)
        record = json.loads(files["json"])
        drawn = {item["class"] for item in json.loads(tiny.read(key[:8])["scene.json"])["objects"]}
        class_map = opened(files["seg.png"])
        assert opened(files["png"]).shape == (48, 48, 3)
        assert opened(files["png"]).std() > 5
        assert record["objects"]
        assert set(np.unique(class_map)) <= {0, *(k + 1 for k in drawn)}
        for item in record["objects"]:
            mask = coco_mask.decode(item["segmentation"]).astype(bool)
            x, y, width, height = item["bbox"]
            assert item["area"] == mask.sum() > 0
            assert (class_map[mask] == item["class"] + 1).all()
            assert mask[y : y + height, x : x + width].sum() == mask.sum()
            assert mask[y].any() and mask[y + height - 1].any()
            assert mask[:, x].any() and mask[:, x + width - 1].any()
            assert 0.1 <= item["visible_fraction"] <= 1
        normals, valid = unpack(opened(files["normal.png"]))
        # Of a small image's pixels many lie over several surfaces, above all those of small objects.
        assert valid.mean() > 0.85
        assert valid[class_map > 0].mean() > 0.5
        # Camera space: what is seen points towards the camera.
        assert (normals[valid][:, 2] > -0.4).mean() > 0.95


def test_views_of_a_scene_differ(tiny):
    for scene in tiny.scenes:
        first, second = (opened(tiny.read(f"{scene:08d}-{view:02d}")["png"]) for view in (0, 1))
        assert np.abs(first.astype(int) - second).mean() > 1


def test_a_scene_is_the_same_whatever_the_shard(tiny, assets, tmp_path):
    """Scene 2 as a shard of its own, rendered by a fresh process, equals scene 2 of a shard of three."""
    alone = assets.render(tmp_path / "alone.tar", shard=2, scenes_per_shard=1)
    assert list(alone.scenes) == [2]
    for key in ("00000002", "00000002-00", "00000002-01"):
        assert alone.read(key) == tiny.read(key)


def test_a_randomisation_of_images_changes_nothing_but_images(tiny, assets, tmp_path):
    compressed = assets.render(tmp_path / "compressed.tar", jpeg={"quality": [10, 30]})
    for key in tiny.keys:
        before, after = tiny.read(key), compressed.read(key)
        assert np.abs(opened(before.pop("png")).astype(int) - opened(after.pop("png"))).mean() > 1
        assert after == before
        described = json.loads(compressed.read(key[:8])["scene.json"])
        assert all(10 <= view.pop("jpeg")["quality"] <= 30 for view in described["views"])
        assert described == json.loads(tiny.read(key[:8])["scene.json"])


def test_other_jobs_scenes_are_not_taken_over(tiny, assets, tmp_path):
    scratch = tmp_path / "shard.scratch"
    scratch.mkdir()
    for scene in range(3):
        shutil.copy(tiny.path, scratch / f"{scene:08d}.tar")
    (scratch / "00000000.tar").write_bytes(b"half a file")
    stand_in = {
        "objects_per_scene": 1,
        "views": 1,
        "background": "colour",
        "wear": {"tone": 0.3, "roughness": 0.3, "scratches": 0.6},
        "sensor": {"noise": [0.01, 0.05], "blur_px": [0.3, 0.8]},
        "lights": {"points": [1, 3], "point_energy_w": [15, 80], "colour": [0.2, 1]},
        "camera": {
            "radius_m": [0.4, 0.6],
            "clearance_m": 0.1,
            "field_of_view_deg": [35, 55],
            "off_centre_m": 0.05,
        },
    }
    shard = assets.render(tmp_path / "shard.tar", **stand_in)
    assert len(shard.keys) == 3
    for key in shard.keys:
        assert "sensor" in json.loads(shard.read(key[:8])["scene.json"])["views"][0]
        assert len(json.loads(shard.read(key)["json"])["objects"]) == 1


def test_a_contact_sheet_shows_the_views(tiny, tmp_path):
    output = tmp_path / "sheets" / "sheet.png"
    line = contact_sheet(tiny.path, output, views=4)
    assert line.startswith("tiny, train: 6 images, scenes 0 to 2")
    assert line.endswith(" redrawn") == bool(tiny.meta["resampled"])
    with Image.open(output) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 4 * 192
        assert sheet.height > 3 * 192
    with pytest.raises(InputError, match=r"missing\.tar: there is no such shard"):
        contact_sheet(tmp_path / "missing.tar", output)
    with pytest.raises(InputError, match="not a readable shard"):
        contact_sheet(output, output)


def test_a_contact_sheet_counts_redrawn_scenes_over_the_settings_shards(tiny, tmp_path):
    shards = []
    for first, resampled in ((0, {"1": 2}), (3, {}), (6, {"6": 1, "8": 3})):
        shards.append(tmp_path / f"{first}.tar")
        meta = tiny.meta | {"first_scene": first, "resampled": resampled}
        records = [
            SceneRecord(first + k, b"{}", [tiny.read(f"{k:08d}-{view:02d}") for view in range(2)])
            for k in range(3)
        ]
        write_shard(shards[-1], meta, records)
    line = contact_sheet(shards[0], tmp_path / "sheet.png", others=shards[1:])
    assert line == "tiny, train: 6 images, scenes 0 to 2; 3 of all 9 scenes in 3 shards redrawn"
    line = contact_sheet(shards[2], tmp_path / "sheet.png")
    assert line == "tiny, train: 6 images, scenes 6 to 8, 2 redrawn"
    write_shard(shards[2], meta | {"resampled": {}, "dropped": {"6": 1, "8": 3}}, records)
    line = contact_sheet(shards[2], tmp_path / "sheet.png")
    assert line == "tiny, train: 6 images, scenes 6 to 8, 4 objects left out"


def test_a_change_of_any_module_of_the_worker_changes_the_jobs_fingerprint():
    """The worker is started by name: without an import the rerun rules would not see it."""
    modules = {name.rpartition(".")[2] for name in imported_modules(job.__file__)}
    assert {
        "worker",
        "blender",
        "views",
        "objects",
        "scene",
        "lights",
        "wear",
        "bop",
        "shards",
        "schema",
    } <= modules


def test_a_crash_of_blender_names_setting_and_scene(assets, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "WORKER", [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"])
    with pytest.raises(RuntimeError, match="setting tiny, train scene 0: .*SIGSEGV"):
        assets.render(tmp_path / "s.tar")
    assert not (tmp_path / "s.tar").exists()
