"""What the columns of a table mean: which set curves apart, which name runs, which split every curve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.arms import ARM, LONGER, RATE, has_arms, is_mixed, starts_of
from syn2real.laws.dialects import known_name
from syn2real.laws.reading import START, USUAL, line_of, plain
from syn2real.near import did_you_mean

PER_IMAGE = "per_image"  # a run's file of what it got right on each test image
MEASURED = ("n", "error", "value", "seed", "weight", PER_IMAGE)
NEVER_IDENTITY = (*MEASURED, "n_params")  # may be named in --by
SOMETIMES = {"metric": "metric", "s_percent": "s", "n_params": "model"}
"""Columns that set curves apart where one would have several values, and what laws describe them by; beside
arms the learning rate too."""
DESCRIBED = {"s": "s", "n_params": "model"}
"""The identity column that a law in a column describes, so that it sets no curves apart there."""
TEST_VARIANCE = "variance on the test set"  # a column of the split table, of the log error
ROUNDED = 0.0051  # rates that are written with two digits differ by less

RUNS = re.compile(
    r"_?index|level_0|_?id|_?uuid|(.*[_.])?run_?(id|uuid|name|number)|(.*[_.])?job_?id|artifact.*|.*ur[il]"
    r"|_step|_?timestamp|(.*_)?(run_?time|wall_time|duration|elapsed)(_.*)?|_?seconds|sec|time"
    r"|(start|end|stop|creat\w*|updat\w*|modif\w*|finish\w*)(_?(time|at|on|date))?|date(_?time)?"
)
"""Names of columns that say which run it was, and when."""
REPEATS = re.compile(
    r"(.*_)?(run|trial|try|attempt|rep|repeat|repetition|replicate|fold|seed)(_?(no|nr|num|number|idx))?"
    r"|.*seed.*|host(name)?|machine|node|worker|gpu|device|user|author|comments?|notes?|remarks?|tags?"
)
"""Names of columns in which repeats of one run often differ."""
MOMENT = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[T ,]+\d{1,2}:\d{2}.*|\w+://.*")


def identity_columns(
    frame: pd.DataFrame,
    varies: Sequence[str] = (),
    by: Sequence[str] | None = None,
    file: str | Path | None = None,
) -> list[str]:
    """Name the columns that set one curve apart from another, in the file's order.

    These are all but the contract's own. The metric, the percentage of labels and the model's size count only
    where a curve would else have several, which are no replicates of each other.

    Parameters
    ----------
    varies : sequence of str
        Identity columns that the law itself describes: ("s",) for a law in s, ("model",) for one in n_params.
    by : sequence of str, optional
        The identity columns; every other one is dropped.
    """
    sometimes = SOMETIMES | ({RATE: RATE} if has_arms(frame) else {})
    if by is not None:
        for column in by:
            require_column(frame, column, file, "--by")
            if column in NEVER_IDENTITY:
                raise InputError("can never set curves apart; leave it out of --by", file=file, key=column)
        names = [column for column in by if column not in varies]
    else:
        contract = {*NEVER_IDENTITY, *sometimes, TEST_VARIANCE, *varies}
        contract |= {c for c, usual in USUAL.items() if c in frame.columns and (frame[c] == usual).all()}
        names = [c for c in frame.columns if c not in contract]
        if "s" not in frame.columns and "s_percent" in frame.columns:
            names = [c for c in frame.columns if c in (*names, "s_percent")]
    trained = frame[frame["n"] > 0]
    for column, described in sometimes.items():
        if by is not None and column != "metric":
            continue
        if column in frame.columns and column not in names and described not in varies:
            names += [column] if (_grouped(trained, names)[column].nunique() > 1).any() else []
    return names


def require_column(frame: pd.DataFrame, column: str, file: str | Path | None, key: str) -> None:
    """Refuse a column that a table does not have, with the nearest one; `key` names it."""
    there = [str(other) for other in frame.columns]
    if column not in there:
        hint = did_you_mean(column, there, f"there are: {', '.join(there)}")
        raise InputError(f"there is no column '{column}'; {hint}", file=file, key=key)


def without_runs(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the columns of a checked table that only restate the error, or say which run it was and when.

    Returns
    -------
    frame : DataFrame
    notes : list of str
        A line a column that was left out.
    """
    drop, notes = [], []
    for column in frame.columns.difference([*NEVER_IDENTITY, *SOMETIMES, "s", "model"], sort=False):
        restated = _restates(frame[column], frame["error"])
        if restated:
            drop.append(column)
            notes.append(f"the column {column!r} is {restated} and sets no curves apart")
        elif _names_runs(frame, column):
            drop.append(column)
            notes.append(f"the column {column!r} says which run it was and sets no curves apart")
    if "value" in frame and not _restates(frame["value"], frame["error"]):
        name = "value (not 1 - error)"
        frame = frame.rename(columns={"value": name})
    return frame.drop(columns=drop), notes


