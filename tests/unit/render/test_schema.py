"""The rendering settings: the paper's eight as shipped, and what a user's own may say."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from syn2real.render.schema import Rendering

SHIPPED = Path(__file__).parents[3] / "config" / "renderings.yaml"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Rendering]:
    return {name: Rendering(**fields) for name, fields in yaml.safe_load(SHIPPED.read_text()).items()}


def test_the_eight_settings_of_the_paper_are_there(shipped):
    assert set(shipped) == {
        "single-fix-fix-textureless",
        "single-fix-fix-textured",
        "multiple-fix-fix-textureless",
        "multiple-random-fix-textureless",
        "multiple-fix-fix-textured",
        "multiple-random-fix-textured",
        "multiple-random-random-textureless",
        "multiple-random-random-textured",
    }


def test_a_setting_does_what_its_name_says(shipped):
    for name, rendering in shipped.items():
        appearance, light, background, texture = name.split("-")
        assert rendering.objects_per_scene == {"single": 1, "multiple": 10}[appearance]
        assert rendering.light == light
        assert rendering.background == background
        if texture == "textureless":
            assert rendering.collections == ("itodd", "tless")
        else:
            assert len(rendering.collections) == 10
        assert (rendering.views, rendering.background_material) == (10, "Fabric001")
        assert rendering.camera.radius_m == (0.61, 1.24)
        assert rendering.camera.elevation_deg == (5, 89)


def test_a_setting_survives_json(shipped):
    for rendering in shipped.values():
        plain = rendering.model_dump(mode="json")
        assert Rendering.model_validate(plain) == rendering
        assert Rendering.model_validate(plain).model_dump(mode="json") == plain


def test_shards_needed_for_some_images():
    rendering = Rendering(views=2, scenes_per_shard=50)
    assert [rendering.shard_count(n) for n in (2, 100, 102, 250)] == [1, 1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"veiws": 2}, "veiws"),
        ({"views": 0}, "views"),
        ({"background": "fix", "textures": None}, "textures"),
        ({"collections": ["lm", "lm"]}, "collections\n.* names 'lm' twice; name it once"),
        ({"channels": ["depth", "objects", "depth"]}, "channels\n.* names 'depth' twice; name it once"),
        ({"collections": []}, "collections"),
        ({"camera": {"radius_m": [1, 2.5]}}, "leaves the room"),
        ({"camera": {"radius_m": [0.8, 0.5]}}, "low, high"),
        ({"camera": {"elevation_deg": [-5, 40]}}, "elevation_deg"),
        ({"camera": {"field_of_view_deg": [0, 40]}}, "field_of_view_deg"),
        ({"lights": {"points": [3, 1]}}, "fewest"),
        ({"placement": {"floor_part": [0.4, 1.2]}}, "floor_part"),
        ({"wear": {"tone": 2}}, "tone"),
        ({"camera": {"roll_deg": [float("inf"), float("inf")]}}, "finite"),
        ({"camera": {"roll_deg": [-500, 0]}}, "roll_deg"),
        ({"camera": {"radius_m": [float("nan"), float("nan")]}}, "finite"),
        ({"camera": {"clearance_m": float("inf")}}, "finite"),
        ({"camera": {"clearance_m": 5}}, "clearance_m"),
        ({"camera": {"off_centre_m": 5}}, "off_centre_m"),
        ({"lights": {"colour": [0.5, 3]}}, "colour"),
        ({"lights": {"area_strength": [-1, 2]}}, "area_strength"),
        ({"lights": {"point_energy_w": [200, float("inf")]}}, "finite"),
        ({"lights": {"point_elevation_deg": [-90, 300]}}, "point_elevation_deg"),
        ({"lights": {"point_radius_m": [3, 5]}}, "point_radius_m"),
        ({"lights": {"point_radius_m": [1, 2.5]}}, "leaves the room at an elevation of 5 degrees"),
        ({"placement": {"spacing_m": [-1, 0]}}, "spacing_m"),
        ({"placement": {"floor_part": [0.5, 0.5]}}, "no floor"),
        ({"sensor": {"noise": [-1, 2]}}, "noise"),
        ({"sensor": {"blur_px": [-2, 2]}}, "blur_px"),
        ({"background_material": ""}, "background_material"),
        ({"materials": [""]}, "materials"),
        # More than Blender's own numbers hold.
        ({"samples": 10**12}, "samples"),
        ({"bounces": 10**12}, "bounces"),
        ({"objects_per_scene": 10**5}, "objects_per_scene"),
    ],
)
def test_nonsense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Rendering(**fields)


def test_a_light_may_hang_above_the_objects_where_the_walls_are_far():
    lights = {"point_radius_m": [3, 3], "point_elevation_deg": [60, 90]}
    assert Rendering(lights=lights).lights.point_radius_m == (3, 3)
