"""Arms: each is a curve of its own, compared with photographs alone that were trained in a comparable way."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from syn2real.data import arms as known
from syn2real.errors import InputError
from syn2real.laws import arms
from syn2real.laws.advice import advise_table
from syn2real.laws.api import fit_table
from syn2real.laws.convert import to_published
from syn2real.laws.effect import describe_effect, describe_equal_updates
from syn2real.laws.levers import change_text, change_to, single_factor
from syn2real.laws.reading import read_csv
from syn2real.laws.table import Curve, read_curves, rows_of
from syn2real.report.claim_table import read_needs
from syn2real.report.figures.base import coloured
from syn2real.report.wording import advice_text

SIZES = (100, 200, 400, 800, 1600)
LAWS = {"backbone": (2.0, 0.40, 0.30), "whole": (2.2, 0.45, 0.26), "mixed-0.5": (1.5, 0.40, 0.24)}
"""D, α and C of each arm."""
ALONE, LONGER = 0.50, 0.42
"""Errors of photographs alone, for the fine-tuning's updates and for all."""
NAMED = {"setting": "room", "ptask": "objdet", "ftask": "objdet", "target": "photos", "model": "resnet18"}


def measured(noise: float = 0.01, labels: tuple[int, ...] = (200,)) -> pd.DataFrame:
    """Return three seeds of every arm, as `points` writes them."""
    random, rows = np.random.default_rng(1), []

    def add(error: float, **key: object) -> None:
        rows.append(NAMED | {"initial": "random", "rate": 1.0, "s": 200, "s_percent": 100.0} | key)
        rows[-1]["error"] = error * np.exp(noise * random.standard_normal())

    for seed in range(3):
        for s in labels:
            less, share = (200 / s) ** 0.2, {"s": s, "s_percent": s / 2, "seed": seed}
            none = {"setting": "none", "n": 0} | share
            add(ALONE * less, arm="backbone", ptask="none", rate=3.0, **none)
            add(LONGER * less, arm="photographs-longer", rate=0.3, **none)
            for n in SIZES:
                for arm, (d, alpha, c) in LAWS.items():
                    add((d * n**-alpha + c) * less, arm=arm, n=n, **share)
        for n in SIZES:
            add(3 * n**-0.3 + 0.1, arm="renders-only", n=n, s=0, s_percent=0.0, seed=seed)
    return pd.DataFrame(rows)


def curves_of(frame: pd.DataFrame, **options: object) -> dict[str, Curve]:
    found, _ = read_curves(frame, allow_unfitted=True, **options)
    return {str(curve.identity["arm"]): curve for curve in found}


def logs(frame: pd.DataFrame, **key: object) -> np.ndarray:
    """Return the log errors of some runs, in the order of their seeds."""
    mask = np.logical_and.reduce([frame[name] == value for name, value in key.items()])
    return np.log(frame[mask].sort_values("seed").error.to_numpy())


def test_laws_and_experiments_have_the_same_arms() -> None:
    names = ("BACKBONE", "WHOLE", "RENDERS_ONLY", "LONGER")
    assert [getattr(arms, name) for name in names] == [getattr(known, name) for name in names]
    for name in ("mixed-0.5", "mixed-0.125", "mixed-0.50", "mixed-1", "mixed-0", "mixed", "left", "backbone"):
        experiments = name == known.BACKBONE or re.fullmatch(known.PATTERN, name) is not None
        assert arms.is_arm(name) == experiments


def test_each_arm_is_compared_with_its_own_photographs_alone() -> None:
    frame = measured()
    curves = curves_of(frame)
    assert {*curves} == {*LAWS, "renders-only"}, "photographs-longer has no curve"
    for arm, curve in curves.items():
        base = "photographs-longer" if arm == "mixed-0.5" else "backbone"
        before, after = logs(frame, arm=base, n=0), logs(frame, arm=arm, n=SIZES[-1])
        effect = describe_effect(curve)
        assert effect["change"] == pytest.approx(np.expm1((after - before).mean()))
        assert (effect["start"], effect["s"]) == (pytest.approx(np.exp(before.mean())), 200)
        assert effect["against"] == ("photographs-longer" if arm == "mixed-0.5" else "photographs")
        assert effect["noise"] == "paired by seed, 3 seeds"
        fair = describe_equal_updates(curve)
        if arm not in ("backbone", "whole"):
            assert fair is None
            continue
        change = (after - logs(frame, arm="photographs-longer", n=0)).mean()
        assert fair["change"] == pytest.approx(np.expm1(change)) and fair["against"] == "photographs-longer"


