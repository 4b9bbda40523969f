"""Do the rate and the coefficient of a curve depend on each other?"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from syn2real.laws.intervals import HIGH, LOW, of_share
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import Finding, judged, quotable

TITLE = "α and D of one curve cannot be separated: valleys of nearly equal loss"
SOURCE = "Appendix D, Figures 13 and 14"
PAPER = 'A "quadratic-like trajectory" of nearly equal loss for the twelve pairs; therefore D = 0.48 for all.'
RULE = (
    "the share of curves in whose posterior α and D correlate by more than 0.9 (Spearman), of those whose "
    "95 % interval of D spans a factor of 2, as the two curves of Figure 13 do, or less, which is no "
    "valley; with its binomial interval; agrees if it is above one half. Where D spans more without such a "
    "correlation, noise hides the valley: such a curve says nothing"
)
UNIT = "of the curves have a valley"
NEEDS = ("draws",)
VALLEY, SPAN = 0.9, 2.0
"""A valley must be long: α and D correlate however well both are known, as n is far from 1."""


def judge(draws: Sequence[CurveDraws]) -> Finding:
    """Correlate α with D over the draws of each curve."""
    curves, left = quotable(draws)
    found = [float(stats.spearmanr(c.params["alpha"], c.params["D"]).statistic) for c in curves]
    spans = [float(np.divide(*np.quantile(c.params["D"], [HIGH, LOW]))) for c in curves]
    valleys = sum(value > VALLEY and span > SPAN for value, span in zip(found, spans, strict=True))
    shown = (
        f"{np.median(found):.2f}, and D's interval spans a factor of {np.median(spans):.3g}, in the median"
        if found
        else "an unknown amount"
    )
    known = sum(span <= SPAN for span in spans)
    hidden = len(found) - valleys - known
    text = f"α and D correlate by {shown}; {valleys} of {valleys + known} curves have a valley"
    text += f", and noise hides it in {hidden}.{left}" if hidden else f".{left}"
    return judged(text, of_share(valleys, valleys + known) if valleys + known else None, 0.5)
