"""The demo's assets: in the users' formats, deterministic, of plausible size and truly different shapes."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from syn2real.assets.ambientcg import material_names
from syn2real.assets.bop import model_classes, model_file, model_numbers
from syn2real.assets.demo import numerals
from syn2real.assets.demo.make import KINDS, NUMERALS, make_objects, make_textures
from syn2real.assets.demo.materials import MATERIALS, normal_map
from syn2real.errors import InputError


@pytest.mark.parametrize("kind", KINDS)
def test_models_agree_with_their_information(assets, kind):
    folder = assets.objects[kind]
    information = json.loads((folder / "models" / "models_info.json").read_text())
    assert sorted(map(int, information)) == list(range(1, 13)) == model_numbers(folder)
    for number, stated in information.items():
        mesh = trimesh.load(model_file(folder, int(number)), process=False)
        np.testing.assert_allclose(mesh.bounds[0], [stated[f"min_{axis}"] for axis in "xyz"], atol=1e-3)
        np.testing.assert_allclose(mesh.extents, [stated[f"size_{axis}"] for axis in "xyz"], atol=1e-3)
        np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=1e-3)
        assert stated["diameter"] <= np.linalg.norm(mesh.extents) + 1e-3
        assert stated["diameter"] >= mesh.extents.max() - 1e-3
        # Millimetres: between a matchbox and a shoe box.
        assert 100 < stated["diameter"] < 300


@pytest.mark.parametrize("kind", KINDS)
def test_models_are_closed_and_look_outwards(assets, kind):
    for number in range(1, 13):
        mesh = trimesh.load(model_file(assets.objects[kind], number), process=False)
        mesh.merge_vertices(merge_norm=True, merge_tex=True)
        assert mesh.is_winding_consistent, number
        assert all(part.volume > 0 for part in mesh.split(only_watertight=False)), number


def test_textured_models_have_a_look_of_their_own(assets):
    looks = set()
    for number in range(1, 13):
        mesh = trimesh.load(model_file(assets.objects["demo-textured"], number), process=False)
        colours = np.unique(mesh.visual.vertex_colors[:, :3], axis=0)
        assert len(colours) >= 2
        looks.add(colours.tobytes())
    assert len(looks) == 12
    for number in range(1, 13):
        header = model_file(assets.objects["demo-textureless"], number).read_bytes()[:600]
        assert b"nx" in header
        assert b"red" not in header


def test_shapes_differ_in_more_than_their_size(assets):
    """The distribution of distances between surface points distinguishes every two of the 24 shapes."""
    signatures = []
    for folder in assets.objects.values():
        for number in range(1, 13):
            mesh = trimesh.load(model_file(folder, number), process=False)
            points = np.asarray(trimesh.sample.sample_surface(mesh, 1500, seed=0)[0])
            distances = np.linalg.norm(points[:750] - points[750:], axis=1)
            signatures.append(np.quantile(distances / distances.mean(), np.linspace(0.05, 0.95, 19)))
    gaps = np.abs(np.array(signatures)[:, None] - np.array(signatures)[None]).mean(axis=-1)
    assert gaps[~np.eye(24, dtype=bool)].min() > 0.01


def test_assets_are_made_the_same_again(assets, tmp_path):
    make_objects("demo-textured", tmp_path / "objects")
    make_textures(tmp_path / "textures", size=64)
    for made, first in (
        (tmp_path / "objects", assets.objects["demo-textured"]),
        (tmp_path / "textures", assets.textures),
    ):
        files = sorted(file.relative_to(made) for file in made.rglob("*.*"))
        assert files == sorted(file.relative_to(first) for file in first.rglob("*.*"))
        for file in files:
            assert (made / file).read_bytes() == (first / file).read_bytes()


def test_materials_are_in_ambientcgs_layout(assets):
    assert material_names(assets.textures) == sorted(MATERIALS)
    assert len(MATERIALS) >= 8
    assert "Fabric001" in MATERIALS
    for name in MATERIALS:
        for kind in ("Color", "NormalGL", "Roughness", "Displacement"):
            with Image.open(assets.textures / name / f"{name}_2K_{kind}.jpg") as image:
                assert image.size == (64, 64)
                assert image.mode == ("RGB" if kind in ("Color", "NormalGL") else "L")


def test_a_slope_tilts_the_normal_away_from_the_rise():
    height = np.tile(np.linspace(0, 1, 32), (32, 1))
    normals = normal_map(height, relief=0.1) * 2 - 1
    slope = 0.1 * 32 / 31
    np.testing.assert_allclose(normals[8:-8, 8:-8, 0], -slope / np.hypot(1, slope))
    np.testing.assert_allclose(normals[8:-8, 8:-8, 1], 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1)


@pytest.mark.parametrize("kind", NUMERALS)
def test_numerals_are_closed_upright_and_of_ten_classes(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(numerals, "TYPEFACES", numerals.TYPEFACES[4::9])
    monkeypatch.setattr(numerals, "HANDS", 2)
    make_objects(kind, tmp_path)
    assert [*model_classes(tmp_path).values()] == [str(digit) for digit in range(10)] * 2
    content = set()
    for number in range(1, 21):
        mesh = trimesh.load(model_file(tmp_path, number), process=False)
        mesh.merge_vertices(merge_norm=True, merge_tex=True)
        assert mesh.is_winding_consistent
        assert all(part.volume > 0 for part in mesh.split(only_watertight=False))
        assert 220 < mesh.extents[2] < 251
        assert mesh.extents[1] <= 90 and mesh.extents[0] < 400
        content.add(model_file(tmp_path, number).read_bytes())
    assert len(content) == 20


def test_an_unknown_collection_is_refused(tmp_path):
    with pytest.raises(InputError, match="demo-textured"):
        make_objects("demo-shiny", tmp_path)


def test_missing_and_unreadable_models_are_named(tmp_path):
    make_objects("demo-textured", tmp_path)
    model_file(tmp_path, 3).unlink()
    with pytest.raises(InputError, match=r"obj_000003\.ply.*missing"):
        model_numbers(tmp_path)
    for content in ("{", "3", "null", '["1"]', '{"one": {}}'):
        (tmp_path / "models" / "models_info.json").write_text(content)
        with pytest.raises(InputError, match=r"models_info\.json: not a JSON table of models"):
            model_numbers(tmp_path)