def test_it_says_when_renders_hurt_and_against_what() -> None:
    frame = measured()
    frame.loc[frame.arm == "photographs-longer", "error"] *= 0.6
    frame.loc[frame.arm == "renders-only", "error"] = 0.4 + frame.error / 2
    result = advise_table(frame, 0.3)
    found = {curve["curve"]["arm"]: curve for curve in result["curves"]}
    assert found["backbone"]["effect"]["verdict"] == "helps"
    assert found["backbone"]["equal_updates"]["verdict"] == "hurts so far"
    assert found["mixed-0.5"]["effect"]["verdict"] == "hurts so far"
    text = advice_text(result)
    error = found["backbone"]["error_at_largest_n"]
    assert (
        f"Pre-training hurts so far: with n = 1,600 the error is {error:.4g}, with photographs alone" in text
    )
    assert "Mixing renders in hurts so far: with n = 1,600 the error" in text
    assert "Renders alone do worse so far: with n = 1,600 the error" in text
    assert "with photographs alone (s = 200) 0.50" in text
    assert "| curve | largest n | error there | against photographs alone |" in text
    rows = text.split("## Arms")[1].splitlines()
    row = next(row for row in rows if "arm backbone" in row)
    cells = r"-\d+.\d % \[-\S+, -\S+\] \| \+\d+.\d % \[\+\S+, \+\S+\]"
    assert re.fullmatch(
        rf"\| s 200, arm backbone \| 1,600 \| {error:.4g} \[0.\S+, 0.\S+\] \| {cells} \|", row
    )
    row = next(row for row in rows if "arm mixed" in row)
    assert re.search(r"\]( \|){2} \+\d+.\d % \[\+", row.replace("|  |", "| |")), "as many updates alone"


def test_backbones_alone_are_a_table_without_the_columns() -> None:
    frame = measured().query("arm == 'backbone'")
    plain = advise_table(frame.drop(columns=["arm", "rate"]), 0.3)
    assert advise_table(frame, 0.3) == plain == advise_table(frame.drop(columns="rate").assign(arm=""), 0.3)
    assert "## Arms" not in advice_text(plain)
    _, notes = to_published(frame.assign(rate=1.0, metric="m"))
    assert not any("no place for" in note for note in notes)


def test_a_column_of_another_meaning_is_like_any() -> None:
    halves = [
        pd.DataFrame({"arm": name, "rate": rate, "n": [0, *SIZES], "error": [0.6, 0.5, 0.4, 0.35, 0.3, 0.28]})
        for name, rate in (("left", 1.1), ("right", 1.10001))
    ]
    frame = pd.concat(halves, ignore_index=True)
    other = frame.rename(columns={"arm": "side", "rate": "tempo"})
    for one, two in zip(fit_table(frame)["curves"], fit_table(other)["curves"], strict=True):
        names = one.pop("curve"), two.pop("curve")
        assert [*names[0]] == ["arm", "rate"] and [*names[0].values()] == [*names[1].values()]
        assert one == two


def test_a_table_of_ones_own_may_have_the_start_of_each_arm() -> None:
    errors = {"backbone": 0.5, "whole": 0.6, "mixed-0.5": 0.7}
    rows = [{"arm": arm, "n": n, "error": 0.3} for arm in errors for n in SIZES]
    frame = pd.DataFrame([*rows, *({"arm": arm, "n": 0, "error": e} for arm, e in errors.items())])
    starts = {arm: describe_effect(curve)["start"] for arm, curve in curves_of(frame).items()}
    assert starts == pytest.approx(errors)
    without = frame[(frame.n > 0) | (frame.arm == "backbone")]
    starts = {arm: describe_effect(curve) for arm, curve in curves_of(without).items()}
    assert starts["whole"]["start"] == pytest.approx(0.5) and starts["mixed-0.5"] is None


