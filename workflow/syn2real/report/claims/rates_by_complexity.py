"""Do errors fall more slowly where the images are more complex?"""

from collections.abc import Mapping, Sequence

import numpy as np

from syn2real.laws.intervals import rank_correlation
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import Finding, by_attribute, changes, group_by, judged, quotable, raised

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
    curves, left = quotable([curve for curve in draws if curve.identity.get("setting") in levels])
    order = raised(levels)
    groups = [
        (np.array([c.params["alpha"] for c in group]), [order[c.identity["setting"]] for c in group])
        for group in group_by(curves, lambda column: column != "setting")
    ]
    words = by_attribute(changes(curves, levels, "alpha"), "Change of α") if "place" not in order else ""
    text = f"{len(curves)} curves of {len(levels)} settings of known complexity.{words}{left}"
    return judged(text, rank_correlation(groups), 0.0, above=False)
