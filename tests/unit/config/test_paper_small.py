"""The six small experiments together: what they share, what they cost, and which figures they draw."""

import re
from pathlib import Path

import pytest
import yaml

from syn2real.plan.estimates import runs_of
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.plan.runs import Pretraining
from syn2real.plan.sheet import sheet_cells

ROOT = Path(__file__).resolve().parents[3]
PAPER = re.findall(r"^PAPER := (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[0].split()
FILES = {f"small-{name}": ROOT / f"config/experiments/small/{name}.yaml" for name in PAPER}


@pytest.fixture(scope="module")
def plan() -> Plan:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {name: str(ROOT / config[name]) for name in ("renderings", "targets", "recipes", "datasets")}
    return load_plan(config | {"experiments": [str(file) for file in FILES.values()]})


def _images(plan: Plan, names: list[str]) -> int:
    """Return how many images some experiments render, whole shards."""
    shards = plan.needed_shards(plan.settings, names)
    values = [plan.images_of(Path(shard).parts[2]) for shard in shards]
    return sum(value.views * value.scenes_per_shard for value in values)


@pytest.mark.parametrize("name", FILES)
def test_a_file_states_its_runs_and_images(name: str, plan: Plan) -> None:
    record, text = plan.experiments[name], FILES[name].read_text(encoding="utf-8")
    for cost in (
        f"{_images(plan, [name]):,} rendered images",
        f"{len(record.pretrainings)} pre-trainings",
        f"{len(record.finetunings)} fine-tunings",
    ):
        assert cost in plan.run[name].cost, f"{cost} is what is planned"
    assert re.findall(r"^# (\w+):", text, flags=re.MULTILINE) == ["Question", "Cost", "Expected"]


def test_their_page_states_what_all_of_them_run(plan: Plan) -> None:
    page = " ".join((ROOT / "docs/paper-small.md").read_text(encoding="utf-8").split())
    every = runs_of(plan)
    starts = sum(isinstance(run, Pretraining) for run in every)
    runs = f"{starts} pre-trainings and {len(every) - starts} fine-tunings"
    assert f"{_images(plan, [*FILES]):,} images, {runs}" in page


def test_what_experiments_share_is_planned_once(plan: Plan) -> None:
    starts = {name: set(record.pretrainings) for name, record in plan.experiments.items()}
    ends = {name: set(record.finetunings) for name, record in plan.experiments.items()}
    first = "small-cross-task"
    assert ends["small-landscapes"] == ends[first]
    assert starts["small-full-law"] < starts[first]
    assert starts["small-complexity"] & starts[first]
    assert {run for run in starts["small-million-scale"] if run.n <= 2400} <= starts["small-model-size"]
    assert len(set().union(*ends.values())) < sum(map(len, ends.values()))


def test_the_grid_is_the_papers(plan: Plan) -> None:
    pairs = {(f.pretraining.ptask, f.ftask) for f in plan.experiments["small-cross-task"].finetunings}
    assert len({pair for pair in pairs if pair[0] != "none"}) == 12
    assert all(len([n for n in e.sizes if n]) >= 5 for e in plan.run.values())
    assert max(plan.run["small-million-scale"].sizes) >= 20 * min(
        n for n in plan.run["small-million-scale"].sizes if n
    )
    assert len(plan.run["small-full-law"].ftasks[0].percents) == 3
    assert len(plan.run["small-model-size"].models) == 3
    assert len(plan.levels("small-complexity")) == len(plan.run["small-complexity"].settings) == 8


def test_every_figure_of_the_paper_is_drawn(plan: Plan) -> None:
    assert {cell["number"] for cell in sheet_cells(plan)} == {*range(1, 15)}


def test_every_claim_is_judged(plan: Plan) -> None:
    assert all(record.asked.claims for record in plan.experiments.values())
