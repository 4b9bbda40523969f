"""The law is drawn over the measured sizes and beyond, and every parameter has its row."""

import pandas as pd

from syn2real.laws.api import fit_table, parameter_table
from syn2real.laws.rows import prediction_grid


def test_the_law_is_drawn_from_the_smallest_n_to_four_times_the_largest(points: pd.DataFrame) -> None:
    grid = prediction_grid(points)
    assert (grid[0], grid[-1]) == (1000, 4 * 64000)
    assert grid == sorted(set(grid)) and all(n == int(n) for n in grid)
    assert prediction_grid(points.assign(n=0)) == []


def test_the_table_has_a_row_a_parameter_and_one_for_a_curve_without_a_fit(points: pd.DataFrame) -> None:
    one_model = points[points["model"] == "resnet18"]
    table = parameter_table(fit_table(one_model[(one_model["setting"] == "a") | (one_model["n"] < 4000)]))
    fitted, short = table.iloc[:3], table.iloc[3]
    assert len(table) == 4 and list(fitted["parameter"]) == ["D", "alpha", "C"]
    assert ((fitted["lower"] <= fitted["value"]) & (fitted["value"] <= fitted["upper"])).all()
    assert short["setting"] == "b" and short["status"].startswith("2 distinct n")
