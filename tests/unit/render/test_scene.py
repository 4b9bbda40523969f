"""Scene descriptions: a pure function of (setting, split, render seed, scene), drawn as the paper says."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from syn2real.files import canonical_json
from syn2real.render.randomise.base import SceneAssets
from syn2real.render.scene import description_bytes, draw_scene
from syn2real.render.schema import Rendering, read_rendering

SIZES = {"hb": 33, "icbin": 2, "tless": 30}
ASSETS = SceneAssets(
    tuple(f"{name}/obj_{k:06d}" for name, size in SIZES.items() for k in range(1, size + 1)),
    ("Bricks001", "Fabric001", "Wood001"),
)
RENDERING = Rendering(collections=("hb", "icbin", "tless"))


def text(scene: int, *, setting="s", rendering=RENDERING, split="train", attempt=0) -> bytes:
    return description_bytes(draw_scene(setting, rendering, split, scene, ASSETS, attempt))


def test_shard_size_and_order_change_nothing():
    small = RENDERING.model_copy(update={"scenes_per_shard": 7})
    forwards = [text(scene) for scene in range(20)]
    assert [text(scene, rendering=small) for scene in reversed(range(20))] == forwards[::-1]


def test_another_process_draws_the_same_bytes():
    code = (
        "import sys; from syn2real.render.schema import Rendering;"
        "from syn2real.render.scene import *;"
        f"assets = SceneAssets({ASSETS.objects!r}, {ASSETS.materials!r});"
        f"rendering = Rendering.model_validate_json({RENDERING.model_dump_json()!r});"
        "sys.stdout.buffer.write(description_bytes(draw_scene('s', rendering, 'train', 3, assets)))"
    )
    other = {**os.environ, "PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", code], env=other, capture_output=True, check=True)
    assert done.stdout == text(3)


def test_a_known_scene_never_changes():
    """Adding a draw in the middle of a stream would change every scene users have rendered."""
    digest = hashlib.sha256(text(0)).hexdigest()
    assert digest == "bfd75c0c82c203ecd59d8bd1802beccda49b05c4a986f0fdb74b7f96bc9e1ba1"


ONE = {"light": "fix", "background": "fix", "objects_per_scene": 1}
LENSES = {
    "image_size": 48,
    "supersampling": 1,
    "camera": {"field_of_view_deg": [30, 55], "off_centre_m": 0.05},
    "placement": {"tries": 7},
    "grey": ["hb"],
}
STAND_IN = {
    "background": "colour",
    "textures": None,
    "views": 1,
    "wear": {"tone": 0.3},
    "sensor": {"noise": [0, 0.05]},
    "jpeg": {"quality": [40, 95]},
}
BEFORE = {
    "grey_range": [0.3, 0.9],
    "sharp_edges": True,
    "camera": {"looks_at": "drawn", "azimuth_deg": [-180, 180]},
    "placement": {"unplaced": "redraw", "turn_deg": [0, 360]},
}


@pytest.mark.parametrize(
    ("fields", "scene", "setting"),
    [
        ({}, "a42b28349e80c0a9", "dbf0a0c4fe4897bf"),
        (BEFORE, "a42b28349e80c0a9", "dbf0a0c4fe4897bf"),
        (ONE, "21906cd4a0c478b3", "5ee9ea9171b0caef"),
        (LENSES, "a327afa8bcc502e5", "ed625b630ccc9b5b"),
        (STAND_IN, "f7083edfc389676e", "96ebfe7983ddf77b"),
    ],
)
def test_keys_that_came_later_change_no_older_setting(fields, scene, setting):
    """Neither its scenes nor its identity, whether the keys are absent or at their defaults."""
    rendering = read_rendering({"collections": [*SIZES], **fields})
    contents = text(3, rendering=rendering, attempt=1), canonical_json(rendering.model_dump(mode="json"))
    assert tuple(hashlib.sha256(content).hexdigest()[:16] for content in contents) == (scene, setting)


K = [[150, 0, 40.25], [0, 120, 50], [0, 0, 1]]


def test_a_calibration_takes_the_place_of_the_lens_and_changes_nothing_else():
    camera = {"K": K, "width": 128, "height": 80}
    calibrated = read_rendering({"collections": [*SIZES], "camera": camera})
    first, second = json.loads(text(4)), json.loads(text(4, rendering=calibrated))
    assert second.pop("calibration") == camera
    del first["field_of_view"]
    assert first == second


def test_greys_lie_in_the_range_asked_for():
    light = RENDERING.model_copy(update={"grey_range": (0.95, 1.0)})
    greys = [item["grey"] for item in json.loads(text(0, rendering=light))["objects"]]
    assert all(0.95 <= grey <= 1 for grey in greys if grey is not None)


@pytest.mark.parametrize(
    "changes",
    [
        {"setting": "other"},
        {"split": "val"},
        {"attempt": 1},
        {"rendering": RENDERING.model_copy(update={"seed": 1})},
    ],
)
def test_name_split_seed_and_attempt_each_give_other_scenes(changes):
    first, second = json.loads(text(0)), json.loads(text(0, **changes))
    assert first["placement_seed"] != second["placement_seed"]
    assert first["views"] != second["views"]


def test_the_lights_ranges_move_no_object():
    bright = RENDERING.model_copy(
        update={"lights": RENDERING.lights.model_copy(update={"area_strength": (9, 10)})}
    )
    first, second = json.loads(text(4)), json.loads(text(4, rendering=bright))
    assert first["lights"] != second["lights"]
    assert {k: v for k, v in first.items() if k != "lights"} == {
        k: v for k, v in second.items() if k != "lights"
    }


def test_objects_are_drawn_in_proportion_to_the_collections():
    counts = dict.fromkeys(SIZES, 0)
    for scene in range(400):
        objects = json.loads(text(scene))["objects"]
        assert len(objects) == 10
        for item in objects:
            assert ASSETS.objects[item["class"]] == item["name"]
            counts[item["name"].split("/")[0]] += 1
    total = sum(SIZES.values())
    for name, size in SIZES.items():
        expected = 4000 * size / total
        assert abs(counts[name] - expected) < 5 * np.sqrt(expected)


def test_only_bare_collections_get_a_grey():
    for scene in range(20):
        for item in json.loads(text(scene))["objects"]:
            bare = item["name"].startswith("tless")
            assert (item["grey"] is not None) == bare
            if bare:
                assert 0.3 <= item["grey"] <= 0.9


def test_fixed_lights_and_background_are_the_papers():
    fixed = RENDERING.model_copy(update={"light": "fix", "background": "fix"})
    rooms = [json.loads(text(scene, rendering=fixed)) for scene in range(3)]
    assert {room["room"]["material"] for room in rooms} == {"Fabric001"}
    for room in rooms:
        assert room["lights"]["area"] == {"strength": 4.0, "colour": [1, 1, 1]}
        assert room["lights"]["points"] == [{"location": [0, 0, 3], "energy": 200.0, "colour": [1, 1, 1]}]


def test_random_lights_and_background_vary_within_their_ranges():
    scenes = [json.loads(text(scene)) for scene in range(60)]
    assert {scene["room"]["material"] for scene in scenes} == set(ASSETS.materials)
    strengths = [scene["lights"]["area"]["strength"] for scene in scenes]
    assert 3 <= min(strengths) < 3.5 < 5.5 < max(strengths) <= 6
    for scene in scenes:
        [point] = scene["lights"]["points"]
        assert 0.999 <= np.linalg.norm(point["location"]) <= 1.501
        assert all(0.5 <= part <= 1 for part in point["colour"])


def test_a_plain_setting_has_no_stand_in_conditions():
    description = json.loads(text(0))
    assert all("wear" not in item for item in description["objects"])
    assert all("sensor" not in view for view in description["views"])
    assert description["field_of_view"] == 39.6


def test_stand_in_conditions_vary_from_scene_to_scene():
    stand_in = Rendering.model_validate(
        {
            "collections": ["hb"],
            "objects_per_scene": 1,
            "views": 1,
            "background": "colour",
            "textures": None,
            "lights": {"points": [1, 3], "colour": [0, 1]},
            "camera": {"field_of_view_deg": [30, 60]},
            "wear": {"tone": 0.3, "roughness": 0.4, "scratches": 0.5},
            "sensor": {"noise": [0.01, 0.05], "blur_px": [0, 1]},
        }
    )
    assets = SceneAssets(ASSETS.objects[:33])
    scenes = [draw_scene("stand-in", stand_in, "train", scene, assets) for scene in range(40)]
    assert {len(scene["lights"]["points"]) for scene in scenes} == {1, 2, 3}
    assert len({scene["field_of_view"] for scene in scenes}) == 40
    assert len({scene["views"][0]["sensor"]["noise"] for scene in scenes}) == 40
    for scene in scenes:
        wear = scene["objects"][0]["wear"]
        hue, saturation, value = wear["tone"]
        assert abs(hue) <= 0.15
        assert 0.7 <= saturation <= 1.3
        assert 0.7 <= value <= 1.3
        assert abs(wear["roughness_change"]) <= 0.4
        assert 0 <= wear["scratches"]["part"] <= 0.5
        assert len(scene["room"]["colours"]) == 5
