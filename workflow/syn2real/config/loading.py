"""Reading YAML into the models, with errors for the person who wrote the file."""

import difflib
from collections.abc import Hashable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Tag, ValidationError

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
        parts, section = _located(model, detail["loc"])
        place = ".".join([*([key] if key else []), *parts])
        problem = _problem(section, detail)
        if len(details) > 1:
            problem += f" (and {len(details) - 1} more)"
        raise InputError(problem, file=file, key=place) from None


def _problem(section: Any, detail: Mapping[str, Any]) -> str:
    """Return a sentence for one of pydantic's errors inside `section`, with the mend."""
    match detail["type"]:
        case "extra_forbidden":
            valid = sorted(section.model_fields) if _is_model(section) else []
            near = difflib.get_close_matches(str(detail["loc"][-1]), valid, n=1, cutoff=0.5)
            mend = f"did you mean '{near[0]}'?" if near else f"the keys here are {', '.join(valid)}"
            return f"unknown key; {mend}"
        case "missing":
            return "this key is missing; add it"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{detail['msg']}; it is {detail['input']!r}"


def _located(model: type[BaseModel], location: tuple[Any, ...]) -> tuple[list[str], Any]:
    """Return the keys of an error's location as the file has them, and the section its last key is in.

    Where a section may be of several kinds, pydantic adds the kind's tag to the location; it is no key of
    the file.
    """
    parts: list[str] = []
    current: Any = model
    section: Any = model
    for part in location:
        if kind := _kinds(current).get(part):
            current = kind
            continue
        parts.append(str(part))
        section = current
        current = _inside(current, part)
    return parts, section


def _inside(annotation: Any, part: Any) -> Any:
    """Return the annotation of what lies under a key, or at an index, of something annotated."""
    if _is_model(annotation):
        field = annotation.model_fields.get(part)
        return _plain(field.annotation) if field else None
    arguments = [a for a in get_args(annotation) if a not in (Ellipsis, type(None))]
    return _plain(arguments[-1]) if arguments else None  # a mapping's values, a sequence's items


def _plain(annotation: Any) -> Any:
    """Return a model or container out of `Annotated[X, …]` and `X | None`."""
    if get_origin(annotation) is Annotated and not _kinds(annotation):
        return _plain(get_args(annotation)[0])
    options = [a for a in get_args(annotation) if a is not type(None)]
    if get_origin(annotation) in (Union, UnionType) and len(options) == 1:
        return _plain(options[0])
    return annotation


def _kinds(annotation: Any) -> dict[str, Any]:
    """Return the models of an annotation that may be of several kinds, by tag."""
    found = {}
    if get_origin(annotation) is Annotated:
        for option in get_args(get_args(annotation)[0]):
            for mark in getattr(option, "__metadata__", ()):
                if isinstance(mark, Tag):
                    found[mark.tag] = get_args(option)[0]
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
