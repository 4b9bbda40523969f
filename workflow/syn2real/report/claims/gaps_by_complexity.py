"""Is the transfer gap smaller where the images are more complex?"""

from collections.abc import Mapping, Sequence

from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import TEXTURE, Finding, judged_by_order

TITLE = "More complex images have a smaller transfer gap C, texture aside"
SOURCE = "§4.5 and §5.1, Figure 6"
PAPER = 'C "mostly correlates negatively with data complexity": appearance, light and background reduce it.'
RULE = (
    "Spearman's correlation of C with the number of raised attributes but the objects' texture (or, of "
    "given measurements, with the order in which the settings are listed); agrees if it is below 0"
)
UNIT = "is the rank correlation of C with complexity"
NEEDS = ("draws", "levels")


def judge(draws: Sequence[CurveDraws], levels: Mapping[str, Mapping[str, float]]) -> Finding:
    """Correlate C with the known order of the settings, texture aside."""
    return judged_by_order(draws, levels, "C", "C", without=TEXTURE)
