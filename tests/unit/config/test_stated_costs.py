"""What files and pages say that experiments cost is what `syn2real check` prints."""

import re
from pathlib import Path

import pytest
import yaml

from syn2real.plan.costs import plan_lines
from syn2real.plan.estimates import Estimates
from syn2real.plan.read import load_plan

ROOT = Path(__file__).resolve().parents[3]
PAPER = re.findall(r"^PAPER := (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[0].split()


def _printed(file: Path) -> str:
    """Return what check prints of an experiment."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {name: str(ROOT / config[name]) for name in ("renderings", "targets", "recipes", "datasets")}
    plan = load_plan(config | {"experiments": [str(file)]})
    return "\n".join(plan_lines(plan, next(iter(plan.experiments)), Estimates(plan, {})))


def _costs(printed: str) -> list[str]:
    """Return the figures of a check in words; hours below 20 to ones, to tens, above 1,000 to hundreds."""
    runs = {stage: re.search(rf"^  {stage}  (\d+) runs", printed, re.M) for stage in ("pretrain", "finetune")}
    costs = [f"{runs['pretrain'][1]} pre-trainings", f"{runs['finetune'][1]} fine-tunings"]
    hours = [float(text.replace(",", "")) for text in re.findall(r"about ([\d,.]+) device hours", printed)]
    rounded = [f"{round(value, -2 if value >= 1000 else -1 if value >= 20 else 0):,.0f}" for value in hours]
    costs += [f"about {rounded[0]} GPU hours of pre-training", f"{rounded[1]} of fine-tuning"]
    costs += [f"{value} of the reference backbone" for value in rounded[2:]]
    images = sum(int(count.replace(",", "")) for count in re.findall(r"render .*: ([\d,]+) images", printed))
    return costs + ([f"{images:,} rendered images"] if images else [])


def _words(text: str) -> str:
    """Return a text on one line, without the marks of comments."""
    return " ".join(text.replace("#", " ").split())


@pytest.mark.parametrize("name", [*PAPER, "own-renders", "backbones"])
def test_a_file_states_what_check_prints(name: str) -> None:
    file = ROOT / f"config/experiments/{name}.yaml"
    text = file.read_text()
    head = _words(text[text.index("# Cost:") : text.index("# Expected:")])
    costs = _costs(_printed(file))
    for cost in costs:
        assert cost in head, f"{cost} is what check prints"
    for cost in costs[2:]:
        assert cost in yaml.safe_load(text)["cost"], f"{cost} is what check prints"


def test_the_small_comparison_of_backbones_states_its_runs_images_and_hours() -> None:
    file = ROOT / "config/experiments/small/backbones.yaml"
    printed = _printed(file)
    starts, ends, *_, images = _costs(printed)
    found = re.findall(r"^  (?:pretrain|finetune) .*?about ([\d.]+) device", printed, re.M)
    cost = yaml.safe_load(file.read_text())["cost"]
    assert cost == f"{images}, {starts} and {ends}, about {sum(map(float, found)):.1f} hours of one core"


def test_the_page_on_own_renders_has_the_experiment_and_its_cost(tmp_path: Path) -> None:
    page = (ROOT / "docs/own-renders.md").read_text(encoding="utf-8")
    start = page.index("name: my-product\n")
    text = page[start : page.index("```\n", start)]
    mine = yaml.safe_load(text)
    own = yaml.safe_load((ROOT / "config/experiments/own-renders.yaml").read_text())
    for key in ("recipe", "settings", "ptasks", "ftasks", "models", "sizes", "target_error"):
        assert mine[key] == own[key], key
    (tmp_path / "my.yaml").write_text(text)
    for cost in _costs(_printed(tmp_path / "my.yaml"))[2:]:
        assert cost in mine["cost"]
