"""What a scene holds, drawn without Blender: a pure function of (setting, split, render seed, scene).

Every aspect (objects, lights, room, each view) has a random stream of its own, named by text. So a scene is
the same whatever the shard, the order, the process or the host, and a change of the lights moves no object.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syn2real.data.shards import canonical_json
from syn2real.render.schema import Range, Rendering

FIX_AREA, FIX_POINT = 4.0, 200.0
"""Emission of the area light and power of the point light where light is fixed."""
WALLS = 5
"""Planes of the room: the floor and four walls."""
DIGITS = 6
"""Digits kept of every number, so that two hosts' last bits cannot differ in the description."""


@dataclass(frozen=True)
class Stock:
    """What scenes may be made of.

    Attributes
    ----------
    classes : tuple of str
        Object classes, `<collection>/obj_000001`, in the setting's order of collections.
    materials : tuple of str
        Names of the room's materials, sorted.
    """

    classes: tuple[str, ...]
    materials: tuple[str, ...] = ()


def stream(*names: str | int) -> np.random.Generator:
    """Return the random stream that belongs to a name; equal names give equal streams anywhere."""
    key = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key[:16], "little")))


def describe(
    setting: str, rendering: Rendering, split: str, scene: int, stock: Stock, attempt: int = 0
) -> dict[str, Any]:
    """Draw one scene.

    Objects are drawn multinomially over the collections in proportion to their object counts, then evenly
    within each, with replacement (Appendix B; BlenderProc's `sample_objects`).

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
    stock : Stock
        Classes and materials to draw from.
    attempt : int
        0, or how many draws of this scene could not be built.

    Returns
    -------
    dict
        Plain JSON: objects with their surfaces, room, lights, lens, placement seed and one entry a view.
        Lengths are metres, angles degrees, colours linear from 0 to 1.
    """
    name = (setting, split, rendering.seed, scene, attempt)
    description = {
        "format": 1,
        "setting": setting,
        "split": split,
        "seed": rendering.seed,
        "scene": scene,
        "attempt": attempt,
        "objects": _objects(rendering, stock, stream(*name, "objects"), stream(*name, "wear")),
        "room": _room(rendering, stock, stream(*name, "room")),
        "lights": _lights(rendering, stream(*name, "lights")),
        "field_of_view": _uniform(stream(*name, "lens"), rendering.camera.field_of_view_deg),
        "placement_seed": int(stream(*name, "placement").integers(2**31)),
        "views": [_view(rendering, stream(*name, "view", view)) for view in range(rendering.views)],
    }
    return _rounded(description)


