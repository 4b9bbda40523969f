"""The command line's contract: JSON, exit codes, and what it may import."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from syn2real.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path, points):
    path = tmp_path / "points.csv"
    points.to_csv(path, index=False)
    return path


def run(tmp_path, *arguments):
    out = tmp_path / "out.json"
    assert main([*map(str, arguments), "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_fit_writes_the_contract(tmp_path, file, capsys):
    result = run(tmp_path, "fit", file, "--predict-at", "128000,1.28M", "--level", "0.9")
    assert set(result) == {"version", "notes", "curves"}
    curve = result["curves"][0]
    assert curve["curve"] == {"setting": "a", "model": "resnet18", "s": 500}
    assert (curve["law"], curve["method"], curve["n_used"], curve["reason"]) == ("simple", "default", 7, None)
    assert set(curve["fit"]["params"]) == {"D", "alpha", "C"}
    for param in curve["fit"]["params"].values():
        assert set(param) == {"value", "lower", "upper", "status"}
        assert param["status"] in ("ok", "fixed", "at-bound", "unidentified")
    one, two = curve["predictions"]
    assert (one["n"], two["n"], one["s"]) == (128000, 1280000, 500)
    for row in (one, two):
        assert row["predict_lower"] <= row["lower"] < row["error"] < row["upper"] <= row["predict_upper"]
    assert any("pooled over 4 curves" in note for note in result["notes"])
    assert "alpha" in capsys.readouterr().out


def test_no_pool_fits_every_curve_on_its_own(tmp_path, file, points):
    together = run(tmp_path, "fit", file, "--no-pool")
    points[points.setting == "a"].to_csv(file, index=False)
    apart = run(tmp_path, "fit", file, "--no-pool")
    assert together["curves"][:2] == apart["curves"] and together["notes"] == []


def test_predict_file_asks_for_rows_of_curves(tmp_path, file):
    wish = tmp_path / "wish.csv"
    wish.write_text("n,setting,model,s\n100000,b,resnet50,500\n200000,b,resnet50,500\n5,c,resnet50,500\n")
    result = run(tmp_path, "fit", file, "--predict-file", wish)
    told = {tuple(c["curve"].values()): [p["n"] for p in c["predictions"]] for c in result["curves"]}
    assert told["b", "resnet50", 500] == [100000, 200000]
    assert sum(len(n) for n in told.values()) == 2
    assert any("1 rows of the predict file belong to no curve" in note for note in result["notes"])


@pytest.mark.parametrize("residual", ["log", "linear"])
def test_the_full_law_takes_s_out_of_the_identity(tmp_path, residual):
    path = tmp_path / "full.csv"
    random = np.random.default_rng(0)
    lines = ["ptask,n,s,error"]
    for s in (25623, 51246, 89681, 204986, 409973, 819946):
        for n in 1000 * 2 ** np.arange(7):
            error = 41.8 * (0.478 + n**-0.544) * s**-0.322 * np.exp(1e-4 * random.standard_normal())
            lines.append(f"mulclass,{n},{s},{error}")
    path.write_text("\n".join(lines))
    wish = tmp_path / "wish.csv"
    wish.write_text("n,s,ptask\n128000,1281167,mulclass\n")
    method = ("--method", "paper") if residual == "linear" else ()
    (curve,) = run(tmp_path, "fit", path, "--law", "full", "--predict-file", wish, *method)["curves"]
    assert curve["curve"] == {"ptask": "mulclass"}
    params = {name: param["value"] for name, param in curve["fit"]["params"].items()}
    expected = {"delta": 41.8, "gamma": 0.478, "alpha": 0.544, "beta": 0.322}
    assert params == pytest.approx(expected, rel=0.05)
    truth = 41.8 * (0.478 + 128000**-0.544) * 1281167**-0.322
    assert curve["predictions"][0]["error"] == pytest.approx(truth, rel=0.002)
    assert curve["predictions"][0]["s"] == 1281167


def test_size_takes_the_model_out_of_the_identity(tmp_path, points):
    third = points[points.model == "resnet50"].assign(model="resnet101", n_params=44.5e6)
    third["error"] = 4 * third.n**-0.5 + third.setting.map({"a": 0.3, "b": 0.15}) * (11.7 / 44.5) ** 0.3
    path = tmp_path / "sizes.csv"
    type(points)(np.concatenate([points.values, third.values]), columns=points.columns).to_csv(
        path, index=False
    )
    for law in ("size", "joint"):
        curve = run(tmp_path, "fit", path, "--law", law)["curves"][0]
        assert curve["curve"] == {"setting": "a", "s": 500}
        assert curve["fit"]["params"]["phi"]["value"] == pytest.approx(0.3, abs=0.03)


def test_a_curve_that_cannot_be_fitted_is_there_with_its_reason(tmp_path, file, points):
    points[(points.setting == "a") | (points.n < 4000)].to_csv(file, index=False)
    last = run(tmp_path, "fit", file)["curves"][-1]
    assert last["fit"] is None and last["reason"] == "2 distinct n above 0; a fit needs 3"
    assert last["predictions"] == []


def test_advise_writes_the_contract(tmp_path, file):
    result = run(tmp_path, "advise", file, "--target-error", "0.2", "--max-images", "1e6")
    for curve in result["curves"]:
        assert {"curve", "verdict", "probabilities", "required_n", "next_n", "lever"} <= set(curve)
        assert set(curve["required_n"]) == {"lower", "median", "upper", "p_unreachable"}


def test_bootstrap_intervals_resemble_profile_intervals(tmp_path, file):
    options = ("fit", file, "--method", "least-squares", "--predict-at", "128000")
    one, two = run(tmp_path, *options), run(tmp_path, *options, "--bootstrap", "400")
    for profile, percentile in zip(one["curves"], two["curves"], strict=True):
        a, b = profile["fit"]["params"]["C"], percentile["fit"]["params"]["C"]
        assert b["value"] == pytest.approx(a["value"], rel=0.01)
        assert 0.3 < (b["upper"] - b["lower"]) / (a["upper"] - a["lower"]) < 1.5
    assert "percentile intervals of 400 replicates" in two["notes"]


def test_losses_above_one_are_legal(tmp_path):
    path = tmp_path / "loss.csv"
    path.write_text("n,error\n" + "".join(f"{n},{3 + 50 * n**-0.5}\n" for n in (100, 400, 1600, 6400, 25600)))
    (curve,) = run(tmp_path, "fit", path)["curves"]
    assert curve["fit"]["params"]["C"]["value"] == pytest.approx(3, rel=0.01)


def test_twenty_thousand_rows(tmp_path):
    random = np.random.default_rng(0)
    n = np.repeat(np.unique(np.geomspace(100, 1e6, 5000).astype(int)), 4)
    error = (5 * n**-0.5 + 0.2) * np.exp(0.01 * random.standard_normal(len(n)))
    path = tmp_path / "many.csv"
    rows = (f"{a},{b},{k % 4}" for k, (a, b) in enumerate(zip(n, error, strict=True)))
    path.write_text("n,error,seed\n" + "\n".join(rows))
    (curve,) = run(tmp_path, "fit", path)["curves"]
    params = curve["fit"]["params"]
    assert params["alpha"]["value"] == pytest.approx(0.5, abs=0.03)
    assert params["C"]["value"] == pytest.approx(0.2, abs=0.003)


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
        ("fit", "{file}", "--bootstrap", "100"),
        ("advise", "{file}", "--target-error", "-1"),
        ("advise", "{folder}", "--target-error", "0.1"),
        ("convert", "{file}.absent", "out.csv"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, file, arguments, capsys):
    filled = [part.format(folder=tmp_path, file=file) for part in arguments]
    assert main(filled) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1


def test_a_missing_option_is_exit_code_2(file):
    with pytest.raises(SystemExit) as caught:
        main(["advise", str(file)])
    assert caught.value.code == 2


def test_convert_and_back(tmp_path, capsys):
    header = "n_eval,value,pretrain.data,pscale,ptask,fdata,fratio,ftask,model,nparam,pdata\n"
    source, points, back = (tmp_path / name for name in ("source.csv", "points.csv", "back.csv"))
    source.write_text(
        header + "".join(f"1,0.{n},{n},64k,objdet,coco,1,objdet,r50,23.9,bop\n" for n in (11, 22, 33))
    )
    assert main(["convert", str(source), str(points)]) == 0
    assert main(["convert", str(points), str(back)]) == 0
    assert "3 runs" in capsys.readouterr().out
    assert back.read_text() == source.read_text()


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
