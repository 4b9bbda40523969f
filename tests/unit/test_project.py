"""The project's own files say the same: versions, and what must hold before a change is merged."""

import re
from pathlib import Path

import yaml

from syn2real.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_hooks_format_with_the_locks_ruff() -> None:
    [locked] = re.findall(r"^(ruff==\S+)", (ROOT / "envs/requirements.txt").read_text(), re.MULTILINE)
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    needs = {hook["id"]: hook["additional_dependencies"] for hook in repository["hooks"]}
    assert {*needs} == {"ruff", "ruff-format", "snakefmt", "codespell"}
    assert needs["ruff"] == needs["ruff-format"] == [locked]


def test_a_citation_is_of_this_version_and_names_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__ and citation["license"] == "MIT"
    assert citation["preferred-citation"]["url"].endswith("/2108.11018")


def test_a_forge_runs_what_must_hold_before_a_change_is_merged() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["ci"]
    assert job["steps"][-1] == {"run": ".ci/run"} and (ROOT / ".ci/run").stat().st_mode & 0o100


def test_who_reports_a_wrong_answer_is_asked_for_the_measurements() -> None:
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/wrong-answer.yml").read_text())
    [points] = [field for field in form["body"] if field["id"] == "points"]
    assert "points.csv" in points["attributes"]["description"] and points["validations"]["required"]
