"""How objects stand on the floor."""

import numpy as np
import pytest

from syn2real.render.randomise.placement import Section, sampler


class Entity:
    """What stands for a BlenderProc object: it keeps its pose."""

    def set_location(self, location):
        self.location = location

    def set_rotation_euler(self, angles):
        self.angles = angles


@pytest.mark.parametrize(
    ("turns", "low", "high"), [((0, 360), 0, 360), ((-25, 25), -25, 25), ((90, 90), 90, 90)]
)
def test_objects_are_turned_as_asked(turns, low, high):
    sample, entity, found = sampler(Section(turn_deg=turns), 0), Entity(), []
    for _ in range(100):
        sample(entity)
        found.append(np.degrees(entity.angles[2]))
    assert low - 1e-9 <= min(found) <= low + (high - low) / 10
    assert high - (high - low) / 10 <= max(found) <= high + 1e-9
