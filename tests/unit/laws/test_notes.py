"""What a fit says beside its numbers."""

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.api import fit_table

N = 1000 * 2 ** np.arange(7)


def _table(error: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"setting": "a", "n": N, "error": error})


@pytest.mark.parametrize(("law", "bound"), [("simple", "0.01"), ("power", "1e-06")])
def test_a_fit_on_its_lower_bound_is_said_to_lie_there(law: str, bound: str) -> None:
    rising = fit_table(_table(np.linspace(0.3, 0.5, len(N))), law=law, method="least-squares")
    place = f"alpha lies on the lower bound {bound} of its range"
    assert f"{place}: the error falls more slowly still, or not at all (setting a)" in rising["notes"]
    falling = fit_table(_table(0.9 * N**-0.3), law=law, method="least-squares")
    assert not any("bound" in note for note in falling["notes"])


def test_a_fall_slower_than_the_simple_law_allows_is_the_power_laws() -> None:
    slow = _table(0.95 * N**-0.005)
    (simple,) = fit_table(slow, law="simple", method="least-squares")["curves"]
    (power,) = fit_table(slow, law="power")["curves"]
    assert simple["fit"]["params"]["alpha"]["status"] == "at-bound"
    assert power["fit"]["params"]["alpha"]["status"] == "ok"
    assert power["fit"]["params"]["alpha"]["value"] == pytest.approx(0.005, rel=0.02)


def test_a_prediction_has_the_law_beside_the_forecast() -> None:
    table = _table(20 * (N + 6000.0) ** -0.5 + 0.3)
    for law, method in (("simple", "default"), ("power", "default"), ("simple", "paper")):
        (curve,) = fit_table(table, law=law, method=method, predict_at=[1000, 64000, 256000])["curves"]
        p = {"C": 0.0} | {name: param["value"] for name, param in curve["fit"]["params"].items()}
        for row in curve["predictions"]:
            assert row["law"] == pytest.approx(p["D"] * row["n"] ** -p["alpha"] + p["C"], rel=1e-9)
            assert method == "default" and law == "simple" or row["law"] == pytest.approx(row["error"])


def _cells(noise: float, seeds: int = 1) -> pd.DataFrame:
    """Errors at four n and three s that multiply, but for one cell 20 % above; each with some seeds."""
    random = np.random.default_rng(0)
    rows = [
        {
            "n": n,
            "s": s,
            "seed": seed,
            "error": 3 * (0.3 + n**-0.3) * s**-0.2 * np.exp(noise * random.standard_normal()),
        }
        for n in (1000, 4000, 16000, 64000)
        for s in (500, 2000, 8000)
        for seed in range(seeds)
    ]
    table = pd.DataFrame(rows)
    return table.assign(
        error=table["error"].where((table["n"] != 4000) | (table["s"] != 2000), 1.2 * table["error"])
    )


def test_a_cell_that_a_law_misses_by_more_than_the_noise_is_named() -> None:
    def misses(table: pd.DataFrame) -> list[str]:
        return [note for note in fit_table(table, law="full")["notes"] if "misses" in note]

    (note,) = misses(_cells(0.003))
    assert (
        "taken for 1%" in note and "the worst, n = 4,000, s = 2,000, lies 1" in note and "% above it" in note
    )
    (note,) = misses(_cells(0.003, seeds=3))
    assert "as seen between replicates" in note and "n = 4,000, s = 2,000" in note
    assert misses(_cells(0.15, seeds=3)) == [], "seeds that scatter by 15 % explain a cell 20 % off"
