"""Candidates for camera poses."""

from itertools import islice

import numpy as np

from syn2real.render.randomise.camera import Section, candidates
from syn2real.render.randomise.schema import ROOM_SIDE_M


def test_camera_candidates_stay_in_the_shell_and_the_room():
    for seed in range(10):
        poses = list(islice(candidates(Section(), seed, 10), 20))
        again = list(islice(candidates(Section(), seed, 10), 20))
        for pose, other in zip(poses, again, strict=True):
            np.testing.assert_array_equal(pose.location, other.location)
            assert 0.609 <= np.linalg.norm(pose.location) <= 1.241
            assert pose.location[2] > 0
            assert np.abs(pose.location).max() < ROOM_SIDE_M / 2
            assert abs(pose.roll) <= 45
            assert not pose.offset.any()
            assert pose.targets.min() >= 0
            assert pose.targets.max() < 10
        assert len({tuple(pose.location) for pose in poses}) == 20


def test_a_view_of_the_middle_looks_at_all_objects_from_the_same_places():
    drawn, middle = (list(islice(candidates(Section(looks_at=at), 3, 4), 5)) for at in ("drawn", "middle"))
    for one, other in zip(drawn, middle, strict=True):
        np.testing.assert_array_equal(one.location, other.location)
        assert one.roll == other.roll
        assert other.targets.tolist() == [0, 1, 2, 3]


def test_views_come_from_the_directions_asked_for():
    poses = list(islice(candidates(Section(azimuth_deg=(-110, -70)), 3, 1), 50))
    turns = [np.degrees(np.arctan2(pose.location[1], pose.location[0])) for pose in poses]
    assert -110 <= min(turns) < -100 and -80 < max(turns) <= -70
    everywhere = [pose.location for pose in islice(candidates(Section(), 3, 1), 50)]
    whole = [pose.location for pose in islice(candidates(Section(azimuth_deg=(-180, 180)), 3, 1), 50)]
    np.testing.assert_array_equal(everywhere, whole)
