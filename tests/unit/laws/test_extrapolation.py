"""Forecasts are made from the small sizes alone and judged on the large ones."""

import os

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.api import fit_table
from syn2real.laws.convert import convert_table
from syn2real.laws.extrapolation import extrapolate, forecast_table
from syn2real.laws.reading import read_csv

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
    rmse = {(curve["law"], curve["method"]): curve["rmse"] for curve in forecasts["curves"]}
    assert rmse["simple", "least-squares"] < 0.005 < rmse["power", "least-squares"]
    assert [curve["n_predicted"] for curve in forecasts["curves"]] == [4, 4, 4]


def test_laws_are_compared_by_one_method_and_the_default_forecast_is_a_series_of_its_own() -> None:
    forecasts = extrapolate(_table(), 64_000)
    series = [("simple", "least-squares"), ("power", "least-squares"), ("simple", "posterior")]
    assert [(curve["law"], curve["method"]) for curve in forecasts["curves"]] == series
    table = forecast_table(forecasts)
    assert list(zip(table["law"], table["method"], strict=True)) == series
    assert table["rmse"].tolist() == [curve["rmse"] for curve in forecasts["curves"]]


def test_the_papers_method_forecasts_too_where_it_is_asked_for() -> None:
    table = _table()
    paper = extrapolate(table, 64_000, paper={"fix_D": 2.0})["curves"][-1]
    assert (paper["law"], paper["method"]) == ("simple", "paper")
    assert paper["fit"]["params"]["D"] == {"value": 2.0, "lower": None, "upper": None, "status": "fixed"}
    assert paper["rmse"] == pytest.approx(0, abs=1e-4), "2 is the D that made the table"


@pytest.mark.parametrize("alpha", [0.003, 0.008])
def test_the_power_laws_forecast_of_a_slow_fall_is_that_of_the_straight_line(alpha: float) -> None:
    noise = np.exp(3e-4 * np.random.default_rng(1).standard_normal(len(SIZES)))
    table = pd.DataFrame({"setting": "a", "n": SIZES, "error": 0.95 * SIZES**-alpha * noise})
    small, large = table[table["n"] < 64_000], table[table["n"] > 64_000]
    slope, start = np.polyfit(np.log(small["n"]), np.log(small["error"]), 1)
    line = np.sqrt(np.mean((np.exp(start) * large["n"] ** slope - large["error"]) ** 2))
    (power,) = (c for c in extrapolate(table, 64_000)["curves"] if c["law"] == "power")
    assert power["rmse"] == pytest.approx(line, rel=1e-3)


def test_nothing_from_the_line_on_is_seen_by_the_fit() -> None:
    """The paper fits n less than 64,000 and judges n above it (§4.4)."""
    table = _table()
    changed = table.assign(error=table["error"].where(table["n"] < 64_000, 0.99))
    one, two = extrapolate(table, 64_000), extrapolate(changed, 64_000)
    assert [c["fit"] for c in one["curves"]] == [c["fit"] for c in two["curves"]]
    assert one["curves"][0]["rmse"] < two["curves"][0]["rmse"]


def test_the_error_is_that_of_the_means_above_the_line() -> None:
    table = _table()
    large = [float(n) for n in SIZES if n > 64_000]
    fit = fit_table(table[table["n"] < 64_000], law="power", predict_at=large)["curves"][0]
    residuals = [row["error"] - (2 * row["n"] ** -0.5 + 0.5) for row in fit["predictions"]]
    forecasts = next(c for c in extrapolate(table, 64_000)["curves"] if c["law"] == "power")
    assert forecasts["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(residuals))))


def test_a_curve_too_short_to_fit_has_a_reason_and_no_error() -> None:
    forecasts = extrapolate(_table(), 2000)
    assert all(c["rmse"] is None and "a fit needs 3" in c["reason"] for c in forecasts["curves"])


@pytest.mark.skipif("SYN2REAL_PUBLISHED_CSV" not in os.environ, reason="SYN2REAL_PUBLISHED_CSV is unset")
def test_the_power_laws_forecast_of_the_published_detector_is_that_of_the_straight_line() -> None:
    points, _ = convert_table(read_csv(os.environ["SYN2REAL_PUBLISHED_CSV"]))
    detector = points[(points["ptask"] == "objdet") & (points["ftask"] == "objdet") & (points["n"] > 0)]
    for line_at in (16000, 32000):
        small, large = detector[detector["n"] < line_at], detector[detector["n"] > line_at]
        slope, start = np.polyfit(np.log(small["n"]), np.log(small["error"]), 1)
        line = np.sqrt(np.mean((np.exp(start) * large["n"] ** slope - large["error"]) ** 2))
        (power,) = (c for c in extrapolate(detector, line_at)["curves"] if c["law"] == "power")
        assert power["rmse"] == pytest.approx(line, rel=1e-3)
