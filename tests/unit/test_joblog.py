"""A job's log holds everything it prints; its end is one line on the terminal."""

import subprocess
import sys
from pathlib import Path


def _run(tmp_path: Path, body: str) -> tuple[int, str, str]:
    code = (
        f"import os, sys\nfrom syn2real.joblog import job_log\nfrom syn2real.errors import InputError\n{body}"
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
