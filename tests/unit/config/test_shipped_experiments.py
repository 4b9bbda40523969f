"""The experiments that come with the project, read together: what they share is the same runs."""

from pathlib import Path

import pytest

from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def plan() -> Plan:
    files = [str(path) for path in sorted((ROOT / "config/experiments").glob("*.yaml"))]
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    return load_plan({"experiments": files, "recipes": str(ROOT / "config/recipes"), **shared})


def test_fashion_mnist_takes_the_demos_pretraining_where_it_is_there(plan: Plan) -> None:
    own, demo = plan.experiments["fashion-mnist"].pretrainings, plan.experiments["demo"].pretrainings
    assert {run.n for run in own} == {max(run.n for run in demo)}
    assert {run for run in own if run.seed < 2} <= set(demo)
    runs = plan.experiments["fashion-mnist"].finetunings
    assert sorted((run.pretraining.n, run.pretraining.seed) for run in runs) == [
        (n, seed) for n in (0, 640) for seed in (0, 1, 2)
    ]


def test_what_changes_no_number_is_no_part_of_a_run(plan: Plan) -> None:
    data = plan.target_data("fashion-mnist")
    assert data["dataset"] == "FashionMNIST"
    assert not {"description", "stand_in", "counts", "download", "archives"} & set(data)
