"""The command line as a whole: bad input, missing extras, and what `--help` imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from syn2real.cli import main


@pytest.fixture
def file(tmp_path, points):
    path = tmp_path / "points.csv"
    points.to_csv(path, index=False)
    return path


def refused(arguments, capsys):
    """Run a command that ends with code 2, and return its one line."""
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse's errors
        code = stop.code
    message = capsys.readouterr().err
    assert code == 2 and message.startswith("error: ") and message.count("\n") == 1, message
    return message


ADVISE = "advise {file} --target-error"
REFUSED = {
    "fit {folder}": "is a folder",
    "fit {folder}/points.csw": "no such CSV file; did you mean {folder}/points.csv?",
    "fit /dev/zero": "is a pipe or device",
    "fit {file} --by colour": "--by: there is no column 'colour'",
    "fit {file} --by Setting": "did you mean 'setting'?",
    "fit {file} --by seed": "seed",
    "fit {file} --by setting": "add model, which sets them apart",
    "fit {file} --level 2": "is not between 0 and 0.999; did you mean 0.02?",
    "fit {file} --level .9999999999999999": "is not between 0 and 0.999",
    "fit {file} --level nan": "is not between",
    "fit {file} --predict-at 0": "0 is not a whole number from 1 on",
    "fit {file} --predict-at 64k,0.25": "it looks like a share of a set",
    "fit {file} --law power --method paper": "paper",
    "fit {file} --unit share": "invalid choice: 'share'",
    "fit {file} --frobnicate": "unrecognized arguments: --frobnicate; see syn2real --help",
    "fit {file} --levle .9": "did you mean --level?",
    "fit": "the following arguments are required: FILE; see syn2real fit --help",
    "advise {file}": "the following arguments are required: --target-error",
    ADVISE + " -1": "not a positive number",
    ADVISE + " nan": "not a positive number",
    ADVISE + " 20%": "'20%' is not a number such as 0.45; write 0.2, or with --unit percent 20",
    ADVISE + " 0,2": "write a point for a decimal comma",
    ADVISE + " 45": "45 is above 1, as no error rate is; give --unit percent",
    ADVISE + " 450 --unit percent": "450 is above 100, as no percentage is",
    "advise {folder} --target-error 0.1": "is a folder",
    **{f"{ADVISE} .2 --test-size {n}": "is not a whole number from 1 on" for n in ("inf", "nan", "0")},
    **{f"{ADVISE} .2 --max-images {n}": "is not a whole number from 1 on" for n in ("inf", "-5", "0")},
    ADVISE + " .2 --json {file}": "is read, and would be overwritten",
    ADVISE + " .2 --json {link}": "is read, and would be overwritten",
    ADVISE + " .2 --json {folder}/../{name}/points.csv": "is read, and would be overwritten",
    ADVISE + " .2 --json=": "--json: name a file to write",
    ADVISE + " .2 --json {folder}": "is a folder",
    ADVISE + " .2 --json {file}/out.json": "is no folder",
    ADVISE + " .2 --json /proc/out.json": "cannot be written",
    ADVISE + " .2 --json /dev/full": "cannot be written: No space left on device",
    "fit {file} --predict-file {file} --json {link}": "is read, and would be overwritten",
    "convert {file}.absent out.csv": "no such CSV file",
    "convert {file} {link}": "is read, and would be overwritten",
    "convert {file} /dev/full": "No space left on device",
    "show {file} -o {link}": "is read, and would be overwritten",
    "theory --r0 1 --r1 1 --xi 2 --zeta 0 --json {file}/x": "is no folder",
}  # fmt: skip


@pytest.mark.parametrize(("words", "problem"), REFUSED.items(), ids=REFUSED)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, file, words, problem, capsys):
    link = tmp_path / "link.csv"
    link.symlink_to(file.name)
    places = {"folder": tmp_path, "file": file, "link": link, "name": tmp_path.name}
    before = file.read_bytes()
    arguments = [word.format(**places) for word in words.split()]
    assert problem.format(**places) in refused(arguments, capsys)
    assert file.read_bytes() == before and link.is_symlink()


def test_a_full_disk_below_the_output_is_one_line(file):
    command = [sys.executable, "-m", "syn2real.cli", "fit", str(file)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_device_is_written_and_stays_one(file, capsys):
    assert main(["fit", str(file), "--json", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device() and "alpha" in capsys.readouterr().out


def test_a_missing_extra_is_one_line_and_exit_code_2(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["check"]) == 2
    message = capsys.readouterr().err
    installs = "pip install '.[workflow]'"
    assert message == f"error: syn2real check: this command needs pydantic, yaml: {installs}\n"


def test_an_unknown_command_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["advice"])
    assert caught.value.code == 2 and "'advise'" in capsys.readouterr().err
