"""What every model of the configuration shares: strict keys, frozen values, errors for who wrote the file."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, Tag, ValidationError
from pydantic_core import ErrorDetails

from syn2real.errors import InputError
from syn2real.near import did_you_mean
from syn2real.sentences import sentence, shown

M = TypeVar("M", bound=BaseModel)
SHOWN = 5
"""Further wrong keys that a message names."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A name that becomes a folder: lower-case letters, digits and single hyphens."""


def _expand(path: str) -> str:
    """Return a path with `~` and `$VARIABLE` replaced; a dollar sign in the name of what is there stays."""
    if "\0" in path or len(path.encode()) > 4095 or any(len(part.encode()) > 255 for part in path.split("/")):
        raise ValueError(f"this cannot be a path: {shown(path)}; write another one")
    if "$" in path and not Path(path).exists():
        for name in re.findall(r"\$\{?(\w+)", path):
            if name not in os.environ:
                raise ValueError(
                    f"the variable {name} of {path} is not set; set it, or write the path itself"
                )
        path = os.path.expandvars(path)
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        raise ValueError(f"{path}: the home folder is not known; write the path itself") from None


UserPath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_expand)]
"""A path as a person writes it: with `~` and `$VARIABLE`."""


UserPaths = UserPath | Annotated[tuple[UserPath, ...], Field(min_length=1)]
"""A path, or a list of them."""


class Section(BaseModel):
    """A section of the configuration; strict about keys, frozen once read. No number is infinite or NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def later(default: Any, **about: Any) -> Any:
    """Return the field of a key that came after a release: params leave it out at its default.

    So what was made before the key was there keeps its identity.
    """
    return Field(default=default, exclude_if=lambda value: value == default, **about)


def renamed(values: Any, old: str, new: str) -> Any:
    """Return a section as written, with a split's key by its new name; both names together are refused."""
    if not isinstance(values, Mapping) or old not in values:
        return values
    if new in values:
        raise ValueError(f"has both {new} and {old}, which name one split; remove {old}")
    return {new if key == old else key: value for key, value in values.items()}


def to_params(section: BaseModel) -> dict[str, Any]:
    """Return a model as plain, key-sorted data: Snakemake compares params by their text."""
    value: dict[str, Any] = json.loads(json.dumps(section.model_dump(mode="json"), sort_keys=True))
    return value


def validate(model: type[M], value: Any, *, file: str | Path, key: str = "", cells: bool = False) -> M:
    """Build `model` from plain data, or say in one line what is wrong with it.

    Parameters
    ----------
    model : type of BaseModel
        The model to build.
    value : object
        What the file holds at `key`. `true` and "1" are no numbers.
    file : str or Path
        The file, for the message.
    key : str
        Where in the file `value` stands, for the message.
    cells : bool
        Whether all values are text, as in a table: then "1" is a number.

    Raises
    ------
    InputError
        With the file, the key and the fix of the first mistake, and the keys of others; an unknown key comes
        with the nearest valid one.
    """
    try:
        return model.model_validate(_with_tuples(value), strict=not cells)
    except ValidationError as error:
        places: dict[str, list[tuple[Any, ErrorDetails]]] = {}
        # An unknown key is often the cause of a "missing" one: report it first.
        for detail in sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden"):
            parts, section = _located(model, detail["loc"])
            places.setdefault(".".join([*([key] if key else []), *parts]), []).append((section, detail))
        (place, found), *others = places.items()
        problem = _problem(found[0][0], [detail for _, detail in found])
        if others:
            named = [other for other, _ in others[:SHOWN]] + ["…"] * (len(others) > SHOWN)
            problem += f" (wrong too: {', '.join(named)})"
        raise InputError(problem, file=file, key=place) from None


def _with_tuples(value: Any) -> Any:
    """Return plain data with tuples for lists: strict models have no other sequence."""
    if isinstance(value, Mapping):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value


def _problem(section: Any, details: Sequence[ErrorDetails]) -> str:
    """Return a sentence for pydantic's errors at one place inside `section`, with the fix."""
    detail = details[0]
    if detail["type"] != "extra_forbidden":
        return sentence(details)
    if re.fullmatch(r"\d+", str(detail["loc"][-1])):
        return "unknown key; it follows a comma: write decimals with a point, as in 0.5"
    valid = sorted(section.model_fields) if _is_model(section) else []
    hint = did_you_mean(str(detail["loc"][-1]), valid, f"the keys here are {', '.join(valid)}")
    return f"unknown key; {hint}"


def _located(model: type[BaseModel], location: tuple[Any, ...]) -> tuple[list[str], Any]:
    """Return the keys of an error's location as the file has them, and the section its last key is in.

    Where a section may be of several kinds, pydantic adds the kind's tag to the location; the tag is not a
    key of the file, nor is the name of a type that a value may have.
    """
    parts: list[str] = []
    current: Any = model
    section: Any = model
    for part in location:
        if kind := _kinds(current).get(str(part)):
            current = kind
            continue
        if part == "[key]" or _is_union(current):  # pydantic's name for one of several types
            continue
        parts.append(str(part))
        section = current
        current = _inside(current, part)
    return parts, section


def _inside(annotation: Any, part: Any) -> Any:
    """Return the annotation of what lies under a key, or at an index, of something annotated."""
    if _is_model(annotation):
        field = annotation.model_fields.get(part)
        return _unwrap_annotation(field.annotation) if field else None
    arguments = [a for a in get_args(annotation) if a not in (Ellipsis, type(None))]
    return _unwrap_annotation(arguments[-1]) if arguments else None  # a mapping's values, a sequence's items


def _unwrap_annotation(annotation: Any) -> Any:
    """Return a model or container out of `Annotated[X, …]` and `X | None`."""
    if get_origin(annotation) is Annotated and not _kinds(annotation):
        return _unwrap_annotation(get_args(annotation)[0])
    options = [a for a in get_args(annotation) if a is not type(None)]
    if get_origin(annotation) in (Union, UnionType) and len(options) == 1:
        return _unwrap_annotation(options[0])
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


def _is_union(annotation: Any) -> bool:
    """Whether something annotated may have one of several types that are no sections."""
    return get_origin(annotation) in (Union, UnionType)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
