"""The paper's experiments: what they share, how many runs that makes, and what their files open with."""

import re
from pathlib import Path

import pytest
import yaml

from syn2real.plan.plan import PAPER_LAWS, Plan
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "config/experiments").glob("*.yaml"))
PAPER = re.findall(r"^PAPER := (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[0].split()
PUBLISHED = [file.stem for file in FILES if file.stem.startswith("published-")]


def _plan(names: list[str]) -> Plan:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {name: str(ROOT / config[name]) for name in ("renderings", "targets", "recipes", "datasets")}
    return load_plan(
        config | {"experiments": [str(ROOT / f"config/experiments/{name}.yaml") for name in names]}
    )


@pytest.fixture(scope="module")
def paper() -> Plan:
    return _plan(PAPER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_opens_with_question_cost_and_expected_result(file: Path) -> None:
    head = [line for line in file.read_text().splitlines() if line.startswith("#")]
    words = [
        line[2:].split(":")[0] for line in head if line[2:].startswith(("Question:", "Cost:", "Expected:"))
    ]
    assert words == ["Question", "Cost", "Expected"]
    assert yaml.safe_load(file.read_text())["name"] == file.stem


def test_every_experiment_of_the_paper_draws_on_its_setting_and_sizes(paper: Plan) -> None:
    for name in PAPER:
        assert "multiple-random-random-textured-images" in paper.run[name].settings
        assert {1000, 2000, 4000, 8000, 16000, 32000, 64000} <= set(paper.run[name].sizes)


def test_every_n_is_drawn_from_the_pool_of_64_000_or_above_from_that_of_1_280_000(paper: Plan) -> None:
    for run in set().union(*(paper.experiments[name].pretrainings for name in PAPER)):
        size = 64_000 if run.n <= 64_000 else 1_280_000
        assert paper.pool(run.setting, run.n) == {"images": size, "of": run.setting.removesuffix("-images")}


def test_experiments_share_runs(paper: Plan) -> None:
    runs = {name: set(paper.experiments[name].pretrainings) for name in PAPER}
    assert runs["landscapes"] == runs["cross-task"]
    assert runs["full-law"] < runs["cross-task"]
    assert len(runs["model-size"] & runs["cross-task"]) == 14
    small = {run for run in runs["million-scale"] if run.n <= 64_000}
    assert small < runs["model-size"]
    assert len(set().union(*runs.values())) == 28 + 70 - 14 + 15 + 56 - 7
    ends = {name: set(paper.experiments[name].finetunings) for name in PAPER}
    assert len(set().union(*ends.values())) < sum(map(len, ends.values()))
    assert ends["landscapes"] == ends["cross-task"]


def test_the_model_size_experiment_has_two_pairs_of_tasks(paper: Plan) -> None:
    pairs = {(run.pretraining.ptask, run.ftask) for run in paper.experiments["model-size"].finetunings}
    assert pairs == {("mulclass", "sinclass"), ("objdet", "objdet"), ("none", "sinclass"), ("none", "objdet")}


def test_published_measurements_need_no_run() -> None:
    plan = _plan(PUBLISHED)
    assert sorted(plan.measured) == PUBLISHED and not plan.run
    assert len({m.measurements.sha256 for m in plan.measured.values()}) == 1, "one table, fetched once"
    figures = {figure for m in plan.measured.values() for figure in m.figures}
    assert figures == {
        "curves", "parameters", "linearised", "full-law", "model-size", "extrapolation", "landscapes",
        "complexity", "scenarios", "equal-loss",
    }  # fmt: skip


def test_the_papers_figures_are_drawn_by_its_method_too(paper: Plan) -> None:
    for record in [*paper.experiments.values(), *_plan(PUBLISHED).experiments.values()]:
        assert record.asked.paper is not None and record.asked.paper.fix_D == 0.48
        for figure in record.figures:
            for need, files in record.figure_inputs(figure).items():
                if need in ("fits", "full", "size"):
                    assert [Path(file).parent.name for file in files] == ["paper", record.asked.name]
        assert "D = 0.48 for all curves" in record.methods
        assert {law: record.fix_d(law) for law in PAPER_LAWS} == {"simple": 0.48, "full": None, "size": 0.48}
