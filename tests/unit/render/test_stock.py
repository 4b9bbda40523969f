"""What scenes may be made of, and what is missing of it."""

import pytest

from syn2real.errors import InputError
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
