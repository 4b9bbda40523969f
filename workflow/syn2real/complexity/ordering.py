"""Do entropies follow the ordering that settings are known to have? (paper, §4.5)

A setting is no less complex than another if none of its attributes is: single < multiple in appearance, fix <
random in light and in background, w/o < w/ in object texture. That orders some pairs of settings and leaves
others open, such as (random light, fixed background) beside (fixed light, random background).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from scipy import stats

Levels = Mapping[str, float]
"""A setting's level in each attribute, by the attribute's name; more is more complex."""


def compare(measured: Mapping[str, Mapping[str, Any]], levels: Mapping[str, Levels]) -> dict[str, Any]:
    """Return how the entropies of settings go with their ordering; signs are those of H, not of -H.

    Parameters
    ----------
    measured : mapping of str to dict
        What `syn2real.complexity.entropy.measure_entropy` returned, by setting.
    levels : mapping of str to dict
        The levels of those settings whose attributes are known; all with the same attributes.

    Returns
    -------
    dict
        `order`: the settings by falling -H. `pairs`: number of pairs that the partial ordering decides, and
        `agreement`: the part of them in which the more complex setting has the larger H less the part in
        which it has the smaller one (Somers' D; 1: H is the complexity, -1: -H is), None without a pair.
        `spearman`, `kendall`: rank correlations of H with the number of raised attributes (tau-b), None where
        that number or H does not vary. `attributes`: for each attribute the mean `change` of H from one
        level to the next where all else is equal, its `standard_error` (None where one is not known;
        settings taken as independent) and the number of `pairs`.
    """
    names = [name for name in measured if name in levels]
    entropies = {name: measured[name]["entropy"] for name in measured}
    decided = [
        np.sign(entropies[high] - entropies[low])
        for low, high in permutations(names, 2)
        if _below(levels[low], levels[high])
    ]
    values = [entropies[name] for name in names]
    raised = _raised([levels[name] for name in names])
    varies = len({*raised}) > 1 and len({*values}) > 1
    return {
        "order": sorted(measured, key=lambda name: entropies[name]),
        "pairs": len(decided),
        "agreement": float(np.mean(decided)) if decided else None,
        "spearman": float(stats.spearmanr(raised, values).statistic) if varies else None,
        "kendall": float(stats.kendalltau(raised, values).statistic) if varies else None,
        "attributes": _attributes(names, measured, levels),
    }


def _below(low: Levels, high: Levels) -> bool:
    """Say whether the partial ordering puts one setting below another."""
    return all(low[a] <= high[a] for a in low) and any(low[a] < high[a] for a in low)


def _raised(levels: Sequence[Levels]) -> list[float]:
    """Return how many steps each setting lies above the lowest level, over all attributes."""
    steps = {a: sorted({setting[a] for setting in levels}) for a in (levels[0] if levels else ())}
    return [float(sum(steps[a].index(setting[a]) for a in steps)) for setting in levels]


def _attributes(
    names: Sequence[str], measured: Mapping[str, Mapping[str, Any]], levels: Mapping[str, Levels]
) -> dict[str, dict[str, Any]]:
    """Return the effect of each attribute where pairs of settings differ in it alone."""
    effects = {}
    for attribute in levels[names[0]] if names else ():
        weights: dict[str, int] = dict.fromkeys(names, 0)  # how often a setting is the higher, less the lower
        pairs = 0
        for pair in combinations(names, 2):
            if {a for a in levels[pair[0]] if levels[pair[0]][a] != levels[pair[1]][a]} == {attribute}:
                low, high = sorted(pair, key=lambda name: levels[name][attribute])
                weights[high] += 1
                weights[low] -= 1
                pairs += 1
        if pairs:
            change = sum(weights[name] * measured[name]["entropy"] for name in names) / pairs
            errors = [(weights[name], measured[name]["standard_error"]) for name in names if weights[name]]
            known = all(error is not None for _, error in errors)
            squares = sum((weight * error) ** 2 for weight, error in errors) if known else None
            effects[attribute] = {
                "change": change,
                "standard_error": None if squares is None else float(np.sqrt(squares)) / pairs,
                "pairs": pairs,
            }
    return effects
