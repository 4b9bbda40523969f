"""The rendering settings: the paper's eight as shipped, and what a user's own may say."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from syn2real.render.schema import Rendering

SHIPPED = Path(__file__).parents[3] / "config" / "renderings.yaml"
SMALL = "small-"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Rendering]:
    settings = yaml.safe_load(SHIPPED.read_text()).items()
    return {name: Rendering(**fields) for name, fields in settings if "subset" not in fields}


def test_the_eight_settings_of_the_paper_are_there_and_small_ones_of_the_same_names(shipped):
    paper = {name for name in shipped if not name.startswith(SMALL)}
    assert {name.removeprefix(SMALL) for name in shipped} - {"target", "target-all"} == paper
    assert paper == {
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
        if name.startswith("small-target"):
            continue
        small = name.startswith(SMALL)
        appearance, light, background, texture = name.removeprefix(SMALL).split("-")
        assert rendering.objects_per_scene == {"single": 1, "multiple": 3 if small else 10}[appearance]
        assert rendering.light == light
        assert rendering.background == background
        if small:
            assert rendering.collections == (f"demo-{texture}",)
            continue
        if texture == "textureless":
            assert rendering.collections == ("itodd", "tless")
        else:
            assert len(rendering.collections) == 10
        assert (rendering.views, rendering.background_material) == (10, "Fabric001")
        assert rendering.camera.radius_m == (0.61, 1.24)
        assert rendering.camera.elevation_deg == (5, 89)
        # As the authors' public configuration has it.
        assert rendering.size == (640, 480)
        assert rendering.camera.K == ((1066.778, 0, 312.9869), (0, 1067.487, 241.3109), (0, 0, 1))
        assert (rendering.min_visible_fraction, rendering.min_visible_pixels) == (0, 1)
        assert (rendering.placement.unplaced, rendering.placement.tries) == ("drop", 100)
        assert (rendering.grey_range, rendering.sharp_edges) == ((0.25, 1), False)
        assert rendering.camera.looks_at == "middle"


def test_a_setting_survives_json(shipped):
    for rendering in shipped.values():
        plain = rendering.model_dump(mode="json")
        assert Rendering.model_validate(plain) == rendering
        assert Rendering.model_validate(plain).model_dump(mode="json") == plain


def test_shards_needed_for_some_images():
    rendering = Rendering(views=2, scenes_per_shard=50)
    assert [rendering.shard_count(n) for n in (2, 100, 102, 250)] == [1, 1, 2, 3]


def calibrated(*, fx=900.0, fy=900.0, cx=320, cy=240, skew=0, one=1, **camera) -> dict:
    matrix = [[fx, skew, cx], [0, fy, cy], [0, 0, one]]
    return {"camera": {"K": matrix, "width": 640, "height": 480, **camera}}


def test_a_calibration_survives_json():
    plain = Rendering(**calibrated(cx=300.5)).model_dump(mode="json")
    assert "image_size" not in plain and "field_of_view_deg" not in plain["camera"]
    again = Rendering.model_validate(plain)
    assert again.model_dump(mode="json") == plain
    assert again.size == (640, 480) and Rendering(image_size=64).size == (64, 64)


def test_a_calibration_may_be_nine_numbers_in_a_row_as_bops_files_have_it():
    rows = calibrated(cx=300.5)
    [*numbers] = [number for row in rows["camera"]["K"] for number in row]
    assert Rendering(camera=rows["camera"] | {"K": numbers}) == Rendering(**rows)


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
        ({"grey_range": [0.5, 1.5]}, "grey_range"),
        ({"placement": {"unplaced": "hide"}}, "redraw' or 'drop"),
        ({"camera": {"width": 640}}, "width belongs to a calibration; add K, or write image_size"),
        (calibrated(width=None), "K needs width and height"),
        (calibrated(field_of_view_deg=[40, 40]), "remove field_of_view_deg, or K"),
        (calibrated() | {"image_size": 640}, "image_size does not apply beside camera.K"),
        (calibrated(skew=1), "without skew"),
        (calibrated(one=2), "without skew"),
        ({"camera": {"K": [900, 0, 320, 0, 900, 240, 0, 0, 2], "width": 640, "height": 480}}, "without skew"),
        (calibrated(fx=0), "fx is the focal length in pixels"),
        (calibrated(fx=-900), "fx is the focal length in pixels"),
        (calibrated(fy=0.9), "fy is the focal length in pixels"),
        (calibrated(fx=2500), "differ by more than a factor of 2"),
        (calibrated(cx=640), r"principal point \(640, 240\) lies outside 640 x 480 pixels"),
        (calibrated(cy=-0.6), "principal point"),
        (calibrated(cx=float("nan")), "finite"),
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
