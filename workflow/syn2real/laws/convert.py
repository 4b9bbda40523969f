"""The authors' published table to the points of this project, and back.

The published table (repository pfnet-research/cg-transfer, results/results_finetune.csv) has a row an
evaluation and eleven columns; the points have a row a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from syn2real.errors import InputError
from syn2real.laws.arms import RATE
from syn2real.laws.columns import ROUNDED, check_seeds, identity_columns, require_column, without_runs
from syn2real.laws.reading import (
    DETECTION,
    NOTES,
    USUAL,
    check_frame,
    number_column,
    plain,
    read_csv,
    refuse_cells,
    score_column,
)

PUBLISHED = (
    "n_eval", "value", "pretrain.data", "pscale", "ptask", "fdata", "fratio", "ftask", "model", "nparam",
    "pdata",
)  # fmt: skip
MILLIONS = 100_000  # of parameters: a larger number counts parameters
TRAIN_SIZE = {"imagenet": 1_281_167, "coco": 118_287, "ade20k": 20_210}
METRIC = {"sinclass": "top-1 accuracy", "objdet": DETECTION, "semseg": "mIoU"}
"""What was measured, named as the runs name it; over which classes the authors' mIoU is, is not said."""
NAMES = ("setting", "ptask", "ftask", "target", "model")
SAME = {"pdata": "setting", "pscale": "pscale", "ptask": "ptask", "ftask": "ftask", "fdata": "target"}