def test_another_start_or_task_is_no_baseline() -> None:
    frame = measured(noise=0)
    other = frame.assign(initial="imagenet", error=0.9 * frame.error)
    segmented = frame[(frame.arm != "backbone") | (frame.n > 0)].assign(error=0.8 * frame.error)
    segmented["ptask"] = "semseg"
    curves, _ = read_curves(pd.concat([frame, other, segmented], ignore_index=True))
    for curve in curves:
        scale = 0.9 if curve.identity["initial"] == "imagenet" else 1.0
        effect, fair = describe_effect(curve), describe_equal_updates(curve)
        task = 0.8 if curve.identity["ptask"] == "semseg" else scale
        base = LONGER * task if effect["against"] == "photographs-longer" else ALONE * scale
        assert effect["start"] == pytest.approx(base)
        assert fair is None or fair["start"] == pytest.approx(LONGER * task)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            lambda t: t.assign(rate=t.rate.where((t.n > 0) | (t.seed > 0), 2.0)),
            {},
            r"rate: lines 2 and 24 have the values 2 and 3 at n = 0, .*arm backbone; keep those of the one",
        ),
        (lambda t: t, {"by": ["ftask", "s"]}, "arm: lines 2 and 3 have .* at n = 0, .*; add arm to --by"),
        (
            lambda t: t.assign(initial=np.where(t.seed == 1, "imagenet", "random")),
            {"by": ["ftask", "arm", "s"]},
            "initial: lines 2 and 24 have .* at n = 0, .*; add initial to --by",
        ),
        (lambda t: t[t.arm == "photographs-longer"], {}, "no curve has 3 distinct n above 0"),
        (lambda t: t[t.n == 0], {}, "no curve has 3 distinct n above 0"),
    ],
)
def test_what_would_be_averaged_or_has_no_curve_is_one_line(change, options, message) -> None:
    with pytest.raises(InputError, match=message):
        advise_table(change(measured()), 0.3, **options)
    if "distinct" in message:
        assert advise_table(change(measured()), 0.3, allow_unfitted=True, **options)["curves"] == []


def test_rates_set_curves_apart_where_one_would_have_several() -> None:
    frame = measured()
    again = frame.query("arm == 'whole'").assign(rate=0.3, error=lambda t: 1.1 * t.error)
    curves, _ = read_curves(pd.concat([frame, again], ignore_index=True))
    whole = [curve for curve in curves if curve.identity["arm"] == "whole"]
    assert [curve.identity["rate"] for curve in whole] == [1, 0.3]
    assert whole[1].error / whole[0].error == pytest.approx(np.full(5, 1.1))
    alone = np.exp(logs(frame, arm="backbone", n=0).mean())
    assert [describe_effect(curve)["start"] for curve in whole] == pytest.approx([alone, alone])
    both = pd.concat([frame, again], ignore_index=True)
    assert [rows_of(both, curve.identity).sum() for curve in whole] == [15, 15]
    labels = [label for _, label, _ in coloured([{"curve": curve.identity} for curve in whole])]
    assert labels == ["rate 1", "rate 0.3"]


def test_images_of_runs_of_two_arms_are_drawn_together(tmp_path: Path) -> None:
    random, count = np.random.default_rng(5), 400
    hard = random.random(count)
    ids, label = np.array([f"{i}" for i in range(count)]), np.zeros(count, int)
    rows = []
    for arm, n, part in (("backbone", 0, 0.5), ("photographs-longer", 0, 0.45), ("backbone", 100, 0.4)):
        wrong, path = hard < part, tmp_path / f"{arm}{n}.npz"  # the same images are hard for all
        np.savez(path, kind="label", ids=ids, classes=np.array(["a"]), label=label, wrong=wrong)
        rows.append({"arm": arm, "n": n, "error": wrong.mean(), "per_image": str(path)})
    curve = curves_of(pd.DataFrame(rows))["backbone"]
    for found, part in ((describe_effect(curve), 0.5), (describe_equal_updates(curve), 0.45)):
        assert found["noise"] == "the test images, drawn again" and found["verdict"] == "helps"
        before, after = hard < part, hard < 0.4
        gains = after / after.mean() - before / before.mean()
        ends = np.log1p([found["lower"], found["upper"]])
        assert np.diff(ends) / 2 == pytest.approx(1.959964 * gains.std() / np.sqrt(count), rel=0.2)


def test_each_arm_has_its_law_whatever_the_others() -> None:
    fits = {curve["curve"]["arm"]: curve["fit"] for curve in fit_table(measured(noise=0.002))["curves"]}
    for arm, (_, _, c) in LAWS.items():
        found = fits[arm]["params"]["C"]
        assert found["lower"] < c < found["upper"] and found["upper"] - found["lower"] < 0.1


def test_the_full_law_leaves_out_what_learns_from_no_photograph() -> None:
    frame = measured(noise=0, labels=(50, 100, 200))
    result, rest = (fit_table(each, law="full") for each in (frame, frame[frame.arm != "renders-only"]))
    assert result["curves"] == rest["curves"] and len(rest["curves"]) == 3
    assert any("15 rows with s = 0" in note and "renders-only" in note for note in result["notes"])
    assert {*curves_of(frame, varies=("s",), uses_zero=True)} == {*LAWS}
    backbone = result["curves"][0]
    assert backbone["effect"]["start"] == pytest.approx(ALONE) and backbone["effect"]["s"] == 200
    assert backbone["equal_updates"]["start"] == pytest.approx(LONGER)


