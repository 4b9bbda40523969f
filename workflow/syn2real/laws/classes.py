"""Which classes still get better with more images, by resampled photographs and with the others in mind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from syn2real.laws.results import number
from syn2real.laws.student import student_t

FEWEST = 3  # sizes that a trend is read from
SMALLEST_TAIL = 1e-5  # of the quantiles there are


def describe_classes(
    names: Sequence[str], errors: np.ndarray, n: np.ndarray, level: float = 0.95
) -> list[dict[str, Any]]:
    """Say of each class how its error changes as n doubles, over the larger half of the sizes.

    A class still falls where its interval excludes that it does not. The intervals hold for all classes
    together (Bonferroni). Their standard error is that of resampled photographs, a run's luck included,
    enlarged as far as the runs scatter more about their lines than such luck, over all classes; a class
    whose own runs scatter clearly more than that has the interval of its own line.

    Parameters
    ----------
    names : sequence of str
        K classes.
    errors : ndarray, shape (B + 1, M, K)
        Of M runs: on the photographs as they are, then on B resamples of them; NaN where the photographs
        judge a class not at all.
    n : ndarray, shape (M,)
        Images of each run, above 0.
    level : float

    Returns
    -------
    list of dict
        ``{"class", "error", "change", "lower", "upper", "falls"}``: the error at the largest n, and its
        change as n doubles. Empty where there are too few runs; classes not judged are left out.
    """
    sizes = np.unique(n)
    upper = n >= sizes[-max(FEWEST, (len(sizes) + 1) // 2) :][0]
    x = np.log2(n[upper] / n[upper].mean())
    x = x - x.mean()
    freedom = len(x) - 2
    judged = np.isfinite(errors).all(axis=(0, 1))
    if len(sizes) < FEWEST or freedom < 1 or not judged.any():
        return []
    values = errors[:, upper][:, :, judged]
    slope = np.einsum("m,bmk->bk", x, values) / (x**2).sum()
    about = values - values.mean(axis=1, keepdims=True) - x[:, None] * slope[:, None]
    luck = (about[1:] - about[0]).var(axis=0).sum()
    excess = max(1.0, float((about[0] ** 2).sum() / luck)) if luck > 0 else 1.0
    tail = max((1 - level) / 2 / judged.sum(), SMALLEST_TAIL)
    # Variances of the slopes. A class whose scatter is more than chance leaves above that of all is judged by
    # its own, of which fewer runs say something.
    shared = slope[1:].var(axis=0) * excess
    own = (about[0] ** 2).sum(axis=0) / freedom / (x**2).sum()
    half = np.where(
        own > _chance(freedom) * shared,
        student_t(freedom, 1 - tail) * np.sqrt(own),
        student_t(freedom * int(judged.sum()), 1 - tail) * np.sqrt(shared),
    )
    largest = values[0, n[upper] == n.max()].mean(axis=0)
    return [
        {
            "class": str(name), "error": float(error), "change": float(change),
            "lower": number(change - reach), "upper": number(change + reach),
            "falls": bool(change + reach < 0),
        }
        for name, error, change, reach in zip(np.asarray(names)[judged], largest, slope[0], half, strict=True)
    ]  # fmt: skip


def _chance(freedom: int) -> float:
    """Return the 95 % quantile of chi-squared over its degrees of freedom (Wilson and Hilferty, 1931)."""
    return float((1 - 2 / (9 * freedom) + 1.645 * np.sqrt(2 / (9 * freedom))) ** 3)
