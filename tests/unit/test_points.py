"""The points table: one row a run, nothing averaged, nothing half written."""

import json
from pathlib import Path

import pytest

from syn2real.errors import InputError
from syn2real.points import COLUMNS, find_finished, read_points


def _write(folder: Path, *, value: float = 0.4, **changes: object) -> Path:
    key = {"recipe": "demo", "setting": "a", "ptask": "mulclass", "ftask": "sinclass", "target": "t"}
    key |= {"model": "resnet18", "n": 40, "s_percent": 100.0, "seed": 0, **changes}
    metrics = {"version": 1, "key": key, "metric": "top1", "value": value, "error": 1 - value}
    path = folder / f"n{key['n']}" / f"seed{key['seed']}" / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics | {"n_params": 11_176_512, "n_train": 150}))
    return path


def test_a_row_a_run_in_the_order_of_the_key(tmp_path: Path) -> None:
    paths = [_write(tmp_path, n=80), _write(tmp_path, n=40, seed=1), _write(tmp_path, n=40, value=0.3)]
    frame = read_points(paths)
    assert tuple(frame.columns) == COLUMNS
    assert list(zip(frame["n"], frame["seed"], frame["error"], strict=True)) == [
        (40, 0, 0.7),
        (40, 1, 0.6),
        (80, 0, 0.6),
    ]
    assert set(frame["s"]) == {150}


def test_two_results_of_one_run_are_refused(tmp_path: Path) -> None:
    one, other = _write(tmp_path / "a", value=0.4), _write(tmp_path / "b", value=0.5)
    with pytest.raises(InputError, match="another result of the same run"):
        read_points([one, other])
    assert len(read_points([one, _write(tmp_path / "c", value=0.4)])) == 1


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"key": {}}')
    with pytest.raises(InputError, match="metrics.json: no metrics file"):
        read_points([path])


def test_unfinished_work_is_passed_over(tmp_path: Path) -> None:
    done = _write(tmp_path / "finetune")
    _write(tmp_path / "finetune" / ".metrics-0123", value=0.9)
    (tmp_path / "finetune" / "n80" / "seed0").mkdir(parents=True)
    assert find_finished(tmp_path) == [done]
    with pytest.raises(InputError, match="name the results folder"):
        find_finished(tmp_path / "elsewhere")
