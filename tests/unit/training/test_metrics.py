import json

import pytest

from syn2real.errors import InputError, TrainingError
from syn2real.jobs.provenance import git_commit
from syn2real.training.metrics import Metrics, read_metrics, versions, write_metrics

NAN, INF = float("nan"), float("inf")


def point(iteration, value):
    return {"iteration": iteration, "value": value, "error": 1 - value, "extras": {}}


@pytest.fixture
def values(key):
    first, last = point(5, 0.75), point(10, 0.5)
    return {
        "stage": "finetune",
        "key": key | {"ftask": "sinclass", "target": "t", "s_percent": 1.0},
        "metric": "top-1 accuracy",
        "value": 0.5,
        "error": 0.5,
        "evaluations": [first, last],
        "last": last,
        "best": first,
        "iterations": 10,
        "n_params": 11176512,
        "n_params_millions": 11.176512,
        "n_train": 12,
        "n_test": 30,
        "seconds": 1.5,
        "device": "cpu",
        "recipe": {"lr": 0.1},
        "versions": versions(),
        "git_commit": git_commit(),
        "inputs": {"backbone": "0" * 64},
    }


def test_written_and_read_back(values, tmp_path):
    written = write_metrics(tmp_path / "metrics.json", values)
    assert read_metrics(tmp_path / "metrics.json") == written
    plain = json.loads((tmp_path / "metrics.json").read_text())
    assert plain["version"] == 1 and plain["value"] == 0.5 and plain["key"]["seed"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": NAN, "error": NAN}, "value"),
        ({"seconds": INF}, "seconds"),
        ({"value": 1.5, "error": -0.5}, "value"),
        ({"n_test": 0}, "n_test"),
        ({"n_train": 0}, "n_train"),
        ({"iterations": 20}, "the last evaluation is at 10 of 20 iterations"),
        ({"evaluations": []}, "evaluations"),
        ({"evaluations": [point(10, 0.5), point(5, 0.75)]}, "must increase"),
        ({"evaluations": [point(5, NAN), point(10, 0.5)]}, "evaluations.0.value"),
        ({"value": 0.75, "error": 0.25}, "finetune's result"),
        ({"stage": "pretrain"}, "pretrain's result"),
        ({"best": point(10, 0.5)}, "best"),
        ({"last": point(5, 0.75)}, "last"),
        ({"error": 0.4}, "1 - value"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_refused_and_not_written(changes, message, values, tmp_path):
    with pytest.raises(TrainingError, match=message):
        write_metrics(tmp_path / "metrics.json", values | changes)
    assert not list(tmp_path.iterdir())


ALONE = {
    "iterations": 0,
    "n_train": 0,
    "evaluations": [point(0, 0.5)],
    "last": point(0, 0.5),
    "best": point(0, 0.5),
}


def test_only_renders_alone_are_tested_without_labels_and_training(values, tmp_path):
    untrained = values | ALONE | {"key": values["key"] | {"arm": "renders-only", "s_percent": 0.0}}
    assert write_metrics(tmp_path / "metrics.json", untrained).key.arm == "renders-only"
    for changes, line in (
        ({"key": values["key"]}, "n_train: the arm backbone cannot have 0"),
        ({"key": values["key"] | {"s_percent": 0.0}}, "s_percent: the arm backbone cannot have 0"),
        ({"key": untrained["key"] | {"s_percent": 1.0}}, "s_percent: the arm renders-only cannot have 1"),
        ({"n_train": 12}, "n_train: the arm renders-only cannot have 12"),
        ({"key": untrained["key"] | {"arm": "half"}}, "key.arm: .* is no arm"),
    ):
        with pytest.raises(TrainingError, match=line):
            write_metrics(tmp_path / "other.json", untrained | changes)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"version": 2}', "[1]"])
def test_what_is_not_a_metrics_file_is_refused(text, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(InputError, match="metrics.json"):
        read_metrics(path)


def test_a_schema_can_be_generated():
    schema = Metrics.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema["properties"].values())
