"""What scenes may be made of, and what is missing of it."""

import json

import pytest

from syn2real.errors import InputError
from syn2real.render.scene import draw_scene
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets


def test_missing_assets_are_named(assets, tmp_path):
    rendering = Rendering(collections=("demo-textured",), textures="demo", background="fix")
    with pytest.raises(InputError, match="my-setting: collections: .*demo-textured"):
        find_scene_assets("my-setting", rendering, {}, assets.textures)
    with pytest.raises(InputError, match="no object collection"):
        find_scene_assets("my-setting", rendering, {"demo-textured": tmp_path}, assets.textures)
    with pytest.raises(InputError, match="no materials"):
        find_scene_assets("my-setting", rendering, assets.objects, tmp_path)
    other = rendering.model_copy(update={"background_material": "Velvet001"})
    with pytest.raises(InputError, match="my-setting: background_material: .*Velvet001"):
        find_scene_assets("my-setting", other, assets.objects, assets.textures)


def test_random_rooms_are_of_opaque_materials_that_the_setting_names(assets, tmp_path):
    for name in ("Wood001", "PaintedMetal002", "Fence003", "Painting004", "Sign001"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_2K-JPG_Color.jpg").touch()
    # One would see through a wall of it, so BlenderProc does not load it.
    (tmp_path / "PaintedMetal002" / "PaintedMetal002_2K-JPG_Opacity.jpg").touch()
    rendering = Rendering(collections=("demo-textured",), textures="demo")

    def materials(**changes) -> tuple[str, ...]:
        changed = rendering.model_copy(update=changes)
        return find_scene_assets("my-setting", changed, assets.objects, tmp_path).materials

    assert materials() == ("Wood001",)
    assert materials(materials=("fence", "sign")) == ("Fence003", "Sign001")
    everything = ("Fence003", "Painting004", "Sign001", "Wood001")
    assert materials(materials=()) == everything
    assert materials(background="fix", background_material="Fence003") == everything
    with pytest.raises(InputError, match=r"my-setting: materials: .*\[\] takes all 4"):
        materials(materials=("marble",))


@pytest.mark.parametrize(
    ("named", "classes", "numbers"),
    [
        ({}, ("one/obj_000001", "one/obj_000002", "two/obj_000001"), [0, 1, 2]),
        ({"one": ["cup", "pan"], "two": ["cup"]}, ("cup", "pan"), [0, 1, 0]),
        ({"one": ["cup", "cup"]}, ("cup", "two/obj_000001"), [0, 0, 1]),
    ],
)
def test_objects_of_one_class_are_learnt_as_one(named, classes, numbers, tmp_path):
    folders = {"one": _collection(tmp_path / "one", 2, named), "two": _collection(tmp_path / "two", 1, named)}
    rendering = Rendering(collections=("one", "two"), textures=None, background="colour")
    found = find_scene_assets("my-setting", rendering, folders, None)
    assert found.classes == classes and [found.class_index(k) for k in range(3)] == numbers
    scenes = [draw_scene("my-setting", rendering, "train", scene, found) for scene in range(5)]
    drawn = {item["name"]: item["class"] for scene in scenes for item in scene["objects"]}
    assert drawn == dict(zip(found.objects, numbers, strict=True))


def test_a_class_without_a_name_is_refused(tmp_path):
    folder = _collection(tmp_path / "one", 1, {"one": [3]})
    rendering = Rendering(collections=("one",), textures=None, background="colour")
    with pytest.raises(InputError, match=r"models_info.json: 1.class: a class is a name, not '3'"):
        find_scene_assets("my-setting", rendering, {"one": folder}, None)


def _collection(folder, objects, named):
    """Write a collection whose models may have classes."""
    (folder / "models").mkdir(parents=True)
    labels = [{"class": label} for label in named.get(folder.name, [])] or [{}] * objects
    listing = {str(number): label for number, label in enumerate(labels, 1)}
    (folder / "models" / "models_info.json").write_text(json.dumps(listing))
    for number in listing:
        (folder / "models" / f"obj_{int(number):06d}.ply").touch()
    return folder