def _restates(column: pd.Series, error: pd.Series) -> str | None:
    """Say what of the error a column is, or None where it is something else."""
    if not pd.api.types.is_numeric_dtype(column) or error.nunique() < 2:
        return None
    values, rates = column.to_numpy(float), error.to_numpy(float)
    # Among errors that hardly differ, small numbers of any other meaning are near all of them too.
    near = min(ROUNDED, np.ptp(rates) / 4)
    for words, same in (
        ("1 - error", 1 - rates),
        ("the error", rates),
        ("100 (1 - error)", 100 * (1 - rates)),
        ("100 error", 100 * rates),
    ):
        scale = 100 if words.startswith("100") else 1
        if np.nanmax(np.abs(values - same)) < near * scale and not np.isnan(values).any():
            return words
    return None


def _names_runs(frame: pd.DataFrame, column: str) -> bool:
    """Say whether a column holds names or times of runs: another value in most rows."""
    if len(frame) < 3 or frame[column].nunique() <= len(frame) / 2:
        return False
    name = re.split(r"[./]", known_name(str(column)))[-1]
    others = {known_name(str(other)) for other in frame.columns}
    tracked = name == "name" and "state" in others and bool(others & {"created", "runtime"})  # of W&B
    moments = frame[column].astype(str).map(lambda cell: MOMENT.fullmatch(cell) is not None)
    return tracked or RUNS.fullmatch(name) is not None or bool(moments.all())


def check_seeds(
    frame: pd.DataFrame, columns: Sequence[str], varies: Sequence[str], file: str | Path | None
) -> None:
    """Refuse a seed that has two errors at one place of one curve.

    Parameters
    ----------
    frame : DataFrame
        A checked table.
    columns : sequence of str
        The identity columns.
    varies : sequence of str
        What a curve's law describes besides n: "s", "n_params".
    """
    if "seed" not in frame:
        return
    place = [*columns, *run_columns(frame, varies)]
    rows = frame[frame["seed"].astype(str).str.strip() != ""].drop_duplicates([*place, "error"])
    if not rows.duplicated(place).any():
        return
    pair, where, apart = first_clash(rows, place)
    hint = f"add {apart}, which sets them apart, to --by" if apart else "a repeat needs a seed of its own"
    lines = " and ".join(str(line_of(pair, row)) for row in (0, 1))
    errors = " and ".join(f"{error:g}" for error in pair["error"].iloc[:2])
    raise InputError(f"lines {lines} have the errors {errors} for {where}; {hint}", file=file, key="error")


