"""The measured errors, one row a run: from metrics.json files to a table (DESIGN: "points CSV")."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from syn2real.errors import InputError
from syn2real.files import write_text

COLUMNS = (
    "recipe", "setting", "ptask", "ftask", "target", "model", "n_params", "n", "s", "s_percent", "seed",
    "metric", "value", "error",
)  # fmt: skip
"""Columns of a points table; `error` is 1 - `value`, `s` the number of labelled images used."""

KEY = ("recipe", "setting", "ptask", "ftask", "target", "model", "n", "s_percent", "seed")
"""The columns that name a run."""


def read_points(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Gather finished runs into a table.

    Parameters
    ----------
    paths : iterable of str or Path
        metrics.json files of fine-tuning runs.

    Returns
    -------
    pandas.DataFrame
        A row a run with `COLUMNS`, sorted by the run's key.

    Raises
    ------
    InputError
        A file is no metrics file, or two files claim one run with different results.
    """
    rows: dict[tuple[Any, ...], tuple[dict[str, Any], str | Path]] = {}
    for path in paths:
        row = _row(path)
        key = tuple(row[column] for column in KEY)
        earlier, where = rows.setdefault(key, (row, path))
        if earlier != row:
            raise InputError(f"{where} holds another result of the same run; keep one of them", file=path)
    frame = pd.DataFrame([row for row, _ in rows.values()], columns=list(COLUMNS))
    return frame.sort_values(list(KEY), ignore_index=True)


def _row(path: str | Path) -> dict[str, Any]:
    """Return the row of one metrics.json."""
    try:
        metrics = json.loads(Path(path).read_text(encoding="utf-8"))
        key = metrics["key"]
        values = {"n_params": metrics["n_params"], "s": metrics["n_train"]}
        values |= {name: metrics[name] for name in ("metric", "value", "error")}
        return {column: values[column] if column in values else key[column] for column in COLUMNS}
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"no metrics file of a fine-tuning run ({error!r}); run it again", file=path
        ) from None


def find_finished(results: str | Path) -> list[Path]:
    """Return the metrics.json of every finished fine-tuning run below `results`, sorted.

    Runs in progress or failed have none: the file is the last thing a run writes, in one step. Folders
    whose names begin with a dot hold unfinished work and are passed over.

    Raises
    ------
    InputError
        There is no folder `results/finetune`.
    """
    folder = Path(results) / "finetune"
    if not folder.is_dir():
        raise InputError("there is no folder 'finetune' in it; name the results folder", file=results)
    found = folder.rglob("metrics.json")
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def write_points(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a points table as CSV; numbers keep all their digits."""
    write_text(path, frame.to_csv(index=False))
