"""Which points to fit: the smallest n to use, chosen by rolling-origin hold-out.

At small n real curves often lie on a plateau (the test error of a guess) or bend, which no single power law
follows. Each candidate drops some of the smallest n; it is fitted to the points up to an origin and judged by
its forecasts of the points beyond, over several origins. Repeating the last value is always a candidate too:
where it wins, the curve has no trend that the law could use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syn2real.laws.bayes.batch import Batch
from syn2real.laws.bayes.grid import Prior, forecast, posterior

ORIGINS = 4  # how many origins at most
CANDIDATES = 6  # how many smallest n at most
FEWEST = 4  # points a fit to an origin must have
BEYOND = 3  # points that must lie beyond the first origin, or chance would choose
GAIN = 0.5  # to replace all points, a candidate must lower the mean squared forecast error to this share
WALKS = np.array([[0.0, 0.0], [0.5, 0.0]])  # deviations tried while choosing
PRIOR = Prior(log_walk=np.log([[0.6, 0.4]]))  # with what probabilities
NODES = (20, 8)
BLOCK = 256  # fits at once


@dataclass(frozen=True)
class Choice:
    """What hold-out chose for each curve.

    Attributes
    ----------
    used : ndarray of bool, shape (B, m)
    last_value : ndarray of bool, shape (B,)
        Repeating the last value forecast best.
    """

    used: np.ndarray
    last_value: np.ndarray


def choose_first(batch: Batch) -> Choice:
    """Choose the smallest n to use of each curve.

    Curves with too few points for a hold-out keep them all.
    """
    tasks = [task for row in range(len(batch.n)) for task in _tasks(batch, row)]
    used, last_value = batch.used.copy(), np.zeros(len(batch.n), bool)
    if not tasks:
        return Choice(used, last_value)
    errors = _forecast_errors(batch, tasks)
    # A candidate's score is its mean squared error over the origins, each origin counting the same.
    for row in sorted({task[0] for task in tasks}):
        mine = [(task, error) for task, error in zip(tasks, errors, strict=True) if task[0] == row]
        starts = sorted({task[1] for task, _ in mine})
        score = {s: np.mean([np.mean(e[0]) for t, e in mine if t[1] == s]) for s in starts}
        simple = np.mean([np.mean(e[1]) for t, e in mine if t[1] == starts[0]])
        best = min(starts, key=lambda start: score[start])
        start = best if score[best] < GAIN * score[starts[0]] else starts[0]
        used[row, :start] = False
        last_value[row] = simple < GAIN * score[start]
    return Choice(used, last_value)


def _tasks(batch: Batch, row: int) -> list[tuple[int, int, int]]:
    """Return (row, start, origin): fit points start … origin - 1, forecast the rest."""
    m = int(batch.count[row])
    log_n = np.log(batch.n[row, :m])
    low = FEWEST + 1
    if m < low + BEYOND:
        return []
    # Origins at equal steps of log n over the upper part: forecasts as far as the ones that are wanted.
    span = log_n[-1] - log_n[0]
    marks = log_n[-1] - span * np.linspace(0.5, 0.1, ORIGINS)
    origins = np.unique(np.clip(np.searchsorted(log_n, marks, side="right"), low, m - 1))
    origins[0] = min(origins[0], m - BEYOND)
    starts = np.unique(np.searchsorted(log_n, log_n[0] + span * np.linspace(0, 0.65, CANDIDATES)))
    starts = starts[starts + FEWEST <= origins[0]]
    if len(starts) < 2:
        return [(row, 0, int(origin)) for origin in origins]
    return [(row, int(start), int(origin)) for start in starts for origin in origins]


def _forecast_errors(batch: Batch, tasks: list[tuple[int, int, int]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Squared log errors of each task's forecasts, and of the last value's, both (points beyond,)."""
    out = []
    for begin in range(0, len(tasks), BLOCK):
        some = tasks[begin : begin + BLOCK]
        rows = np.array([row for row, _, _ in some])
        place = np.arange(batch.n.shape[1])
        mask = np.stack([(place >= start) & (place < origin) for _, start, origin in some])
        part = batch.take(rows, used=mask)
        predicted = forecast(posterior(part, PRIOR, NODES, WALKS, passes=2), batch.n[rows], WALKS)
        for i, (row, _, origin) in enumerate(some):
            y = batch.y[row, origin : int(batch.count[row])]
            model = predicted[i, origin : int(batch.count[row])]
            out.append(((model - y) ** 2, (batch.y[row, origin - 1] - y) ** 2))
    return out
