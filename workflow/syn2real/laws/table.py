"""A table of measurements (n, error) becomes curves, or one line says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.arms import ARM, AS_LONG, RENDERS_ONLY, curves_with_starts, has_arms
from syn2real.laws.columns import (
    DESCRIBED,
    PER_IMAGE,
    TEST_VARIANCE,
    alike_notes,
    blank_notes,
    check_seeds,
    check_starts,
    first_clash,
    growing_notes,
    identity_columns,
    repeat_notes,
    run_columns,
    too_few,
    without_runs,
)
from syn2real.laws.reading import NOTES, check_frame, plain, weigh_by_test_size

DIGITS = range(8)  # of errors that a file may have rounded
PERCENT = 100  # the largest n where someone gives percentages of a set
FEWEST = 3  # distinct n that a law in n needs


@dataclass(frozen=True)
class Runs:
    """Measurements as they stand in the file; arrays of shape (r,).

    Attributes
    ----------
    n, error, weight, s, n_params, floor : ndarray
        As in `Curve`, but n and s may be 0.
    seed : ndarray of int
        The same number for the same seed; -1 where the file has none.
    per_image : ndarray of object
        The file of what the run got right on each test image; empty text where there is none.
    """

    n: np.ndarray
    error: np.ndarray
    weight: np.ndarray
    s: np.ndarray
    n_params: np.ndarray
    floor: np.ndarray
    seed: np.ndarray
    per_image: np.ndarray

    def where(self, mask: np.ndarray) -> Runs:
        """Return the runs of a mask, shape (r,)."""
        return Runs(**{name: values[mask] for name, values in vars(self).items()})


NO_RUNS = Runs(*[np.empty(0)] * 8)


@dataclass(frozen=True)
class Curve:
    """The measurements that belong together: one row a distinct (n, s, n_params), sorted, n > 0.

    Attributes
    ----------
    identity : dict
        Column to value: what sets this curve apart in its file.
    n, error, weight, s, n_params : ndarray, shape (m,)
        Images, geometric mean of the replicates' errors and their summed weight (1 a measurement unless the
        file says otherwise); labels and model parameters (NaN where the file has none).
    within : float
        Weighted sum of squares of the log errors around their means, over replicates.
    replicates : int
        Degrees of freedom of `within`.
    reference : float or None
        Mean error at n = 0 (no pre-training), where the file has it.
    floor : ndarray, shape (m,)
        Variance of the mean log error from the size of the test set alone; 0 where it is unknown. Replicates
        share the test set, so more of them do not lower it.
    start : Runs
        What was measured at n = 0, averaged like the curve: one row a distinct (s, n_params).
    runs : Runs
        Every measurement of the curve, those at n = 0 included.
    longer : Runs
        What was measured of photographs alone for as many updates, where a curve with pre-training has it.
    unit : str
        As given to `read_curves`: a loss has no largest value, a rate is 1 at most.
    """

    identity: dict[str, Any]
    n: np.ndarray
    error: np.ndarray
    weight: np.ndarray
    s: np.ndarray
    n_params: np.ndarray
    within: float = 0.0
    replicates: int = 0
    reference: float | None = None
    floor: np.ndarray = field(default_factory=lambda: np.zeros(()))
    start: Runs = NO_RUNS
    runs: Runs = NO_RUNS
    longer: Runs = NO_RUNS
    unit: str = "rate"

    def __post_init__(self) -> None:
        """Give every row a floor."""
        object.__setattr__(self, "floor", np.broadcast_to(self.floor, self.n.shape))

    def where(self, mask: np.ndarray) -> Curve:
        """Return some of the rows, with all that is known of the noise."""
        names = ("n", "error", "weight", "s", "n_params", "floor")
        return replace(self, **{name: getattr(self, name)[mask] for name in names})

    @property
    def resolution(self) -> np.ndarray:
        """Variance of the mean log error that nothing lowers, (m,): by the test set, else by rounding."""
        if self.floor.any():
            return self.floor
        written = self.runs.error if len(self.runs.error) else self.error
        exact = (np.allclose(written, np.round(written, digits), rtol=0, atol=1e-12) for digits in DIGITS)
        digits = next((digits for digits, is_exact in zip(DIGITS, exact, strict=True) if is_exact), np.inf)
        return np.asarray(10.0 ** (-2 * digits) / 12 / self.error**2)


def fewest(varies: Sequence[str]) -> int:
    """Return how many distinct n a law needs; with several s, two n already differ by more than one row."""
    return 2 if "s" in varies else FEWEST


def read_curves(
    frame: pd.DataFrame,
    *,
    varies: Sequence[str] = (),
    by: Sequence[str] | None = None,
    file: str | Path | None = None,
    allow_unfitted: bool = False,
    test_size: float | None = None,
    unit: str = "rate",
    uses_zero: bool = False,
) -> tuple[list[Curve], list[str]]:
    """Check a table and split it into curves; refuse it where none has enough distinct n, unless allowed.

    Parameters
    ----------
    varies : sequence of str
        What a curve's law describes besides n: "s", "n_params".
    by, file, allow_unfitted, test_size, unit
        As for `api.fit_table`.
    uses_zero : bool
        The law takes rows with n = 0 (by `with_start`) or s = 0, but not those with both.

    Returns and raises what `check_frame`, `weigh_by_test_size`, `split_curves` and `columns` do.
    """
    checked = check_frame(
        frame, file, require=["n", "error", *varies], zero_error=test_size is not None, unit=unit
    )
    before = list(checked.attrs[NOTES])
    if checked["n"].max() == PERCENT:
        before.append("the largest n is 100: n counts images, and is no percentage of a set")
    if by is None:
        checked, left_out = without_runs(checked)
        before += left_out
    if test_size is not None:
        zeros = int((checked["error"] == 0).sum())
        before += [f"errors of 0 ({zeros} rows) count as 1/(2N) = {1 / (2 * test_size):.3g}"] if zeros else []
        checked = weigh_by_test_size(checked, test_size, file, unit)
        checked[TEST_VARIANCE] = 1 / checked["weight"]
    columns = identity_columns(checked, [DESCRIBED[column] for column in varies], by, file)
    check_starts(checked, columns, varies, file)
    check_seeds(checked, columns, varies, file)
    curves, notes = split_curves(checked, columns, file, varies, uses_zero)
    most = max((len(np.unique(curve.n)) for curve in curves), default=0)
    if most < fewest(varies) and not allow_unfitted:
        raise too_few(checked, columns, fewest(varies), most, file)
    curves = [replace(curve, unit=unit) for curve in curves]
    asked = (growing_notes, alike_notes, blank_notes, *((repeat_notes,) if by is None else ()))
    return curves, [*before, *notes, *(note for ask in asked for note in ask(checked, columns))]


def split_curves(
    frame: pd.DataFrame,
    columns: Sequence[str],
    file: str | Path | None = None,
    varies: Sequence[str] = (),
    uses_zero: bool = False,
) -> tuple[list[Curve], list[str]]:
    """Split a checked table into curves, in order of first appearance.

    Parameters
    ----------
    columns : sequence of str
        The identity columns.
    varies : sequence of str
        What besides n varies within a curve: "s", "n_params".
    uses_zero : bool
        The law takes rows with n = 0 (by `with_start`) or s = 0, but not those with both.

    Returns
    -------
    curves : list of Curve
    notes : list of str
        What was joined or left out.

    Raises
    ------
    InputError
        Where two rows of a run differ in a column that --by leaves out, and no seed column sets them apart.
    """
    notes: list[str] = []
    if "weight" in frame:  # weights are relative: the typical row of a file has weight 1
        frame = frame.assign(weight=frame["weight"] / frame["weight"].median())
    if "s" in varies:
        frame = _labelled(frame, notes, uses_zero=uses_zero)
    table = _deduplicate(frame, [*columns, *run_columns(frame, varies)], notes, file)
    zero = int((table["n"] == 0).sum())
    curves = []
    for key, group in curves_with_starts(table, columns):
        identity = {column: plain(value) for column, value in zip(columns, key, strict=True)}
        runs, longer = _runs(group), group.get(AS_LONG, pd.Series(False, group.index)).to_numpy(bool)
        curve = _curve(runs.where(~longer), identity, varies)
        if len(curve.n):
            curves.append(replace(curve, longer=runs.where(longer)))
    if zero and not uses_zero:
        row, are, enter = ("row", "is", "enters") if zero == 1 else ("rows", "are", "enter")
        notes.append(f"{zero} {row} with n = 0 (no pre-training) {are} kept for reference and {enter} no fit")
    if alone := [c.identity for c in curves if zero and not len(c.start.n) and not len(c.longer.n)]:
        names = ", ".join(f"{column} {value}" for column, value in alone[0].items())
        names += f", nor to {len(alone) - 1} others" if len(alone) > 1 else ""
        notes.append(f"no row with n = 0 belongs to the curve {names}: what renders gain there is unknown")
    return curves, notes


def _labelled(frame: pd.DataFrame, notes: list[str], *, uses_zero: bool) -> pd.DataFrame:
    """Leave out rows without labels that a law in s cannot describe, and the arm that learns from none."""
    why = "nothing was learnt" if uses_zero else "the law takes log s"
    left_out = (frame["s"] == 0) & ((frame["n"] == 0) | (not uses_zero))
    if has_arms(frame):
        left_out |= frame[ARM] == RENDERS_ONLY
        why = f"{why}, or no photograph is learnt from ({RENDERS_ONLY})"
    if left_out.any():
        notes.append(f"{left_out.sum()} rows with s = 0 (no labels) are left out: {why}")
    return frame[~left_out]


def rows_of(points: pd.DataFrame, identity: Mapping[str, Any]) -> pd.Series:
    """Return which rows of a points table belong to a curve, shape (rows,), bool."""
    mine = pd.Series(True, points.index)
    for column in (name for name in identity if name in points):
        cells, value = points[column], identity[column]
        number = pd.api.types.is_numeric_dtype(cells) and isinstance(value, (int, float))
        mine &= cells == value if number else cells.astype(str) == str(value)
    return mine


def _deduplicate(
    frame: pd.DataFrame, place: list[str], notes: list[str], file: str | Path | None
) -> pd.DataFrame:
    """Drop repeated rows, and note which are replicates though no seed sets them apart."""
    # Without a seed, runs of equal errors are two where their per-image results are.
    apart_by = ("error", "weight") if "seed" in frame else ("error", "weight", PER_IMAGE)
    rest = [c for c in apart_by if c in frame]
    table = frame.drop_duplicates([*place, *rest])
    if len(table) < len(frame):
        notes.append(f"{len(frame) - len(table)} repeated rows were dropped")
    twice = table.duplicated(place, keep=False)
    if twice.any():
        _, where, apart = first_clash(table, place)
        if apart and "seed" not in frame:
            raise InputError(
                f"rows disagree for {where}; add {apart}, which sets them apart, to --by",
                file=file,
                key="error",
            )
        notes.append(
            f"{twice.sum()} rows differ in their error alone and count as replicates (the first: {where}); "
            "if something else sets them apart, it needs a column"
        )
    return table


def joined(one: Runs, two: Runs) -> Runs:
    """Return runs after one another, whose seeds have the same numbers."""
    pairs = zip(vars(one).items(), vars(two).values(), strict=True)
    return Runs(**{name: np.concatenate([first, second]) for (name, first), second in pairs})


def _runs(group: pd.DataFrame) -> Runs:
    """Return the rows of one curve as arrays."""
    columns = {"weight": 1.0, "s": np.nan, "n_params": np.nan, TEST_VARIANCE: 0.0}
    nothing = pd.DataFrame(columns, index=group.index)
    weight, s, n_params, floor = (group.get(name, nothing[name]).to_numpy(float) for name in nothing)
    seeds = group.get("seed", pd.Series("", group.index))
    seed = pd.factorize(seeds.where(seeds.astype(str) != ""))[0]
    n, error = group["n"].to_numpy(float), group["error"].to_numpy(float)
    per_image = group.get(PER_IMAGE, pd.Series("", group.index)).fillna("").astype(str).to_numpy(object)
    return Runs(n, error, weight, s, n_params, floor, seed, per_image)


def average(runs: Runs, varies: Sequence[str] = ()) -> tuple[Runs, float]:
    """Average the replicates in the log of the error.

    Parameters
    ----------
    varies : sequence of str
        What besides n sets runs apart: "s", "n_params".

    Returns
    -------
    mean : Runs
        One a place, sorted, with summed weight.
    within : float
        Weighted sum of squares of the log errors around their means.
    """
    # Rows at one place of the law are replicates.
    places = np.stack([runs.n, *(getattr(runs, column) for column in varies)], axis=1)
    _, first, where = np.unique(places, axis=0, return_index=True, return_inverse=True)
    where, log_error = where.reshape(-1), np.log(runs.error)
    total = np.bincount(where, runs.weight, minlength=len(first))
    mean, floor = (
        np.bincount(where, runs.weight * value, minlength=len(first)) / total
        for value in (log_error, runs.floor)
    )
    within = float(np.sum(runs.weight * (log_error - mean[where]) ** 2))
    averaged = replace(runs.where(first), error=np.exp(mean), weight=total, floor=floor)
    return averaged, within


def _curve(runs: Runs, identity: dict[str, Any], varies: Sequence[str]) -> Curve:
    """Return the curve of some runs."""
    trained = runs.where(runs.n > 0)
    start, (mean, within) = runs.where(runs.n == 0), average(trained, varies)
    return Curve(
        identity, mean.n, mean.error, mean.weight, mean.s, mean.n_params,
        within, len(trained.n) - len(mean.n),
        float(np.exp(np.log(start.error).mean())) if len(start.n) else None,
        mean.floor, average(start, varies)[0], runs,
    )  # fmt: skip


def with_start(curve: Curve, varies: Sequence[str]) -> Curve:
    """Return a curve with its rows without pre-training among the others."""
    mean, within = average(curve.runs, varies)
    arrays = {name: getattr(mean, name) for name in ("n", "error", "weight", "s", "n_params", "floor")}
    return replace(curve, within=within, replicates=len(curve.runs.n) - len(mean.n), **arrays)


def split_places(curve: Curve) -> list[Curve]:
    """Split a curve over several s and models into one for each of them, the largest s first.

    Each has its own replicates and its own runs at n = 0.
    """
    places = np.unique(np.nan_to_num([curve.s, curve.n_params]).T, axis=0)
    if len(places) < 2 and len(curve.start.n) < 2:
        return [curve]
    runs = np.nan_to_num([curve.runs.s, curve.runs.n_params]).T
    mine = [(runs == place).all(axis=1) for place in places[::-1]]
    parts = [_curve(curve.runs.where(mask), curve.identity, ()) for mask in mine]
    return [replace(part, longer=curve.longer) for part in parts]


def split_models(curve: Curve) -> list[Curve]:
    """Split a curve over models into one a model, by rising size; models with too few n are left out."""
    parts = [curve.where(curve.n_params == size) for size in np.unique(curve.n_params)]
    return [replace(part, within=0.0, replicates=0) for part in parts if len(np.unique(part.n)) >= FEWEST]
