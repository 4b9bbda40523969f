import numpy as np
import pandas as pd
import pytest

from syn2real.errors import InputError
from syn2real.laws.api import fit_table
from syn2real.laws.reading import check_frame, read_csv, weigh_by_test_size
from syn2real.laws.table import identity_columns, split_curves


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
        ("n,error\n", "no rows"),
        ("n,value\n1,2\n", "error: no such column"),
        ("m,error\n1,2\n", "n: no such column"),
        (GOOD + "8000,none\n", "error: 'none' in line 5 is not a finite number"),
        (GOOD + "8000,\n", "line 5 is not a finite number"),
        (GOOD + "8000,nan\n", "line 5 is not a finite number"),
        (GOOD + "nan,0.4\n", "n: 'nan' in line 5"),
        (GOOD + "8000,inf\n", "not a finite number"),
        (GOOD + "8000,0\n", "is not positive"),
        (GOOD + "8000,-0.1\n", "is not positive"),
        (GOOD + "-8000,0.1\n", "is negative"),
        (GOOD + "4000,0.43\n", "rows disagree for n = 4000"),
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
    with pytest.raises(InputError, match="is a directory"):
        read_csv(tmp_path)
    with pytest.raises(InputError, match="no such file"):
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
    with pytest.raises(InputError, match="error rates, which lie below 1"):
        fit_table(frame.assign(error=frame.error + 1), test_size=1000)
