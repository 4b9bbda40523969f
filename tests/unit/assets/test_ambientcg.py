"""Which materials tile a room."""

import pytest

from syn2real.assets.ambientcg import SURFACES, tiles_a_room


@pytest.mark.parametrize(
    ("material", "beginnings", "taken"),
    [
        ("Wood067", SURFACES, True),
        ("PaintedWood003", SURFACES, True),
        ("Painting004", SURFACES, False),
        ("RockBrush001", SURFACES, False),
        ("Fence003", SURFACES, False),
        ("Painting004", ("paint",), False),
        ("Painting004", ("Painting",), True),
        ("RockBrush001", ("painting", "rock"), False),
        ("Fence003", ("fence",), True),
    ],
)
def test_materials_that_tile_a_room_are_known_by_their_names(material, beginnings, taken):
    assert tiles_a_room(material, beginnings) == taken
