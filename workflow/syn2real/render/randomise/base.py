"""What the aspects of a scene share: random numbers by name, what a scene is made of and built on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

DIGITS = 6
"""Digits kept of every number, so that two hosts' last bits cannot differ in a scene's description."""


def named_generator(*names: str | int) -> "Generator":
    """Return the random numbers that belong to a name; equal names give equal numbers anywhere."""
    import numpy as np

    key = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key[:16], "little")))


def uniform(random: "Generator", bounds: Sequence[float]) -> float:
    """Draw a number between two bounds."""
    return float(random.uniform(bounds[0], bounds[1]))


def point_in_shell(
    random: "Generator",
    radius: Sequence[float],
    elevation: Sequence[float],
    azimuth: Sequence[float] = (-180, 180),
) -> "NDArray[Any]":
    """Draw a point between two spheres: radius, elevation and azimuth (degrees) each uniform."""
    import numpy as np

    height, turn = np.radians(uniform(random, elevation)), random.uniform(*np.radians(azimuth))
    direction = [np.cos(height) * np.cos(turn), np.cos(height) * np.sin(turn), np.sin(height)]
    return np.array(direction) * uniform(random, radius)


@dataclass(frozen=True)
class SceneAssets:
    """What scenes may be made of.

    Attributes
    ----------
    objects : tuple of str
        Names of the objects, `<collection>/obj_000001`, in the setting's order of collections.
    materials : tuple of str
        Names of the room's materials, sorted.
    labels : tuple of str
        The class of each object, where a collection names classes; else each object is one.
    """

    objects: tuple[str, ...]
    materials: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that are learnt, each once, in the order of their first objects."""
        return tuple(dict.fromkeys(self.labels or self.objects))

    def class_index(self, index: int) -> int:
        """Return the number of an object's class, from the object's number."""
        return self.classes.index(self.labels[index]) if self.labels else index


class SceneRejected(Exception):
    """A described scene that cannot be built; it is drawn again from numbers of its own.

    Parameters
    ----------
    reason : str
        What is wrong with the scene.
    key : str
        The setting's key that decides it.
    fix : str
        What to do where it happens in every draw.
    """

    def __init__(self, reason: str, *, key: str, fix: str) -> None:
        super().__init__(reason)
        self.reason, self.key, self.fix = reason, key, fix


@dataclass(frozen=True)
class SceneObject:
    """An object of the scene that stands in Blender.

    Attributes
    ----------
    entity, material : BlenderProc's object, and its material, which no other object has
    item : dict
        The object's entry in the scene's description.
    """

    entity: Any
    material: Any
    item: Mapping[str, Any]


@dataclass
class Stage:
    """Where scenes are built, one after the other.

    Attributes
    ----------
    blender : syn2real.render.blender.Blender
        What builds.
    rendering : syn2real.render.schema.Rendering
        The setting.
    folders : dict of str to Path
        The folder, in BOP layout, of each collection.
    textures : Path or None
        The folder of materials in ambientCG layout.
    planes : list
        The room's floor, then its four walls.
    ceiling : BlenderProc's object
        The plane above the room that shines.
    objects : list of SceneObject
        Those of the scene that stands, in its description's order.
    """

    blender: Any
    rendering: Any
    folders: Mapping[str, Path]
    textures: Path | None
    planes: list[Any] = field(default_factory=list)
    ceiling: Any = None
    objects: list[SceneObject] = field(default_factory=list)
