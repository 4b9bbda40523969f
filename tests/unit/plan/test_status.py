"""`syn2real status` reads what jobs have left; a redirected run says how far it is."""

import io
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from syn2real.cli import main
from syn2real.plan.estimates import runs_of
from syn2real.plan.read import load_named
from syn2real.plan.runs import Pretraining
from syn2real.plan.status import answers, log_of, report_progress

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's configuration, with nothing run yet."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _status(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["status", "config/experiments/smoke.yaml"]) == 0
    return capsys.readouterr().out.splitlines()


def _write(path: str | Path, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def test_before_the_first_call_everything_waits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _status(capsys)
    assert lines[:3] == ["shards        0 of 4 done", "pre-trainings 4 waiting", "fine-tunings  15 waiting"]
    assert lines[4].startswith("left          19 trainings, about ")
    assert lines[5].startswith("disk          0.00 GB in results/, ")
    assert not (folder / "results").exists()


def test_a_run_has_the_state_that_its_files_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load_named("config/config.yaml", ["config/experiments/smoke.yaml"])
    done, failed, stopped, running, *tuned = runs_of(plan)
    _write(done.metrics, json.dumps({"seconds": 7200.0, "error": 0.5, "device": "GPU"}))
    _write(log_of(failed), "Traceback …\nerror: the disk is full\n\n")
    _write(log_of(stopped), "iteration 3\n")
    os.utime(log_of(stopped), (time.time() - 3600,) * 2)
    _write(log_of(running), "iteration 3\n")
    _write(running.metrics, "[]")  # no metrics
    for run, error in zip(tuned, (0.25, 0.75), strict=False):
        _write(run.metrics, json.dumps({"seconds": 3600.0, "error": error, "device": "GPU"}))
    lines = _status(capsys)
    assert lines[1] == "pre-trainings 1 done, 1 running, 1 failed, 1 interrupted"
    assert lines[2] == "fine-tunings  2 done, 13 waiting"
    assert lines[4] == f"failed        {log_of(failed)}: error: the disk is full"
    errors = [line for line in lines if line.startswith("errors")]
    assert all(f"on {run.target}" in line for run, line in zip(tuned, errors, strict=False))
    assert errors[0].endswith(": 0.250 (1 run)") and errors[1].endswith(": 0.750 (1 run)")
    assert errors[0].startswith("errors        no pre-training -> ")


def test_a_shard_that_failed_is_listed_with_its_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load_named("config/config.yaml", ["config/experiments/smoke.yaml"])
    shard = Path(sorted(plan.needed_shards(plan.settings))[0])
    log = Path("results/logs/render") / shard.relative_to("results/renders").with_suffix(".log")
    _write(log, f"error: no Blender {'x' * 2000}\x1b[31m\n")
    lines = _status(capsys)
    assert lines[0] == "shards        0 of 4 done, 1 failed"
    assert lines[4].startswith(f"failed        {log}: error: no Blender xxx") and len(lines[4]) < 700
    assert "\x1b" not in lines[4]


@pytest.mark.parametrize(
    "metrics",
    [
        *("", "{", "[]", "null", '{"seconds": 3, "device": "cpu"}'),
        '{"seconds": "3", "device": "cpu", "error": 0.3}',
        '{"seconds": NaN, "device": "cpu", "error": 0.3}',
        '{"seconds": 1e999, "device": "cpu", "error": 0.3}',
        '{"seconds": -5, "device": "cpu", "error": 0.3}',
        '{"seconds": 3, "device": ["cpu"], "error": 0.3}',
        '{"seconds": 3, "device": "cpu", "error": null}',
        '{"seconds": 3, "device": "cpu", "error": "x"}',
        '{"seconds": true, "device": "cpu", "error": 0.3}',
    ],
)
def test_metrics_that_are_not_a_run_s_count_as_not_done(
    folder: Path, capsys: pytest.CaptureFixture[str], metrics: str
) -> None:
    plan = load_named("config/config.yaml", ["config/experiments/smoke.yaml"])
    _write(next(run for run in runs_of(plan) if not isinstance(run, Pretraining)).metrics, metrics)
    assert _status(capsys)[2] == "fine-tunings  15 waiting"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("published-cross-task", "published-cross-task: a table of measurements, no runs"),
        ("demo-complexity", "complexity    0 of 8 done"),
    ],
)
def test_what_has_no_runs_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, line: str
) -> None:
    assert main(["status", f"config/experiments/{name}.yaml"]) == 0
    assert line in capsys.readouterr().out.splitlines()