def test_another_arm_is_a_lever() -> None:
    result = advise_table(measured(), 0.29, max_images=6400)
    found = {curve["curve"]["arm"]: curve for curve in result["curves"]}
    assert found["backbone"]["verdict"] == "use renders another way"
    assert found["backbone"]["levers"]["use renders another way"]["change"] == {"arm": "mixed-0.5"}
    assert found["renders-only"]["verdict"] == "use renders another way"
    assert found["renders-only"]["levers"]["use renders another way"]["change"] == {
        "s": 200,
        "arm": "mixed-0.5",
    }


@pytest.mark.parametrize("labels", [["s"], ["s_percent"], ["s", "s_percent"]])
def test_renders_alone_are_an_arm_though_they_have_no_labels(labels: list[str]) -> None:
    curves = curves_of(measured()[["arm", "n", "error", "seed", *labels]])
    value = {"s": 200, "s_percent": 100}[labels[0]]
    whole, alone = curves["whole"], curves["renders-only"]
    assert single_factor(whole, alone) == single_factor(alone, whole) == "use renders another way"
    assert change_text(change_to(whole, alone)) == "arm = renders-only"
    assert change_text(change_to(alone, whole)) == f"arm = whole, {labels[0]} = {value}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Backbone", "backbone"), ("Mixed-0.5", "mixed-0.5"), ("mixed-50%", "mixed-0.5"),
        ("mixed-.5", "mixed-0.5"), ("mixed 0.5", "mixed-0.5"), ("mixed-0.50", "mixed-0.5"),
        ("renders_only", "renders-only"), ("photographs", "backbone"),
        ("Photographs longer", "photographs-longer"),
        ("mixed-1", None), ("mixed-0", None), ("left", None), ("mixed-0.12345", None),
    ],
)  # fmt: skip
def test_a_misspelt_arm_is_refused_with_the_one_that_is_meant(name: str, meant: str | None) -> None:
    frame = measured()
    frame.loc[5, "arm"] = name
    hint = f"did you mean '{meant}'" if meant else "these are backbone, whole, .* mixed-0.5"
    with pytest.raises(InputError, match=f"arm: '{name}' in line 7 is no arm; {hint}"):
        read_curves(frame)


def test_photographs_alone_have_no_renders_and_a_mix_one_baseline() -> None:
    frame = measured()
    with pytest.raises(InputError, match="arm: 'photographs-longer' in line 3 has n above 0.*; write n = 0"):
        read_curves(frame.assign(n=frame.n.mask(frame.index == 1, 100)))
    start = frame.iloc[[1]].assign(arm="mixed-0.5", seed=3)
    with pytest.raises(InputError, match=r"arm: line 68 \(mixed-0.5 .*\) and line 3 .*; keep photographs"):
        read_curves(pd.concat([frame, start], ignore_index=True))
    other = start.assign(target="others")
    assert read_curves(pd.concat([frame, other], ignore_index=True))


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "100%", "inf"])
def test_a_rate_is_a_positive_number_and_blank_is_1(rate: str) -> None:
    frame = measured()
    text = frame.assign(rate=frame.rate.astype(str))
    with pytest.raises(InputError, match=f"rate: '?{rate}'? in line 5 is not a positive number"):
        read_curves(text.assign(rate=text.rate.mask(frame.index == 3, rate)))
    blank = text.assign(rate=text.rate.mask((frame.index == 3) & (frame.rate == 1), ""))
    assert {*curves_of(blank)} == {*LAWS, "renders-only"}
    assert all("rate" not in curve.identity for curve in curves_of(blank).values())


def test_claims_and_the_papers_method_are_of_its_own_arm(tmp_path: Path) -> None:
    frame = measured()
    alone = frame[frame.arm == "backbone"]
    frame.to_csv(tmp_path / "points.csv", index=False)
    inputs = read_needs({"points": [str(tmp_path / "points.csv")]})
    assert {*inputs["points"].arm} == {"backbone"}
    two = pd.concat([part.assign(model=name) for name in "ab" for part in (frame,)], ignore_index=True)
    fits = [fit_table(each, method="paper")["curves"] for each in (two, two[two.arm == "backbone"])]
    own = [curve["fit"] for curve in fits[0] if curve["curve"]["arm"] == "backbone"]
    assert own == [curve["fit"] for curve in fits[1]] and len(alone) < len(frame)


def test_names_are_read_in_any_letter_case(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    measured().rename(columns={"arm": "Arm"}).to_csv(path, index=False)
    assert {*curves_of(read_csv(path))} == {*LAWS, "renders-only"}
