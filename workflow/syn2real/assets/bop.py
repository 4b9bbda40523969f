"""Reading folders in BOP and ambientCG layout, without Blender: which objects and materials there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from syn2real.errors import InputError
from syn2real.files import read_json
from syn2real.render.schema import Rendering, tiles_a_room

if TYPE_CHECKING:
    from syn2real.render.scene import Stock

MODEL_FOLDERS = ("models", "models_cad", "models_reconst", "models_eval")
"""Where a BOP data set keeps its models, first choice first (T-LESS has CAD models and no `models`)."""
COLOUR_MAPS = ("2K_Color.jpg", "2K-JPG_Color.jpg")
"""Names of a material's colour map that BlenderProc's loader knows."""


def model_folder(collection: Path) -> Path:
    """Return the folder of a collection's models.

    Raises
    ------
    InputError
        If the folder is no object collection.
    """
    folder = models_info(collection).parent
    if not folder.is_dir():
        problem = "no object collection in BOP layout here: it lacks a folder `models` with obj_000001.ply …"
        raise InputError(problem, file=collection)
    return folder


def models_info(collection: Path) -> Path:
    """Return the list of a collection's models; below `models` where no folder of models is there yet."""
    folders = [collection / name for name in MODEL_FOLDERS]
    return next((folder for folder in folders if folder.is_dir()), folders[0]) / "models_info.json"


def model_file(collection: Path, number: int) -> Path:
    """Return the .ply of an object by its BOP number."""
    return model_folder(collection) / f"obj_{number:06d}.ply"


def model_numbers(collection: Path) -> list[int]:
    """Return the numbers of a collection's objects, ascending, as `models_info.json` lists them.

    Raises
    ------
    InputError
        If the list is missing, empty or no list of models, or a listed model is missing.
    """
    listing = model_folder(collection) / "models_info.json"
    try:
        value = read_json(listing)
        if not isinstance(value, dict):
            raise ValueError(f"it holds {str(value)[:40]}, not one entry a model")
        numbers = sorted(int(key) for key in value)
    except FileNotFoundError as error:
        raise InputError("missing; BOP's collections list their models in it", file=listing) from error
    except (ValueError, OSError) as error:
        raise InputError(f"not a JSON table of models: {error}", file=listing) from error
    for number in numbers:
        if not model_file(collection, number).is_file():
            raise InputError(
                f"models_info.json lists object {number}, but this file is missing",
                file=model_file(collection, number),
            )
    if not numbers:
        raise InputError("lists no model", file=listing)
    return numbers


def material_names(textures: Path) -> list[str]:
    """Return the names of the materials in a folder of ambientCG layout, sorted.

    Those with an opacity map are left out, as BlenderProc leaves them out: one would look through the walls.

    Raises
    ------
    InputError
        If there are none.
    """
    names = sorted(
        folder.name
        for folder in (textures.iterdir() if textures.is_dir() else ())
        if (colour := _colour_map(folder)) is not None
        and not colour.with_name(colour.name.replace("Color", "Opacity")).is_file()
    )
    if not names:
        problem = "no materials in ambientCG layout here (Name/Name_2K_Color.jpg, or Name_2K-JPG_Color.jpg)"
        raise InputError(problem, file=textures)
    return names


def _colour_map(folder: Path) -> Path | None:
    """Return a material's colour map, or None where the folder is no material."""
    maps = (folder / f"{folder.name}_{suffix}" for suffix in COLOUR_MAPS)
    return next((file for file in maps if file.is_file()), None)


def take_stock(
    setting: str, rendering: Rendering, objects: Mapping[str, Path], textures: Path | None
) -> "Stock":
    """Return what a setting's scenes may be made of.

    Raises
    ------
    InputError
        If a collection or a material of the room is missing.
    """
    from syn2real.render.scene import Stock

    missing = [name for name in rendering.collections if name not in objects]
    if missing:
        raise InputError(f"no folder given for collection {missing[0]!r}", file=setting, key="collections")
    classes = [
        f"{name}/obj_{number:06d}"
        for name in rendering.collections
        for number in model_numbers(objects[name])
    ]
    return Stock(tuple(classes), tuple(room_materials(setting, rendering, textures)))


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
