"""`syn2real check` has a line for every experiment, also for one that runs nothing."""

from pathlib import Path

import pytest
import yaml

from syn2real.cli import main

ROOT = Path(__file__).resolve().parents[3]


def test_an_experiment_on_given_measurements_says_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check", "config/experiments/published-full-law.yaml"]) == 0
    question, source = capsys.readouterr().out.splitlines()
    assert question.startswith("experiment published-full-law: ")
    assert source.startswith("  measured  https://") and source.endswith("results_finetune.csv, no runs")


def _total(capsys: pytest.CaptureFixture[str], *experiments: Path | str) -> str:
    assert main(["check", *map(str, experiments)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("in total")]
    (line,) = lines
    return line.removeprefix("in total, what is shared counted once: ")


@pytest.fixture
def priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The smoke experiment by a recipe of which every training takes an hour a run."""
    monkeypatch.chdir(ROOT)
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    (tmp_path / "smoke.yaml").write_text(yaml.safe_dump(value))
    monkeypatch.setattr("syn2real.tasks.schema.TrainingSection.hours", lambda _: 1.0)
    monkeypatch.setattr("syn2real.plan.costs.missing_blender", lambda _: [])  # needs a process
    return tmp_path / "smoke.yaml"


def test_the_total_holds_images_runs_and_the_reference_backbone(
    priced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _total(capsys, priced) == (
        "112 images to render, 0 of them rendered already; 4 pre-trainings, 15 fine-tunings, "
        "1 reference backbone; training: about 20.00 device hours, the longest run 1.00 "
        "(by the recipe's assumption)"
    )


def test_the_longest_run_is_named(
    priced: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("syn2real.tasks.sinclass.schema.Section.hours", lambda _: 2.5)
    assert _total(capsys, priced).endswith(
        "about 29.00 device hours, the longest run 2.50 (by the recipe's assumption)"
    )


def test_what_experiments_share_is_counted_once(priced: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = yaml.safe_load(priced.read_text())
    more = priced.with_name("more.yaml")
    more.write_text(yaml.safe_dump(value | {"name": "more", "sizes": [0, 8, 24]}))
    # Two more shards of pre-training images; four more pre-trainings with three fine-tunings each.
    assert _total(capsys, priced, more) == (
        "128 images to render, 0 of them rendered already; 8 pre-trainings, 27 fine-tunings, "
        "1 reference backbone; training: about 36.00 device hours, the longest run 1.00 "
        "(by the recipe's assumption)"
    )
    assert _total(capsys, priced, "config/experiments/own-renders.yaml").startswith(
        "112 images to render, 0 of them rendered already; 17,000 of your own images; "
        "9 pre-trainings, 21 fine-tunings, 1 reference backbone; "
    )


def test_runs_without_an_estimate_are_counted(
    priced: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("syn2real.tasks.sinclass.schema.Section.hours", lambda _: None)
    # The reference backbone and the five runs of sinclass.
    known = "about 14.00 device hours, the longest run 1.00"
    assert _total(capsys, priced).endswith(
        f"{known} and 6 runs without an estimate (by the recipe's assumption)"
    )
    monkeypatch.setattr("syn2real.tasks.schema.TrainingSection.hours", lambda _: None)
    assert _total(capsys, priced).endswith("training: an unknown time")


def test_one_experiment_given_twice_is_refused(priced: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(priced), str(priced)]) == 2
    assert "this experiment is named twice; name it once" in capsys.readouterr().err
