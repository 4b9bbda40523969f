"""Do pre-training and labelled images multiply, or do their effects add up?"""

import numpy as np
import pandas as pd

from syn2real.laws.forms import additive, full
from syn2real.laws.intervals import HIGH, ratio_of_misses
from syn2real.laws.posteriors import cell_misses
from syn2real.laws.shape import NO_FALL, describe_shape
from syn2real.laws.student import student_t
from syn2real.laws.table import Curve, read_curves, split_places
from syn2real.report.claims.base import Finding, judged

TITLE = "The full law δ (γ + n^-α) s^-β beats an additive one"
SOURCE = "§3.2, C.2, Figure 9"
PAPER = (
    'The full law explains all 42 errors "remarkably well" (α 0.544, β 0.322, γ 0.478, δ 41.8). '
    "Additive bounds, A n^-1/2 + B s^-1/2, are contrasted with it in the theory; none is fitted."
)
RULE = (
    "each cell (n, s) is predicted by the full law and by A n^-α + B s^-β + C fitted to the other "
    "cells; the ratio of the root mean squares of their log errors, its interval by leaving out one n "
    "at a time; agrees if it is below 1"
)
UNIT = "times the additive law's error on held-out cells"
NEEDS = ("points",)


def judge(points: pd.DataFrame) -> Finding:
    """Compare the two laws on the cells that each is not fitted to."""
    curves, _ = read_curves(points, varies=("s",), allow_unfitted=True)
    missed: list[tuple[np.ndarray, np.ndarray]] = []
    clusters: list[tuple[int, float]] = []
    for place, curve in enumerate(curves):
        labelled = curve.where(curve.s > 0)
        if all((describe_shape(part) or "").startswith(NO_FALL) for part in split_places(curve)):
            continue  # where images change nothing the two laws say the same
        if not _falls_with_labels(labelled):
            continue  # nor do labels then say which law holds
        both = [cell_misses(labelled, law) for law in (full.LAW, additive.LAW)]
        if both[0] is not None and both[1] is not None:
            missed.append((both[0], both[1]))
            clusters += [(place, n) for n in labelled.n]
    if not missed:
        return Finding(
            "No curve falls with n and with s and has enough sizes and numbers of labels for both laws."
        )
    one, two = (np.concatenate(parts) for parts in zip(*missed, strict=True))
    rms = [100 * float(np.sqrt(np.mean(misses**2))) for misses in (one, two)]
    text = (
        f"Held-out errors are missed by {rms[0]:.2g} % by the full law, by {rms[1]:.2g} % by the additive "
        f"one ({len(one)} cells); the full law is nearer in {int((np.abs(one) < np.abs(two)).sum())} of them."
    )
    return judged(text, ratio_of_misses(one, two, clusters), 1.0, above=False)


def _falls_with_labels(curve: Curve) -> bool:
    """Say whether the errors at the most labels are below those at the fewest, over all n, by Student's t."""
    ends = [dict(zip(part.n, np.log(part.error), strict=True)) for part in split_places(curve)]
    most, fewest = ends[0], ends[-1]
    changes = np.array([most[n] - fewest[n] for n in most if n in fewest])
    if len(changes) < 2:
        return True
    error = float(changes.std(ddof=1)) / len(changes) ** 0.5
    return bool(changes.mean() < -student_t(len(changes) - 1, HIGH) * error)
