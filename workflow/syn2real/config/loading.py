"""Reading YAML into the models, with errors for the person who wrote the file."""

import difflib
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from syn2real.errors import InputError

M = TypeVar("M", bound=BaseModel)


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice (YAML would keep the last one silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<: *anchor`
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice; keep one", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its top-level mapping; empty for an empty file.

    Raises
    ------
    InputError
        The file is missing, is no YAML, repeats a key, or holds no mapping.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], n=1)
        hint = f"; did you mean {path.parent / near[0]}?" if near else ""
        raise InputError(f"there is no such file{hint}", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the file cannot be read: {error}", file=path) from None
    try:
        value = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else None
        raise InputError(f"no valid YAML: {error.problem}", file=path, key=line) from None
    except yaml.YAMLError as error:
        raise InputError(f"no valid YAML: {error}", file=path) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("the file must hold a mapping (key: value lines)", file=path)
    return value


def validate(model: type[M], value: Any, *, file: str | Path, key: str = "") -> M:
    """Build `model` from plain data, or say in one line what is wrong with it.

    Parameters
    ----------
    model : type of BaseModel
        The model to build.
    value : object
        What the file holds at `key`.
    file : str or Path
        The file, for the message.
    key : str
        Where in the file `value` stands, for the message.

    Raises
    ------
    InputError
        With the file, the key and the mend of the first mistake; an unknown key comes with the nearest
        valid one.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # An unknown key is often the cause of a "missing" one: tell it first.
        details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        detail: Mapping[str, Any] = details[0]
        place = ".".join(str(part) for part in ([key] if key else []) + list(detail["loc"]))
        problem = _problem(model, detail)
        if len(details) > 1:
            problem += f" (and {len(details) - 1} more)"
        raise InputError(problem, file=file, key=place) from None


def _problem(model: type[BaseModel], detail: Mapping[str, Any]) -> str:
    """Return a sentence for one of pydantic's errors, with the mend."""
    match detail["type"]:
        case "extra_forbidden":
            valid = _valid_keys(model, detail["loc"][:-1])
            near = difflib.get_close_matches(str(detail["loc"][-1]), valid, n=1, cutoff=0.5)
            mend = f"did you mean '{near[0]}'?" if near else f"the keys here are {', '.join(valid)}"
            return f"unknown key; {mend}"
        case "missing":
            return "this key is missing; add it"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{detail['msg']}; it is {detail['input']!r}"


def _valid_keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Return the keys valid at a location inside `model`, following fields, lists and mappings."""
    current: Any = model
    for part in location:
        if _is_model(current) and part in current.model_fields:
            current = current.model_fields[part].annotation
        current = _first_model(current) or current
    return sorted(current.model_fields) if _is_model(current) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _first_model(annotation: Any) -> Any:
    """Return the first model in an annotation and its arguments (`list[X]`, `dict[str, X]`, `X | None`)."""
    if _is_model(annotation):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _first_model(argument):
            return found
    return None
