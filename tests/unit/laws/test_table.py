import numpy as np
import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.api import fit_table
from syn2real.laws.columns import identity_columns
from syn2real.laws.reading import check_frame, read_csv, weigh_by_test_size
from syn2real.laws.table import read_curves, split_curves, split_places


def curves_of(frame, **options):
    checked = check_frame(frame)
    return split_curves(checked, identity_columns(checked, **options))


def test_identity_is_every_column_but_the_contracts_own(points):
    frame = points.assign(metric="acc", value=1 - points.error, s_percent=1, seed=0, weight=1, pscale="64k")
    names = identity_columns(check_frame(frame))
    assert names == ["setting", "model", "s", "pscale"]
    assert identity_columns(check_frame(frame), ["model"]) == ["setting", "s", "pscale"]
    assert identity_columns(check_frame(frame), by=["model"]) == ["model"]


def test_curves_are_sorted_and_keep_the_files_order(points):
    curves, _ = curves_of(points.sample(frac=1, random_state=3).sort_values("setting", ascending=False))
    assert [c.identity["setting"] for c in curves] == ["b", "b", "a", "a"]
    assert all((np.diff(c.n) > 0).all() for c in curves)
    assert curves[0].identity["s"] == 500 and isinstance(curves[0].identity["s"], int)


def test_zero_n_is_reference_and_enters_no_fit():
    frame = pd.DataFrame({"n": [0, 1, 2, 4], "error": [0.9, 0.8, 0.7, 0.65]})
    (curve,), notes = curves_of(frame)
    assert curve.reference == pytest.approx(0.9) and curve.n.tolist() == [1, 2, 4]
    assert any("n = 0" in note for note in notes)
    none = pd.DataFrame({"setting": ["none"], "n": [0], "error": [0.9]})
    (curve,), _ = curves_of(pd.concat([frame.assign(setting="a"), none]))
    assert curve.identity == {"setting": "a"}, "rows with n = 0 alone are no curve"


def test_runs_from_scratch_belong_to_every_curve_that_agrees_in_all_else():
    rows = [("none", "none", "t", 0, 0.9), ("none", "none", "other", 0, 0.5)]
    rows += [(setting, ptask, "t", n, 0.8 / n) for setting in "ab" for ptask in "pq" for n in (1, 2, 4)]
    frame = pd.DataFrame(rows, columns=["setting", "ptask", "target", "n", "error"])
    curves, notes = curves_of(frame)
    assert len(curves) == 4
    assert all(curve.reference == pytest.approx(0.9) and curve.n.tolist() == [1, 2, 4] for curve in curves)
    assert any(note.startswith("2 rows with n = 0") for note in notes)
    (curve,), _ = curves_of(frame[frame["ptask"].isin(["p", "none"]) & frame["setting"].isin(["a", "none"])])
    assert curve.reference == pytest.approx(0.9)


def test_replicates_are_averaged_in_logs_and_their_scatter_kept():
    frame = pd.DataFrame({"n": [1, 1, 2, 4], "error": [0.4, 0.9, 0.5, 0.4], "seed": [0, 1, 0, 0]})
    (curve,), _ = curves_of(frame)
    assert curve.error[0] == pytest.approx(0.6)
    assert curve.replicates == 1 and curve.weight.tolist() == [2, 1, 1]
    assert curve.within == pytest.approx(2 * np.log(1.5) ** 2)


def test_weight_is_a_relative_inverse_variance():
    rows = {"n": [1, 1, 2, 4], "error": [0.4, 0.9, 0.5, 0.4], "seed": [0, 1, 0, 0], "weight": [3, 1, 1, 1]}
    (curve,), _ = curves_of(pd.DataFrame(rows))
    assert np.log(curve.error[0]) == pytest.approx((3 * np.log(0.4) + np.log(0.9)) / 4)


