"""Folders in BOP layout, read without Blender: which objects there are."""

from pathlib import Path

from syn2real.errors import InputError
from syn2real.files import read_json
from syn2real.near import near_path

MODEL_FOLDERS = ("models", "models_cad", "models_reconst", "models_eval")
"""Where a BOP data set keeps its models, first choice first (T-LESS has CAD models and no `models`)."""


def model_folder(collection: Path) -> Path:
    """Return the folder of a collection's models.

    Raises
    ------
    InputError
        If the folder is not an object collection.
    """
    folder = models_info(collection).parent
    if not folder.is_dir():
        problem = "no object collection in BOP layout here: it lacks a folder `models` with obj_000001.ply …"
        problem += near_path(collection) if not collection.exists() else ""
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
        If the list is missing, empty or not a list of models, or a listed model is missing.
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
