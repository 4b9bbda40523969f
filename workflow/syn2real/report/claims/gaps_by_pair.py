"""Does the transfer gap differ from pair to pair?"""

from collections.abc import Sequence

import numpy as np

from syn2real.laws.intervals import spread
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import AGREES, DISAGREES, UNDECIDED, Finding, group_by, quotable

TITLE = "The transfer gap C is one of the pair of tasks"
SOURCE = "C.1, Figure 8"
PAPER = "Figure 8 shows the C of twelve pairs, with standard errors. The text states no rule."
RULE = (
    "the standard deviation of C between pre-training tasks of one fine-tuning task, over their mean C,"
    " beyond what the curves' own uncertainty explains; agrees if its interval is above 0, disagrees if"
    " the interval holds 0 and ends below 1 %. That C differs between fine-tuning tasks is no finding: "
    "their errors are other measures"
)
UNIT = "is the standard deviation of C between pre-training tasks"
NEEDS = ("draws",)
SMALL = 0.01


def judge(draws: Sequence[CurveDraws]) -> Finding:
    """Compare C between the pre-training tasks before each fine-tuning task."""
    curves, left = quotable(draws)
    relative: list[np.ndarray] = []
    labels: list[str] = []
    shown = []
    for place, group in enumerate(group_by(curves, lambda column: column != "ptask")):
        gaps = np.array([curve.params["C"] for curve in group])
        middle = np.median(gaps, axis=1)
        relative.append(gaps / np.median(gaps))
        labels += [str(place)] * len(group)
        shown.append(f"{group[0].identity.get('ftask', 'one')} {middle.min():.3g} to {middle.max():.3g}")
    text = f"Medians of C by fine-tuning task: {', '.join(shown) or 'none'}.{left}"
    found = spread(np.concatenate(relative), labels) if curves else None
    if found is None:
        return Finding(text)
    verdict = AGREES if found.lower > 0 else DISAGREES if found.upper < SMALL else UNDECIDED
    return Finding(text, found, verdict)
