"""What a command or a job of seconds does not import, because that would take longer than its work."""

import subprocess
import sys
from pathlib import Path

import pytest

from syn2real.plugins import names

COMMAND = """
import sys
from syn2real.cli import main
try:
    main({})
except SystemExit:
    pass"""
HEAVY = {"torch", "torchvision", "scipy", "pandas", "matplotlib", "pydantic", "numpy", "cv2", "PIL"}
TASKS = ", ".join(f"syn2real.tasks.{name}.task" for name in names("tasks"))
TRAINING = (
    f"import syn2real.training.pretrain, syn2real.training.finetune, syn2real.backbones.resnet, {TASKS}"
)
ADVISE = ["advise", "points.csv", "--target-error", "0.2"]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (COMMAND.format(["--help"]), HEAVY),
        (COMMAND.format(["--version"]), HEAVY),
        (COMMAND.format(["advise", "--help"]), HEAVY),
        (COMMAND.format(ADVISE), HEAVY - {"numpy", "pandas"}),
        (COMMAND.format(["check"]), HEAVY - {"pydantic"}),
        (TRAINING, {"pandas", "scipy", "matplotlib", "torchmetrics"}),
        ("import syn2real.render.worker", {"torch", "pandas", "scipy", "matplotlib", "trimesh"}),
    ],
    ids=["--help", "--version", "help of a command", "advise", "check", "training", "render worker"],
)
def test_what_is_slow_to_import_is_imported_only_where_it_is_needed(code, absent, tmp_path: Path) -> None:
    rows = [f"{setting},{n},{n**-0.5 + 0.1}" for setting in "ab" for n in (50, 100, 200, 400, 800)]
    (tmp_path / "points.csv").write_text("\n".join(["setting,n,error", *rows]) + "\n")
    show = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    command = [sys.executable, "-c", code + show]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not absent & {*done.stderr.split()}
