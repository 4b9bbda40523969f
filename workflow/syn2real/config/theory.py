"""A file of config/theory: what of the theory (§3.2, Appendix E) is worked out, run and compared."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from syn2real.config.loading import read_yaml
from syn2real.errors import InputError
from syn2real.schema import Name, Section, to_params, validate
from syn2real.theory.exponents import LARGEST_XI

Size = Annotated[int, Field(ge=1)]
Norm = Annotated[float, Field(gt=0)]


def rising(values: tuple[int, ...]) -> tuple[int, ...]:
    """Return sizes, or refuse those that do not rise."""
    if list(values) != sorted(set(values)):
        raise ValueError("the sizes must rise, each listed once")
    return values


class Bound(Section):
    """What the bound depends on."""

    r0: float = Field(ge=0.5, le=1, description="smoothness of the pre-training target φ0 (A3)")
    r1: float = Field(ge=0.5, le=1, description="smoothness of φ1, which fine-tuning adds (A3)")
    xi: float = Field(gt=1, le=LARGEST_XI, description="decay of the kernel's spectrum, l^-ξ (A4)")
    zeta: float = Field(0.0, ge=0, lt=1, description="learning rate of fine-tuning, s^-ζ")


class RecursionSetting(Bound):
    """The recursion (34)-(35) on a diagonal kernel."""

    name: Name = Field(description="the setting's name in the results")
    phi0: Norm = Field(1.0, description="norm of φ0")
    penalty: Literal["start", "origin"] = Field(
        "start", description="what fine-tuning is pulled to: the start, as (7), or zero, as (34) prints"
    )
    lambda1: Literal["table", "s"] | Annotated[float, Field(ge=0)] = Field(
        "s", description="λ1: as Table 1 has it, by its power of s alone, or fixed"
    )
    update: Literal["all", "head"] = Field(
        "all", description="what fine-tuning updates: all modes, or those of φ1 with the rest frozen"
    )
    modes: Literal["apart", "shared"] = Field(
        "apart", description="φ1 has modes of its own, which pre-training leaves alone, or those of φ0"
    )
    count: int = Field(200, ge=10, le=2000, description="modes of a block")

    @model_validator(mode="after")
    def _a_head_has_modes_of_its_own(self) -> Self:
        if self.update == "head" and self.modes == "shared":
            raise ValueError("update: head needs modes: apart; shared modes leave nothing to freeze")
        return self


class Grid(Section):
    """Settings, and the sizes at which their exact errors are worked out."""

    n: tuple[Size, ...] = Field(min_length=5, description="pre-training samples, rising")
    s: tuple[Size, ...] = Field(min_length=4, description="fine-tuning samples, rising")
    phi1: tuple[Norm, ...] = Field(min_length=1, description="norms of φ1; each setting is run with each")
    settings: tuple[RecursionSetting, ...] = Field(min_length=1, description="the settings")

    _rise = field_validator("n", "s")(rising)


class Rates(Grid):
    """Settings whose last exponents of s are compared with the bound's."""

    @model_validator(mode="after")
    def _sizes_that_are_late(self) -> Self:
        if len([s for s in self.s if s >= 4096]) < 2:
            raise ValueError("s: name two sizes of 4,096 or more; the last exponents are taken between those")
        if any(setting.lambda1 == 0 for setting in self.settings):
            raise ValueError("settings: the bound is infinite at lambda1: 0; leave such settings to laws")
        return self


class NetworkErrors(Section):
    """The sizes at which networks' errors are measured."""

    width: int = Field(ge=2, multiple_of=2, description="hidden units M")
    n: tuple[Size, ...] = Field(min_length=5, description="pre-training samples, rising")
    s: tuple[Size, ...] = Field(min_length=4, description="fine-tuning samples, rising")
    seeds: int = Field(ge=1, description="networks a cell; the error is their mean")
    phi1: Norm = Field(description="norm of φ1")

    _rise = field_validator("n", "s")(rising)


class Network(Section):
    """The two-layer network (5)-(9) on the unit circle, with a trainable bias."""

    activation: Literal["ramp", "relu", "swish", "tanh"] = Field("ramp", description="σ; ramp satisfies (A1)")
    r0: float = Field(ge=0.5, le=1, description="smoothness of φ0 (A3)")
    r1: float = Field(ge=0.5, le=1, description="smoothness of φ1 (A3)")
    zeta: float = Field(0.0, ge=0, lt=1, description="learning rate of fine-tuning, s^-ζ")
    phi0: Norm = Field(description="norm of φ0")
    phi1: Norm = Field(description="norm of φ1")
    widths: tuple[Annotated[int, Field(ge=2, multiple_of=2)], ...] = Field(
        min_length=3, description="hidden units M whose distance to the recursion is measured, rising"
    )
    n: Size = Field(description="pre-training samples there")
    s: Size = Field(description="fine-tuning samples there")
    seeds: int = Field(ge=1, description="networks a width")
    errors: NetworkErrors = Field(description="where errors are measured, for the laws")

    _rise = field_validator("widths")(rising)


class Local(Section):
    """Bounds whose local exponents are drawn against s."""

    n: Size = Field(description="pre-training samples")
    decades: int = Field(ge=6, le=60, description="s goes up to 10 to this power")
    bounds: tuple[Bound, ...] = Field(min_length=1, max_length=4, description="the bounds")


class Theory(Section):
    """One file of config/theory."""

    name: Name = Field(description="its results lie under this name")
    question: str = Field(min_length=1, description="what it is to answer")
    cost: str = Field(min_length=1, description="what it costs, in words")
    expected: str = Field(min_length=1, description="the result expected, in words")
    seed: int = Field(0, ge=0, description="of signs, samples and networks")
    bounds: tuple[Bound, ...] = Field(min_length=1, description="whose exponents are worked out")
    local: Local = Field(description="local exponents of the bound")
    rates: Rates = Field(description="errors against the bound")
    laws: Grid = Field(description="errors that the laws are fitted to")
    network: Network = Field(description="the two-layer network")

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = ["network", *(setting.name for grid in (self.rates, self.laws) for setting in grid.settings)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"settings: the name '{name}' is taken; rename one")
        return self

    def params(self) -> dict[str, Any]:
        """Return what decides the results, as plain data sorted by key: all but the words."""
        words = ("name", "question", "cost", "expected")
        return {key: value for key, value in to_params(self).items() if key not in words}


def read_theories(folder: str | Path) -> dict[str, Theory]:
    """Return what the YAML files of a folder ask for, by name.

    Raises
    ------
    InputError
        For the first mistake: file, key, what is wrong, how to fix it.
    """
    found: dict[str, Theory] = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        theory = validate(Theory, read_yaml(path), file=path)
        if theory.name in found:
            raise InputError("another file of this folder has this name; rename one", file=path, key="name")
        found[theory.name] = theory
    return found
