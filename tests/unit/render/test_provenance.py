"""The assets' digest: it follows what is in them, not where or since when they lie there."""

import os
import shutil

import pytest

from syn2real.assets.bop import model_file
from syn2real.render.provenance import assets_digest
from syn2real.render.schema import Rendering
from syn2real.render.stock import find_scene_assets


@pytest.fixture
def own(assets, tmp_path):
    """A copy of the assets to change, and a function that returns its digest."""
    folders = {name: tmp_path / name for name in assets.objects}
    for name, folder in folders.items():
        shutil.copytree(assets.objects[name], folder)
    textures = tmp_path / "textures"
    shutil.copytree(assets.textures, textures)

    def digested(**changes):
        rendering = Rendering.model_validate({**assets.setting, **changes})
        stock = find_scene_assets("own", rendering, folders, textures)
        return assets_digest(rendering, stock, folders, textures)

    return folders, textures, digested


def test_copies_and_touched_files_have_the_same_digest(own, assets):
    folders, textures, digested = own
    rendering = Rendering.model_validate(assets.setting)
    stock = find_scene_assets("own", rendering, assets.objects, assets.textures)
    assert digested() == assets_digest(rendering, stock, assets.objects, assets.textures)
    before = digested()
    os.utime(model_file(folders["demo-textured"], 1), (1, 1))
    (textures / ".listing").write_text("hidden")
    (folders["demo-textured"] / "models" / ".listing").write_text("hidden")
    assert digested() == before


def test_a_mesh_of_the_same_size_changes_the_digest_of_settings_that_use_it(own):
    folders, _, digested = own
    used, unused = digested(), digested(collections=["demo-textureless"])
    mesh = model_file(folders["demo-textured"], 1)
    content = bytearray(mesh.read_bytes())
    content[-1] ^= 1
    mesh.write_bytes(content)
    assert digested() != used
    assert digested(collections=["demo-textureless"]) == unused


def test_another_texture_changes_the_digest_where_rooms_have_materials(own):
    _, textures, digested = own
    rooms, plain = digested(), digested(background="colour")
    assert rooms != plain
    colour = textures / "Fabric001" / "Fabric001_2K_Color.jpg"
    colour.write_bytes(colour.read_bytes() + b"more")
    assert digested() != rooms
    assert digested(background="colour") == plain
