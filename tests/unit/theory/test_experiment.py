"""A small theory experiment: what it leaves, and that the laws of the project read it."""

import numpy as np
import pandas as pd
import pytest

from syn2real.cli import main
from syn2real.config.theory import Theory
from syn2real.report.theory.claims import claims_text
from syn2real.report.theory.figures import draw_exponents, draw_laws, draw_network
from syn2real.theory.experiment import Results, run
from syn2real.theory.judge import judge

BOUND = {"r0": 0.75, "r1": 0.5, "xi": 2, "zeta": 0}
SMALL = {
    "name": "small", "question": "q", "cost": "c", "expected": "e",
    "bounds": [BOUND, {"r0": 1, "r1": 0.5, "xi": 2, "zeta": 0.25}],
    "local": {"n": 100, "decades": 8, "bounds": [BOUND]},
    "rates": {
        "n": [1, 2, 4, 8, 16], "s": [16, 64, 4096, 8192], "phi1": [0.3],
        "settings": [{**BOUND, "name": "rate", "penalty": "origin", "lambda1": "table", "count": 40}],
    },
    "laws": {
        "n": [4, 8, 16, 32, 64, 128, 256], "s": [16, 32, 64, 128, 256], "phi1": [0.3],
        "settings": [
            {**BOUND, "name": "all", "count": 60},
            {**BOUND, "name": "head", "count": 60, "update": "head"},
        ],
    },
    "network": {
        "r0": 0.75, "r1": 0.5, "phi0": 0.5, "phi1": 0.2, "widths": [16, 32, 64], "n": 16, "s": 16, "seeds": 2,
        "errors": {"width": 16, "n": [4, 8, 16, 32, 64], "s": [8, 16, 32, 64], "seeds": 2, "phi1": 0.15},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> Results:
    return run(Theory.model_validate(SMALL).params())


def test_points_are_a_table_that_the_laws_read(results: Results, tmp_path, capsys) -> None:
    assert list(results.points) == ["source", "setting", "phi1", "n", "s", "error"]
    assert len(results.points) == 5 * 4 + 2 * 7 * 5 + 5 * 4
    file = tmp_path / "points.csv"
    results.points.to_csv(file, index=False)
    for law in ("full", "additive"):
        assert main(["fit", str(file), "--law", law]) == 0
        assert "head" in capsys.readouterr().out


def test_what_is_updated_decides_which_law_is_nearer(results: Results) -> None:
    found = {entry["setting"]: entry["fits"] for entry in results.fits["laws"]}
    for key in ("rms", "held_out"):
        assert found["all"]["full"][key] < found["all"]["additive"][key]
        assert found["head"]["additive"][key] < found["head"]["full"][key]


def test_errors_lie_below_a_constant_times_the_bound(results: Results) -> None:
    (rate,) = results.fits["rates"]
    assert rate["case"] == "II-A" and 0 < rate["ratio"][0] <= rate["ratio"][1] < 1
    row = results.exponents.iloc[0]
    assert row["numerical_beta"] == pytest.approx(row["beta"], rel=0.01)
    assert row["measured_beta_low"] > 0 and np.isnan(results.exponents["measured_beta_low"].iloc[1])
    assert [*results.exponents["case"]] == ["II-A", "I-A", "II-A"]


def test_the_same_seed_gives_the_same_numbers(results: Results) -> None:
    again = run(Theory.model_validate(SMALL).params())
    pd.testing.assert_frame_equal(again.points, results.points, check_exact=True)
    assert again.fits == results.fits


def test_figures_and_claims_are_drawn_from_it(results: Results) -> None:
    drawn = [
        draw_laws(results.points, results.fits),
        draw_network(results.fits),
        draw_exponents(results.fits),
    ]
    for figure in drawn:
        assert all(ax.get_xlabel() and ax.get_ylabel() for ax in figure.axes)
    text = claims_text("small", results.exponents, results.fits)
    assert "| II-A | 0.75, 0.5, 2, 0 |" in text and "the additive law in head (|φ1| 0.3)." in text
    assert "confirm" not in text


def test_a_law_is_recovered_where_it_holds_exactly() -> None:
    n, s = np.meshgrid(4.0 ** np.arange(1, 7), 4.0 ** np.arange(2, 7), indexing="ij")
    error = 3 * (0.1 + n**-0.5) * s**-0.7
    found = judge(pd.DataFrame({"n": n.ravel(), "s": s.ravel(), "error": error.ravel()}))
    assert found["full"]["held_out"] < 1e-4 < found["additive"]["held_out"]
    assert found["full"]["params"]["alpha"] == pytest.approx(0.5, abs=1e-3)
    assert found["full"]["params"]["gamma"] == pytest.approx(0.1, abs=1e-3)
    assert found["simple"]["rms"] < 1e-4