def convert_table(frame: pd.DataFrame, file: str | Path | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Convert a table; its columns decide in which direction.

    Parameters
    ----------
    frame : DataFrame of str
        As `reading.read_csv` returns it: the published columns, or those of points.

    Returns
    -------
    table : DataFrame
    notes : list of str
        What was read otherwise than written, and what was dropped.

    Raises
    ------
    InputError
        Where the columns are those of neither table, or a cell is not a number.
    """
    if set(PUBLISHED) <= set(frame.columns):
        return to_points(frame, file)
    missing = [column for column in PUBLISHED if column not in frame.columns]
    if "error" in frame or len(missing) > len(PUBLISHED) / 2:
        return to_published(frame, file)
    raise InputError(
        "no such column; convert takes the authors' 11 columns, or points with n and error",
        file=file,
        key=missing[0],
    )


def read_measurements(
    path: str | Path, select: Mapping[str, Sequence[Any]] | None = None, ignore: Sequence[str] = ()
) -> pd.DataFrame:
    """Read measurements of either kind as the points of an experiment.

    Parameters
    ----------
    path : str or Path
        A CSV with the published columns, or with n and error and whatever sets its curves apart.
    select : dict of str to sequence, optional
        Column of the points to the values whose rows are kept.
    ignore : sequence of str
        Columns of the points to drop: rows that differ in them alone become seeds of one run.

    Returns
    -------
    DataFrame
        A row a run; ``attrs["notes"]`` lists what was read otherwise than written. A name that the table does
        not have (setting, tasks, target, model) is "unnamed", so that reports and figures can name every
        curve; rows of one name and size are its seeds.

    Raises
    ------
    InputError
        Where the file is missing or not a table of measurements, a column is missing, no row is left, or a
        seed has two errors at one size.
    """
    frame = read_csv(path)
    if set(PUBLISHED) <= set(frame.columns):
        points, notes = to_points(frame, path)
    else:
        points, notes = without_runs(check_frame(frame, path))
        notes = [*points.attrs[NOTES], *notes]
    for column, values in (select or {}).items():
        require_column(points, column, path, "select")
        names = points[column].map(lambda cell: str(plain(cell)))  # 100, whether it was read as 100.0 or not
        have, wanted = dict.fromkeys(names), [str(plain(value)) for value in values]
        if absent := [value for value in wanted if value not in have]:
            some = ", ".join([*have][:12]) + (", …" if len(have) > 12 else "")
            problem = f"no row has the value '{absent[0]}'; the rows that are left have: {some}"
            raise InputError(problem, file=path, key=f"select.{column}")
        points = points[names.isin(wanted)]
    if points.empty:
        raise InputError("no row is left after 'select'; look at the values it names", file=path)
    for column in ignore:
        require_column(points, column, path, "ignore")
        if column in ("n", "error"):
            raise InputError(
                f"{column} is what is measured; leave it out of `ignore`", file=path, key="ignore"
            )
    points = points.drop(columns=list(ignore))
    for column in NAMES:
        if column not in points:
            points[column] = "unnamed"
    if not ignore:
        check_seeds(points, identity_columns(points), (), path)
    if ignore or "seed" not in points:
        runs = [c for c in points.columns if c not in ("seed", "value", "error", "n_params", "weight")]
        points["seed"] = points.groupby(runs, dropna=False).cumcount()
    points = points.reset_index(drop=True)
    points.attrs[NOTES] = notes
    return points


def to_points(frame: pd.DataFrame, file: str | Path | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Return the runs of the published table, a row a run, valued at its last evaluation."""
    notes = list(frame.attrs.get(NOTES, []))
    rows = _known_rows(frame, notes, file)
    runs = [column for column in PUBLISHED if column not in ("n_eval", "value")]
    # Two values at one evaluation of one name are two runs of it: they become two seeds.
    rows["seed"] = rows.groupby([*runs, "n_eval"]).cumcount()
    last = rows.loc[rows.groupby([*runs, "seed"], sort=False)["n_eval"].idxmax()].reset_index(drop=True)
    points = pd.DataFrame({new: last[old].to_numpy() for old, new in SAME.items()})
    points["model"] = last["model"].astype(str).str.replace(r"^r(\d+)$", r"resnet\1", regex=True).to_numpy()
    points["n_params"] = np.round(last["nparam"] * 1e6).astype(np.int64)
    points["n"] = last["pretrain.data"].astype(np.int64)
    percent, size = last["fratio"], last["fdata"].map(TRAIN_SIZE)
    points["s"] = np.round(percent / 100 * size).astype(np.int64)
    points["s_percent"] = percent.astype(np.int64) if (percent % 1 == 0).all() else percent
    points["seed"] = last["seed"]
    points["metric"] = last["ftask"].map(METRIC).fillna("").to_numpy()
    points["value"] = last["value"]
    points["error"] = 1 - points["value"]
    return points, [*notes, f"{len(points)} runs"]


def _known_rows(frame: pd.DataFrame, notes: list[str], file: str | Path | None) -> pd.DataFrame:
    """Return the rows of known sizes, their numbers made numbers; add a note on what is dropped."""
    blank = frame["pretrain.data"].astype(str).str.strip().str.lower().isin(["", "na", "nan"])
    if blank.any():
        notes.append(f"{int(blank.sum())} rows without pretrain.data (n) were dropped")
    frame = frame.assign(fdata=frame["fdata"].astype(str).str.casefold())
    unknown = ~frame["fdata"].isin(list(TRAIN_SIZE)) & ~blank
    if unknown.any():
        names = ", ".join(sorted(set(frame.loc[unknown, "fdata"])))
        notes.append(f"{int(unknown.sum())} rows of data sets of unknown size were dropped: {names}")
    rows = frame[~blank & ~unknown].drop_duplicates(list(PUBLISHED)).copy()
    if rows.empty:
        problem = f"no row has an n and a data set of known size ({', '.join(TRAIN_SIZE)})"
        raise InputError(problem, file=file, key="pretrain.data")
    rows["value"] = score_column(rows, "value", file)
    for column in ("n_eval", "pretrain.data", "fratio", "nparam"):
        rows[column] = number_column(rows, column, file)
    for column, most, unit in (("fratio", 100, "percent of the labels"), ("nparam", MILLIONS, "millions")):
        outside = ((rows[column] <= 0) | (rows[column] > most)).to_numpy()
        refuse_cells(outside, f"is not above 0 and at most {most:,}, in {unit}", rows, column, file)
    return rows.reset_index(drop=True)


def to_published(frame: pd.DataFrame, file: str | Path | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Return points in the published columns, a row a run; what the points do not have is left blank."""
    checked = check_frame(frame, file)
    value = 1 - checked["error"]
    if "value" in frame:
        value = pd.Series(score_column(frame, "value", file), index=frame.index)
        differs = (value - 1 + checked["error"]).abs() > ROUNDED
        refuse_cells(differs.to_numpy(), "is not 1 - error; fix or remove the column", frame, "value", file)

    def column(name: str) -> pd.Series:
        return frame[name] if name in frame else pd.Series([""] * len(frame), index=frame.index)

    out = {old: column(new).to_numpy() for old, new in SAME.items()}
    out["n_eval"] = np.ones(len(frame), int)
    out["value"] = value.to_numpy()
    out["pretrain.data"] = checked["n"].to_numpy().astype(np.int64)
    out["fratio"] = column("s_percent").to_numpy()
    out["model"] = column("model").astype(str).str.replace(r"^resnet(\d+)$", r"r\1", regex=True).to_numpy()
    sizes = checked["n_params"] / 1e6 if "n_params" in checked else column("n_params")
    out["nparam"] = sizes.to_numpy()
    kept = {*SAME.values(), "n", "error", "value", "s_percent", "model", "n_params", "metric", "seed"}
    kept |= {"s"} if "s_percent" in frame else set()
    kept |= {c for c, usual in (USUAL | {RATE: 1}).items() if c in checked and (checked[c] == usual).all()}
    lost = [str(name) for name in frame.columns if name not in kept]
    notes = [f"it has no place for {', '.join(lost)}"] if lost else []
    return pd.DataFrame(out)[list(PUBLISHED)], [*checked.attrs[NOTES], *notes, f"{len(frame)} rows"]
