"""`syn2real fit`: its JSON contract."""

import numpy as np
import pytest


def test_fit_writes_the_contract(tmp_path, file, capsys, run):
    result = run("fit", file, "--predict-at", "128000,1.28M", "--level", "0.9")
    assert set(result) == {"version", "unit", "notes", "curves"} and result["unit"] == "rate"
    curve = result["curves"][0]
    assert curve["curve"] == {"setting": "a", "model": "resnet18", "s": 500}
    assert (curve["law"], curve["method"], curve["n_used"], curve["reason"]) == (
        "simple",
        "posterior",
        7,
        None,
    )
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


def test_no_pool_fits_every_curve_on_its_own(tmp_path, file, points, run):
    together = run("fit", file, "--no-pool")
    points[points.setting == "a"].to_csv(file, index=False)
    apart = run("fit", file, "--no-pool")
    assert together["curves"][:2] == apart["curves"] and together["notes"] == []


def test_predict_file_asks_for_rows_of_curves(tmp_path, file, run):
    goals = tmp_path / "goals.csv"
    goals.write_text("n,setting,model,s\n100000,b,resnet50,500\n200000,b,resnet50,500\n")
    result = run("fit", file, "--predict-file", goals)
    found = {tuple(c["curve"].values()): [p["n"] for p in c["predictions"]] for c in result["curves"]}
    assert found["b", "resnet50", 500] == [100000, 200000]
    assert sum(len(n) for n in found.values()) == 2


@pytest.mark.parametrize("residual", ["log", "linear"])
def test_the_full_law_takes_s_out_of_the_identity(tmp_path, residual, run):
    path = tmp_path / "full.csv"
    random = np.random.default_rng(0)
    lines = ["ptask,n,s,error"]
    for s in (25623, 51246, 89681, 204986, 409973, 819946):
        for n in 1000 * 2 ** np.arange(7):
            error = 41.8 * (0.478 + n**-0.544) * s**-0.322 * np.exp(1e-4 * random.standard_normal())
            lines.append(f"mulclass,{n},{s},{error}")
    path.write_text("\n".join(lines))
    goals = tmp_path / "goals.csv"
    goals.write_text("n,s,ptask\n128000,1281167,mulclass\n")
    method = ("--method", "paper") if residual == "linear" else ()
    (curve,) = run("fit", path, "--law", "full", "--predict-file", goals, *method)["curves"]
    assert curve["curve"] == {"ptask": "mulclass"}
    params = {name: param["value"] for name, param in curve["fit"]["params"].items()}
    expected = {"delta": 41.8, "gamma": 0.478, "alpha": 0.544, "beta": 0.322}
    assert params == pytest.approx(expected, rel=0.05)
    truth = 41.8 * (0.478 + 128000**-0.544) * 1281167**-0.322
    assert curve["predictions"][0]["error"] == pytest.approx(truth, rel=0.002)
    assert curve["predictions"][0]["s"] == 1281167


def test_size_takes_the_model_out_of_the_identity(tmp_path, points, run):
    third = points[points.model == "resnet50"].assign(model="resnet101", n_params=44.5e6)
    third["error"] = 4 * third.n**-0.5 + third.setting.map({"a": 0.3, "b": 0.15}) * (11.7 / 44.5) ** 0.3
    path = tmp_path / "sizes.csv"
    type(points)(np.concatenate([points.values, third.values]), columns=points.columns).to_csv(
        path, index=False
    )
    for law in ("size", "joint"):
        curve = run("fit", path, "--law", law)["curves"][0]
        assert curve["curve"] == {"setting": "a", "s": 500}
        assert curve["fit"]["params"]["phi"]["value"] == pytest.approx(0.3, abs=0.03)


def test_a_curve_that_cannot_be_fitted_is_there_with_its_reason(tmp_path, file, points, run):
    points[(points.setting == "a") | (points.n < 4000)].to_csv(file, index=False)
    last = run("fit", file)["curves"][-1]
    assert last["fit"] is None and last["reason"] == "2 distinct n above 0; a fit needs 3"
    assert last["predictions"] == []


def test_losses_above_one_are_legal(tmp_path, run):
    path = tmp_path / "loss.csv"
    path.write_text("n,error\n" + "".join(f"{n},{3 + 50 * n**-0.5}\n" for n in (100, 400, 1600, 6400, 25600)))
    (curve,) = run("fit", path, "--unit", "loss")["curves"]
    assert curve["fit"]["params"]["C"]["value"] == pytest.approx(3, rel=0.02)


def test_twenty_thousand_rows(tmp_path, run):
    random = np.random.default_rng(0)
    n = np.repeat(np.unique(np.geomspace(100, 1e6, 5000).astype(int)), 4)
    error = (5 * n**-0.5 + 0.2) * np.exp(0.01 * random.standard_normal(len(n)))
    path = tmp_path / "many.csv"
    rows = (f"{a},{b},{k % 4}" for k, (a, b) in enumerate(zip(n, error, strict=True)))
    path.write_text("n,error,seed\n" + "\n".join(rows))
    (curve,) = run("fit", path)["curves"]
    params = curve["fit"]["params"]
    assert params["alpha"]["value"] == pytest.approx(0.5, abs=0.03)
    assert params["C"]["value"] == pytest.approx(0.2, abs=0.003)
