"""Arms: the ways in which renders help to learn a target, and those that do without, compared fairly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator

from syn2real.data.coco.counts import listed
from syn2real.errors import InputError
from syn2real.near import did_you_mean

BACKBONE = "backbone"
"""Fine-tune the pre-trained backbone under a new head (the paper's, §4.1): the default."""
WHOLE = "whole"
"""Fine-tune the whole pre-trained model: its head too, of the classes that both name."""
RENDERS_ONLY = "renders-only"
"""Test the whole pre-trained model on the photographs; nothing is fine-tuned."""
LONGER = "photographs-longer"
"""Photographs alone (n = 0), for as many updates as pre-training and fine-tuning have together."""
MIXED = re.compile(r"mixed-(0\.\d{0,3}[1-9])")
"""One training on renders and photographs, so large a share of each batch renders; as long as `LONGER`."""

PATTERN = rf"{WHOLE}|{RENDERS_ONLY}|{LONGER}|{MIXED.pattern.replace('(', '(?:')}"
"""The names of all arms but the default, as a regular expression."""


@dataclass(frozen=True)
class Arm:
    """What one arm does.

    Attributes
    ----------
    name : str
        As experiments, paths and the column `arm` have it.
    share : float
        Share of renders in every batch; 0 where they are not mixed.
    """

    name: str
    share: float = 0.0

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the arm of a name.

        Raises
        ------
        ValueError
            There is none of this name.
        """
        mixed = MIXED.fullmatch(name)
        share = float(mixed[1]) if mixed else 0.0
        if name not in (BACKBONE, WHOLE, RENDERS_ONLY, LONGER) and not share:
            known = f"{BACKBONE}, {WHOLE}, {RENDERS_ONLY}, {LONGER}, and mixed-0.5, mixed-0.25 and so on"
            raise ValueError(f"'{name}' is no arm; there are {known}")
        return cls(name, share)

    @property
    def whole(self) -> bool:
        """Whether it loads the pre-trained head too."""
        return self.name in (WHOLE, RENDERS_ONLY)

    @property
    def finetunes_renders(self) -> bool:
        """Whether it fine-tunes a model that renders pre-trained."""
        return self.name in (BACKBONE, WHOLE)

    @property
    def longer(self) -> bool:
        """Whether its one training has the updates of pre-training and fine-tuning together."""
        return self.name == LONGER or bool(self.share)

    @property
    def needs_labels_on_renders(self) -> bool:
        """Whether the renders must be labelled with what the fine-tuning task learns."""
        return self.whole or bool(self.share)

    def renders_in(self, batch_size: int) -> int:
        """Return how many images of every batch are renders.

        Raises
        ------
        ValueError
            The share of such a batch is no whole number of images.
        """
        exact = self.share * batch_size
        if abs(exact - round(exact)) > 1e-9:
            raise ValueError(
                f"{self.name}: {self.share:g} of a batch of {batch_size} images are {exact:g}, no whole "
                "number; change the share or the recipe's batch_size"
            )
        return round(exact)


def match_classes(
    renders: list[str],
    photographs: list[str],
    given: Mapping[str, str] | None = None,
    *,
    once: bool = False,
) -> dict[int, int]:
    """Return the photographs' class of each class of the renders, by their numbers.

    Parameters
    ----------
    renders, photographs : list of str
        The names of their classes.
    given : mapping of str to str, optional
        The photographs' class of a class of the renders. Others of the same name are the same class; the
        rest have no counterpart.
    once : bool
        Refuse two classes of the renders that are one of the photographs'.

    Raises
    ------
    InputError
        A name in `given` is not there, or the two have no class in common but the background.
    """
    found: dict[int, int] = {}
    for name, other in (given or {}).items():
        for one, names, whose in ((name, renders, "renders"), (other, photographs, "photographs")):
            if one not in names:
                hint = did_you_mean(one, names, f"they have {listed(names)}")
                raise InputError(f"'{one}' is no class of the {whose}; {hint}", key="classes")
        found[renders.index(name)] = photographs.index(other)
    for number, name in enumerate(renders):
        if name in photographs:
            found.setdefault(number, photographs.index(name))
    if {photographs[number] for number in found.values()} <= {"background"}:
        problem = (
            f"renders ({listed(renders)}) and photographs ({listed(photographs)}) have no class in "
            "common; map the renders' names to the photographs'"
        )
        raise InputError(problem, key="classes")
    if once and (shared := _shared(found)):
        those = listed([renders[number] for number in shared[1]])
        problem = (
            f"several classes of the renders ({those}) are {photographs[shared[0]]}, but a pre-trained head "
            "has one output a class; map one of them alone, or take a mixed arm"
        )
        raise InputError(problem, key="classes")
    return dict(sorted(found.items()))


def _shared(found: Mapping[int, int]) -> tuple[int, list[int]] | None:
    """Return the first number that several have, and these; None where there is none."""
    for value in found.values():
        if len(of := [number for number, other in found.items() if other == value]) > 1:
            return value, of
    return None


def _known(name: str) -> str:
    """Return an arm's name, or refuse one that there is not."""
    return Arm.named(name).name


ArmName = Annotated[str, AfterValidator(_known)]
