"""What the scenes of a setting may be made of: the classes of its collections, the materials of its rooms."""

from collections.abc import Mapping
from pathlib import Path

from syn2real.assets.ambientcg import material_names, tiles_a_room
from syn2real.assets.bop import model_classes
from syn2real.errors import InputError
from syn2real.render.randomise.base import SceneAssets
from syn2real.render.schema import Rendering


def find_scene_assets(
    setting: str, rendering: Rendering, objects: Mapping[str, Path], textures: Path | None
) -> SceneAssets:
    """Return what a setting's scenes may be made of.

    Raises
    ------
    InputError
        If a collection or a material of the room is missing.
    """
    missing = [name for name in rendering.collections if name not in objects]
    if missing:
        raise InputError(f"no folder given for collection {missing[0]!r}", file=setting, key="collections")
    label_of = {
        f"{name}/obj_{number:06d}": label
        for name in rendering.collections
        for number, label in model_classes(objects[name]).items()
    }
    named = any(label_of.values())
    labels = tuple(label or name for name, label in label_of.items()) if named else ()
    materials = tuple(room_materials(setting, rendering, textures))
    return SceneAssets(tuple(label_of), materials, labels)


def room_materials(setting: str, rendering: Rendering, textures: Path | None) -> list[str]:
    """Return the names of the materials that a setting's rooms are made of, sorted; none for plain colours.

    Parameters
    ----------
    setting : str
        The setting's name, for messages.
    rendering : Rendering
        The setting.
    textures : Path or None
        The folder of its materials in ambientCG layout.

    Raises
    ------
    InputError
        If there is no such material.
    """
    if rendering.background == "colour":
        return []
    if textures is None:
        raise InputError("no folder given for the textures", file=setting, key="textures")
    names = material_names(textures)
    if rendering.background == "fix" and rendering.background_material not in names:
        problem = f"no material {rendering.background_material!r} in {textures}"
        raise InputError(problem, file=setting, key="background_material")
    if rendering.background == "random" and rendering.materials:
        chosen = [name for name in names if tiles_a_room(name, rendering.materials)]
        if not chosen:
            problem = f"no material in {textures} has a name that begins so; [] takes all {len(names)}"
            raise InputError(problem, file=setting, key="materials")
        names = chosen
    return names
