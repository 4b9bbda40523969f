"""Arms: the ways in which renders help to learn a target, and those that do without, compared fairly."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator

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
            known = (
                f"{BACKBONE}, {WHOLE}, {RENDERS_ONLY}, {LONGER}, or mixed-0.5 with any share between 0 and 1"
            )
            raise ValueError(f"'{name}' is no arm; there are {known}")
        return cls(name, share)

    @property
    def whole(self) -> bool:
        """Whether it loads the pre-trained head too."""
        return self.name in (WHOLE, RENDERS_ONLY)

    @property
    def longer(self) -> bool:
        """Whether its one training has the updates of pre-training and fine-tuning together."""
        return self.name == LONGER or bool(self.share)

    @property
    def needs_labels_on_renders(self) -> bool:
        """Whether the renders must be labelled with what the fine-tuning task learns."""
        return self.whole or bool(self.share)


def _known(name: str) -> str:
    """Return an arm's name, or refuse one that there is not."""
    return Arm.named(name).name


ArmName = Annotated[str, AfterValidator(_known)]
