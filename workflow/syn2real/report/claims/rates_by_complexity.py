"""Do errors fall more slowly where the images are more complex?"""

from collections.abc import Mapping, Sequence

from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import Finding, judged_by_order

TITLE = "More complex images have a smaller pre-training rate α"
SOURCE = "§4.5, Figure 6"
PAPER = 'α correlates with complexity: "the larger complexity causes slower rates of convergence" (D fixed).'
RULE = (
    "Spearman's correlation of α with the number of raised attributes (or, of given measurements, with "
    "the order in which the settings are listed); agrees if it is below 0"
)
UNIT = "is the rank correlation of α with complexity"
NEEDS = ("draws", "levels")


def judge(draws: Sequence[CurveDraws], levels: Mapping[str, Mapping[str, float]]) -> Finding:
    """Correlate α with the known order of the settings."""
    return judged_by_order(draws, levels, "alpha", "α")
