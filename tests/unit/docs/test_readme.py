"""What the README shows in a shell can be typed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[3]
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
LINES = [line.partition("#")[0].strip() for line in "".join(BLOCKS).splitlines()]
ELSEWHERE = {"pip install ."}
"""Run by tests/unit/commands/test_advise.py, in an environment of its own."""


def test_blocks_are_found() -> None:
    assert len(LINES) >= 5 and {*LINES} > ELSEWHERE


@pytest.mark.parametrize("line", [line for line in LINES if line not in ELSEWHERE])
def test_a_line_runs(line: str, tmp_path: Path, points: pd.DataFrame) -> None:
    points.to_csv(tmp_path / "points.csv", index=False)
    files = {"points.csv": str(tmp_path / "points.csv"), "my.yaml": "config/experiments/own-renders.yaml"}
    command = [files.get(word, word) for word in shlex.split(line)]
    if command[0] == "make":
        command.insert(1, "--dry-run")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
