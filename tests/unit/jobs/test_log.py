"""A job's log holds everything it prints; its end is one line on the terminal."""

import subprocess
import sys
from pathlib import Path

import pytest


def _run(tmp_path: Path, body: str) -> tuple[int, str, str]:
    code = (
        f"import os, sys\nfrom syn2real.jobs.log import job_log\n"
        f"from syn2real.errors import InputError\n{body}"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    log = tmp_path / "logs" / "job.log"
    return result.returncode, result.stderr, log.read_text() if log.is_file() else ""


def test_prints_of_python_and_of_the_process_go_to_the_log(tmp_path: Path) -> None:
    body = "with job_log('logs/job.log'):\n    print('one')\n    os.system('echo two')\n"
    code, terminal, log = _run(tmp_path, body)
    assert (code, terminal) == (0, "")
    assert sorted(log.split()) == ["one", "two"]


def test_bad_input_is_one_line_and_code_2(tmp_path: Path) -> None:
    body = "with job_log('logs/job.log'):\n    raise InputError('no such\\nthing', file='a.yaml', key='b')\n"
    code, terminal, log = _run(tmp_path, body)
    assert code == 2
    assert terminal == log == "error: a.yaml: b: no such thing\n"


def test_a_defect_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    code, terminal, log = _run(tmp_path, "with job_log('logs/job.log'):\n    1 / 0\n")
    assert code == 1
    assert terminal.count("\n") == 1 and "ZeroDivisionError" in terminal and "logs/job.log" in terminal
    assert "Traceback" in log


def _attempts(tmp_path: Path, *bodies: str) -> list[tuple[int, str, str]]:
    """Run the attempts of one call, one after the other; a body is what the attempt does."""
    head = "from syn2real.jobs.attempts import Attempt\nfrom syn2real.errors import TrainingError\n"
    entered = "with job_log('logs/job.log', Attempt({}, 'scratch')):\n    {}\n"
    ended = []
    for number, body in enumerate(bodies, start=1):
        (tmp_path / "logs/job.log").unlink(missing_ok=True)  # as Snakemake does
        ended.append(_run(tmp_path, head + entered.format(number, body)))
    return ended


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("raise InputError('no such thing', file='a.yaml')", 2, "error: a.yaml: no such thing"),
        (
            "raise TrainingError('it diverged')",
            1,
            "error: TrainingError: it diverged (log: logs/job.log)",
        ),
    ],
)
def test_what_every_attempt_would_end_with_is_met_once(
    tmp_path: Path, body: str, code: int, line: str
) -> None:
    first, second, third = _attempts(tmp_path, body, "print('at work')", "print('at work')")
    assert first[:2] == (code, line + "\n")
    # The log is as the first attempt left it.
    assert second == third == (code, f"{line} (not tried again in this call)\n", first[2])
    (again,) = _attempts(tmp_path, "print('at work')")
    assert again == (0, "", "at work\n")
    assert not (tmp_path / "scratch").exists()


def test_what_another_attempt_may_cure_is_tried_three_times(tmp_path: Path) -> None:
    broken = "raise OSError('no space left')"
    first, second, third, fourth = _attempts(tmp_path, broken, broken, broken, "print('at work')")
    assert [ended[0] for ended in (first, second, third, fourth)] == [1, 1, 1, 1]
    assert "not tried again" not in third[1] and "not tried again" in fourth[1]
    cured = _attempts(tmp_path, broken, "print('at work')")
    assert [ended[0] for ended in cured] == [1, 0] and not (tmp_path / "scratch").exists()


def test_a_file_that_a_lost_connection_hides_is_tried_again(tmp_path: Path) -> None:
    lost = "from syn2real.errors import InputError\n    try: raise OSError(5, 'Input/output error')\n"
    lost += "    except OSError: raise InputError('cannot be read', file='a.png') from None"
    ended = _attempts(tmp_path, lost, "print('at work')")
    assert ended == [(2, "error: a.png: cannot be read\n", ended[0][2]), (0, "", "at work\n")]


def test_a_killed_attempt_is_repeated(tmp_path: Path) -> None:
    killed, *others = _attempts(tmp_path, *["os.kill(os.getpid(), 9)"] * 4, "print('at work')")
    assert killed[0] == -9 and [ended[0] for ended in others] == [-9, -9, -9, 0]