def check_starts(
    frame: pd.DataFrame, columns: Sequence[str], varies: Sequence[str], file: str | Path | None
) -> None:
    """Refuse runs at n = 0 that would be averaged though they are of several rates, arms or initial weights.

    So are those of a mix where the file has `LONGER` to compare it with.

    Parameters
    ----------
    frame : DataFrame
        A checked table.
    columns : sequence of str
        The identity columns.
    varies : sequence of str
        What a curve's law describes besides n: "s", "n_params".
    """
    zero = frame[frame["n"] == 0]
    fixes = {name: f"add {name} to --by" for name in (ARM, START)}
    fixes |= {RATE: "keep those of the one that was chosen"}
    for column, fix in fixes.items():
        split = column in columns and column != RATE
        if column not in frame or split or (column != START and not has_arms(frame)):
            continue
        place = [name for name in dict.fromkeys([*columns, *varies]) if name != RATE]
        for _, group in _grouped(zero, place):
            rows = group.drop_duplicates(column)
            if len(rows) > 1:
                one, other = (line_of(rows, row) for row in (0, 1))
                values = " and ".join(str(plain(value)) for value in rows[column].iloc[:2])
                where = "".join(f", {name} {plain(rows[name].iloc[0])}" for name in place)
                problem = f"lines {one} and {other} have the values {values} at n = 0{where}; {fix}"
                raise InputError(problem, file=file, key=column)
    if ARM in columns:
        _check_mixed_starts(zero, columns, file)


def _check_mixed_starts(zero: pd.DataFrame, columns: Sequence[str], file: str | Path | None) -> None:
    """Refuse runs of a mix at n = 0 beside those of `LONGER`: only one of them can be compared with."""
    longer = zero[zero[ARM] == LONGER]
    for row in range(len(zero)):
        values = {column: zero[column].iloc[row] for column in columns}
        rivals = starts_of(longer, values)[0] if is_mixed(values) else longer[:0]
        if len(rivals):
            arm, mine, other = values[ARM], line_of(zero, row), line_of(rivals, 0)
            problem = f"line {mine} ({arm} at n = 0) and line {other} ({LONGER}) are both photographs alone"
            fix = f"keep {LONGER}, which is trained as long as {arm}"
            raise InputError(f"{problem}; {fix}", file=file, key=ARM)


def first_clash(frame: pd.DataFrame, place: list[str]) -> tuple[pd.DataFrame, str, str | None]:
    """Return the rows of the first place that several have, the place in words, and what sets them apart.

    What sets them apart is a column that is neither of the place nor measured, or None.
    """
    first = frame[frame.duplicated(place, keep=False)].iloc[0]
    rows = frame[(frame[place] == first[place]).all(axis=1)]
    where = ", ".join(f"{column} = {plain(first[column])}" for column in place)
    left_out = frame.columns.difference([*place, *MEASURED, TEST_VARIANCE], sort=False)
    return rows, where, next((column for column in left_out if rows[column].nunique() > 1), None)


def run_columns(frame: pd.DataFrame, varies: Sequence[str]) -> list[str]:
    """Name the columns that set the runs of one curve apart."""
    names = ["n", *varies, *(DESCRIBED[column] for column in varies), "seed"]
    return [name for name in dict.fromkeys(names) if name in frame]


def too_few(
    frame: pd.DataFrame, columns: Sequence[str], need: int, most: int, file: str | Path | None
) -> InputError:
    """Return the error on a table of which no curve has enough n, and the columns that split its curves."""
    problem = f"no curve has {need} distinct n above 0 (the most is {most})"
    trained = frame[frame["n"] > 0]
    found = [column for column in columns if _splits(trained, columns, [column], need)]
    many = [column for column in columns if frame[column].nunique() > len(frame) / 2]
    split = found[:1] or (many if many and _splits(trained, columns, many, need) else [])
    if not split:
        found = [column for column in columns if _enough(trained, columns, [column], need)]
        without = f" (without {' or '.join(map(repr, map(str, found)))} one has)" if found else ""
        hint = f"measure more sizes, or name the columns that set curves apart with --by{without}"
        return InputError("; ".join([problem, *alike_notes(frame, columns), hint]), file=file, key="n")
    each = all(frame[column].nunique() == len(frame) for column in split)
    names = " and ".join(repr(str(column)) for column in split)
    value = f"{'has' if len(split) == 1 else 'have'} another value {'in each row' if each else 'at each n'}"
    hint = f"if the rows belong to one curve all the same, leave it out: {_by(columns, split)}"
    return InputError(f"{problem}, as {names} {value}; {hint}", file=file, key=str(split[0]))


