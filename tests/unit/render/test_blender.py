"""What Blender renders, against geometry: in a process of its own, two scenes of the demo's objects."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from syn2real.channels import depth as depth_channel
from syn2real.channels.normals import UNMIXED, pack, unpack
from syn2real.errors import InputError
from syn2real.render import blender
from syn2real.render.schema import Rendering

BALL_M, BALL_HEIGHT_M, CAMERA_HEIGHT_M = 0.2, 0.5, 1.5
"""As in `probe.py`."""

RENDERING = Rendering.model_validate(
    {
        "collections": ["demo-textured", "demo-textureless"],
        "objects_per_scene": 3,
        "views": 2,
        "image_size": 64,
        "samples": 4,
        "denoise": False,
        "textures": "demo",
        "background": "fix",
        "camera": {"radius_m": [0.9, 1.2], "clearance_m": 0.1, "field_of_view_deg": [60, 60]},
    }
)


@pytest.fixture(scope="module")
def probe(assets, tmp_path_factory):
    output = tmp_path_factory.mktemp("probe")
    request = {
        "rendering": RENDERING.model_dump(mode="json"),
        "objects": {name: str(folder) for name, folder in assets.objects.items()},
        "textures": str(assets.textures),
        "output": str(output),
    }
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    script = Path(__file__).with_name("probe.py")
    done = subprocess.run(
        [sys.executable, script],
        env=environment,
        input=json.dumps(request),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((output / "probe.json").read_text()), dict(np.load(output / "probe.npz"))


def views():
    return [(scene, view) for scene in range(2) for view in range(2)]


def test_blenderproc_reads_every_model_in_metres(probe, assets):
    loaded = probe[0]["loaded"]
    assert len(loaded) == 24
    for name, read in loaded.items():
        collection, model = name.split("/")
        information = json.loads((assets.objects[collection] / "models" / "models_info.json").read_text())
        stated = information[str(int(model.removeprefix("obj_")))]
        np.testing.assert_allclose(
            np.array(read["size"]) * 1000, [stated[f"size_{axis}"] for axis in "xyz"], rtol=1e-3
        )
        assert (read["colours"] >= 2) == (collection == "demo-textured")


def test_blenderproc_reads_every_material(probe):
    materials = probe[0]["materials"]
    assert len(materials) == 10
    for name, images in materials.items():
        kinds = {image.rsplit("_", 1)[1].split(".")[0] for image in images}
        assert kinds == {"Color", "NormalGL", "Roughness", "Displacement"}, name


def test_nothing_of_a_scene_is_left_behind(probe):
    planes = [name for name in probe[0]["left"] if name.startswith("Plane")]
    assert sorted(set(probe[0]["left"]) - set(planes)) == ["Camera"]
    assert len(planes) == 6


def test_memory_stays_flat(probe):
    """As many data-blocks of every kind after the third scene as after the first: what grows, grows there."""
    first, *later = probe[0]["blocks"]
    assert first["objects"] >= 24 + 7
    assert later == [first, first]


def test_without_a_gpu_the_cpu_renders(probe):
    assert probe[0]["devices"] == ["CPU"]


@pytest.mark.parametrize(("scene", "view"), views())
def test_stored_normals_are_right_within_a_degree(probe, scene, view):
    normals = probe[1][f"{scene}-{view}-Normal"] @ probe[1][f"{scene}-{view}-camera_to_world"][:3, :3]
    length = np.linalg.norm(normals, axis=-1)
    stored, valid = unpack(pack(normals, length > 0.1))
    cosine = (stored * normals).sum(-1)[valid] / length[valid]
    assert np.median(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) < 1


def test_depth_is_that_of_a_floor_and_a_ball(probe):
    """Along the viewing axis, in metres: of a floor the same everywhere, of a ball where its rays meet it."""
    depth, intrinsics = probe[1]["ball-Depth"], probe[1]["ball-intrinsics"]
    # Of a supersampled pixel's four parts, the one below and right of its centre.
    rows, columns = np.indices(depth.shape) + 0.25
    x, y = (columns - intrinsics[0, 2]) / intrinsics[0, 0], (rows - intrinsics[1, 2]) / intrinsics[1, 1]
    # |t (x, y, 1) - (0, 0, distance)| = radius
    squares, distance = x**2 + y**2 + 1, CAMERA_HEIGHT_M - BALL_HEIGHT_M
    inside = distance**2 - squares * (distance**2 - BALL_M**2)
    hit = inside > 0.02
    expected = (distance - np.sqrt(np.where(hit, inside, 0))) / squares
    stored = depth_channel.decode(depth_channel.encode(depth))
    assert hit.sum() > 100
    np.testing.assert_allclose(stored[hit], expected[hit], atol=0.002)
    floor = inside < -0.02
    np.testing.assert_allclose(stored[floor], CAMERA_HEIGHT_M, atol=0.001)


def test_no_normal_is_a_mean_over_an_edge(probe):
    """Each is, within ten degrees, that of the floor or of the ball somewhere in its pixel."""
    intrinsics, normals = probe[1]["ball-intrinsics"], probe[1]["ball-Normal"]
    stored, valid = unpack(pack(normals, np.linalg.norm(normals, axis=-1) > UNMIXED))
    assert valid.mean() > 0.99
    best = stored[..., 2]  # the camera looks straight down: its axes are the world's
    for row, column in itertools.product(np.linspace(-0.5, 0.5, 5), repeat=2):
        rows, columns = np.indices(valid.shape) + np.array([row, column])[:, None, None]
        x, y = (columns - intrinsics[0, 2]) / intrinsics[0, 0], (intrinsics[1, 2] - rows) / intrinsics[1, 1]
        squares, distance = x**2 + y**2 + 1, CAMERA_HEIGHT_M - BALL_HEIGHT_M
        inside = distance**2 - squares * (distance**2 - BALL_M**2)
        depth = (distance - np.sqrt(np.maximum(inside, 0))) / squares
        ball = np.stack([x * depth, y * depth, distance - depth], axis=-1) / BALL_M
        best = np.maximum(best, np.where(inside > 0, (ball * stored).sum(-1), -1))
    assert np.degrees(np.arccos(np.clip(best[valid], -1, 1))).max() < 10


@pytest.mark.parametrize("number", [0, 1], ids=["plain", "supersampled"])
def test_a_calibrated_camera_sees_an_object_where_its_K_projects_it(probe, number):
    seen = probe[0]["calibrated"][number]
    record, scale = seen["record"], seen["scale"]
    assert (record["width"], record["height"]) == (128, 80)
    assert record["camera"]["K"] == [[150, 0, 40], [0, 120, 50], [0, 0, 1]]
    corner = (scale - 1) / 2  # of the final pixel's centre, where pixels are parts of one
    asked = [[150 * scale, 0, 40 * scale + corner], [0, 120 * scale, 50 * scale + corner], [0, 0, 1]]
    np.testing.assert_allclose(seen["blender"], asked, atol=1e-3)
    pose = np.linalg.inv(record["camera"]["camera_to_world"])
    points = np.array(seen["corners"]) @ pose[:3, :3].T + pose[:3, 3]
    x = 150 * points[:, 0] / -points[:, 2] + 40
    y = 120 * points[:, 1] / points[:, 2] + 50
    [item] = record["objects"]
    left, top, width, height = item["bbox"]
    # Corners of pixels lie half a pixel beside their centres.
    box = [x.min() + 0.5, y.min() + 0.5, x.max() + 0.5, y.max() + 0.5]
    assert min(box) > 0 and box[2] < 128 and box[3] < 80
    np.testing.assert_allclose([left, top, left + width, top + height], box, atol=1)
    assert item["visible_fraction"] > 0.97


@pytest.mark.parametrize(("scene", "view"), views())
def test_masks_lie_where_the_objects_project(probe, scene, view):
    arrays = probe[1]
    index = arrays[f"{scene}-{view}-IndexOB"]
    camera = np.linalg.inv(arrays[f"{scene}-{view}-camera_to_world"])
    intrinsics = arrays[f"{scene}-{view}-intrinsics"]
    seen = 0
    for k in range(3):
        points = arrays[f"{scene}-vertices-{k}"] @ camera[:3, :3].T + camera[:3, 3]
        x = intrinsics[0, 0] * points[:, 0] / -points[:, 2] + intrinsics[0, 2]
        y = -intrinsics[1, 1] * points[:, 1] / -points[:, 2] + intrinsics[1, 2]
        rows, columns = np.nonzero(index == k + 1)
        if not len(rows):
            continue
        seen += 1
        assert x.min() - 1.5 <= columns.min()
        assert columns.max() <= x.max() + 1.5
        assert y.min() - 1.5 <= rows.min()
        assert rows.max() <= y.max() + 1.5
    assert seen >= 2
    assert (index == 0).any()
    assert set(np.unique(index)) <= {0, 1, 2, 3}


@pytest.mark.parametrize(("scene", "view"), views())
def test_an_object_alone_fills_its_projected_box(probe, scene, view):
    """At least one object a view is wholly seen: then its mask spans its projection."""
    arrays = probe[1]
    index = arrays[f"{scene}-{view}-IndexOB"]
    camera = np.linalg.inv(arrays[f"{scene}-{view}-camera_to_world"])
    intrinsics = arrays[f"{scene}-{view}-intrinsics"]
    misses = []
    for k in range(3):
        points = arrays[f"{scene}-vertices-{k}"] @ camera[:3, :3].T + camera[:3, 3]
        x = intrinsics[0, 0] * points[:, 0] / -points[:, 2] + intrinsics[0, 2]
        y = -intrinsics[1, 1] * points[:, 1] / -points[:, 2] + intrinsics[1, 2]
        rows, columns = np.nonzero(index == k + 1)
        if len(rows):
            spans = [
                columns.min() - x.min(),
                columns.max() - x.max(),
                rows.min() - y.min(),
                rows.max() - y.max(),
            ]
            misses.append(np.abs(spans).max())
    assert min(misses) < 1.5


@pytest.mark.parametrize(("scene", "view"), views())
def test_normals_are_unit_and_face_the_camera(probe, scene, view):
    arrays = probe[1]
    normals = arrays[f"{scene}-{view}-Normal"]
    pose = arrays[f"{scene}-{view}-camera_to_world"]
    length = np.linalg.norm(normals, axis=-1)
    valid = length > 0.1
    assert valid.mean() > 0.5
    # Where samples of several surfaces meet in a pixel the mean is shorter.
    assert np.median(np.abs(length[valid] - 1)) < 0.01
    focal = arrays[f"{scene}-{view}-intrinsics"][0, 0]
    offset = np.arange(64) - 31.5
    rays = (
        np.stack([*np.meshgrid(offset / focal, -offset / focal), -np.ones((64, 64))], axis=-1)
        @ pose[:3, :3].T
    )
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    facing = -(normals * rays).sum(-1)[valid]
    assert (facing > -0.2).mean() > 0.99
    assert np.median(facing) > 0.2
    floor = (arrays[f"{scene}-{view}-IndexOB"] == 0) & (np.abs(normals[..., 2] - length) < 0.2) & valid
    assert floor.any()


@pytest.mark.parametrize("scene", range(2))
def test_objects_stand_on_the_floor_without_touching_the_walls(probe, scene):
    for k in range(3):
        vertices = probe[1][f"{scene}-vertices-{k}"]
        assert abs(vertices[:, 2].min()) < 1e-4
        assert np.abs(vertices[:, :2]).max() < 2
        assert vertices[:, 2].max() < 0.3


@pytest.mark.parametrize("scene", range(2))
def test_objects_keep_their_spacing(probe, scene):
    middles = [(v := probe[1][f"{scene}-vertices-{k}"]).min(axis=0) / 2 + v.max(axis=0) / 2 for k in range(3)]
    gaps = [np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(gaps) > 0.01


def test_a_missing_system_library_is_named(monkeypatch):
    def cannot_import(name):
        raise ImportError("libX11.so.6: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(blender.importlib, "import_module", cannot_import)
    with pytest.raises(InputError, match=r"libX11\.so\.6.*install.*libx11-6"):
        blender.start()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(blender, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Python 3\.11 and `pip install \.\[render\]`"):
        blender.start()


def test_images_are_exposed(probe):
    for scene, view in views():
        image = probe[1][f"{scene}-{view}-image"]
        assert 30 < image.mean() < 225
        assert image.std() > 10


@pytest.mark.parametrize(("scene", "view"), views())
def test_depth_is_that_of_the_visible_positions(probe, scene, view):
    """Depth along the viewing axis, metres, against the world coordinates of what each pixel sees."""
    arrays = probe[1]
    camera = np.linalg.inv(arrays[f"{scene}-{view}-camera_to_world"])
    position, depth = arrays[f"{scene}-{view}-Position"], arrays[f"{scene}-{view}-Depth"]
    hit = depth < 10
    assert hit.mean() > 0.5
    expected = -(position @ camera[2, :3] + camera[2, 3])
    # Where samples of several surfaces meet in a pixel, the mean position lies on none of them.
    assert np.median(np.abs(depth - expected)[hit]) < 0.01
    objects = arrays[f"{scene}-{view}-IndexOB"] > 0
    assert depth[objects].max() < 2.5
