"""`syn2real advise`: its JSON contract, and what it may import."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from syn2real.cli import main
from syn2real.laws.bayes import bend, grid

ROOT = Path(__file__).parents[3]


def test_advise_writes_the_contract(tmp_path, file, run):
    result = run("advise", file, "--target-error", "0.2", "--max-images", "1e6")
    for curve in result["curves"]:
        assert {"curve", "verdict", "probabilities", "required_n", "next_n", "lever"} <= set(curve)
        assert set(curve["required_n"]) == {"lower", "median", "upper", "p_unreachable"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--plot a.png", "a.png: --plot: is written as .svg"),
        ("--html a.svg", "a.svg: --html: is written as .html"),
        ("--html a.html --json ./a.html", "a.html: --html: is the file of --json too"),
    ],
)
def test_an_output_has_the_suffix_of_its_kind_and_is_no_other_output(
    file, tmp_path, monkeypatch, capsys, words, problem
):
    file = file.resolve()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main(["advise", str(file), "--target-error", "0.2", *words.split()]) == 2
    assert problem in capsys.readouterr().err and sorted(tmp_path.iterdir()) == before


def test_a_missing_option_is_exit_code_2(file):
    with pytest.raises(SystemExit) as caught:
        main(["advise", str(file)])
    assert caught.value.code == 2


BLOCK = """
import sys
ALLOWED = {"numpy", "scipy", "pandas", "dateutil", "six", "pytz", "tzdata", "syn2real"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and top not in sys.stdlib_module_names and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=top)
sys.meta_path.insert(0, Refuse())
from syn2real.cli import main
from syn2real.laws.bayes import bend, grid
sys.exit(main(sys.argv[1:]))
"""


def test_advise_runs_with_numpy_scipy_and_pandas_alone(file):
    command = [sys.executable, "-c", BLOCK, "advise", str(file), "--target-error", "0.2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "change the rendering" in done.stdout


@pytest.mark.slow
def test_pip_install_brings_a_command_that_advises(tmp_path, file):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    quiet = {
        "check": True,
        "capture_output": True,
        "env": {k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    }
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT)], **quiet)
    command = [python.with_name("syn2real"), "advise", str(file), "--target-error", "0.2"]
    assert b"change the rendering" in subprocess.run(command, **quiet).stdout
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], **quiet).stdout
    names = {item["name"].lower() for item in json.loads(listed)}
    assert {"numpy", "scipy", "pandas"} <= names and not names & {"torch", "snakemake", "pydantic", "bpy"}


def test_help_names_every_prior(capsys):
    with pytest.raises(SystemExit):
        main(["advise", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    low, high = np.exp(grid.ALPHA_CENTRE + np.array([-1.96, 1.96]) * grid.ALPHA_SPREAD)
    assert f"around {np.exp(grid.ALPHA_CENTRE):.2f}, from {low:.1f} to {high:.0f} with 95 %" in text
    assert "about {:g} % or {:g} %, equally likely".format(*(100 * grid.NOISE)) in text
    assert f"not at all with probability {np.exp(grid.LOG_WALK[0]):.2f}" in text
    assert f"up to {bend.STEPS[-1]:g} times" in text and f"none with probability {bend.STRAIGHT}" in text
