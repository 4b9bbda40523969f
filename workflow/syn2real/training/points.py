"""The measured errors, one row a run: from metrics.json files to a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from syn2real.data.targets.schema import fold_of, is_pilot
from syn2real.errors import InputError
from syn2real.files import digest, write_text
from syn2real.laws import per_image
from syn2real.laws.columns import PER_IMAGE
from syn2real.training.metrics import read_metrics

COLUMNS = (
    "recipe", "setting", "ptask", "ftask", "target", "model", "initial", "arm", "rate", "n_params", "n", "s",
    "s_percent", "seed", "metric", "value", "error",
)  # fmt: skip
"""Columns of a points table; `error` is 1 - `value`, `s` the number of labelled images used."""

KEY = (
    "recipe", "setting", "ptask", "ftask", "target", "model", "initial", "arm", "rate", "n", "s_percent",
    "seed",
)  # fmt: skip
"""The columns that name a run."""


def read_points(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Gather finished runs into a table.

    Parameters
    ----------
    paths : iterable of str or Path
        metrics.json files of fine-tuning runs; those of a pilot are passed over.

    Returns
    -------
    pandas.DataFrame
        A row a run with `COLUMNS`, sorted by the run's key, and one for all folds of a target together; where
        runs have per-image results, their files stand in one more column, ``per_image``, as the metrics files
        are named in `paths`.

    Raises
    ------
    InputError
        A file is not a complete metrics file of a fine-tuning, or two files claim one run with different
        results, recipes or digests of what was read (two equal ones count once), two runs of one task and
        target were measured on different test sets, or two runs started from different files of one name.
    """
    rows: dict[tuple[Any, ...], tuple[dict[str, Any], str, str | Path]] = {}
    shared: dict[tuple[Any, ...], tuple[str | None, str | Path]] = {}
    for path in paths:
        row, content, inputs = _row(path)
        if is_pilot(row["target"]):
            continue
        _require_same(
            shared, (row["ftask"], row["target"]), inputs.get("test"), path,
            "measured on another test set than {}; its labels or images changed in between",
        )  # fmt: skip
        _require_same(
            shared, (row["model"], row["initial"], "start"), inputs.get("initial"), path,
            f"started from another file called {row['initial']} than {{}}; it changed in between",
        )  # fmt: skip
        key = tuple(row[column] for column in KEY)
        _, earlier, where = rows.setdefault(key, (row, content, path))
        if earlier != content:
            raise InputError(
                f"{where} holds another run of this name (other result, recipe or data); keep one of them",
                file=path,
            )
    joined = _join_folds([(row, Path(path).with_name(per_image.FILE)) for row, _, path in rows.values()])
    frame = pd.DataFrame([row for row, _ in joined], columns=list(COLUMNS))
    named = [
        per_image.BETWEEN.join(map(str, files)) if all(file.is_file() for file in files) else ""
        for _, files in joined
    ]
    if any(named):
        frame[PER_IMAGE] = named
    return frame.sort_values(list(KEY), ignore_index=True)


def _require_same(
    shared: dict[tuple[Any, ...], tuple[str | None, str | Path]],
    what: tuple[Any, ...],
    digest: str | None,
    path: str | Path,
    problem: str,
) -> None:
    """Raise InputError where a run read something else than an earlier one, which `problem` names."""
    first, where = shared.setdefault(what, (digest, path))
    if first != digest:
        fix = "run the older one again, or remove it"
        raise InputError(f"{problem.format(where)}: {fix}", file=path, key="inputs")


def _join_folds(rows: Iterable[tuple[dict[str, Any], Path]]) -> list[tuple[dict[str, Any], list[Path]]]:
    """Return rows with those of a target's folds as one, whose error is that of all photographs together.

    One test of all photographs is what a target without folds has: the mean over the folds would be another
    number for classes of few photographs. Folds of which some are not finished have no row yet.
    """
    joined: list[tuple[dict[str, Any], list[Path]]] = []
    cut: dict[tuple[Any, ...], list[tuple[dict[str, Any], Path]]] = {}
    for row, file in rows:
        target, fold, folds = fold_of(row["target"])
        if fold is None:
            joined.append((row, [file]))
        else:
            row = row | {"target": target}
            cut.setdefault((folds, *(row[column] for column in KEY)), []).append((row, file))
    for (folds, *_), parts in cut.items():
        if len(parts) == folds:
            files = [file for _, file in parts]
            error = per_image.pooled([per_image.read_per_image(file) for file in files]).own_error
            s = round(sum(row["s"] for row, _ in parts) / folds)
            joined.append((parts[0][0] | {"s": s, "value": 1 - error, "error": error}, files))
    return joined


def _row(path: str | Path) -> tuple[dict[str, Any], str, dict[str, str]]:
    """Return the row of a metrics.json; a digest of what the run read, did and found; those of its inputs."""
    metrics = read_metrics(path)
    if metrics.stage != "finetune":
        raise InputError("these are a pre-training's metrics; points are fine-tunings", file=path)
    values = metrics.key.model_dump() | {
        "n_params": metrics.n_params,
        "s": metrics.n_train,
        "metric": metrics.metric,
        "value": metrics.value,
        "error": metrics.error,
    }
    incidental = {"seconds", "device", "versions", "git_commit"}
    # Versions before this one called the test set val.
    inputs = {"test" if name == "val" else name: value for name, value in metrics.inputs.items()}
    content = digest(metrics.model_dump(mode="json", exclude=incidental) | {"inputs": inputs})
    return {column: values[column] for column in COLUMNS}, content, inputs


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
