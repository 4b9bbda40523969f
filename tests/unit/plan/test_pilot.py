"""A pilot: which runs choose a length, and what cannot be piloted."""

from pathlib import Path

import pytest
import yaml

from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.plan.estimates import Estimates
from syn2real.plan.labels import labelled_images
from syn2real.plan.measured import _tested
from syn2real.plan.pilot import all_pilots, pilot_line, pilot_runs
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]


def _load(tmp_path: Path, labels: int = 400, **changes: object) -> Plan:
    value = yaml.safe_load((ROOT / "config/experiments/own-renders.yaml").read_text())
    value["targets"]["my-photographs"]["counts"]["train"] = labels
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value | changes))
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    recipes = str(ROOT / "config/recipes")
    return load_plan({"experiment": str(tmp_path / "e.yaml"), "recipes": recipes, **shared})


def test_each_length_is_tried_at_the_smallest_and_the_largest_n(tmp_path: Path) -> None:
    plan = _load(tmp_path)
    runs, own = pilot_runs(plan, "own-renders"), {*plan.experiments["own-renders"].pretrainings}
    starts = {run.pretraining for run in runs}
    assert {run.n for run in starts} == {1000, 16000} and len(starts) == 8 and len(runs) == 5 * 8
    assert {run.recipe for run in starts} == {"day-x0.125", "day-x0.25", "day-x0.5", "day"}
    assert {run for run in starts if run.recipe == "day"} < own
    short = _load(tmp_path, length=0.25, pilot={"lengths": [0.25, 1], "seeds": [0, 1], "parts": 3})
    assert len({*short.experiments["own-renders"].pretrainings} & {*all_pilots(short)}) == 2
    assert len(pilot_runs(short, "own-renders")) == 2 * 2 * 2 * 3


def test_it_tests_on_labels_cut_from_the_training_set(tmp_path: Path) -> None:
    plan = _load(tmp_path)
    name = pilot_runs(plan, "own-renders")[0].target
    assert name == "my-photographs-pilot1of5"
    assert [labelled_images(plan, name), _tested(plan, name)] == [320, 80]
    assert plan.target_data(name) == plan.target_data("my-photographs") | {
        "fold": 1,
        "pilot": 5,
    }


def test_check_says_what_it_costs(tmp_path: Path) -> None:
    plan = _load(tmp_path)
    assert pilot_line(plan, "own-renders", Estimates(plan, {})) == (
        "  pilot     'snakemake pilot' would try lengths 0.125, 0.25, 0.5, 1: 8 pre-trainings (2 of them the "
        "experiment's own), 40 fine-tunings, about 19.50 device hours, the longest run 3.47 (by the recipe's "
        "assumption)"
    )
    few = _load(tmp_path, labels=29)
    assert pilot_line(few, "own-renders", Estimates(few, {})) is None
    few = _load(tmp_path, labels=29, pilot={"tolerance": 0.1})
    line = pilot_line(few, "own-renders", Estimates(few, {}))
    assert line and line.startswith("  pilot     'snakemake pilot' refuses: ") and "29 labelled" in line


@pytest.mark.parametrize(
    ("labels", "changes", "problem"),
    [
        (400, {"sizes": [0, 1000]}, "e.yaml: sizes: a pilot compares the smallest and the largest n above 0"),
        (
            74,
            {"pilot": {"parts": 1}},
            "74 labelled images, of which a pilot tests 14; below 30 .*, test on all",
        ),
        (29, {"pilot": {"tolerance": 0.1}}, "29 .* tests 29; below 60 no .*; label more, or allow more"),
        (
            32,
            {},
            "than 60 passes over 25 labelled images .my-photographs-pilot1of5.",
        ),
        (100, {"pilot": {"tolerance": 0.02}}, "tests 100; below 300 .*; label more, or allow"),
    ],
)
def test_what_cannot_be_piloted_is_refused(tmp_path, labels, changes, problem):
    with pytest.raises(InputError, match=problem):
        pilot_runs(_load(tmp_path, labels, **changes), "own-renders")


@pytest.mark.parametrize(
    ("pilot", "problem"),
    [
        ({"lengths": [1]}, "pilot.lengths: "),
        ({"lengths": [1, 2]}, "pilot.lengths.1: must be at most 1"),
        ({"lengths": [0.5, 0.5]}, "0.5 is listed twice"),
        ({"parts": 6}, "pilot.parts: must be at most 5"),
        ({"tolerance": 0}, "pilot.tolerance: "),
    ],
)
def test_a_pilot_that_makes_no_sense_is_refused(tmp_path, pilot, problem):
    with pytest.raises(InputError, match=problem):
        _load(tmp_path, pilot=pilot)


def test_what_a_run_is_given_is_a_target(tmp_path: Path) -> None:
    scans = {"layout": "image-folder", "path": "results/scans/mine", "scans": {"labels": 9}}
    plan = _load(tmp_path, targets={"mine": scans}, ftasks=[{"task": "sinclass", "target": "mine"}])
    data = plan.target_data(pilot_runs(plan, "own-renders")[0].target)
    assert [data.pop("fold"), data.pop("pilot")] == [1, 5]
    assert Target.model_validate(data) == plan.targets["mine"]
