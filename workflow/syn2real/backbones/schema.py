"""Which backbones there are, and what family each belongs to (no torch)."""

from typing import TYPE_CHECKING

from syn2real import plugins


def model_names() -> list[str]:
    """Return the names of all backbones, family by family."""
    return [name for family in plugins.names("backbones") for name in _members(family)]


def family_of(model: str) -> str:
    """Return the family of a backbone: the module of `syn2real.backbones` that builds it.

    Raises
    ------
    KeyError
        No family has it.
    """
    for family in plugins.names("backbones"):
        if model in _members(family):
            return family
    raise KeyError(plugins.unknown(model, model_names()))


def _members(family: str) -> tuple[str, ...]:
    names: tuple[str, ...] = plugins.constant("backbones", family, "NAMES")
    return names


if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = plugins.one_of(model_names())
