"""The experiments that come with the project, read together: what they share is the same runs."""

from pathlib import Path

import pytest

from syn2real.plan.assets import downloads
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def plan() -> Plan:
    files = [str(path) for path in sorted((ROOT / "config/experiments").glob("*.yaml"))]
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    return load_plan({"experiments": files, "recipes": str(ROOT / "config/recipes"), **shared})


def test_the_demo_asks_of_real_images_and_needs_no_download(plan: Plan) -> None:
    demo = plan.experiments["demo"]
    assert [plan.targets[target].stand_in for _, target in demo.labelled] == [False]
    assert not demo.stand_ins and not [*downloads(plan, "demo")]
    assert plan.target_data("digits")["scans"] == {"labels": 1, "seed": 1}
    assert "scans" not in plan.target_data("fashion-mnist")


def test_what_changes_no_number_is_no_part_of_a_run(plan: Plan) -> None:
    data = plan.target_data("fashion-mnist")
    assert data["dataset"] == "FashionMNIST"
    assert not {"description", "stand_in", "counts", "download", "archives"} & set(data)
