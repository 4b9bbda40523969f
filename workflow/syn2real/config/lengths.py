"""Shares of labels, lengths of recipes, and the pilot that shows which length is enough."""

import math
from collections import Counter
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from syn2real.data.targets.schema import PILOT_PARTS
from syn2real.schema import Section, later

T = TypeVar("T")

RULE_OF_THREE = 3
"""What never happened in N cases may still happen in 3 / N of all (at 95 %)."""


def without_duplicates(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return `values`, or refuse one that is listed twice."""
    for value, count in Counter(values).items():
        if count > 1:
            raise ValueError(f"{value!r} is listed twice; list it once")
    return values


def _written_in_paths(percent: float) -> float:
    """Return a share, length or rate, or refuse one whose digits do not fit the name of a run's folder."""
    if percent < 1e-4 or float(f"{percent:.10g}") != percent:
        raise ValueError(f"{percent!r} has too many digits; it may have ten and is 0.0001 or more")
    return percent


Length = Annotated[float, Field(gt=0, le=1), AfterValidator(_written_in_paths)]
Rate = Annotated[float, Field(gt=0, le=1000), AfterValidator(_written_in_paths)]
"""A learning rate, in units of a recipe's."""
Percent = Annotated[float, Field(gt=0, le=100), AfterValidator(_written_in_paths)]


class Pilot(Section):
    """A pilot of a recipe's lengths, and of the arms' learning rates, on labels cut from train."""

    lengths: tuple[Length, ...] = Field(
        default=(0.125, 0.25, 0.5, 1.0), min_length=2, description="lengths to try, in units of the recipe's"
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(0,), min_length=1, description="run seeds"
    )
    parts: int = Field(
        default=PILOT_PARTS,
        ge=1,
        le=PILOT_PARTS,
        description="fifths of the target's training set that are tested on, each by fine-tunings of its own "
        "that learn from the other four; by default each labelled image once. The test set is not read",
    )
    tolerance: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="a length is as good as the longest if its errors are known to be within this share of "
        "the longest's, or of 1 - error where that is smaller",
    )

    rates: tuple[Rate, ...] = later(
        (),
        description="learning rates of the arms' fine-tunings to try, the same for all, in units of the "
        "recipe's: [0.3, 1, 3], at n = 0 and at the largest n (default: none); the result is a line `rates` "
        "of an ftask",
    )
    pretrain_lengths: tuple[Length, ...] = later(
        (),
        description="lengths of the pre-training alone to try, in units of the recipe's: [0.25, 1], for each "
        "start and each arm that fine-tunes what was pre-trained, at the largest n (default: none); the "
        "result is a line `pretrain_length` of the experiment",
    )

    @property
    def fewest(self) -> int:
        """Tested images below which no two lengths are known to be alike, even at an error of 0.5."""
        return math.ceil(2 * RULE_OF_THREE / self.tolerance)

    @field_validator("lengths", "seeds", "rates", "pretrain_lengths")
    @classmethod
    def _no_duplicates(cls, values: tuple[T, ...]) -> tuple[T, ...]:
        return without_duplicates(values)

    @field_validator("rates", "pretrain_lengths")
    @classmethod
    def _with_the_recipes_own(cls, values: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if values and (1 not in values or len(values) < 2):
            example = "[0.3, 1, 3]" if info.field_name == "rates" else "[0.25, 1]"
            raise ValueError(f"these are compared with the recipe's own; list 1 and others, as in {example}")
        return values
