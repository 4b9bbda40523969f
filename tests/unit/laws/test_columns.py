"""Which columns set curves apart, which only name runs, and what is said of those that split every curve."""

import numpy as np
import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.table import read_curves

N = np.array([1000, 2000, 4000, 8000])
ERROR = np.array([0.62, 0.56, 0.52, 0.49])
ONE = pd.DataFrame({"n": N, "error": ERROR})
TWO = pd.concat([ONE.assign(setting="a"), ONE.assign(setting="b", error=ERROR - 0.1, n=N)], ignore_index=True)
SEEDS = pd.concat([ONE.assign(seed=0), ONE.assign(seed=1, error=ERROR + 0.01)], ignore_index=True)


def run_names(count: int) -> list[str]:
    return [f"bold-fox-{7 * i % 11}" for i in range(count)]


READ = {
    "accuracy": (ONE.assign(accuracy=1 - ERROR), [{}], "'accuracy' is 1 - error"),
    "mAP in percent": (ONE.assign(mAP=np.round(100 * (1 - ERROR))), [{}], "'mAP' is 100 (1 - error)"),
    "the error again": (ONE.assign(err=ERROR), [{}], "'err' is the error"),
    "value": (ONE.assign(value=1 - ERROR), [{}], None),
    "small numbers among small errors": (
        TWO.assign(error=TWO["error"] / 200, decay=[1e-4] * 4 + [1e-3] * 4).drop(columns="setting"),
        [{"decay": 1e-4}, {"decay": 1e-3}],
        None,
    ),
    "index": (ONE.assign(index=range(4)), [{}], "'index' says which run it was"),
    "run id": (SEEDS.assign(run_id=[f"{i:x}" for i in range(8)]), [{}], "'run_id' says which run"),
    "time": (ONE.assign(when=[f"2026-11-26T20:4{i}:00" for i in range(4)]), [{}], "'when' says which run"),
    "path": (ONE.assign(out=[f"s3://runs/{i}" for i in range(4)]), [{}], "'out' says which run"),
    "W&B": (
        SEEDS.assign(Name=run_names(8), State="finished", Runtime=np.arange(8) + 0.5, Created=range(8)),
        [{"State": "finished"}],
        "'Name' says which run",
    ),
    "MLflow": (SEEDS.assign(**{"tags.mlflow.runName": run_names(8)}), [{}], "says which run"),
    "two test sets": (TWO.rename(columns={"setting": "target"}), [{"target": "a"}, {"target": "b"}], None),
    "n_params without a model": (
        TWO.assign(n_params=[1e7] * 4 + [2e7] * 4).drop(columns="setting"),
        [{"n_params": 10_000_000}, {"n_params": 20_000_000}],
        None,
    ),
    "shares of labels at one s": (
        TWO.assign(s=100, s_percent=[1] * 4 + [10] * 4).drop(columns="setting"),
        [{"s": 100, "s_percent": 1}, {"s": 100, "s_percent": 10}],
        None,
    ),
    "value that is none": (
        TWO.assign(value=[0.1] * 4 + [0.2] * 4).drop(columns="setting"),
        [{"value (not 1 - error)": 0.1}, {"value (not 1 - error)": 0.2}],
        None,
    ),
    "a name in two cases": (
        TWO.replace("b", "A"),
        [{"setting": "a"}, {"setting": "A"}],
        "setting 'a' and 'A' are nearly",
    ),
    "versions": (
        TWO.assign(version=["1.1"] * 4 + ["1.10"] * 4).drop(columns="setting"),
        [{"version": "1.1"}, {"version": "1.10"}],
        None,
    ),
    "hashes": (
        TWO.assign(build=["1e999"] * 4 + ["2e999"] * 4).drop(columns="setting"),
        [{"build": "1e999"}, {"build": "2e999"}],
        None,
    ),
    "one number written in two ways": (ONE.assign(recipe=["1", "1.0", "1", "1.0"]), [{"recipe": 1}], None),
    "runs": (
        TWO.assign(run=[0] * 4 + [1] * 4).drop(columns="setting"),
        [{"run": 0}, {"run": 1}],
        "'run' sets curves apart; if its rows are repeats, call it seed, or leave it out: --by ''",
    ),
    "a comment": (
        pd.concat([ONE, ONE.head(1).assign(error=0.7)]).assign(comment=[""] * 4 + ["first"]),
        [{"comment": ""}, {"comment": "first"}],
        "'comment' sets curves apart",
    ),
    "a tracker's id": (
        ONE.assign(**{"sys/id": [f"A-{i}" for i in range(4)]}),
        [{}],
        "'sys/id' says which run",
    ),
    "merged cells": (
        TWO.assign(setting=["a", "", "a", "a", "b", "b", "b", "b"]),
        [{"setting": "a"}, {"setting": ""}, {"setting": "b"}],
        "'setting' is blank in 1 of 8 rows, which are a curve of their own; fill the cells",
    ),
    "a blank column": (ONE.assign(note=" ", tags=""), [{}], None),
    "a column that grows with n": (
        pd.concat([ONE, ONE.assign(n=16 * N, error=ERROR - 0.2)]).assign(epochs=[10] * 4 + [20] * 4),
        [{"epochs": 10}, {"epochs": 20}],
        "'epochs' grows with n and sets curves apart; if it should not, leave it out: --by ''",
    ),
}


@pytest.mark.parametrize(("frame", "curves", "note"), READ.values(), ids=READ)
def test_columns_mean_something(frame, curves, note):
    found, notes = read_curves(frame)
    assert [curve.identity for curve in found] == curves
    assert notes == [] if note is None else any(note in one for one in notes), notes


REFUSED = {
    "a seed twice": (
        pd.concat([SEEDS, SEEDS.iloc[[3]].assign(error=0.5)], ignore_index=True),
        "lines 5 and 10 have the errors 0.49 and 0.5 for n = 8000, seed = 0; a repeat needs a seed",
    ),
    "epochs": (ONE.assign(epochs=N / 100), "no curve has 3 distinct n above 0 (the most is 1), as"),
    "loss": (TWO.assign(loss=np.arange(8) ** 0.5), "as 'loss' has another value in each"),
    "two at once": (ONE.assign(loss=N**0.5, lr=1 / N), "as 'loss' and 'lr' have another value"),
    "names": (TWO.assign(run=list("abcdefgh")), "leave it out: --by setting"),
    "n_params of one model": (
        ONE[:3].assign(model="a", n_params=[1e7, 1e7, 2e7]),
        "name the columns that set curves apart with --by (without 'n_params' one has)",
    ),
    "letter case": (ONE.assign(target=["coco", "Coco", "COCO", "coco"]), "'coco' and 'Coco' are nearly"),
    "too few": (TWO[TWO.n < 3000], "no curve has 3 distinct n above 0 (the most is 2); measure more sizes"),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_splits_every_curve_is_named(frame, problem):
    with pytest.raises(InputError) as caught:
        read_curves(frame)
    assert problem in str(caught.value)


def test_seeds_that_by_joins_are_refused_with_the_column_that_sets_them_apart():
    frame = TWO.assign(seed=0)
    with pytest.raises(InputError, match="add setting, which sets them apart, to --by"):
        read_curves(frame, by=[])
    assert len(read_curves(frame.assign(seed=range(8)), by=[])[0]) == 1
