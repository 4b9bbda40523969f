"""Is the negative entropy of the reference backbone's features the complexity of the images?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from syn2real.complexity.ordering import compare
from syn2real.laws.intervals import rank_correlation
from syn2real.laws.results import SEED
from syn2real.report.claims.base import Finding, judged, raised

TITLE = "The negative entropy -H rises with the complexity of the settings"
SOURCE = "§4.5, Figure 6"
PAPER = (
    '-H is said to correlate with the four attributes, "implying the negative entropy expresses the '
    'actual complexity".'
)
RULE = (
    "Spearman's correlation of -H with the number of raised attributes; agrees if it is above 0, "
    "disagrees if below: then H, not -H, is the complexity"
)
UNIT = "is the rank correlation of -H with the number of raised attributes"
NEEDS = ("complexity", "levels")
DRAWS = 2000


def judge(complexity: Mapping[str, Mapping[str, Any]], levels: Mapping[str, Mapping[str, float]]) -> Finding:
    """Correlate the measured entropies with the known order of the settings."""
    names = [name for name in complexity if name in levels]
    found = compare(complexity, {name: levels[name] for name in names})
    if not found["pairs"]:
        return Finding("No two settings are ordered by their attributes.")
    larger = round((1 - found["agreement"]) / 2 * found["pairs"])
    text = f"-H is larger for the more complex setting in {larger} of {found['pairs']} ordered pairs."
    noise = np.random.default_rng(SEED).standard_normal((len(names), DRAWS))
    values = [
        complexity[n]["negative_entropy"] + (complexity[n]["standard_error"] or 0.0) * z
        for n, z in zip(names, noise, strict=True)
    ]
    order = raised({name: levels[name] for name in names})
    return judged(text, rank_correlation([(np.array(values), [order[name] for name in names])]), 0.0)