def description_bytes(description: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of a description: equal scenes, equal bytes."""
    return canonical_json(description)


def _objects(
    rendering: Rendering, stock: Stock, draw: np.random.Generator, wear: np.random.Generator
) -> list[dict[str, Any]]:
    """Draw the objects and, as BOP's example does, their grey, roughness and specularity."""
    members = [
        [k for k, name in enumerate(stock.classes) if name.split("/")[0] == collection]
        for collection in rendering.collections
    ]
    sizes = np.array([len(m) for m in members])
    counts = draw.multinomial(rendering.objects_per_scene, sizes / sizes.sum())
    objects = []
    for collection, indices, number in zip(rendering.collections, members, counts, strict=True):
        for index in draw.integers(len(indices), size=number) if number else ():
            item = {
                "class": indices[index],
                "name": stock.classes[indices[index]],
                "roughness": draw.uniform(),
                "specular": draw.uniform(),
                "grey": draw.uniform(0.3, 0.9) if collection in rendering.grey else None,
            }
            objects.append(item | _wear(rendering, wear))
    return objects


def _wear(rendering: Rendering, draw: np.random.Generator) -> dict[str, Any]:
    """Draw how use changed one object's surface; nothing where the setting's wear is off."""
    limits = rendering.wear
    hue, saturation, value, roughness, scratches = draw.uniform(-1, 1, 5)
    worn: dict[str, Any] = {}
    if limits.tone:
        worn["tone"] = [limits.tone * hue / 2, 1 + limits.tone * saturation, 1 + limits.tone * value]
    if limits.roughness:
        worn["roughness_change"] = limits.roughness * roughness
    if limits.scratches:
        worn["scratches"] = {"part": limits.scratches * abs(scratches), "offset": draw.uniform(0, 1000)}
    return {"wear": worn} if worn else {}


def _room(rendering: Rendering, stock: Stock, draw: np.random.Generator) -> dict[str, Any]:
    """Choose the room's material, or a plain colour for each of its planes."""
    if rendering.background == "colour":
        return {"colours": draw.uniform(0.02, 0.9, (WALLS, 3)), "roughness": draw.uniform(0.2, 1)}
    if rendering.background == "random":
        return {"material": stock.materials[draw.integers(len(stock.materials))]}
    return {"material": rendering.background_material}


def _lights(rendering: Rendering, draw: np.random.Generator) -> dict[str, Any]:
    """Return the two fixed white lights, or draw strength, colour and place as BOP's example does."""
    if rendering.light == "fix":
        point = {"location": (0, 0, 3), "energy": FIX_POINT, "colour": (1, 1, 1)}
        return {"area": {"strength": FIX_AREA, "colour": (1, 1, 1)}, "points": [point]}
    ranges = rendering.lights
    area = {"strength": _uniform(draw, ranges.area_strength), "colour": draw.uniform(*ranges.colour, 3)}
    points = [
        {
            "location": _on_shell(draw, ranges.point_radius_m, ranges.point_elevation_deg),
            "energy": _uniform(draw, ranges.point_energy_w),
            "colour": draw.uniform(*ranges.colour, 3),
        }
        for _ in range(draw.integers(ranges.points[0], ranges.points[1], endpoint=True))
    ]
    return {"area": area, "points": points}


def _view(rendering: Rendering, draw: np.random.Generator) -> dict[str, Any]:
    """Draw a view's seeds, and its sensor where the setting has one."""
    seeds = draw.integers(2**31, size=3)
    view: dict[str, Any] = {"camera_seed": int(seeds[0]), "cycles_seed": int(seeds[1])}
    sensor = rendering.sensor
    if sensor.noise[1] > 0 or sensor.blur_px[1] > 0:
        noise, blur = _uniform(draw, sensor.noise), _uniform(draw, sensor.blur_px)
        view["sensor"] = {"noise": noise, "blur": blur, "seed": int(seeds[2])}
    return view


@dataclass(frozen=True)
class Pose:
    """A candidate for a camera pose.

    Attributes
    ----------
    location : array, shape (3,)
        Where the camera stands, metres.
    roll : float
        Rotation about the optical axis, degrees.
    targets : array of int
        Objects whose mean decides where it looks (at the one closest to their mean).
    offset : array, shape (3,)
        How far beside that object it looks, metres.
    """

    location: NDArray[np.float64]
    roll: float
    targets: NDArray[np.int64]
    offset: NDArray[np.float64]


def camera_poses(rendering: Rendering, description: Mapping[str, Any], view: int) -> Iterator[Pose]:
    """Yield candidates for a view's camera, best first; the first without an obstacle before it is taken."""
    seed = description["views"][view]["camera_seed"]
    number = len(description["objects"])
    for candidate in count():
        draw = stream(seed, candidate)
        location = _on_shell(draw, rendering.camera.radius_m, rendering.camera.elevation_deg)
        roll = round(_uniform(draw, rendering.camera.roll_deg), DIGITS)
        offset = draw.uniform(-1, 1, 3) * rendering.camera.off_centre_m
        targets = draw.integers(number, size=10)
        yield Pose(np.round(location, DIGITS), roll, targets, np.round(offset, DIGITS))


def _on_shell(draw: np.random.Generator, radius: Range, elevation: Range) -> NDArray[np.float64]:
    """Draw a point between two spheres: radius, elevation (degrees) and azimuth each uniform."""
    height, azimuth = np.radians(_uniform(draw, elevation)), draw.uniform(-np.pi, np.pi)
    direction = [np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height)]
    return np.array(direction) * _uniform(draw, radius)


def _uniform(draw: np.random.Generator, bounds: Sequence[float]) -> float:
    return float(draw.uniform(bounds[0], bounds[1]))


def _rounded(value: Any) -> Any:
    """Return plain JSON data whose floats keep `DIGITS` digits."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(item) for item in value]
    return round(float(value), DIGITS) if isinstance(value, float | np.floating) else value
