"""Folders in BOP layout, read without Blender: which objects there are."""

from pathlib import Path
from typing import Any

from syn2real.assets.ply import farthest_vertex
from syn2real.errors import InputError
from syn2real.files import read_json
from syn2real.near import near_path

MODEL_FOLDERS = ("models", "models_cad", "models_reconst", "models_eval")
"""Where a BOP data set keeps its models, first choice first (T-LESS has CAD models and no `models`)."""


SMALLEST, LARGEST = 2.0, 20_000.0
"""Diameters in millimetres between which the largest object of a collection lies."""


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
    return [*_models(collection)]


def model_classes(collection: Path) -> dict[int, str | None]:
    """Return the class of each object by its number, where `models_info.json` names it (`class`).

    Objects of one class are learnt as one, whichever collections they are in; BOP's own lists name none, and
    each object is a class.

    Raises
    ------
    InputError
        As `model_numbers`; a class is no name.
    """
    found = {}
    for number, model in _models(collection).items():
        label = model.get("class") if isinstance(model, dict) else None
        if label is not None and (not isinstance(label, str) or not label.strip()):
            problem = f"a class is a name, not {str(label)[:40]!r}; write text or remove it"
            raise InputError(problem, file=models_info(collection), key=f"{number}.class")
        found[number] = label
    return found


def _models(collection: Path) -> dict[int, Any]:
    """Return what `models_info.json` says of each object, by number, ascending; see `model_numbers`."""
    listing = model_folder(collection) / "models_info.json"
    try:
        value = read_json(listing)
        if not isinstance(value, dict):
            raise ValueError(f"it holds {str(value)[:40]}, not one entry a model")
        models = {int(key): value[key] for key in sorted(value, key=int)}
    except FileNotFoundError as error:
        raise InputError("missing; BOP's collections list their models in it", file=listing) from error
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"not a JSON table of models: {error}", file=listing) from error
    for number in models:
        if not model_file(collection, number).is_file():
            raise InputError(
                f"models_info.json lists object {number}, but this file is missing",
                file=model_file(collection, number),
            )
    if not models:
        raise InputError("lists no model", file=listing)
    return models


def check_models(collection: Path) -> None:
    """Check that a collection's models are there, can be read and have BOP's unit, the millimetre.

    Raises
    ------
    InputError
        As `model_numbers`; a mesh is damaged, or the diameters or the vertices are in another unit.
    """
    listing = models_info(collection)
    diameters = {number: _diameter(model) for number, model in _models(collection).items()}
    known = sorted(diameter for diameter in diameters.values() if diameter)
    if known and not (SMALLEST <= known[-1] <= LARGEST and known[0] >= SMALLEST / 4):
        unit = "a smaller unit" if known[-1] > LARGEST else "metres: multiply meshes and list by 1,000"
        raise InputError(
            f"diameters of {known[0]:.4g} to {known[-1]:.4g}; BOP's unit is the millimetre, and these look "
            f"like {unit}",
            file=listing,
        )
    for number, diameter in diameters.items():
        file = model_file(collection, number)
        farthest = farthest_vertex(file)
        if diameter and not diameter / 400 < farthest < diameter * 20:
            raise InputError(
                f"its vertices lie up to {farthest:.4g} from the origin, but models_info.json has a diameter "
                f"of {diameter:.4g}; both are in millimetres",
                file=file,
            )


def _diameter(model: Any) -> float | None:
    """Return the diameter that a list of models gives for one, or None."""
    value = model.get("diameter") if isinstance(model, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
