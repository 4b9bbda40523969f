"""The command line as a whole: bad input, missing extras, and what `--help` imports."""

import subprocess
import sys

import pytest

from syn2real.cli import main


@pytest.fixture
def file(tmp_path, points):
    path = tmp_path / "points.csv"
    points.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "{folder}"),
        ("fit", "{folder}/absent.csv"),
        ("fit", "{file}", "--by", "colour"),
        ("fit", "{file}", "--by", "seed"),
        ("fit", "{file}", "--by", "setting"),
        ("fit", "{file}", "--level", "2"),
        ("fit", "{file}", "--predict-at", "0"),
        ("fit", "{file}", "--law", "power", "--method", "paper"),
        ("advise", "{file}", "--target-error", "-1"),
        ("advise", "{folder}", "--target-error", "0.1"),
        ("convert", "{file}.absent", "out.csv"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, file, arguments, capsys):
    filled = [part.format(folder=tmp_path, file=file) for part in arguments]
    assert main(filled) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1


def test_a_missing_extra_is_one_line_and_exit_code_2(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["check"]) == 2
    message = capsys.readouterr().err
    assert message == "error: syn2real check: this command needs pydantic, yaml; install syn2real[workflow]\n"


IMPORTED = """
import sys
from syn2real.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["advise", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    command = [sys.executable, "-c", IMPORTED, *arguments]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()
    assert not {"torch", "pandas", "scipy", "numpy", "pydantic"} & {*imported}


def test_an_unknown_command_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["advice"])
    assert caught.value.code == 2 and "'advise'" in capsys.readouterr().err
