"""Which backbones there are, what family each belongs to, and what weights it may start from (no torch)."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from syn2real import plugins
from syn2real.errors import InputError
from syn2real.near import did_you_mean
from syn2real.schema import Section, UserPath

RANDOM = "random"
"""The start without a file: weights drawn by the run's seed."""


def model_names() -> list[str]:
    """Return the names that families list, family by family; some have more (`family_of`)."""
    return [name for family in plugins.names("backbones") for name in _members(family)]


def family_of(model: str) -> str:
    """Return the family of a backbone: the module of `syn2real.backbones` that builds it.

    A family that lists a name has it, or else one whose library does.

    Raises
    ------
    KeyError
        No family has it; with the nearest name.
    """
    for members in (_members, _catalogue):
        for family in plugins.names("backbones"):
            if model in members(family):
                return family
    raise KeyError(_unknown(model))


def require_model(model: str, *, key: str) -> None:
    """Raise InputError, with the nearest name, when no family has a backbone."""
    try:
        family_of(model)
    except KeyError as error:
        raise InputError(error.args[0], key=key) from None


@cache
def published_starts(model: str) -> dict[str, dict[str, Any]]:
    """Return the published weights of a backbone by name: `licence`, and whether they are a `detector`."""
    family = family_of(model)
    published: dict[str, dict[str, Any]] = plugins.constant("backbones", family, "PUBLISHED")
    return {start: about for start, about in published.items() if _is_published(family, model, about)}


class InitialWeights(Section):
    """A file of weights to start from. Its content is a param of the runs: another one runs them again."""

    path: UserPath = Field(description="the file: safetensors, or what torch.save wrote of a state_dict()")
    detector: bool = Field(
        default=False,
        description="the file is a whole Faster R-CNN of torchvision's tensor names: objdet starts from its "
        "feature pyramid and proposal network too; otherwise, and in other tasks, from its backbone alone",
    )


def _members(family: str) -> tuple[str, ...]:
    names: tuple[str, ...] = plugins.constant("backbones", family, "NAMES")
    return names


def _is_published(family: str, model: str, about: dict[str, Any]) -> bool:
    """Return whether published weights are of a backbone; where the library is not installed, they may be."""
    if "tags" not in about:
        return model in about.get("models", (model,))
    known = _catalogue(family, "weights")
    return not known or any(re.fullmatch(rf"{model}\.({about['tags']})", name) for name in known)


@cache
def _catalogue(family: str, kind: str = "names") -> frozenset[str]:
    """Return the `names` that a family's library has, or its `weights`, from its source, unimported."""
    given = plugins.constant("backbones", family, "CATALOGUE")
    found = find_spec(given["package"]) if given else None
    folders = (found.submodule_search_locations or []) if found else []
    paths = (path for folder in folders for path in Path(folder).glob(given["files"]))
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return frozenset(name for text in texts for name in re.findall(given[kind], text))


def _unknown(model: str) -> str:
    """Return the message on a name that no family has."""
    libraries = {}
    for family in plugins.names("backbones"):
        if given := plugins.constant("backbones", family, "CATALOGUE"):
            libraries[given["package"]] = _catalogue(family)
    listed = f"choose from {', '.join(sorted(model_names()))}, or a model of {', '.join(libraries)}"
    hint = did_you_mean(model, {*model_names()}.union(*libraries.values()), listed)
    for library in (library for library, names in libraries.items() if not names):
        hint += f"; {library}, which has more, is not installed here"
    return f"'{model if len(model) <= 80 else f'{model[:80]} …'}' is not defined; {hint}"


def _known(model: str) -> str:
    try:
        family_of(model)
    except KeyError as error:
        raise ValueError(error.args[0]) from None
    return model


if TYPE_CHECKING:
    ModelName = str
else:
    _SCHEMA: dict[str, Any] = {
        "anyOf": [{"enum": sorted(model_names())}, {"type": "string", "pattern": "^[a-z0-9_]+$"}]
    }  # a model of a library
    ModelName = Annotated[str, AfterValidator(_known), WithJsonSchema(_SCHEMA)]
