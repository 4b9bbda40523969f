"""Is the pre-training rate a matter of the pre-training task?"""

from collections.abc import Sequence

import numpy as np

from syn2real.laws.intervals import intraclass
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import Finding, judged, quotable

TITLE = "The pre-training rate α is set by the pre-training task"
SOURCE = "C.1, Figure 8"
PAPER = (
    "Figure 8 sorts α by pre-training task, with standard errors; that of normal → semseg is left out "
    "as unstable. The text states no rule."
)
RULE = (
    "the share of the variance of log α that lies between pre-training tasks (intraclass correlation); "
    "agrees if it is above one half, disagrees if below"
)
UNIT = "of the variance of log α lies between pre-training tasks"
NEEDS = ("draws",)


def judge(draws: Sequence[CurveDraws]) -> Finding:
    """Compare α between pre-training tasks with α of the same one before several fine-tuning tasks."""
    curves, left = quotable(draws)
    tasks = [str(curve.identity.get("ptask")) for curve in curves]
    medians = {
        task: [np.median(c.params["alpha"]) for c, t in zip(curves, tasks, strict=True) if t == task]
        for task in dict.fromkeys(tasks)
    }
    shown = ", ".join(f"{task} {' '.join(f'{value:.2f}' for value in v)}" for task, v in medians.items())
    text = f"Medians of α by pre-training task: {shown or 'none'}.{left}"
    values = np.log([curve.params["alpha"] for curve in curves])
    return judged(text, intraclass(values, tasks) if curves else None, 0.5)
