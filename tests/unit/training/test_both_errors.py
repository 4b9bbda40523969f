"""The errors of one network on renders and on photographs are compared where they are of one task."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.training.both_errors import both_errors, write_both

KEY = {"recipe": "r", "setting": "room", "ptask": "objdet", "model": "resnet18", "n": 100, "seed": 0}


def written(path: Path, stage: str, key: dict[str, Any], value: float, metric: str = "mAP") -> Path:
    """Write a run's metrics."""
    point = {"iteration": 5, "value": value, "error": 1 - value}
    metrics = {
        "stage": stage, "key": key, "metric": metric, "value": value, "error": 1 - value,
        "evaluations": [point], "last": point, "best": point, "iterations": 5, "n_params": 10,
        "n_params_millions": 1e-5, "n_train": 1, "n_test": 1, "seconds": 1, "device": "cpu", "recipe": {},
        "versions": {}, "inputs": {},
    }  # fmt: skip
    path.write_text(json.dumps(metrics), encoding="utf-8")
    return path


def tuned(path: Path, value: float, metric: str = "mAP", **changes: Any) -> Path:
    """Write a fine-tuning's metrics."""
    key = KEY | {"ftask": "objdet", "target": "mine", "s_percent": 100.0} | changes
    return written(path, "finetune", key, value, metric)


def test_each_run_has_both_errors_and_their_difference(tmp_path: Path, capsys) -> None:
    before = [
        written(tmp_path / "a", "pretrain", KEY, 0.75),
        written(tmp_path / "b", "pretrain", KEY | {"seed": 1}, 0.5),
    ]
    scratch = {"n": 0, "setting": "none", "ptask": "none"}
    after = [
        tuned(tmp_path / "c", 0.25, seed=1),
        tuned(tmp_path / "d", 0.5),
        tuned(tmp_path / "e", 0.125, "top-1", ftask="sinclass"),
        tuned(tmp_path / "f", 0.1, **scratch),
        tuned(tmp_path / "h", 0.3, arm="mixed-0.5"),
    ]
    found = both_errors(before, after)
    assert found[["ftask", "seed", "error_on_renders", "error"]].values.tolist() == [
        ["objdet", 0, 0.25, 0.5], ["objdet", 1, 0.5, 0.75], ["sinclass", 0, 0.25, 0.875]
    ]  # fmt: skip
    assert found["difference"].tolist()[:2] == [0.25, 0.25] and pd.isna(found["difference"][2])
    write_both(found, tmp_path / "both.csv")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "room, objdet -> objdet on mine, 100 %, resnet18 (random), n = 100, seed 0: error 0.250 on renders, "
        "0.500 on the target; difference +0.250"
    )
    arm = both_errors(before, [tuned(tmp_path / "g", 0.5, arm="whole", rate=0.5)])
    write_both(arm, tmp_path / "arm.csv")
    assert "resnet18 (random), whole at rate 0.5, n = 100, seed 0: " in capsys.readouterr().out
    assert lines[2].endswith("0.875 on the target; not comparable: mAP of objdet")
    read = pd.read_csv(tmp_path / "both.csv", keep_default_na=False)
    assert read["difference"].tolist() == ["0.25", "0.25", ""]


def test_a_run_without_its_pretraining_is_refused_and_none_is_an_empty_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="c: the metrics of its pre-training are missing"):
        both_errors([], [tuned(tmp_path / "c", 0.25)])
    assert both_errors([], []).empty