def _splits(frame: pd.DataFrame, columns: Sequence[str], some: Sequence[str], need: int) -> bool:
    """Say whether some columns take another value at each n, and curves have enough n without them."""
    if frame.empty or (frame.groupby(list(columns), dropna=False)["n"].nunique() > 1).any():
        return False
    return _enough(frame, columns, some, need)


def _enough(frame: pd.DataFrame, columns: Sequence[str], without: Sequence[str], need: int) -> bool:
    """Say whether a curve has enough n without some columns."""
    rest = [column for column in columns if column not in without]
    return bool((_grouped(frame, rest)["n"].nunique() >= need).any())


def alike_notes(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say which names differ in letter case or spaces alone, and yet set curves apart."""
    notes = []
    for column in columns:
        names = dict.fromkeys(frame[column].astype(str))
        first: dict[str, str] = {}
        for name in names:
            other = first.setdefault(re.sub(r"[\s_-]+", "", name.casefold()), name)
            if other != name and not pd.api.types.is_numeric_dtype(frame[column]):
                notes.append(f"{column} {other!r} and {name!r} are nearly the same name, but two curves")
    return notes


def repeat_notes(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say which columns set curves apart and may only number repeats or remark on rows."""
    return [
        f"{column!r} sets curves apart; if its rows are repeats, call it seed, or leave it out: "
        f"{_by(columns, [column])}"
        for column in columns
        if REPEATS.fullmatch(known_name(str(column))) and frame[column].nunique() > 1
    ]


def blank_notes(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say which columns are blank in some rows only, as merged cells of a spreadsheet are."""
    trained, notes = frame[frame["n"] > 0], []
    for column in columns:
        blank = int((trained[column].astype(str) == "").sum())
        if 0 < blank < len(trained) and not REPEATS.fullmatch(known_name(str(column))):
            notes.append(
                f"{column!r} is blank in {blank} of {len(trained)} rows, which are a curve of their own; "
                "fill the cells if they belong to another"
            )
    return notes


def growing_notes(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say which columns of numbers grow with n, and so split what may be one curve."""
    trained, notes = frame[frame["n"] > 0], []
    for column in columns:
        rest = [other for other in columns if other != column]
        if not pd.api.types.is_numeric_dtype(frame[column]) or trained.empty:
            continue
        if all(_grows(group, column) for _, group in _grouped(trained, rest)):
            notes.append(
                f"{column!r} grows with n and sets curves apart; if it should not, leave it out: "
                f"{_by(columns, [column])}"
            )
    return notes


def _grows(group: pd.DataFrame, column: str) -> bool:
    """Say whether larger values of a column go with larger n alone."""
    ranges = group.groupby(column)["n"].agg(["min", "max"])
    return len(ranges) > 1 and bool((ranges["min"].to_numpy()[1:] > ranges["max"].to_numpy()[:-1]).all())


def _by(columns: Sequence[str], without: Sequence[str]) -> str:
    """Return the option that leaves some of the columns out."""
    return f"--by {','.join(str(column) for column in columns if column not in without) or repr('')}"


def _grouped(frame: pd.DataFrame, columns: Sequence[str]) -> Any:
    """Group by columns, or all rows together where there are none."""
    return frame.groupby(list(columns), dropna=False) if columns else frame.groupby(lambda _: 0)


def differing(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the columns whose values differ among curves, in the order in which the curves have them.

    Parameters
    ----------
    identities : sequence of dict
        The columns and values that set each curve apart.
    """
    columns = dict.fromkeys(column for identity in identities for column in identity)
    return [c for c in columns if len({str(identity.get(c)) for identity in identities}) > 1]