def test_rows_that_differ_in_their_error_alone_are_replicates():
    frame = pd.DataFrame({"n": [1, 1, 2, 4], "error": [0.4, 0.9, 0.5, 0.4]})
    (curve,), notes = curves_of(frame)
    assert curve.replicates == 1 and curve.error[0] == pytest.approx(0.6)
    assert "2 rows differ in their error alone and count as replicates (the first: n = 1)" in notes[0]
    apart = frame.assign(run=[0, 1, 0, 0], metric="acc")
    assert len(curves_of(apart)[0]) == 2, "a column that sets them apart still does"
    with pytest.raises(InputError, match="rows disagree for metric = acc, n = 1; add run, which sets them"):
        read_curves(apart, by=["metric"])


def test_metrics_are_never_averaged():
    n = [1000, 2000, 4000]
    rows = [(k, seed, m, e / k**0.5) for k in n for seed in (0, 1) for m, e in (("mAP", 9), ("AP50", 5))]
    frame = pd.DataFrame(rows, columns=["n", "seed", "metric", "error"])
    one, two = fit_table(frame)["curves"]
    assert (one["curve"], two["curve"]) == ({"metric": "mAP"}, {"metric": "AP50"})
    assert len(fit_table(frame, by=["metric"])["curves"]) == 2
    by_target = (
        frame[frame.metric == "mAP"].assign(target="a"),
        frame[frame.metric == "AP50"].assign(target="b"),
    )
    assert [c["curve"] for c in fit_table(pd.concat(by_target))["curves"]] == [
        {"target": "a"},
        {"target": "b"},
    ]


def test_shares_of_the_labels_set_curves_apart_where_there_is_no_s(points):
    rows = pd.concat([points.assign(s_percent=p, error=points.error * 2**-p) for p in (1, 2)])
    assert len(curves_of(rows.drop(columns="s"))[0]) == 8
    beside = points.assign(s_percent=points.s / 50)
    assert "s_percent" not in identity_columns(check_frame(beside)), "s says it already"


def test_runs_without_labels_are_a_curve_and_left_out_where_a_law_takes_log_s():
    grid = [(n, s) for n in (0, 100, 200, 400) for s in (0, 10, 20, 40)]
    frame = pd.DataFrame(grid, columns=["n", "s"])
    frame["error"] = (0.2 + (frame.n + 50) ** -0.5) * (frame.s + 5) ** -0.2
    assert [c["curve"] for c in fit_table(frame)["curves"]] == [{"s": s} for s in (0, 10, 20, 40)]
    result = fit_table(frame, law="full")
    assert "4 rows with s = 0 (no labels) are left out: the law takes log s" in result["notes"]
    (curve,), _ = read_curves(check_frame(frame), varies=["s"])
    assert curve.s.min() == 10 and curve.start.s.tolist() == [10, 20, 40] and (curve.start.n == 0).all()
    assert [part.start.s.tolist() for part in split_places(curve)] == [[40], [20], [10]]
    with pytest.raises(InputError, match="predictions need s above 0"):
        fit_table(frame, law="full", predict_frame=pd.DataFrame({"n": ["100"], "s": ["0"]}))


def test_two_n_with_several_s_are_enough_for_a_law_of_both():
    frame = pd.DataFrame([(n, s) for n in (100, 400) for s in (10, 20, 40, 80)], columns=["n", "s"])
    frame["error"] = 2 * (0.2 + frame.n**-0.5) * frame.s**-0.2
    (curve,) = fit_table(frame, law="full")["curves"]
    assert curve["reason"] is None and curve["fit"]["rmse_log"] < 1e-3
    with pytest.raises(InputError, match="no curve has 3 distinct n"):
        fit_table(frame)


def test_repeated_rows_are_dropped_and_noted():
    frame = pd.DataFrame({"n": [1, 1, 2, 4], "error": [0.4, 0.4, 0.5, 0.4]})
    (curve,), notes = curves_of(frame)
    assert curve.weight.tolist() == [1, 1, 1]
    assert "1 repeated rows were dropped" in notes


