"""The law is drawn over the measured sizes and beyond, and every parameter has its row."""

import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.api import fit_table, parameter_table
from syn2real.laws.reading import read_csv
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


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("n,setting,model\n9,a,resnet18\n9,B,resnet50\n", "'B' in line 3 is in no curve; did you mean 'b'?"),
        ("n,setting\n\n1e5,c\n", "setting: 'c' in line 3 is in no curve; choose from a, b"),
        ("n,setting,s\n1e5,a,700\n", "s: 700 in line 2 is in no curve; choose from 500"),
        ("n,n_params\n1e5,5e6\n", "line 2 belongs to no curve: none has n_params = 5000000"),
        ("n,Settings\n1e5,a\n", "Settings: sets no curve apart; did you mean 'setting'?"),
        ("n,setting\n0,a\n", "predictions need n above 0"),
        ("n,setting\n0.5,a\n", "'0.5' in line 2 is not whole"),
        ("images,setting\n500,a\n", "n: no such column; the file has: images, setting; did you"),
    ],
)  # fmt: skip
def test_rows_to_predict_that_no_curve_has_are_refused(points, tmp_path, rows, problem) -> None:
    path = tmp_path / "goals.csv"
    path.write_text(rows)
    with pytest.raises(InputError) as caught:
        fit_table(points, predict_frame=read_csv(path), predict_file=path)
    assert problem in str(caught.value) and str(caught.value).startswith(str(path))


def test_what_a_predict_file_leaves_out_is_a_note(points, tmp_path) -> None:
    path = tmp_path / "goals.csv"
    path.write_text("n;setting;remark\n64.000,0;a;x\n")
    result = fit_table(points, predict_frame=read_csv(path), law="simple")
    assert [len(curve["predictions"]) for curve in result["curves"]] == [1, 1, 0, 0]
    for note in ("in the predict file", "'remark' of the predict file", "has no model; its rows"):
        assert any(note in one for one in result["notes"]), result["notes"]


def test_a_law_of_labels_needs_them_in_the_predict_file() -> None:
    frame = pd.DataFrame([(n, s) for n in (100, 200, 400) for s in (10, 20, 40)], columns=["n", "s"])
    frame["error"] = (0.2 + frame.n**-0.5) * frame.s**-0.2
    with pytest.raises(InputError, match="s: no such column"):
        fit_table(frame, law="full", predict_frame=pd.DataFrame({"n": [800]}))
