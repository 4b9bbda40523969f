"""The tutorial's notebook runs, and prints what its page shows.

`python tests/unit/docs/test_tutorial.py` writes what it prints now into the notebook.
"""

import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "docs/tutorial.ipynb"


def printed(cells: list[dict[str, Any]], folder: Path) -> list[str]:
    """Run the cells of code one after another in a folder; return what each prints."""
    names: dict[str, Any] = {}
    found = []
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    with contextlib.chdir(folder):
        for cell in cells:
            source = "".join(cell["source"])
            if source.startswith("!syn2real "):
                command = [sys.executable, "-m", "syn2real.cli", *shlex.split(source)[1:]]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
                found.append(done.stdout)
                continue
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(source, NOTEBOOK.name, "exec"), names)
            found.append(out.getvalue())
    return found


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    cells = [c for c in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    shown = ["".join(line for output in cell["outputs"] for line in output["text"]) for cell in cells]
    assert printed(cells, tmp_path) == shown


if __name__ == "__main__":
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    with tempfile.TemporaryDirectory() as folder:
        for cell, text in zip(cells, printed(cells, Path(folder)), strict=True):
            lines = text.splitlines(keepends=True)
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if text else []
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
