"""The points table: one row a run, nothing averaged, nothing half written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from syn2real.cli import main
from syn2real.errors import InputError
from syn2real.laws.columns import identity_columns
from syn2real.laws.per_image import read_runs
from syn2real.laws.reading import check_frame, read_csv
from syn2real.laws.table import split_curves
from syn2real.training.points import COLUMNS, find_finished, read_points, write_points


def _metrics(value: float, **key: object) -> dict[str, Any]:
    """Return the whole content of a fine-tuning's metrics.json."""
    names = {"recipe": "demo", "setting": "a", "ptask": "mulclass", "model": "resnet18", "n": 40, "seed": 0}
    names |= {"ftask": "sinclass", "target": "t", "s_percent": 100.0} | key
    if names["n"] == 0:
        names |= {"setting": "none", "ptask": "none"}
    last = {"iteration": 10, "value": value, "error": 1 - value, "extras": {}}
    return {
        "version": 1, "stage": "finetune", "key": names, "metric": "top-1 accuracy", "value": value,
        "error": 1 - value, "evaluations": [last], "last": last, "best": last, "iterations": 10,
        "n_params": 11_176_512, "n_params_millions": 11.176512, "n_train": 150, "n_test": 30,
        "subset_digest": "5" * 64, "seconds": 12.5, "device": "cpu", "recipe": {"lr": 0.1}, "versions": {},
        "inputs": {"train": "1" * 64},
    }  # fmt: skip


def _write(
    folder: Path, *, value: float = 0.4, changes: dict[str, object] | None = None, **key: object
) -> Path:
    content = _metrics(value, **key) | (changes or {})
    names = content["key"]
    path = folder / names["setting"] / f"n{names['n']}" / f"seed{names['seed']}" / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
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
    assert set(frame["s"]) == {150} and set(frame["n_params"]) == {11_176_512}


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 0.5, "error": 0.5},
        {"subset_digest": "6" * 64},
        {"inputs": {"train": "2" * 64}},
        {"recipe": {"lr": 0.2}},
    ],
)
def test_two_different_results_of_one_run_are_refused_with_both_files(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    if "value" in changes:
        point = {"iteration": 10, "value": 0.5, "error": 0.5, "extras": {}}
        changes = changes | {"evaluations": [point], "last": point, "best": point}
    one, other = _write(tmp_path / "a"), _write(tmp_path / "b", changes=changes)
    with pytest.raises(InputError) as caught:
        read_points([one, other])
    assert str(one) in str(caught.value) and str(other) in str(caught.value)


def test_two_test_sets_in_one_table_are_refused(tmp_path: Path) -> None:
    one = _write(tmp_path, n=40)
    other = _write(tmp_path, n=80, changes={"inputs": {"train": "1" * 64, "test": "9" * 64}})
    with pytest.raises(InputError) as caught:
        read_points([one, other])
    expected = f"{other}: inputs: measured on another test set than {one}"
    assert str(caught.value).startswith(expected)
    assert len(read_points([other])) == 1


def test_runs_of_each_start_are_apart_and_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    def run(n: int, initial: str, digest: str, folder: str = "") -> Path:
        inputs = {"inputs": {"train": "1" * 64, "initial": digest * 64}}
        return _write(tmp_path / initial / folder, n=n, initial=initial, changes=inputs)

    mine = [run(0, "mine", "2"), run(40, "mine", "2"), run(40, "other", "3"), _write(tmp_path, n=40)]
    assert [*read_points(mine)["initial"]] == ["mine", "other", "random", "mine"]
    changed = run(80, "mine", "4", "later")
    with pytest.raises(InputError) as caught:
        read_points([*mine, changed])
    expected = f"{changed}: inputs: started from another file called mine than {mine[0]}; it changed"
    assert str(caught.value).startswith(expected)


def test_runs_of_each_arm_and_rate_are_apart(tmp_path: Path) -> None:
    keys: list[dict[str, object]] = [{}, {"arm": "whole"}, {"arm": "whole", "rate": 0.3}]
    paths = [_write(tmp_path / str(place), **key) for place, key in enumerate(keys)]
    paths.append(_write(tmp_path, n=0, arm="photographs-longer"))
    point = {"iteration": 0, "value": 0.4, "error": 0.6, "extras": {}}
    untrained = {
        "iterations": 0,
        "n_train": 0,
        **dict.fromkeys(("last", "best"), point),
        "evaluations": [point],
    }
    paths.append(_write(tmp_path / "only", arm="renders-only", s_percent=0.0, changes=untrained))
    frame = read_points(paths)
    assert [*zip(frame.arm, frame.rate, frame.s, strict=True)] == [
        ("backbone", 1, 150), ("renders-only", 1, 0), ("whole", 0.3, 150), ("whole", 1, 150),
        ("photographs-longer", 1, 150),
    ]  # fmt: skip
    with pytest.raises(InputError, match="holds another run of this name"):
        read_points([*paths, _write(tmp_path / "again", value=0.5, arm="whole", rate=0.3)])


def test_runs_that_called_the_test_set_val_are_the_same_runs(tmp_path: Path) -> None:
    val, test = ({"inputs": {"train": "1" * 64, name: "9" * 64}} for name in ("val", "test"))
    paths = [_write(tmp_path / "a", n=40, changes=val), _write(tmp_path / "b", n=40, changes=test)]
    assert len(read_points([*paths, _write(tmp_path, n=80, changes=test)])) == 2


def test_a_run_found_twice_counts_once_wherever_it_ran(tmp_path: Path) -> None:
    one = _write(tmp_path / "a")
    other = _write(tmp_path / "b", changes={"seconds": 99.0, "device": "a GPU", "git_commit": "f" * 40})
    assert len(read_points([one, other])) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        (json.dumps(_metrics(0.4))[:300], "not valid JSON"),
        ('{"key": {}}', "not complete metrics"),
        (json.dumps(_metrics(0.4)).replace('"value": 0.4', '"value": NaN'), "value: not complete metrics"),
        (json.dumps(_metrics(0.4) | {"iterations": 20}), "the last evaluation is at 10 of 20 iterations"),
        (
            json.dumps(_metrics(0.4) | {"stage": "pretrain"}),
            "metrics of a pre-training|pre-training's metrics",
        ),
        (json.dumps(_metrics(0.4) | {"version": 2}), "version"),
    ],
)
def test_a_file_that_cannot_be_believed_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_points([path])
    assert str(path) in str(caught.value)


