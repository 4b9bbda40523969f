"""`syn2real check` has a line for every experiment, also for one that runs nothing."""

from pathlib import Path

import pytest

from syn2real.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_an_experiment_on_given_measurements_says_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check", "config/experiments/published-full-law.yaml"]) == 0
    question, source = capsys.readouterr().out.splitlines()
    assert question.startswith("experiment published-full-law: ")
    assert source.startswith("  measured  https://") and source.endswith("results_finetune.csv, no runs")