GOOD = "n,error\n1000,0.5\n2000,0.45\n4000,0.42\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("  \n \n", "is empty"),
        (",,,\n,,,\n", "is empty"),
        ("sep=;\n", "is empty"),
        ("n,error\n", "no rows"),
        ("n,value\n1,2\n", "error: no such column"),
        ("m,error\n1,2\n", "n: no such column"),
        (GOOD + "8000,none\n", "error: 'none' in line 5 is not a finite number"),
        (GOOD + "8000,\n", "line 5 is not a finite number"),
        (GOOD + "8000,nan\n", "line 5 is not a finite number"),
        (GOOD + "nan,0.4\n", "n: 'nan' in line 5"),
        (GOOD + "8000,inf\n", "not a finite number"),
        (GOOD + "8000,0\n", "no error on N test examples means about 1/(2N): give --test-size N"),
        (GOOD + "8000,-0.1\n", "is not positive"),
        (GOOD + "-8000,0.1\n", "is negative"),
        ("n,error\n1000,0.5\n2000,0.4\n", "no curve has 3 distinct n"),
        ("n,error\n0,0.5\n2000,0.4\n4000,0.3\n", "no curve has 3 distinct n"),
        ("n,error,weight\n1,0.5,1\n2,0.4,0\n3,0.3,1\n", "weight: '0' in line 3 is not positive"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, text, problem):
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        fit_table(read_csv(path), file=path)
    message = str(caught.value)
    assert problem in message and message.startswith(str(path)) and "\n" not in message


def test_a_directory_and_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="is a folder; give a CSV file"):
        read_csv(tmp_path)
    with pytest.raises(InputError, match="no such CSV file"):
        read_csv(tmp_path / "absent.csv")


def test_names_that_look_like_nothing_stay_names(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("setting,n,error\n" + "".join(f"NA,{n},0.{n}\nnull,{n},0.{n}\n" for n in (1, 2, 3)))
    (one, two), _ = curves_of(read_csv(path))
    assert (one.identity, two.identity) == ({"setting": "NA"}, {"setting": "null"})


def test_only_the_ratio_of_weights_matters():
    n = 1000 * 2 ** np.arange(7)
    frame = pd.DataFrame({"n": n, "error": 3 * n**-0.5 + 0.2, "weight": np.linspace(1, 3, 7)})
    one, two = (fit_table(frame.assign(weight=unit * frame.weight), predict_at=[1e6]) for unit in (1, 1000))
    assert one["curves"][0]["fit"]["params"]["C"]["lower"] == pytest.approx(
        two["curves"][0]["fit"]["params"]["C"]["lower"]
    )


def test_the_test_sets_size_weighs_error_rates():
    n = 1000 * 2 ** np.arange(7)
    frame = pd.DataFrame({"n": n, "error": 3 * n**-0.5 + 0.02})
    weighed = weigh_by_test_size(check_frame(frame), 1000)
    assert weighed.weight.is_monotonic_decreasing and weighed.weight[0] == pytest.approx(
        1000 * frame.error[0] / (1 - frame.error[0])
    )
    some = frame.assign(error=frame.error.where(frame.n > 1000, 0))
    assert weigh_by_test_size(check_frame(some, zero_error=True), 1000).error[0] == 1 / 2000
    with pytest.raises(InputError, match="every error is 0"):
        weigh_by_test_size(check_frame(frame.assign(error=0), zero_error=True), 1000)
    with pytest.raises(InputError, match="error rates, which lie below 1"):
        fit_table(frame.assign(error=frame.error + 1), test_size=1000, unit="loss")


def test_the_test_sets_size_is_an_absolute_floor_that_replicates_do_not_lower():
    rows = [(n, seed, 0.2 if n > 1000 else 0) for n in (1000, 2000, 4000) for seed in (0, 1, 2)]
    frame = pd.DataFrame(rows, columns=["n", "seed", "error"])
    (curve,), notes = read_curves(frame, test_size=500)
    assert curve.floor == pytest.approx([(1 - 0.001) / 0.001 / 500, 0.8 / 0.2 / 500, 0.8 / 0.2 / 500])
    assert curve.error[0] == pytest.approx(0.001)
    assert notes[0] == "errors of 0 (3 rows) count as 1/(2N) = 0.001"
    (plain,), _ = read_curves(frame.assign(error=0.2))
    assert (plain.floor == 0).all()