def test_unfinished_and_failed_runs_are_passed_over(tmp_path: Path) -> None:
    done = _write(tmp_path / "finetune")
    _write(tmp_path / "finetune" / ".metrics-0123", value=0.9)  # on its way, to be renamed
    (tmp_path / "finetune" / "a" / "n40" / "seed0" / ".metrics.json.tmp").write_text('{"version": 1, "sta')
    failed = tmp_path / "finetune" / "a" / "n80" / "seed0"
    (failed / "tensorboard").mkdir(parents=True)
    (failed / ".scratch-1").mkdir()
    (failed / ".scratch-1" / "state.pt").touch()
    assert find_finished(tmp_path) == [done]


def test_runs_from_scratch_join_every_curve_they_belong_to(tmp_path: Path) -> None:
    """The table holds n = 0 once; the laws give it to each setting and task of its target."""
    paths = [_write(tmp_path, n=0, value=0.2), _write(tmp_path, n=0, value=0.1, target="other", seed=3)]
    for setting in ("a", "b"):
        for ptask in ("mulclass", "objdet"):
            paths += [
                _write(tmp_path / ptask, n=n, setting=setting, ptask=ptask, value=0.4) for n in (40, 80)
            ]
    frame = read_points(paths)
    assert (frame["n"] == 0).sum() == 2
    write_points(frame, tmp_path / "points.csv")
    table = check_frame(read_csv(tmp_path / "points.csv"))
    curves, _ = split_curves(table, identity_columns(table))
    assert {(curve.identity["setting"], curve.identity["ptask"]) for curve in curves} == {
        (setting, ptask) for setting in ("a", "b") for ptask in ("mulclass", "objdet")
    }
    assert all(curve.n.tolist() == [40, 80] for curve in curves)
    assert all(curve.reference == pytest.approx(0.8) for curve in curves)


def test_the_command_as_a_user_calls_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "results", tmp_path / "cluster"
    _write(one / "finetune"), _write(other / "finetune"), _write(other / "finetune", n=80)
    assert main(["points", str(one), str(other)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ",".join(COLUMNS) and len(lines) == 3
    assert main(["points", str(other), "-o", str(tmp_path / "p.csv")]) == 0
    assert capsys.readouterr().out == f"2 runs written to {tmp_path / 'p.csv'}\n"
    assert len(pd.read_csv(tmp_path / "p.csv")) == 2


def test_an_empty_and_a_wrong_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "finetune").mkdir()
    assert main(["points", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ",".join(COLUMNS) + "\n" and printed.err == "no finished run yet\n"
    assert main(["points", str(tmp_path / "finetune")]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'finetune'}: there is no folder 'finetune' in it; name the results folder\n"
    )


def test_per_image_results_are_named_where_runs_have_them(tmp_path: Path) -> None:
    paths = [_write(tmp_path, n=40), _write(tmp_path, n=80)]
    paths[1].with_name("per_image.npz").touch()
    assert list(read_points(paths)["per_image"]) == ["", str(paths[1].with_name("per_image.npz"))]


def test_runs_of_a_pilot_are_no_points(tmp_path: Path) -> None:
    paths = [_write(tmp_path / name, target=name) for name in ("t", "t-pilot1of5")]
    assert [*read_points(paths).target] == ["t"]


def test_folds_are_one_point_whose_error_is_that_of_all_photographs(tmp_path: Path) -> None:
    paths = []
    for fold, wrong in ((1, [True]), (2, [True, False, False])):
        paths.append(
            _write(tmp_path / f"{fold}", target=f"t-fold{fold}of2", value=1 - sum(wrong) / len(wrong))
        )
        judged = {"wrong": np.array(wrong), "label": np.zeros(len(wrong), int), "kind": "label"}
        ids = np.array([f"{fold}-{k}" for k in range(len(wrong))])
        np.savez_compressed(paths[-1].with_name("per_image.npz"), ids=ids, classes=np.array(["a"]), **judged)
    (row,) = read_points(paths).to_dict("records")
    assert read_runs(row["per_image"]).photographs == 4
    assert (row["target"], row["error"], row["value"], row["s"]) == ("t", 0.5, 0.5, 150)
    assert read_points(paths[:1]).empty
    paths[1].with_name("per_image.npz").unlink()
    with pytest.raises(InputError, match="run this fine-tuning again"):
        read_points(paths)
