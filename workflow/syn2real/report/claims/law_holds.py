"""Does the simple law describe the errors of each pair of tasks?"""

from collections.abc import Sequence

import numpy as np

from syn2real.laws.intervals import of_share
from syn2real.laws.posteriors import DESCRIBED, NO_LAW, NOTHING_FALLS, CurveDraws
from syn2real.report.claims.base import Finding, judged, name_curves

TITLE = "The error follows the simple law D n^-α + C, for each pair of tasks"
SOURCE = "§4.2, Figure 1"
PAPER = 'The law fits the twelve pairs "with high accuracy in most cases", with D = 0.48 for all.'
RULE = (
    "the share of curves that the law describes, of those that fall at all or have a shape that no law "
    "has (by more than the noise they fall and then rise, grow, fall ever faster, have one size off the "
    "rest, or lie off the law by over a tenth of their fall), with its binomial interval; agrees if it is "
    "above one half, which is what most means. A curve that does not fall beyond its noise says nothing "
    "and is named"
)
UNIT = "of the curves are described"
NEEDS = ("draws",)


def judge(draws: Sequence[CurveDraws]) -> Finding:
    """Count the curves that the law describes among those that can say so.

    Parameters
    ----------
    draws : sequence of CurveDraws
        Of all curves of the experiment.
    """
    described = [curve for curve in draws if curve.state == DESCRIBED]
    others = [curve for curve in draws if curve.state == NO_LAW]
    silent = [curve for curve in draws if curve.state == NOTHING_FALLS]
    unknown = [curve for curve in draws if curve not in (*described, *others, *silent)]
    tried = len(described) + len(others)
    text = f"The law describes {len(described)} of {tried} curves"
    if described:
        fall, miss = np.median([(curve.fall, curve.rmse_log) for curve in described], axis=0)
        text += f"; in the median the errors fall by {fall:.0%}, and lie {miss:.2%} off the law"
    text += "."
    for what, curves in (
        ("Not", others),
        ("Nothing falls beyond the noise", silent),
        ("Too few sizes, or no noise known", unknown),
    ):
        text += f" {what}: {name_curves(curves, draws)}." if curves else ""
    return judged(text, of_share(len(described), tried) if tried else None, 0.5)
