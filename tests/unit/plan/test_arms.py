"""Arms: which runs each has, what they share, how long they take, and what makes no sense."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from syn2real.errors import InputError
from syn2real.plan.costs import plan_lines
from syn2real.plan.estimates import Estimates, _kind
from syn2real.plan.measured import measured_hours, section_of, step_key
from syn2real.plan.pilot import all_pilots, pilot_line, pilot_runs, pretrain_length_runs, rate_runs
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.plan.runs import Pretraining

ROOT = Path(__file__).resolve().parents[3]
ALL = ["backbone", "whole", "mixed-0.5", "renders-only", "photographs-longer"]


def _write(path: Path, ftask: dict[str, object], **changes: object) -> None:
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())
    value |= {"complexity": None, "references": {}, "ptasks": ["objdet", "normal"], "sizes": [0, 8, 16]}
    asked = {"task": "objdet", "target": "smoke-stand-in-coco", "percents": [50, 100]} | ftask
    path.write_text(yaml.safe_dump(value | {"ftasks": [asked], "name": path.stem} | changes))


def _load(tmp_path: Path, *ftasks: dict[str, object], **changes: object) -> Plan:
    files = [tmp_path / f"smoke{number}.yaml" for number in range(len(ftasks))]
    for file, ftask in zip(files, ftasks, strict=True):
        _write(file, ftask, **changes)
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    recipes = str(ROOT / "config/recipes")
    return load_plan({"experiments": list(map(str, files)), "recipes": recipes, **shared})


def test_each_arm_has_its_runs_and_shares_those_without_renders(tmp_path: Path) -> None:
    record = _load(tmp_path, {"arms": ALL}).experiments["smoke0"]
    found = Counter((run.arm, run.pretraining.ptask, run.pretraining.n) for run in record.finetunings)
    objdet = {"backbone": 2, "whole": 2, "mixed-0.5": 2, "renders-only": 1}  # of two shares; of renders once
    expected = {(arm, "objdet", n): count for arm, count in objdet.items() for n in (8, 16)}
    expected |= {("backbone", "normal", n): 2 for n in (8, 16)}
    expected |= {("photographs-longer", ptask, 0): 2 for ptask in ("objdet", "normal")}
    assert found == expected | {("backbone", "none", 0): 2}
    assert {run.pretraining.setting for run in record.finetunings if run.arm == "photographs-longer"} == {
        "none"
    }
    plain = _load(tmp_path, {}).experiments["smoke0"]
    assert {*plain.finetunings} < {*record.finetunings} and plain.pretrainings == record.pretrainings
    assert {run.percent for run in record.finetunings if run.arm == "renders-only"} == {0.0}


@pytest.mark.parametrize(
    ("arms", "fine_tuned", "pretrained"),
    [
        (
            ["mixed-0.25"],
            {"mixed-0.25": 4, "photographs-longer": 2},
            0,
        ),  # what it is compared with comes along
        (["whole"], {"whole": 4, "backbone": 2}, 2),
        (["renders-only"], {"renders-only": 2, "backbone": 2}, 2),
    ],
)
def test_an_arm_brings_what_it_is_compared_with_and_pretrains_only_what_it_loads(
    tmp_path: Path, arms: list[str], fine_tuned: dict[str, int], pretrained: int
) -> None:
    record = _load(tmp_path, {"arms": arms}, ptasks=["objdet"]).experiments["smoke0"]
    assert Counter(run.arm for run in record.finetunings) == fine_tuned
    assert len(record.pretrainings) == pretrained


def test_the_path_names_arm_and_rate_and_the_defaults_stay_as_they_were(tmp_path: Path) -> None:
    rates = {"photographs": 3, "whole": 0.3, "photographs-longer": 10}
    runs = _load(tmp_path, {"arms": ALL, "rates": rates, "percents": [50]}).experiments["smoke0"].finetunings
    names = Counter(Path(run.folder).name for run in runs)
    assert names == {
        "s50+lr3": 1, "s50": 4, "s50+whole+lr0.3": 2, "s50+mixed-0.5": 2, "s0+renders-only": 2,
        "s50+photographs-longer+lr10": 2,
    }  # fmt: skip
    [plain] = [
        run for run in runs if run.folder.endswith("/n8/seed0/objdet-smoke-stand-in-coco/s50+mixed-0.5")
    ]
    assert plain.folder.startswith("results/finetune/smoke/smoke/objdet/resnet18/n8/")


def test_a_longer_arm_takes_the_steps_of_both_and_renders_only_its_test(tmp_path: Path) -> None:
    plan = _load(tmp_path, {"arms": ALL, "percents": [100]})
    runs = {(run.arm, run.pretraining.n): run for run in plan.experiments["smoke0"].finetunings}
    whole, mixed, longer = (runs[key] for key in (("whole", 8), ("mixed-0.5", 8), ("photographs-longer", 0)))
    assert [section_of(plan, run).total_iterations for run in (whole, mixed, longer)] == [3, 6, 6]
    estimates, only = Estimates(plan, {}), runs["renders-only", 8]
    hours = [estimates.of(run).hours for run in (whole, mixed, longer, only)]
    assert hours == pytest.approx([12 * 0.095 / 3600, *[24 * 0.095 / 3600] * 2, 0])
    found = {"steps": {step_key(plan, whole): {"seconds": 3600.0, "evaluation_seconds": 36.0}}}
    tests = 12 * 0.01
    measured = [measured_hours(plan, run, found) for run in (whole, mixed, longer, only)]
    assert measured == pytest.approx([3 + tests, 6 + tests, 6 + tests, tests])
    assert _kind(whole) == _kind(runs["backbone", 8]) != _kind(only) != _kind(mixed) != _kind(longer)


def test_check_counts_the_runs_of_each_arm(tmp_path: Path) -> None:
    plan = _load(tmp_path, {"arms": ["whole", "renders-only"], "percents": [100]}, ptasks=["objdet"])
    lines = plan_lines(plan, "smoke0", Estimates(plan, {}))
    place = "            objdet on smoke-stand-in-coco, a rendered stand-in"
    assert [line for line in lines if line.startswith(place)] == [
        f"{place}, without its labels, renders-only: 2 runs",
        f"{place}, 100 % of its labels: 1 run",
        f"{place}, 100 % of its labels, whole: 2 runs",
    ]


@pytest.mark.parametrize(
    ("ftask", "message"),
    [
        ({"arms": ["wole"]}, "ftasks.0.arms.0: 'wole' is no arm; there are backbone, whole"),
        ({"arms": ["mixed-0.50"]}, "ftasks.0.arms.0: 'mixed-0.50' is no arm"),
        ({"arms": ["whole", "whole"]}, "ftasks.0.arms: 'whole' is listed twice"),
        ({"arms": ["photographs-longer"]}, "arms: photographs-longer uses no renders; name an arm to"),
        ({"arms": ["backbone", "mixed-0.3"]}, "ftasks.arms: mixed-0.3 is no whole number of a batch "
         "of 4 images; use mixed-0.25 or mixed-0.5"),
        ({"arms": ["backbone", "whole"], "ptasks": ["normal"]}, "needs renders labelled for objdet; add it"),
        ({"task": "sinclass", "target": "smoke-stand-in-imagenet", "arms": ["mixed-0.5"]},
         "arms: renders carry no labels of sinclass, which mixed-0.5 needs; drop it"),
        ({"arms": ["whole"]}, "ptasks: no ftask follows 'normal'; drop it"),
        ({"classes": {"a": "b"}}, "classes: no arm here reads the renders' classes"),
        ({"rates": {"whole": 3}}, "rates: whole is not among its arms; add it there"),
        ({"rates": {"wole": 3}}, "ftasks.0.rates.wole: 'wole' is no arm"),
        ({"rates": {"backbone": 0}}, "ftasks.0.rates.backbone: must be above 0"),
        ({"arms": ["backbone", "renders-only"], "rates": {"renders-only": 3}}, "so it has no learning rate"),
        ({"arms": ["backbone", "mixed-0.5"], "rates": {"whole": 1}}, "rates: whole is not among its arms"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, ftask: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _load(tmp_path, ftask)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ftask", "changes", "message"),
    [
        (
            {"arms": ["backbone", "mixed-0.5"]},
            {"sizes": [8]},
            "sizes: add 0: mixed-0.5 needs photographs alone",
        ),
        ({"rates": {"photographs": 3}}, {"sizes": [8]}, "rates: photographs is of n = 0, which is not among"),
        (
            {"arms": ["whole"]},
            {"ptasks": ["normal"]},
            "ptasks: whole needs renders labelled for objdet; add it",
        ),
    ],
)
def test_what_an_experiment_lacks_for_its_arms_is_named(
    tmp_path: Path, ftask: dict, changes: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _load(tmp_path, ftask, **changes)


def test_a_pilot_tries_each_rate_for_each_arm_at_no_renders_and_at_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = {"pilot": {"rates": [0.3, 1, 3], "parts": 2, "tolerance": 0.5, "lengths": [0.5, 1]}}
    plan = _load(tmp_path, {"arms": ALL, "percents": [100]}, ptasks=["objdet"], **tried)
    runs = rate_runs(plan, "smoke0")
    arms = Counter((run.arm, run.pretraining.n) for run in runs)
    expected = [
        ("backbone", 0),
        ("backbone", 16),
        ("whole", 16),
        ("mixed-0.5", 16),
        ("photographs-longer", 0),
    ]
    assert arms == dict.fromkeys(expected, 2 * 3)
    lengths = {*pilot_runs(plan, "smoke0")}
    assert {run.arm for run in lengths} == {"backbone"} and len({*runs} & lengths) == 2
    started = {run for run in all_pilots(plan) if isinstance(run, Pretraining)}
    assert {run.pretraining for run in runs if run.is_pretrained} < started
    assert "lengths 0.5, 1 and learning rates x 0.3, 1, 3: " in (
        pilot_line(plan, "smoke0", Estimates(plan, {})) or ""
    )
    with pytest.raises(InputError, match="pilot.rates: .*list 1 and others"):
        _load(tmp_path, {}, pilot={"rates": [0.3, 3]})
    monkeypatch.setattr("syn2real.plan.checks.MOST_LR", 0.01)
    with pytest.raises(
        InputError, match="pilot.rates: 3 times the recipe's lr, 0.005 for resnet18, is above"
    ):
        _load(tmp_path, {}, **tried)
    with pytest.raises(InputError, match="ftasks.rates.backbone: 3 times the recipe's lr"):
        _load(tmp_path, {"rates": {"backbone": 3}})


def test_one_run_has_one_map_of_classes(tmp_path: Path) -> None:
    arms = {"arms": ["backbone", "whole"]}
    plan = _load(tmp_path, arms | {"classes": {"mug": "cup"}}, arms | {"classes": {"mug": "cup"}}, {})
    assert plan.classes == {("objdet", "smoke-stand-in-coco"): {"mug": "cup"}}
    with pytest.raises(InputError, match="smoke1.yaml: ftasks.classes: another experiment has other classes"):
        _load(tmp_path, arms | {"classes": {"mug": "cup"}}, arms)


def test_a_pilot_tries_lengths_of_pre_training_after_the_most_renders(tmp_path: Path) -> None:
    tried = {"pretrain_lengths": [0.25, 1], "parts": 2, "tolerance": 0.5, "lengths": [0.5, 1]}
    changes = {"pilot": tried, "length": 0.5, "ptasks": ["objdet"]}
    plan = _load(tmp_path, {"arms": ALL, "rates": {"whole": 3}, "percents": [100]}, **changes)
    runs = pretrain_length_runs(plan, "smoke0")
    found = Counter((run.pretraining.recipe, run.arm, run.pretraining.n, run.rate) for run in runs)
    recipes, arms = ("smoke-x0.5", "smoke-x0.5-p0.25"), (("backbone", 16, 1), ("whole", 16, 3))
    assert found == {(recipe, *arm): 2 for recipe in recipes for arm in arms}
    assert {run.target for run in runs} == {f"smoke-stand-in-coco-pilot{part}of5" for part in (1, 2)}
    assert {*runs} < {*all_pilots(plan)} and {recipes[1]} < {*plan.recipes}
    line = pilot_line(plan, "smoke0", Estimates(plan, {})) or ""
    assert "would try lengths 0.5, 1 and pre-training x 0.25, 1: 5 pre-trainings (2 of them" in line
    own = {*plan.experiments["smoke0"].pretrainings}
    assert {run.pretraining for run in runs if run.pretraining.recipe == "smoke-x0.5"} < own
    short = _load(tmp_path, {}, pilot=tried, pretrain_length=0.25, ptasks=["objdet"])
    assert {run.pretraining.recipe for run in pilot_runs(short, "smoke0")} == {
        "smoke-p0.25",
        "smoke-x0.5-p0.25",
    }
    with pytest.raises(InputError, match="pilot.pretrain_lengths: .*list 1 and others, as in .0.25, 1"):
        _load(tmp_path, {}, pilot={"pretrain_lengths": [0.25]})
    with pytest.raises(InputError, match="pretrain_lengths: no arm here fine-tunes what was pre-trained"):
        _load(tmp_path, {"arms": ["mixed-0.5"]}, pilot=tried, ptasks=["objdet"])


def test_lengths_are_tried_with_an_arm_that_the_experiment_has(tmp_path: Path) -> None:
    tried = {"pilot": {"parts": 2, "tolerance": 0.5, "lengths": [0.5, 1]}, "ptasks": ["objdet"]}
    for arms, expected in ((ALL, "backbone"), (["renders-only", "mixed-0.5", "whole"], "mixed-0.5")):
        plan = _load(tmp_path, {"arms": arms, "percents": [100]}, **tried, sizes=[0, 8, 16])
        assert {run.arm for run in pilot_runs(plan, "smoke0")} == {expected}
    plan = _load(tmp_path, {"arms": ["renders-only"], "percents": [100]}, **tried, sizes=[0, 8, 16])
    with pytest.raises(InputError, match="smoke0.yaml: ftasks.arms: no arm here learns from renders"):
        pilot_runs(plan, "smoke0")


def test_what_is_added_to_longer_arms_is_the_shortened_pre_training(tmp_path: Path) -> None:
    plan = _load(tmp_path, {"arms": ALL, "percents": [100]}, pretrain_length=0.25)
    found = {run.arm: section_of(plan, run) for run in plan.experiments["smoke0"].finetunings}
    steps = {arm: found[arm].total_iterations for arm in ("whole", "mixed-0.5", "photographs-longer")}
    assert steps == {"whole": 3, "mixed-0.5": 3 + 1, "photographs-longer": 3 + 1}
