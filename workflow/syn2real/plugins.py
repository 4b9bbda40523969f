"""Plug-ins: a name is a file.

A package that is an extension point (tasks, backbones, laws/forms, …) holds one module or folder for each
plug-in, and beside them only `base`, `schema` and `common`. Nothing lists the plug-ins: they are found by
name, so that adding one edits no file that other stages import.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from syn2real.errors import InputError
from syn2real.near import did_you_mean

SHARED = ("__init__", "base", "schema", "common")
"""What an extension point holds beside its plug-ins."""
ROOT = Path(__file__).resolve().parent


def names(point: str) -> list[str]:
    """Return the names of the plug-ins of an extension point, sorted; none of them is imported.

    Parameters
    ----------
    point : str
        The package, such as `tasks` or `laws.forms`.

    Returns
    -------
    list of str
        The file `full_law.py` is the plug-in `full-law`.
    """
    entries = _folder(point).iterdir()
    found = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return sorted(name.replace("_", "-") for name in found - {*SHARED})


def module_name(point: str, name: str, part: str | None = None) -> str:
    """Return the dotted name of a plug-in's module, or of one `part` of a plug-in that is a folder."""
    return ".".join(filter(None, ("syn2real", point, name.replace("-", "_"), part)))


def module_names(point: str, name: str) -> list[str]:
    """Return the dotted names of all modules of a plug-in: one, or those of its folder."""
    folder = _folder(point) / name.replace("-", "_")
    parts: Sequence[str | None] = [None]
    if folder.is_dir():
        parts = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    return [module_name(point, name, part) for part in parts]


def load(point: str, name: str, part: str | None = None) -> ModuleType:
    """Import a plug-in's module, or one `part` of a plug-in that is a folder.

    Raises
    ------
    KeyError
        There is no plug-in of that name.
    """
    if name not in names(point):
        raise KeyError(f"{point} has no plug-in '{name}'")
    return import_module(module_name(point, name, part))


@cache
def constant(point: str, name: str, key: str, default: Any = None, *, part: str | None = None) -> Any:
    """Return a constant that a plug-in's module sets at its top level, without importing the module.

    The module may need torch or matplotlib, which the process that plans a workflow may lack.

    Parameters
    ----------
    point, name : str
        The extension point and the plug-in.
    key : str
        The constant's name; its value is a literal.
    default : Any
        What to return where the module does not set it.
    part : str, optional
        The module, of a plug-in that is a folder.
    """
    path = _folder(point).joinpath(name.replace("-", "_"), *([part] if part else [])).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [key]:
            return ast.literal_eval(node.value)
    return default


def one_of(valid: Sequence[str], elsewhere: Mapping[str, str] | None = None) -> Any:
    """Return the pydantic type of a key that takes one of some names: an enum in the schema.

    Parameters
    ----------
    valid : sequence of str
        The names, such as `names("tasks")`.
    elsewhere : dict of str to str, optional
        Names that are valid in other places, and where.
    """
    from pydantic import AfterValidator, WithJsonSchema

    def check(value: str) -> str:
        if value in (elsewhere or {}) and value not in valid:
            place = (elsewhere or {})[value]
            raise ValueError(f"'{value}' is {place}; choose from {', '.join(sorted(valid))}")
        if value not in valid:
            raise ValueError(unknown(value, valid))
        return value

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "enum": sorted(valid)})]


def unknown(name: str, valid: Sequence[str]) -> str:
    """Return the message on a name that is not among the valid ones: the nearest, or all of them."""
    hint = did_you_mean(name, valid, f"choose from {', '.join(sorted(valid)) or 'none'}")
    return f"'{name if len(name) <= 80 else f'{name[:80]} …'}' is not defined; {hint}"


def require_name(name: str, valid: Iterable[str], *, key: str, file: str | Path | None = None) -> None:
    """Raise InputError, with the nearest name, when `name` is not among the valid ones."""
    names = [*valid]
    if name not in names:
        raise InputError(unknown(name, names), file=file, key=key)


def _folder(point: str) -> Path:
    return ROOT.joinpath(*point.split("."))