def test_hours_left_are_those_of_finished_runs_before_the_recipe(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syn2real.tasks.schema.TrainingSection.hours", lambda _: 10.0)
    plan = load_named("config/config.yaml", ["config/experiments/demo.yaml"])
    runs = runs_of(plan)
    pretrainings = [run for run in runs if isinstance(run, Pretraining)]
    for run in runs[len(pretrainings) :]:
        _write(run.metrics, json.dumps({"seconds": 3600.0, "error": 0.5, "device": "GPU"}))
    assert main(["status", "config/experiments/demo.yaml"]) == 0
    n = len(pretrainings)
    expected = f"{n} trainings, about {10 * n:.2f} device hours, the longest run 10.00 (by the recipe's "
    assert expected in capsys.readouterr().out
    for run, device, seconds in ((pretrainings[0], "GPU", 1800.0), (pretrainings[1], "cpu", 9.0)):
        _write(run.metrics, json.dumps({"seconds": seconds, "error": 0.5, "device": device}))
    assert main(["status", "config/experiments/demo.yaml"]) == 0
    out = capsys.readouterr().out
    assert f"{n - 2} trainings, about {(n - 2) / 2:.2f} device hours" in out
    assert "the longest run 0.50 (by finished runs on GPU)" in out
    assert main(["check", "config/experiments/demo.yaml", "--price", "2"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  pretrain "))
    assert line.endswith(f"{n:.2f} at 2 an hour (by finished runs on GPU)")


@pytest.mark.parametrize("price", ["-1", "nan", "inf"])
def test_a_price_is_a_number_of_at_least_0(price: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"--price={price}"]) == 2
    assert "--price: " in capsys.readouterr().err


def test_the_answer_is_the_advice_without_its_markdown(folder: Path) -> None:
    plan = load_named("config/config.yaml", ["config/experiments/smoke.yaml"])
    assert list(answers(plan)) == []
    Path("results/laws/smoke").mkdir(parents=True)
    Path("results/laws/smoke/advice.md").write_bytes(b"\xff")  # a file cut short
    assert list(answers(plan)) == ["answer of smoke (results/laws/smoke/advice.md):"]
    _write("results/laws/smoke/advice.md", "# Will it?\n\n- **a**: yes.\n- **b**: no.\n\n## Numbers\n\n- x\n")
    assert list(answers(plan)) == [
        "answer of smoke (results/laws/smoke/advice.md):",
        "  - a: yes.",
        "  - b: no.",
    ]
    plan.experiments["smoke"].asked.__dict__["claims"] = ("law-holds",)
    _write("results/claims.md", "# The paper's claims\n\nagrees 1, disagrees 0, cannot tell 0.\n")
    assert list(answers(plan))[3:] == [
        "the paper's claims (results/claims.md): agrees 1, disagrees 0, cannot tell 0."
    ]
    _write("results/pilot/smoke.md", "# Length\n\n- **Length 0.5 is enough**: yes.\n\n## Errors\n")
    assert list(answers(plan))[:2] == [
        "pilot of smoke (results/pilot/smoke.md):",
        "  - Length 0.5 is enough: yes.",
    ]


def test_progress_is_printed_again_and_again(folder: Path) -> None:
    plan, stream = load_named("config/config.yaml", ["config/experiments/smoke.yaml"]), io.StringIO()
    report_progress(plan, runs_of(plan), stream, every=0.02)
    deadline = time.monotonic() + 20
    while stream.getvalue().count("\n") < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    first = stream.getvalue().splitlines()[0]
    assert first == "after 0 min: 0 of 4 shards, 0 of 4 pre-trainings, 0 of 15 fine-tunings"
