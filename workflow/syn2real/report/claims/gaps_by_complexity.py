"""Is the transfer gap smaller where the images are more complex?"""

from collections.abc import Mapping, Sequence

import numpy as np

from syn2real.laws.intervals import rank_correlation
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import (
    TEXTURE,
    Finding,
    by_attribute,
    changes,
    group_by,
    judged,
    quotable,
    raised,
)

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
    curves, left = quotable([curve for curve in draws if curve.identity.get("setting") in levels])
    order = raised(levels, without=TEXTURE)
    groups = [
        (np.array([c.params["C"] for c in group]), [order[c.identity["setting"]] for c in group])
        for group in group_by(curves, lambda column: column != "setting")
    ]
    words = by_attribute(changes(curves, levels, "C"), "Change of C")
    text = f"{len(curves)} curves of {len(levels)} settings of known complexity.{words}{left}"
    return judged(text, rank_correlation(groups), 0.0, above=False)
