"""Per-image results beside a table: what `fit` and `advise` say of all photographs like the tested ones."""

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.report.wording import advice_text, fit_text

SIZES = 1000 * 2 ** np.arange(6)
CLASSES = np.array(["chair", "table"])


def judged(folder, count=200, seeds=2):
    """A table of runs on so many photographs, 30 % of which are always wrong, and its files."""
    random = np.random.default_rng(count)
    label, hard = np.arange(count) % 2, random.random(count) < 0.3
    rows = []
    for n in SIZES:
        for seed in range(seeds):
            # Chairs get better with n, tables do not.
            easy = np.where(label == 0, 0.9 * (n / 1000) ** -0.7, 0.2)
            wrong = hard | (random.random(count) < easy)
            file = folder / f"n{n}-{seed}.npz"
            ids = np.arange(count).astype(str)
            np.savez(file, kind="label", ids=ids, classes=CLASSES, label=label, wrong=wrong)
            rows.append((n, seed, wrong.mean(), file))
    return pd.DataFrame(rows, columns=["n", "seed", "error", "per_image"])


def width(tested, name="error"):
    return tested[f"{name}_upper"] - tested[f"{name}_lower"]


def test_the_population_has_wider_intervals_and_nothing_else_changes(tmp_path):
    frame = judged(tmp_path)
    plain = fit_table(frame.drop(columns="per_image"), predict_at=[32000])
    result = fit_table(frame, predict_at=[32000])
    tested = result["curves"][0].pop("photographs")
    assert result == plain
    (row,) = result["curves"][0]["predictions"]
    assert (tested["count"], tested["source"], tested["n"]) == (200, "per-image results", 32000)
    assert tested["error_lower"] < row["lower"] < row["upper"] < tested["error_upper"]
    # Most of the error is of photographs that are always wrong: nearly that of a rate on so many.
    rate = 2 * 1.96 * np.sqrt(row["error"] * (1 - row["error"]) / 200)
    assert 0.6 * rate < width(tested) < 1.3 * rate
    assert width(tested, "constant") > width(tested) / 3


def test_more_photographs_are_nearer_to_all_of_them(tmp_path):
    few, many = (fit_table(judged(tmp_path, count))["curves"][0]["photographs"] for count in (100, 2000))
    assert width(many) < 0.5 * width(few)


def test_classes_that_fall_are_named(tmp_path):
    result = fit_table(judged(tmp_path, 2000))
    falls = {one["class"]: one["falls"] for one in result["curves"][0]["photographs"]["classes"]}
    assert falls == {"chair": True, "table": False}
    assert "still falling with n: chair; unclear: table" in fit_text(result)


def test_of_many_classes_a_sentence_names_some(tmp_path):
    result = fit_table(judged(tmp_path))
    one = result["curves"][0]["photographs"]["classes"][0]
    result["curves"][0]["photographs"]["classes"] = [one | {"class": f"class {k}"} for k in range(40)]
    assert "class 11 and 28 more" in fit_text(result) and "class 12" not in fit_text(result)


def test_a_verdict_says_whom_it_is_about(tmp_path):
    frame = judged(tmp_path, 100)
    error = fit_table(frame, predict_at=[32000])["curves"][0]["predictions"][0]["error"]
    result = advise_table(frame, error * 1.1, max_images=64000)
    tested = result["curves"][0]["photographs"]
    assert tested["p_these"] > 0.8 > tested["p_all"] and not tested["sure"] and tested["settles"] > 100
    text = advice_text(result)
    assert "This is about the 100 test images alone" in text and "would settle it" in text
    unsure = advise_table(frame, error, max_images=32000)
    assert 0.2 < unsure["curves"][0]["photographs"]["p_these"] < 0.8
    assert "It is open on the 100 test images, too (probability" in advice_text(unsure)
    sure = advise_table(frame, 0.9)
    assert sure["curves"][0]["photographs"]["sure"]
    assert "holds beyond the 100 test images, for all like them" in advice_text(sure)


def test_the_number_of_photographs_alone_gives_a_bound():
    n = 1000 * 2.0 ** np.arange(7)
    frame = pd.DataFrame({"n": n, "error": 4 * n**-0.5 + 0.3})
    (curve,) = fit_table(frame, test_size=400)["curves"]
    tested = curve["photographs"]
    assert tested["source"] == "binomial" and tested["classes"] == []
    assert 2 * 1.96 * np.sqrt(0.33 * 0.67 / 400) < width(tested) < 1.4 * 2 * 1.96 * np.sqrt(0.33 * 0.67 / 400)
    assert "(binomial, at most so wide)" in advice_text(advise_table(frame, 0.3, test_size=400))
    plain = advise_table(frame, 0.3)
    assert "photographs" not in plain["curves"][0]
    assert "All of this is about the images that the runs were tested on." in advice_text(plain)


def others(frame):
    """Let one run be tested on photographs with other names."""
    with np.load(frame["per_image"][0]) as stored:
        columns = dict(stored) | {"ids": np.arange(len(stored["ids"])).astype(str)[::-1]}
    np.savez(frame["per_image"][0], **columns)


def emptied(frame):
    """Let one run have no file."""
    frame.loc[3, "per_image"] = ""


def reclassed(frame):
    """Let one run have fewer classes."""
    with np.load(frame["per_image"][0]) as stored:
        columns = dict(stored) | {"classes": CLASSES[:1], "label": np.zeros(len(stored["ids"]), int)}
    np.savez(frame["per_image"][0], **columns)


def exchanged(frame):
    """Let two runs have each other's results."""
    frame["per_image"] = frame["per_image"].to_numpy()[::-1]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (exchanged, "have other errors than the table"),
        (lambda frame: frame["per_image"][0].unlink(), "are not there, such as"),
        (others, "were tested on different images"),
        (emptied, "1 of 12 runs of the curve have no per-image results: none are used"),
        (reclassed, "were tested on different images or classes"),
    ],
)
def test_files_that_cannot_be_used_leave_the_rest_as_it_is(change, note, tmp_path):
    frame = judged(tmp_path)
    change(frame)
    result, plain = fit_table(frame), fit_table(frame.drop(columns="per_image"))
    assert note in result["notes"].pop() and result == plain


def test_runs_without_files_are_as_before(tmp_path):
    frame = judged(tmp_path)
    assert fit_table(frame.assign(per_image="")) == fit_table(frame.drop(columns="per_image"))


def test_without_seeds_runs_of_equal_errors_are_two_where_their_files_are(tmp_path):
    frame = judged(tmp_path)
    twin = tmp_path / "twin.npz"
    twin.write_bytes(frame["per_image"][0].read_bytes())
    frame.loc[1, ["error", "per_image"]] = frame["error"][0], twin
    for given, dropped in (
        (frame.drop(columns="seed"), False),
        (frame.drop(columns=["seed", "per_image"]), True),
    ):
        assert ("1 repeated rows were dropped" in fit_table(given)["notes"]) == dropped
