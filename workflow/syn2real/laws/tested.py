"""Which photographs a curve was tested on, and what its numbers become for all photographs like them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from syn2real.laws.classes import describe_classes
from syn2real.laws.columns import ROUNDED
from syn2real.laws.methods.posterior import BayesFit, pressed
from syn2real.laws.notes import name_of
from syn2real.laws.per_image import BETWEEN, PerImage, read_runs
from syn2real.laws.photographs import Photographs, from_resamples, resample
from syn2real.laws.results import number, tails
from syn2real.laws.table import Curve, Runs

PER_IMAGE, BINOMIAL = "per-image results", "binomial"
FEWEST = 10  # photographs from which anything is said of others
LEAST_WHOLE = 0.5  # of the draws of photographs that must judge every run


@dataclass(frozen=True)
class Tested:
    """The photographs of one curve.

    Attributes
    ----------
    photographs : Photographs
    source : str
        `PER_IMAGE`, or `BINOMIAL` where only their number is known: an upper bound, as if each photograph
        were always right or always wrong.
    classes : list of dict
        What `classes.describe_classes` returns; empty for `BINOMIAL`.
    """

    photographs: Photographs
    source: str
    classes: list[dict[str, Any]]

    def as_json(self, fit: BayesFit, level: float) -> dict[str, Any]:
        """Return the JSON contract's object: what is known for all photographs like the tested ones.

        Parameters
        ----------
        fit : BayesFit
        level : float
            Of the intervals.

        Returns
        -------
        dict
            ``{"count", "source", "n", "error_lower", "error_upper", "constant_lower", "constant_upper",
            "classes"}``: intervals of the error at the largest n and of the law's constant.
        """
        at, moved = fit.curve.n[-1:], self.photographs.moved
        error = np.quantile(moved(fit.forecast.errors(at)[:, 0]), tails(level))
        constant = pressed(np.quantile(moved(fit.draws.gap), tails(level)))
        names = ("error_lower", "error_upper", "constant_lower", "constant_upper")
        ends = dict(zip(names, map(number, (*error, *constant)), strict=True))
        head = {"count": self.photographs.count, "source": self.source, "n": float(at[0])}
        return head | ends | {"classes": self.classes}


def find_tested(
    curve: Curve, level: float, test_size: float | None = None
) -> tuple[Tested | None, list[str]]:
    """Find out which photographs a curve was tested on.

    Parameters
    ----------
    curve : Curve
        Its runs may name files of per-image results; where each does, these are read.
    level : float
        Of what is said of classes.
    test_size : float, optional
        Test examples behind each error rate, where they are all that is known.

    Returns
    -------
    tested : Tested or None
        None where nothing is known of the photographs, or they are fewer than `FEWEST`.
    notes : list of str
        Why files that are named could not be used.
    """
    runs = curve.runs.where(curve.runs.n > 0)
    found, problem = results_of(runs, name_of(curve))
    if found and found[0].photographs >= FEWEST:
        return _from_runs(curve, runs.n, runs.seed, found, level), []
    notes = [problem] if problem else []
    if test_size is not None and test_size >= FEWEST and curve.unit != "loss":
        count = int(test_size)
        return Tested(Photographs(count, 1 / count), BINOMIAL, []), notes
    return None, notes


def results_of(runs: Runs, whose: str) -> tuple[list[PerImage], str | None]:
    """Return what runs got right on the same test images, one a run, or none and why not.

    Parameters
    ----------
    runs : Runs
        Each may name files of per-image results.
    whose : str
        The curve's name, for the reason; it is None where no run names a file.
    """
    files = [str(file) for file in runs.per_image]
    if not files or not all(files):
        lacking = f"{files.count('')} of {len(files)} runs of {whose}"
        return [], f"{lacking} have no per-image results: none are used" if any(files) else None
    absent = [file for named in files for file in named.split(BETWEEN) if not Path(file).is_file()]
    if absent:
        return [], f"the per-image results of {whose} are not there, such as {absent[0]}"
    found = [read_runs(named) for named in files]
    if any(not one.is_like(found[0]) or not np.array_equal(one.ids, found[0].ids) for one in found):
        return [], f"the runs of {whose} were tested on different images or classes"
    if not np.allclose([one.own_error for one in found], runs.error, rtol=0, atol=ROUNDED):
        return [], f"the per-image results of {whose} have other errors than the table"
    return found, None


def _from_runs(
    curve: Curve, n: np.ndarray, seed: np.ndarray, found: list[PerImage], level: float
) -> Tested | None:
    """Draw the photographs of runs again; None where too few draws have an error."""
    errors, classes = resample(found)
    whole = np.isfinite(errors).all(axis=1)
    if not whole[0] or whole.mean() < LEAST_WHOLE:
        return None
    bounded = curve.unit != "loss"
    photographs = from_resamples(errors[whole], n, seed, found[0].photographs, bounded=bounded)
    return Tested(photographs, PER_IMAGE, describe_classes(found[0].classes.tolist(), classes, n, level))
