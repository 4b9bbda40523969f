"""Do the rate and the coefficient of a curve depend on each other?"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from syn2real.laws.intervals import of_share
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import Finding, judged, quotable

TITLE = "α and D of one curve cannot be separated: valleys of nearly equal loss"
SOURCE = "Appendix D, Figures 13 and 14"
PAPER = 'A "quadratic-like trajectory" of nearly equal loss for the twelve pairs; therefore D = 0.48 for all.'
RULE = (
    "the share of curves in whose posterior α and D correlate by more than 0.9 (Spearman), with its "
    "binomial interval; agrees if it is above one half"
)
UNIT = "of the curves have a valley"
NEEDS = ("draws",)
VALLEY = 0.9


def judge(draws: Sequence[CurveDraws]) -> Finding:
    """Correlate α with D over the draws of each curve."""
    curves, left = quotable(draws)
    found = [float(stats.spearmanr(c.params["alpha"], c.params["D"]).statistic) for c in curves]
    valleys = sum(value > VALLEY for value in found)
    shown = f"{np.median(found):.2f} in the median" if found else "not known"
    text = f"α and D correlate by {shown}, by more than {VALLEY} in {valleys} of {len(found)} curves.{left}"
    return judged(text, of_share(valleys, len(found)) if found else None, 0.5)
