import numpy as np
import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.convert import METRIC, PUBLISHED, convert_table, read_measurements
from syn2real.laws.reading import read_csv
from syn2real.tasks.schema import task_schema

ROWS = [
    (1, 0.10, "1000", "64k", "objdet", "coco", "1", "objdet", "r50", "23.9", "bop-lv2.5"),
    (2, 0.12, "1000", "64k", "objdet", "coco", "1", "objdet", "r50", "23.9", "bop-lv2.5"),
    (10, 0.15, "1000", "64k", "objdet", "coco", "1", "objdet", "r50", "23.9", "bop-lv2.5"),
    (9, 0.14, "1000", "1280k", "objdet", "coco", "1", "objdet", "r50", "23.9", "bop-lv2.5"),
    (5020, 0.30, "64000", "64k", "mulclass", "imagenet", "64", "sinclass", "r18", "11.4", "bop"),
    (1, 0.04, "2000", "64k", "normal", "ade20k", "1", "semseg", "r50", "23.9", "bop"),
    (3, 0.05, "", "64k", "normal", "ade20k", "1", "semseg", "r50", "23.9", "bop"),
]


@pytest.fixture
def published():
    return pd.DataFrame(ROWS, columns=list(PUBLISHED)).astype(str)


def test_the_last_evaluation_of_a_run_is_its_value(published):
    points, notes = convert_table(published)
    assert notes == ["1 rows without pretrain.data (n) were dropped", "4 runs"]
    first = points.iloc[0]
    assert first.value == 0.15 and first.error == pytest.approx(0.85)
    assert first.setting == "bop-lv2.5" and first.pscale == "64k" and first.model == "resnet50"
    assert points.pscale.tolist() == ["64k", "1280k", "64k", "64k"], "the pool is part of a run's identity"
    assert points.s.tolist() == [1183, 1183, round(0.64 * 1_281_167), 202]
    assert points.n_params.tolist() == [23_900_000, 23_900_000, 11_400_000, 23_900_000]


def test_there_and_back(published):
    points, _ = convert_table(published)
    back, _ = convert_table(points.astype(str))
    assert list(back.columns) == list(PUBLISHED) and len(back) == len(points)
    again, _ = convert_table(back.astype(str))
    pd.testing.assert_frame_equal(again, points)


def test_two_values_of_one_evaluation_are_two_seeds(published):
    twin = published.iloc[[2]].assign(value="0.16")
    points, _ = convert_table(pd.concat([published, published.iloc[[2]], twin]))
    mine = points[(points.ptask == "objdet") & (points.pscale == "64k")]
    assert sorted(zip(mine.seed, mine.value, strict=True)) == [(0, 0.15), (1, 0.16)]


def test_other_tables_are_refused():
    with pytest.raises(InputError, match="error: no such column; the file has: n, value; is it 1 - 'value'"):
        convert_table(pd.DataFrame({"n": ["1"], "value": ["2"]}))
    with pytest.raises(InputError, match="fdata: no such column; convert takes the authors' 11 columns"):
        convert_table(pd.DataFrame([["1"] * 10], columns=[name for name in PUBLISHED if name != "fdata"]))


def test_names_in_capitals_are_those_of_the_published_table(published, tmp_path):
    loud = published.assign(fdata=published.fdata.str.upper()).rename(columns=str.capitalize)
    loud.to_csv(tmp_path / "loud.csv", index=False, sep=";", decimal=",")
    table, notes = convert_table(read_csv(tmp_path / "loud.csv"))
    pd.testing.assert_frame_equal(table, convert_table(published)[0])
    assert "the column 'Pretrain.data' is read as pretrain.data" in notes
    with pytest.raises(InputError, match="no row has an n and a data set of known size"):
        convert_table(published.assign(fdata="voc"))


def test_a_cell_that_is_no_number(published):
    published.loc[1, "value"] = "lost"
    with pytest.raises(InputError, match="value: 'lost' in line 3"):
        convert_table(published)


def test_values_keep_their_digits(published):
    published.loc[2, "value"] = "0.0369916525917479"
    points, _ = convert_table(published)
    assert points.value[0] == np.float64("0.0369916525917479")


def test_an_experiment_selects_rows_and_ignores_what_sets_no_curves_apart(published, tmp_path):
    published.to_csv(tmp_path / "published.csv", index=False)
    points = read_measurements(
        tmp_path / "published.csv", {"ftask": ["objdet"], "s_percent": [1]}, ["pscale"]
    )
    assert "pscale" not in points
    assert sorted(zip(points.n, points.seed, points.value, strict=True)) == [(1000, 0, 0.15), (1000, 1, 0.14)]


