"""Every randomisation there is: off it changes no byte, on it is deterministic and changes only itself."""

import json
import subprocess
import sys

import numpy as np
import pytest

from syn2real.config.experiment import AnyRendering
from syn2real.jobs.fingerprint import imported_modules, plugin_modules
from syn2real.plugins import load, names
from syn2real.render import job
from syn2real.render.randomise.base import SceneAssets, named_generator
from syn2real.render.scene import LEVELS, description_bytes, draw_scene
from syn2real.render.schema import POINT, Rendering, key_of, may_be_off, read_rendering
from syn2real.schema import Section, to_params

ASSETS = SceneAssets(("hb/obj_000001", "hb/obj_000002", "itodd/obj_000001"), ("Bricks001", "Wood001"))
SETTING = {"collections": ["hb", "itodd"], "objects_per_scene": 4, "views": 3}
STRONGER = {
    "wear": {"tone": 0.3, "roughness": 0.4, "scratches": 0.5},
    "sensor": {"noise": [0.01, 0.05], "blur_px": [0.5, 1]},
}
"""What the sections of those say that do nothing by default."""


def module_of(name):
    return load(POINT, name)


def setting_with(name: str) -> Rendering:
    """Return the setting with a randomisation that is on."""
    return AnyRendering.model_validate({**SETTING, key_of(name): STRONGER.get(name, {})})


def drawn_with(rendering: Rendering) -> bytes:
    return description_bytes(draw_scene("setting", rendering, "train", 3, ASSETS))


@pytest.mark.parametrize("name", names(POINT))
def test_a_module_has_a_level_and_a_section_whose_keys_are_described(name):
    module = module_of(name)
    assert module.LEVEL in LEVELS
    assert issubclass(module.Section, Section)
    assert module.__doc__ and module.Section.__doc__
    assert all(field.description for field in module.Section.model_fields.values())


def test_sections_are_read_without_numpy_or_blender():
    """The process that plans a workflow has pydantic alone."""
    code = (
        "import sys; from syn2real.config.experiment import AnyRendering;"
        "print(sorted({'numpy', 'cv2', 'bpy', 'torch', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", may_be_off())
def test_off_it_is_in_no_key_and_changes_no_byte(name):
    off = AnyRendering.model_validate(SETTING)
    bare = Rendering.model_validate(SETTING)
    assert to_params(off) == to_params(bare)
    assert drawn_with(off) == drawn_with(bare)
    if key_of(name) not in Rendering.model_fields:
        assert key_of(name) not in to_params(off)
        assert name not in off.randomisations()


@pytest.mark.parametrize("name", may_be_off())
def test_on_it_is_deterministic_and_changes_nothing_else(name):
    on, off = setting_with(name), AnyRendering.model_validate(SETTING)
    assert drawn_with(on) == drawn_with(setting_with(name))
    assert drawn_with(on) != drawn_with(off)
    description = json.loads(drawn_with(on))
    places = [description, *description["objects"], *description["views"]]
    drawn = [place.pop(key_of(name), None) for place in places]
    assert any(drawn)
    assert description == json.loads(drawn_with(off))


@pytest.mark.parametrize("name", may_be_off())
def test_a_setting_with_it_survives_its_params(name):
    on = setting_with(name)
    assert key_of(name) in to_params(on)
    assert to_params(read_rendering(to_params(on))) == to_params(on)


@pytest.mark.parametrize("name", may_be_off())
def test_its_code_is_in_the_fingerprint_of_settings_with_it_alone(name):
    """Those that every setting has a key of are in all."""
    [module] = plugin_modules("randomise", name)
    without = imported_modules(job.__file__)
    assert (module in without) == (key_of(name) in Rendering.model_fields)
    assert module in imported_modules(job.__file__, *plugin_modules("randomise", [name]))


@pytest.mark.parametrize("name", [name for name in may_be_off() if module_of(name).LEVEL == "image"])
def test_an_images_randomisation_changes_an_image_and_gives_the_same_twice(name):
    module, section = module_of(name), getattr(setting_with(name), key_of(name))
    drawn = module.draw(named_generator(name), section, {})
    image = np.random.default_rng(0).integers(0, 255, (40, 56, 3), dtype=np.uint8)
    before = image.copy()
    changed = module.apply(image, drawn)
    assert (changed.shape, changed.dtype, changed.flags["C_CONTIGUOUS"]) == (image.shape, np.uint8, True)
    assert (changed != image).any()
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(changed, module.apply(image, drawn))
