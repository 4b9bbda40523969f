"""The paper's own procedure: its common D, its standard errors, and the numbers that the paper prints."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from syn2real.errors import InputError
from syn2real.laws.api import fit_table
from syn2real.laws.methods import paper
from syn2real.report.wording import fit_text

N = 1000 * 2.0 ** np.arange(7)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """The published measurements behind Figure 1."""
    from syn2real.laws.convert import read_measurements

    if "SYN2REAL_PUBLISHED_CSV" not in os.environ:
        pytest.skip("SYN2REAL_PUBLISHED_CSV is unset")
    return read_measurements(os.environ["SYN2REAL_PUBLISHED_CSV"])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two curves of different D, α and C, each with noise of its own."""
    random = np.random.default_rng(0)
    rows = [
        {"setting": name, "n": n, "error": d * n**-alpha + gap + 0.001 * random.standard_normal()}
        for name, d, alpha, gap in (("a", 0.5, 0.4, 0.5), ("b", 1.5, 0.6, 0.3))
        for n in N
    ]
    return pd.DataFrame(rows)


def test_a_given_d_is_held_and_the_rest_is_bounded_least_squares_with_its_standard_errors(table):
    result = fit_table(table, method="paper", fix_d=0.48)
    for curve in result["curves"]:
        mine = table[table["setting"] == curve["curve"]["setting"]]
        bounds = ((paper.ALPHA_BOUNDS[0], 0), (paper.ALPHA_BOUNDS[1], 1))
        values, cover = curve_fit(
            lambda n, alpha, gap: 0.48 * n**-alpha + gap, mine["n"], mine["error"], (0.5, 0.5), bounds=bounds
        )
        estimates = curve["fit"]["params"]
        assert estimates["D"] == {"value": 0.48, "lower": None, "upper": None, "status": "fixed"}
        pair = [estimates["alpha"], estimates["C"]]
        assert [e["value"] for e in pair] == pytest.approx(values, rel=1e-4)
        assert [e["standard_error"] for e in pair] == pytest.approx(np.sqrt(np.diag(cover)), rel=1e-3)
    assert "paper: D = 0.48 for all curves, held as given" in result["notes"]
    assert "  D      0.48 (fixed)\n" in fit_text(result)


@pytest.mark.parametrize(
    ("d", "status", "note"),
    [(0.5, "settled", "the medians settled"), (1.5, "not-settled", "the medians did not settle")],
)
def test_the_result_says_whether_d_settled(d, status, note):
    """The rounds stay where they start, at D = α = 0.5; from there they do not come to a larger D."""
    result = fit_table(pd.DataFrame({"n": N, "error": d * N**-0.5 + 0.3}), method="paper")
    assert result["curves"][0]["fit"]["params"]["D"]["status"] == status
    assert any(note in one for one in result["notes"])
    assert f"({status})\n" in fit_text(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--fix-D: only --method paper holds D, and only for the laws simple and size"),
        ({"method": "paper", "law": "full"}, "--fix-D: only --method paper holds D"),
        ({"method": "paper", "fix_d": -1.0}, "--fix-D: -1.0 is not a number above 0, such as 0.48"),
        ({"method": "paper", "fix_d": float("nan")}, "--fix-D: nan is not a number above 0"),
        (
            {"method": "paper", "law": "power", "fix_d": None},
            "the paper fits the laws simple, full, size only",
        ),
    ],
)
def test_d_is_held_by_the_papers_method_alone(options, message, table):
    with pytest.raises(InputError) as refused:
        fit_table(table.assign(s=100), **{"fix_d": 0.48, **options})
    assert message in str(refused.value)


def test_the_law_of_the_models_size_is_a_line_through_the_gaps():
    phi, sizes = 0.3, np.array([11e6, 25e6, 60e6])
    rows = [
        {"model": f"m{i}", "n_params": p, "n": n, "error": 0.48 * n**-0.5 + 40 * p**-phi}
        for i, p in enumerate(sizes)
        for n in N
    ]
    (curve,) = fit_table(pd.DataFrame(rows), law="size", method="paper", fix_d=0.48)["curves"]
    values = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
    assert values == pytest.approx({"B": 40, "phi": phi}, rel=1e-3)
    assert curve["fit"]["params"]["phi"]["status"] == "ok"
    (two,) = fit_table(pd.DataFrame(rows[:14]), law="size", method="paper", fix_d=0.48)["curves"]
    assert two["fit"]["params"]["phi"]["lower"] is None


def test_the_published_subset_by_the_papers_rounds(published):
    """Appendix D came to 0.48 on all of the table; on these twelve curves the medians alternate around it."""
    result = fit_table(published, method="paper")
    assert len(result["curves"]) == 12
    (d,) = {curve["fit"]["params"]["D"]["value"] for curve in result["curves"]}
    assert 0.43 < d < 0.51
    assert any("did not settle" in note for note in result["notes"])
    assert any("bounds that bind: alpha at 0.1 in 0 and at 1.5 in 1" in note for note in result["notes"])


def test_the_published_subset_at_the_papers_d_omits_the_alpha_that_the_paper_omits(published):
    """C.1: the standard error of α is above 1 for normal to semseg, and for that pair alone."""
    result = fit_table(published, method="paper", fix_d=0.48)
    errors = {
        (c["curve"]["ptask"], c["curve"]["ftask"]): c["fit"]["params"]["alpha"]["standard_error"]
        for c in result["curves"]
    }
    assert [pair for pair, error in errors.items() if error > 1] == [("normal", "semseg")]
