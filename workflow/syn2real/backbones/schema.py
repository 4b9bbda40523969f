"""Which backbones there are, what family each belongs to, and what weights it may start from (no torch)."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from syn2real import plugins
from syn2real.schema import Section, UserPath

RANDOM = "random"
"""The start without a file: weights drawn by the run's seed."""


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


def published_starts(model: str) -> dict[str, dict[str, Any]]:
    """Return the published weights of a backbone by name: `licence`, and whether they are a `detector`."""
    published: dict[str, dict[str, Any]] = plugins.constant("backbones", family_of(model), "PUBLISHED")
    return {start: about for start, about in published.items() if model in about.get("models", (model,))}


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


if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = plugins.one_of(model_names())
