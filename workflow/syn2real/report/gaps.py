"""Do the distances from photographs order the transfer gaps? Law code stands here, away from `distances`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from syn2real.laws.intervals import FEWEST_RANKED, rank_correlation
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import group_by, quotable
from syn2real.sentences import counted


def gaps_text(found: Mapping[str, Any], draws: Sequence[CurveDraws]) -> str:
    """Return whether the distances order the transfer gaps C, as a paragraph.

    Parameters
    ----------
    found : dict
        What `measure_distances` returned.
    draws : sequence of CurveDraws
        The experiment's curves.
    """
    rows = {(row["setting"], row["target"]): row["distance"] for row in found["distances"]}
    known = [c for c in draws if (c.identity.get("setting"), c.identity.get("target")) in rows]
    curves, left = quotable(known)
    groups = [
        (
            np.array([c.params["C"] for c in group]),
            [rows[c.identity["setting"], c.identity["target"]] for c in group],
        )
        for group in group_by(curves, lambda column: column != "setting")
    ]
    estimate = rank_correlation(groups)
    settings = len({setting for setting, _ in rows})
    head = f"{counted(len(curves), 'curve')} of {counted(settings, 'setting')}.{left}"
    if estimate is None:
        return f"{head} Too few to say whether the distance orders C: {FEWEST_RANKED} settings are needed.\n"
    return (
        f"{head} Spearman's correlation of the transfer gap C with the kernel distance from the photographs "
        f"is {estimate.value:+.2f} [{estimate.lower:+.2f}, {estimate.upper:+.2f}] (95 %; the distances as "
        "measured). 1: the nearer the renders, the smaller the gap.\n"
    )
