"""Forecasts are made from the small sizes alone and judged on the large ones."""

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.api import fit_table
from syn2real.laws.extrapolation import extrapolate

SIZES = 1000 * 2 ** np.arange(11)


def _table(gap: float = 0.5) -> pd.DataFrame:
    rows = [
        {"setting": "a", "ftask": "f", "target": "t", "n": n, "seed": seed, "error": 2 * n**-0.5 + gap + wave}
        for n in SIZES
        for seed, wave in enumerate((-0.001, 0.001))
    ]
    return pd.DataFrame(rows)


def test_the_law_with_a_gap_forecasts_a_curve_that_has_one() -> None:
    forecasts = extrapolate(_table(), 64_000)
    rmse = {curve["law"]: curve["rmse"] for curve in forecasts["curves"]}
    assert rmse["simple"] < 0.005 < rmse["power"]
    assert [curve["n_predicted"] for curve in forecasts["curves"]] == [4, 4]


def test_nothing_above_the_line_is_seen_by_the_fit() -> None:
    table = _table()
    changed = table.assign(error=table["error"].where(table["n"] <= 64_000, 0.99))
    one, two = extrapolate(table, 64_000), extrapolate(changed, 64_000)
    assert [c["fit"] for c in one["curves"]] == [c["fit"] for c in two["curves"]]
    assert one["curves"][0]["rmse"] < two["curves"][0]["rmse"]


def test_the_error_is_that_of_the_means_above_the_line() -> None:
    table = _table()
    large = [float(n) for n in SIZES if n > 64_000]
    fit = fit_table(table[table["n"] <= 64_000], law="power", predict_at=large)["curves"][0]
    residuals = [row["error"] - (2 * row["n"] ** -0.5 + 0.5) for row in fit["predictions"]]
    forecasts = next(c for c in extrapolate(table, 64_000)["curves"] if c["law"] == "power")
    assert forecasts["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(residuals))))


def test_a_curve_too_short_to_fit_has_a_reason_and_no_error() -> None:
    forecasts = extrapolate(_table(), 2000)
    assert all(c["rmse"] is None and "a fit needs 3" in c["reason"] for c in forecasts["curves"])
