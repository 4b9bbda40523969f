"""The law of effective labels: recovered from rows without pre-training or labels, and offered by name."""

import json

import numpy as np
import pandas as pd
import pytest

from syn2real.cli import main
from syn2real.laws.api import fit_table
from syn2real.laws.forms.effective import LAW, WITH_LOSS
from syn2real.laws.results import Rows

TRUTH = {"c": 2.0, "a": 0.6, "b": 0.15, "k": 1.2}


def table_of(n: list[float], s: list[float], noise: float = 0.0, loss: float = 0.0) -> pd.DataFrame:
    """Errors of the law at every n and s but where both are 0."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame([(a, b) for a in n for b in s if a or b], columns=["n", "s"])
    law = WITH_LOSS.predict(TRUTH | {"E": loss}, Rows.at(rows["n"], rows["s"]))
    return rows.assign(error=law * np.exp(noise * random.standard_normal(len(rows))))


@pytest.mark.parametrize("loss", [False, True])
def test_it_is_recovered_from_rows_without_pretraining_or_labels(loss: bool) -> None:
    table = table_of([0, 1e3, 1e4, 1e5, 1e6], [0, 500, 5e3, 5e4], loss=0.1 * loss)
    result = fit_table(table, law="effective", loss=loss, unit="loss")
    (curve,) = result["curves"]
    params = {name: param["value"] for name, param in curve["fit"]["params"].items()}
    assert params == pytest.approx(TRUTH | ({"E": 0.1} if loss else {}), rel=1e-3)
    assert (curve["n_min"], curve["n_used"]) == (0, 5)
    assert not any("n = 0" in note or "s = 0" in note for note in result["notes"])


def test_a_row_without_pretraining_and_labels_is_left_out() -> None:
    table = table_of([0, 1e4, 1e5, 1e6], [500, 5e3, 5e4])
    result = fit_table(pd.concat([table, pd.DataFrame([{"n": 0, "s": 0, "error": 0.99}])]), law="effective")
    assert result["curves"][0]["fit"] == fit_table(table, law="effective")["curves"][0]["fit"]
    assert "1 rows with s = 0 (no labels) are left out: nothing was learnt" in result["notes"]


def test_its_intervals_hold_the_truth_and_it_is_identified_with_noise() -> None:
    (curve,) = fit_table(table_of([0, 1e4, 1e5, 1e6], [500, 5e3, 5e4, 5e5], 0.005), law="effective")["curves"]
    for name, value in TRUTH.items():
        param = curve["fit"]["params"][name]
        assert param["status"] == "ok" and param["lower"] < value < param["upper"], name


def test_pretraining_that_never_helps_leaves_its_worth_unidentified() -> None:
    table = table_of([0, 1e4, 1e5, 1e6], [500, 5e3, 5e4], 0.005)
    table["error"] = (
        2 * table["s"] ** -0.15 * np.exp(0.005 * np.random.default_rng(1).standard_normal(len(table)))
    )
    (curve,) = fit_table(table, law="effective")["curves"]
    # No fall with n: what is known is not described by the law either.
    assert curve["fit"]["params"]["b"]["status"] == "not-described"
    assert {curve["fit"]["params"][name]["status"] for name in ("a", "k")} <= {"unidentified", "at-bound"}


def test_images_are_worth_fewer_labels_the_more_labels_there_are() -> None:
    few, many = (LAW.predict(TRUTH, Rows.at([0.0, 1e6], s)) for s in (500.0, 5e5))
    assert few[1] / few[0] < 0.8 and many[1] / many[0] > 0.98


def test_the_command_offers_it_and_compares_it_with_the_full_law(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    table_of([0, 1e4, 1e5, 1e6], [500, 5e3, 5e4], 0.005).to_csv(tmp_path / "t.csv", index=False)
    assert (
        main(["fit", str(tmp_path / "t.csv"), "--law", "effective", "--json", str(tmp_path / "f.json")]) == 0
    )
    (curve,) = json.loads((tmp_path / "f.json").read_text())["curves"]
    scores = curve["held_out"]
    assert list(scores) == ["full", "effective"]
    for fold in ("largest s", "largest n"):
        assert scores["effective"][fold] < 0.02 < scores["full"][fold]
    capsys.readouterr()
    assert main(["fit", str(tmp_path / "t.csv"), "--law", "full"]) == 0
    assert "rms log error of what is held out and forecast, largest s: full" in capsys.readouterr().out


def test_a_fall_that_only_this_law_has_is_described_by_it():
    n, s = (grid.reshape(-1) for grid in np.meshgrid([0.0, 100, 1000, 10000, 100000], [10.0, 100, 1000]))
    noise = np.exp(0.002 * np.random.default_rng(0).standard_normal(len(n)))
    table = pd.DataFrame({"n": n, "s": s, "error": 0.7 * (s + 0.02 * n**0.8) ** -0.2 * noise})
    fits = {law: fit_table(table, law=law)["curves"][0] for law in ("effective", "full")}
    assert "falls ever faster" in fits["full"]["shape"] and fits["effective"]["shape"] is None
    statuses = {param["status"] for param in fits["effective"]["fit"]["params"].values()}
    assert "not-described" not in statuses and "ok" in statuses
