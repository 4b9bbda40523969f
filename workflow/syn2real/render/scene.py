"""What a scene holds, drawn without Blender: a pure function of (setting, split, render seed, scene).

Every aspect (objects, lights, room, each view) has random numbers of its own, named by text. So a scene is
the same whatever the shard, the order, the process or the host, and a change of the lights moves no object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from syn2real.files import canonical_json
from syn2real.plugins import load
from syn2real.render.randomise import camera, lights, objects, placement, room
from syn2real.render.randomise.base import DIGITS, SceneAssets, named_generator
from syn2real.render.schema import POINT, Rendering, key_of
from syn2real.schema import Section

LEVELS = ("object", "scene", "view", "image")
"""What randomisations that may be off change, in this order."""
FORMAT = 1
"""Version of what a description says."""


@dataclass(frozen=True)
class Randomisation:
    """Something that may be off and is not.

    Attributes
    ----------
    key : str
        Where its draws stand in the description of an object, the scene or a view.
    module : module
        See `syn2real.render.randomise`.
    section : Section
        What the setting says of it.
    """

    key: str
    module: ModuleType
    section: Section

    @property
    def stream(self) -> str:
        """Return the name of its random numbers."""
        return getattr(self.module, "STREAM", self.key)


def randomisations(rendering: Rendering, level: str) -> list[Randomisation]:
    """Return what is on at a level, in the order in which it is applied."""
    on = [Randomisation(key_of(n), load(POINT, n), s) for n, s in rendering.randomisations().items()]
    at_level = (randomisation for randomisation in on if level == randomisation.module.LEVEL)
    return sorted(at_level, key=lambda randomisation: getattr(randomisation.module, "ORDER", 0))


def draw_scene(
    setting: str, rendering: Rendering, split: str, scene: int, assets: SceneAssets, attempt: int = 0
) -> dict[str, Any]:
    """Draw one scene.

    Parameters
    ----------
    setting : str
        The setting's name.
    rendering : Rendering
        The resolved setting.
    split : str
        `train` or `val`; their scenes have nothing in common.
    scene : int
        The scene's index within the split.
    assets : SceneAssets
        Classes and materials to draw from.
    attempt : int
        0, or how many draws of this scene could not be built.

    Returns
    -------
    dict
        Plain JSON: objects with their surfaces, room, lights, lens, placement seed and one entry a view.
        Lengths are metres, angles degrees, colours linear from 0 to 1.
    """

    def random(*names: str | int) -> np.random.Generator:
        return named_generator(setting, split, rendering.seed, scene, attempt, *names)

    description: dict[str, Any] = {
        "format": FORMAT,
        "setting": setting,
        "split": split,
        "seed": rendering.seed,
        "scene": scene,
        "attempt": attempt,
        **objects.draw(random("objects"), rendering, assets),
        **room.draw(random("room"), rendering, assets),
        **lights.draw(random("lights"), rendering, assets),
        **camera.draw(random(camera.STREAM), rendering.camera, assets),
        **placement.draw(random("placement"), rendering.placement, assets),
        "views": [_view_seeds(random("view", view)) for view in range(rendering.views)],
    }
    for level in LEVELS:
        for chosen in randomisations(rendering, level):
            _add(description, level, chosen, random)
    return _rounded(description)


def _view_seeds(random: np.random.Generator) -> dict[str, int]:
    """Draw the seed of a view's camera poses and that of Cycles' samples."""
    camera_seed, cycles_seed = random.integers(2**31, size=2)
    return {"camera_seed": int(camera_seed), "cycles_seed": int(cycles_seed)}


def _add(description: dict[str, Any], level: str, chosen: Randomisation, random: Any) -> None:
    """Draw what is on for each object, the scene or each view; what draws nothing leaves no entry."""
    if level == "object":
        one = random(chosen.stream)
        entries = [(item, one) for item in description["objects"]]
    elif level == "scene":
        entries = [(description, random(chosen.stream))]
    else:
        entries = [(view, random(chosen.stream, k)) for k, view in enumerate(description["views"])]
    for entry, generator in entries:
        if drawn := chosen.module.draw(generator, chosen.section, description):
            entry[chosen.key] = drawn


def description_bytes(description: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of a description: equal scenes, equal bytes."""
    return canonical_json(description)


def _rounded(value: Any) -> Any:
    """Return plain JSON data whose floats keep `DIGITS` digits."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(item) for item in value]
    return round(float(value), DIGITS) if isinstance(value, float | np.floating) else value