def test_a_plain_table_gets_the_names_it_lacks(tmp_path):
    (tmp_path / "plain.csv").write_text("n,error,setting\n10,0.5,a\n10,0.6,a\n20,0.4,a\n")
    points = read_measurements(tmp_path / "plain.csv")
    assert points["seed"].tolist() == [0, 1, 0]
    assert set(points["target"]) == {"unnamed"} and set(points["setting"]) == {"a"}


@pytest.mark.parametrize(
    ("select", "ignore", "message"),
    [
        ({"task": ["objdet"]}, (), "select: there is no column 'task'; did you mean 'ptask'"),
        (
            {"ftask": ["normal"]},
            (),
            "select.ftask: no row has the value 'normal'; the rows that are left have: ",
        ),
        ({"ftask": []}, (), "no row is left after 'select'"),
        ({}, ("pool",), "ignore: there is no column 'pool'; there are: setting"),
    ],
)
def test_a_selection_of_nothing_is_refused(published, tmp_path, select, ignore, message):
    published.to_csv(tmp_path / "published.csv", index=False)
    with pytest.raises(InputError, match=message):
        read_measurements(tmp_path / "published.csv", select, ignore)


BAD = {
    "a percentage": ("value", 2, "61", "value: '61' in line 4 is above 1, as no score is; divide"),
    "no result": ("value", 2, "-1", "value: '-1' in line 4 is negative"),
    "a share": ("pretrain.data", 2, "0.5", "'0.5' in line 4 is not whole, but pretrain.data counts images"),
    "too many": ("pretrain.data", 2, "1e30", "'1e30' in line 4 is too large"),
    "labels": ("fratio", 2, "640", "640 in line 4 is not above 0 and at most 100, in percent"),
    "parameters": ("nparam", 2, "23900000", "is not above 0 and at most 100,000, in millions"),
}  # fmt: skip


@pytest.mark.parametrize(("column", "row", "cell", "problem"), BAD.values(), ids=BAD)
def test_a_cell_that_cannot_be_is_refused_with_its_line(published, column, row, cell, problem):
    published.loc[row, column] = cell
    with pytest.raises(InputError) as caught:
        convert_table(published)
    assert problem in str(caught.value)


POINTS = "n,error,seed\n1000,0.6,0\n2000,0.5,0\n4000,0.45,0\n"
TABLES = {
    "percentages": (POINTS.replace("0.", ""), "6 in line 2 is above 1, as no error rate is"),
    "value": (POINTS.replace("seed", "value"), "is not 1 - error"),
    "shares": (POINTS.replace("000,", ".5,"), "is not whole, but n counts images"),
    "a seed twice": (POINTS + "1000,0.61,0\n", "lines 2 and 5 have the errors 0.6 and 0.61"),
}


@pytest.mark.parametrize(("text", "problem"), TABLES.values(), ids=TABLES)
def test_points_are_checked_by_both_who_read_them(tmp_path, text, problem):
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_measurements(path)
        convert_table(read_csv(path), path)
    assert problem in str(caught.value) and str(caught.value).startswith(str(path))


def test_what_the_published_columns_cannot_hold_is_said(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(POINTS.replace("seed", "lr").replace(",", ";").replace(".", ","))
    table, notes = convert_table(read_csv(path), path)
    assert table["value"].tolist() == pytest.approx([0.4, 0.5, 0.55])
    assert "it has no place for lr" in notes and "numbers have decimal commas" in notes


@pytest.mark.parametrize("task", ["objdet", "sinclass"])
def test_a_metric_has_the_name_that_runs_have(task):
    assert METRIC[task] == task_schema(task).METRIC


def test_a_table_of_an_earlier_version_may_call_it_map(published, tmp_path):
    points, _ = convert_table(published)
    points.assign(metric=points.metric.replace("mAP@[.5:.95]", "mAP")).to_csv(tmp_path / "p.csv", index=False)
    read = read_measurements(tmp_path / "p.csv")
    assert read.metric.tolist() == points.metric.tolist() and "mAP@[.5:.95]" in points.metric.tolist()
    assert any("mAP of objdet is read as mAP@[.5:.95]" in note for note in read.attrs["notes"])


def test_a_run_with_errors_by_both_names_has_two_metrics(published, tmp_path):
    points, _ = convert_table(published)
    other = points.assign(metric=points.metric.replace("mAP@[.5:.95]", "mAP"), value=0.9, error=0.1)
    pd.concat([points, other[other.metric == "mAP"]]).to_csv(tmp_path / "p.csv", index=False)
    assert {"mAP", "mAP@[.5:.95]"} <= set(read_measurements(tmp_path / "p.csv").metric)
