"""Every channel renders, keeps what it holds, refuses what is damaged, and draws itself."""

import numpy as np
import pytest

from syn2real import plugins
from syn2real.channels.base import Limits, RawView, Solid, load_channel
from syn2real.data.shards import IMAGE
from syn2real.render.passes import SWITCHES
from syn2real.tasks.schema import channel_of

NAMES = plugins.names("channels")
RENDERED = [name for name in NAMES if load_channel(name).MEMBER]
SIZE = 40
PASSES = {
    "IndexOB": np.pad(np.ones((12, 16), np.int32), ((8, 20), (10, 14))),
    "Normal": np.tile(np.array([0.0, 0.6, 0.8], np.float32), (SIZE, SIZE, 1)),
    "Position": np.zeros((SIZE, SIZE, 3), np.float32),
    "Depth": np.linspace(0.5, 9, SIZE**2, dtype=np.float32).reshape(SIZE, SIZE),
}


@pytest.fixture
def view() -> RawView:
    """A camera one metre above a triangle that fills its object's mask."""
    pose = np.eye(4)
    pose[2, 3] = 1.0
    intrinsics = np.array([[40.0, 0, 19.5], [0, 40.0, 19.5], [0, 0, 1]])
    image = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    return RawView(image, PASSES, pose, intrinsics)


@pytest.fixture
def solids() -> list[Solid]:
    corners = np.array([[-0.2, -0.2, 0], [0.2, -0.2, 0], [0.0, 0.2, 0]])
    return [Solid(0, corners, np.array([[0, 1, 2]]), np.eye(4))]


def equal(one, other) -> bool:
    return bool((one == other).all()) if isinstance(one, np.ndarray) else one == other


@pytest.mark.parametrize("name", RENDERED)
def test_what_is_rendered_is_kept_and_drawn(name, view, solids):
    channel = load_channel(name)
    content = channel.render(view, solids, Limits(classes=3))
    value = channel.decode(content)
    assert channel.encode(value) == content and channel.render(view, solids, Limits(classes=3)) == content
    assert equal(channel.decode(channel.encode(value)), value)
    for size in ((SIZE, SIZE), (30, 80)):  # the picture may be larger or smaller than what it shows
        drawn = channel.draw(value, np.full((*size, 3), 100, np.uint8))
        assert drawn.shape == (*size, 3) and drawn.dtype == np.uint8
        assert drawn.max() > drawn.min()


@pytest.mark.parametrize("name", RENDERED)
def test_what_is_damaged_is_refused(name, view, solids):
    channel = load_channel(name)
    content = channel.render(view, solids, Limits(classes=3))
    for damaged in (b"", content[: len(content) // 2]):
        with pytest.raises(ValueError):
            channel.decode(damaged)


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_reads_of_it_what_it_says(name):
    """Without importing it: a Snakemake that plans may lack NumPy."""
    channel = load_channel(name)
    assert plugins.constant("channels", name, "MEMBER", "-") == channel.MEMBER
    assert plugins.constant("channels", name, "PASSES") == channel.PASSES
    assert plugins.constant("channels", name, "FILES") == getattr(channel, "FILES", None)
    assert set(channel.PASSES) <= set(SWITCHES)
    assert not hasattr(channel, "FILES") or channel.read
    assert channel.__doc__


def test_each_has_a_member_of_its_own():
    members = [load_channel(name).MEMBER for name in RENDERED]
    assert len({IMAGE, *members}) == 1 + len(members)


def test_every_task_learns_from_a_channel_that_is_there():
    assert {channel_of(task) for task in plugins.names("tasks")} <= set(NAMES)
