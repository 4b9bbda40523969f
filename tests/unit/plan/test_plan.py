"""The plan: which runs, which shards, and what is refused before the first job."""

import re
from pathlib import Path

import pytest
import yaml

from syn2real.errors import InputError
from syn2real.plan.estimates import _kind
from syn2real.plan.labels import labelled_images
from syn2real.plan.levels import levels
from syn2real.plan.measured import _tested
from syn2real.plan.missing import missing_data
from syn2real.plan.plan import Plan
from syn2real.plan.read import load_plan
from syn2real.plan.recipes import recipe_lines
from syn2real.tasks.schema import read_section

ROOT = Path(__file__).resolve().parents[3]


def _config(tmp_path: Path) -> dict[str, object]:
    shared = {name: str(ROOT / f"config/{name}.yaml") for name in ("renderings", "targets")}
    return {"experiment": str(tmp_path / "e.yaml"), "recipes": str(ROOT / "config/recipes"), **shared}


def _load(tmp_path: Path, config: dict[str, str] | None = None, **changes: object) -> Plan:
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text()) | changes
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(value))
    return load_plan(_config(tmp_path) | (config or {}))


def test_runs_from_scratch_exist_once(tmp_path: Path) -> None:
    plan = _load(tmp_path, sizes=[0, 8, 16], seeds=[0, 1])
    assert len(plan.experiments["smoke"].pretrainings) == 4 * 2 * 2
    runs = plan.experiments["smoke"].finetunings
    assert len(runs) == len(set(runs)) == 3 * (4 * 2 * 2 + 2)
    scratch = [run.metrics for run in runs if run.pretraining.n == 0]
    assert scratch[0].startswith("results/finetune/smoke/none/none/resnet18/n0/seed0/")


def test_a_task_may_follow_some_pretraining_tasks_alone(tmp_path: Path) -> None:
    ftasks = [
        {"task": "sinclass", "target": "smoke-stand-in-imagenet", "ptasks": ["mulclass"]},
        {"task": "objdet", "target": "smoke-stand-in-coco", "ptasks": ["objdet"]},
    ]
    plan = _load(tmp_path, ftasks=ftasks, ptasks=["mulclass", "objdet"], sizes=[0, 8], seeds=[0])
    pairs = {(run.pretraining.ptask, run.ftask) for run in plan.experiments["smoke"].finetunings}
    assert pairs == {("mulclass", "sinclass"), ("objdet", "objdet"), ("none", "sinclass"), ("none", "objdet")}


def test_folds_multiply_the_fine_tunings_alone(tmp_path: Path) -> None:
    target = {"layout": "image-folder", "path": "photos", "counts": {"train": 60, "test": 40}}
    asked = {"ftasks": [{"task": "sinclass", "target": "mine"}], "sizes": [0, 8], "seeds": [0]}
    asked |= {"complexity": None, "references": {}, "figures": ["curves"]}
    plain = _load(tmp_path, targets={"mine": target}, **asked)
    cut = _load(tmp_path, targets={"mine": target | {"folds": 5}}, **asked)
    before, after = plain.experiments["smoke"], cut.experiments["smoke"]
    assert after.pretrainings == before.pretrainings and after.labelled == before.labelled
    assert len(after.finetunings) == 5 * len(before.finetunings)
    assert plain.target_data("mine") == cut.target_data("mine")
    name = after.finetunings[0].target
    assert name == "mine-fold1of5"
    assert cut.target_data(name) == plain.target_data("mine") | {"fold": 1, "folds": 5}
    assert [labelled_images(cut, each) for each in ("mine", name)] == [60, 80]
    assert [_tested(cut, each) for each in ("mine", name)] == [40, 20]
    assert len({_kind(run) for run in after.finetunings if run.pretraining.n}) == 1


def test_a_shortened_recipe_has_its_own_name(tmp_path: Path) -> None:
    plain, short = _load(tmp_path), _load(tmp_path, length=0.5)
    runs = [plan.experiments["smoke"].finetunings for plan in (plain, short)]
    assert {run.pretraining.recipe for run in runs[1]} == {"smoke-x0.5"}
    assert [run.folder.replace("/smoke-x0.5/", "/smoke/") for run in runs[1]] == [r.folder for r in runs[0]]
    assert short.recipes["smoke-x0.5"].section("finetune", "sinclass", "resnet18").iterations == 2
    lines = recipe_lines(short, full=True)
    assert any(re.fullmatch(r" +iterations +2 +smoke.yaml x 0.5", line) for line in lines)
    assert any(line.startswith("recipe smoke-x0.5: ") for line in recipe_lines(short))
    assert _load(tmp_path, length=1).experiments == plain.experiments


def test_pre_training_alone_is_shortened_by_its_own_key(tmp_path: Path) -> None:
    plain, short = _load(tmp_path, length=0.5), _load(tmp_path, length=0.5, pretrain_length=0.25)
    record = short.experiments["smoke"]
    assert {run.pretraining.recipe for run in record.finetunings} == {"smoke-x0.5-p0.25"}
    assert len(record.finetunings) == len(plain.experiments["smoke"].finetunings)
    recipe, other = short.recipes["smoke-x0.5-p0.25"], plain.recipes["smoke-x0.5"]
    assert recipe.finetune == other.finetune and recipe.pretrain != other.pretrain
    named = ((plain, "smoke"), (plain, "smoke-x0.5"), (short, "smoke-x0.5-p0.25"))
    assert [plan.updates(name, "objdet", "resnet18") for plan, name in named] == [3, 2, 1]
    full, lines = recipe_lines(short, full=True), recipe_lines(short)
    assert {line.split()[-1] for line in full if " iterations " in line} >= {"0.125", "0.5"}
    assert any(
        re.match("recipe smoke-x0.5-p0.25: .*, all lengths x 0.5, pre-training x 0.25 ", x) for x in lines
    )
    assert {*_load(tmp_path, pretrain_length=0.25).recipes} >= {"smoke", "smoke-p0.25"}


def test_a_share_is_written_without_superfluous_digits(tmp_path: Path) -> None:
    ftasks = [{"task": "sinclass", "target": "smoke-stand-in-imagenet", "percents": [0.5, 1.0, 64]}]
    names = {Path(run.folder).name for run in _load(tmp_path, ftasks=ftasks).experiments["smoke"].finetunings}
    assert names == {"s0.5", "s1", "s64"}


def test_more_images_keep_the_first_shards(tmp_path: Path) -> None:
    plan = _load(tmp_path)
    few, many = plan.shards("smoke", "train", 8), plan.shards("smoke", "train", 24)
    assert few == ["results/renders/smoke/train/shard-000000.tar"]
    assert many[:1] == few and len(many) == 3
    assert plan.shards("smoke", "train", 0) == []


def _rendering(**changes: object) -> dict[str, object]:
    """Return renderings whose pre-training setting draws its rooms from the fetched materials."""
    value = yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())["renderings"]
    return {"renderings": value | {"smoke": value["smoke"] | {"textures": "ambientcg"} | changes}}


def test_an_own_copy_of_the_materials_may_have_any(tmp_path: Path) -> None:
    anything = _rendering(materials=["fence"], background_material="My_Fabric")
    with pytest.raises(InputError, match="'fence' are not fetched"):
        _load(tmp_path, **anything)
    plan = load_plan(_config(tmp_path) | {"textures": {"ambientcg": "mine"}})
    assert plan.rendered()["smoke"].materials == ("fence",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [7]}, "sizes: 7 images are not a whole number of scenes of 2 views .*; use 6 or 8"),
        (
            {"sizes": [0, 10**17]},
            r"sizes: 100,\S+ images are 12,\S+ shards \(setting smoke: 8 images each\), 100,000 at most; "
            "ask for 800,000 images or fewer",
        ),
        (
            {"seeds": list(range(50_000))},
            "seeds: about 1,600,000 runs are asked for, 100,000 at most; list f",
        ),
        (
            {"ftasks": [{"task": "sinclass", "target": "imagenet", "percents": [1, 1.0]}]},
            "ftasks.0.percents: 1.0 is listed twice",
        ),
        (
            {"ftasks": [{"task": "sinclass", "target": "imagenet", "percents": [1.00000000001]}]},
            "ftasks.0.percents.0: 1.00000000001 has too many digits",
        ),
        (
            {"ftasks": [{"task": "sinclass", "target": "imagenet", "percents": [150]}]},
            "ftasks.0.percents.0: must be at most 100; it is 150",
        ),
        ({"length": 1.5}, "length: must be at most 1; it is 1.5"),
        ({"settings": ["smok"]}, "settings: 'smok' is not defined; did you mean 'smoke'?"),
        ({"recipe": "smokee"}, "recipe: 'smokee' is not defined; did you mean 'smoke'?"),
        (
            {"ftasks": [{"task": "sinclass", "target": "smoke-stand-in-coco"}]},
            "ftasks.target: target smoke-stand-in-coco .* is not labelled with label, which sinclass",
        ),
        (
            {
                "ptasks": ["normal"],
                "ftasks": [{"task": "sinclass", "target": "imagenet", "ptasks": ["objdet"]}],
            },
            "ftasks: sinclass follows 'objdet', which is not among ptasks; add it",
        ),
        (
            {"ftasks": [{"task": "sinclass", "target": "imagenet", "ptasks": ["objdet"]}]},
            "ptasks: no ftask follows 'mulclass'; drop it or name it in an ftask",
        ),
        (
            {"figures": ["extrapolation"]},
            "figures: extrapolation needs extrapolate_from, the n below which to fit",
        ),
        ({"claims": ["law-hold"]}, "claims.0: 'law-hold' is not defined; did you mean 'law-holds'?"),
        ({"claims": ["law-holds", "law-holds"]}, "claims: 'law-holds' is listed twice"),
        ({"claims": ["gap-extrapolates"]}, "claims: gap-extrapolates needs extrapolate_from, the n below"),
        (
            {"claims": ["entropy-by-complexity"], "complexity": None, "references": {}},
            "claims: entropy-by-complexity needs complexity, how to measure it",
        ),
        (
            {"claims": ["law-holds"], "ptasks": [], "ftasks": [], "sizes": []},
            "claims: law-holds needs runs: ptasks, ftasks and sizes",
        ),
        (
            {"figures": ["scenarios"], "target_error": None},
            "figures: scenarios needs target_error, the error to reach",
        ),
        (
            {"figures": ["extrapolation"], "extrapolate_from": 64000},
            "extrapolate_from: no size is above it; nothing is left to predict",
        ),
        (
            {"ftasks": [{"task": "sinclass", "target": "imagnet"}]},
            "ftasks.target: 'imagnet' is not defined; did you mean 'imagenet'?",
        ),
        (
            {
                "renderings": {
                    **yaml.safe_load((ROOT / "config/experiments/smoke.yaml").read_text())["renderings"],
                    "smoke": {"collections": ["tles"], "textures": "demo", "views": 2},
                }
            },
            r"e.yaml: renderings.smoke.collections: 'tles' is not defined; did you mean 'tless'\? \(your own",
        ),
        (
            {
                "targets": {"digits": {"layout": "image-folder", "path": "here", "scans": {"labels": 1}}},
                "ftasks": [{"task": "sinclass", "target": "digits"}],
                "complexity": None,
                "references": {},
            },
            "targets.digits.path: the workflow makes these scans in results/scans/digits; write that",
        ),
        (
            {"stand_ins": {"smoke-stand-in": {"setting": "smoke", "train_images": 3, "test_images": 4}}},
            "stand_ins.smoke-stand-in.train_images: 3 images are not a whole number of scenes",
        ),
        (
            {"stand_ins": {"bare": {"setting": "smoke", "train_images": 4, "test_images": 4}}}
            | _rendering(channels=["objects"], views=2)
            | {"ptasks": ["mulclass"]},
            r"stand_ins.bare.setting: setting smoke is rendered without class-map; give it `channels: \[obj",
        ),
        (
            _rendering(materials=["wood", "fence"]),
            "e.yaml: renderings.smoke.materials: materials that begin with 'fence' are not fetched",
        ),
        (_rendering(grey=["tles"]), "renderings.smoke.grey: 'tles' is not defined; did you mean 'tless'?"),
        (_rendering(materials=["painting"]), "materials that begin with 'painting' are not fetched"),
        (_rendering(materials=[]), r"materials of every kind \(\[\]\) are not fetched"),
        (
            _rendering(background="fix", background_material="My_Fabric"),
            "e.yaml: renderings.smoke.background_material: 'My_Fabric' is not one of ambientCG's",
        ),
    ],
)
def test_mistakes_are_refused_in_one_line(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _load(tmp_path, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("config/renderings.yaml", "definitions of settings or targets"),
        ("config/targets.yaml", "definitions of settings or targets"),
        ("config/recipes/demo.yaml", "a recipe"),
        ("config/config.yaml", "the workflow's configuration"),
        ("config/theory/paper.yaml", "a file of config/theory"),
        ("/dev/null", None),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, file: str, kind: str | None) -> None:
    message = f"this is {kind}, not an experiment; name" if kind else "is a pipe or device; give a YAML file"
    with pytest.raises(InputError, match=message):
        load_plan(_config(tmp_path) | {"experiment": str(ROOT / file)})


def test_a_name_may_not_mean_two_things(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="renderings.single-fix-fix-textured: this name is already defined"):
        _load(tmp_path, renderings={"single-fix-fix-textured": {"views": 3}})


COMPLEXITY = {"reference": "mine", "images": 8, "image_size": 48}
GIVEN = {"mine": {"weights": "weights.pth", "model": "resnet18"}}
TRAINED = {"recipe": "smoke", "ftask": "sinclass", "target": "smoke-stand-in-imagenet", "model": "resnet18"}


def test_complexity_alone_needs_no_runs(tmp_path: Path) -> None:
    plan = _load(tmp_path, ptasks=[], ftasks=[], sizes=[], complexity=COMPLEXITY, references=GIVEN)
    assert plan.experiments["smoke"].complexities == ("results/complexity/mine/pooled-48px/n8/smoke.json",)
    assert plan.experiments["smoke"].images == {"smoke": {"train": 8, "val": 0}}
    record = plan.experiments["smoke"]
    assert (record.fits_laws, record.settings, record.labelled) == (False, ("smoke",), ())
    assert plan.reference_weights("mine") == "weights.pth"
    assert missing_data(plan).refusals == [
        "weights.pth: there is no such file (needed by the complexity of experiment smoke)"
    ]


def test_a_trained_reference_brings_its_target_and_its_length(tmp_path: Path) -> None:
    reference = {"mine": TRAINED | {"images": 100}}
    plan = _load(tmp_path, ptasks=[], ftasks=[], sizes=[], complexity=COMPLEXITY, references=reference)
    assert plan.experiments["smoke"].settings == ("smoke", "smoke-stand-in")
    assert plan.reference_weights("mine") == "results/references/mine/backbone.safetensors"
    recipe = plan.reference_recipe("mine")
    assert (recipe["images"], recipe["iterations"]) == (100, None)
    assert read_section("sinclass", recipe).total_iterations == 25


def test_a_setting_has_the_papers_attributes(tmp_path: Path) -> None:
    plan = _load(tmp_path, complexity=COMPLEXITY, references=GIVEN)
    names = ("single-fix-fix-textureless", "multiple-random-random-textured", "smoke-stand-in")
    low, high, room = (levels(plan.renderings[name]) for name in names)
    assert low == {"appearance": 1.0, "light": 0.0, "background": 0.0, "texture": 0.0}
    assert high == {"appearance": 10.0, "light": 1.0, "background": 1.0, "texture": 1.0}
    assert room is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": []}, "sizes: this key is missing or empty"),
        (
            {"complexity": COMPLEXITY | {"images": 7}},
            "complexity.images: 7 images are not a whole number of scenes",
        ),
        (
            {"complexity": COMPLEXITY | {"reference": "miner"}},
            "complexity.reference: 'miner' is not defined; did",
        ),
        (
            {"complexity": COMPLEXITY | {"activation": "last"}},
            "complexity.activation: one of pooled, map belongs here",
        ),
        (
            {"references": {"mine": TRAINED | {"target": "smoke-stand-in-coco"}}},
            "references.mine.target: target",
        ),
        (
            {"references": {"mine": TRAINED | {"recipe": "smok"}}},
            "recipe: 'smok' is not defined; did you mean",
        ),
        (
            {"references": {"mine": {"weights": "w.pth", "modle": "x"}}},
            "references.mine.modle: unknown key; did",
        ),
        ({"settings": ["smoke", "smoke-stand-in"]}, "complexity: the settings have 1 and 2 views a scene"),
    ],
)
def test_complexities_that_cannot_be_measured_or_compared_are_refused(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _load(tmp_path, **({"complexity": COMPLEXITY, "references": GIVEN} | changes))
    assert "\n" not in str(caught.value)


def test_a_section_that_the_recipe_lacks_is_refused(tmp_path: Path) -> None:
    recipe = yaml.safe_load((ROOT / "config/recipes/smoke.yaml").read_text())
    del recipe["pretrain"]["normal"], recipe["finetune"]["objdet"]
    (tmp_path / "smoke.yaml").write_text(yaml.safe_dump(recipe))
    own = {"recipes": str(tmp_path)}
    message = f"^{tmp_path}/smoke.yaml: pretrain.normal: an experiment uses this section"
    with pytest.raises(InputError, match=message):
        _load(tmp_path, own)
    sinclass = [{"task": "sinclass", "target": "smoke-stand-in-imagenet"}]
    plan = _load(tmp_path, own, ptasks=["mulclass"], ftasks=sinclass)
    assert {run.ptask for run in plan.experiments["smoke"].pretrainings} == {"mulclass"}


def test_the_distance_is_from_images_that_the_reference_has_not_learnt_from(tmp_path: Path) -> None:
    """From labelled photographs, so that a test set stays unseen, unless the reference learnt from them."""
    [record] = _load(tmp_path).experiments.values()
    layouts = {"imagenet": "test", "coco": "train", "ade20k": "train"}
    assert record.against == tuple((f"smoke-stand-in-{name}", split) for name, split in layouts.items())
    assert {"results/complexity/smoke.json", "results/laws/smoke/gaps-by-distance.md"} <= {*record.answer}
    [given] = _load(tmp_path, complexity=COMPLEXITY, references=GIVEN).experiments.values()
    assert [split for _, split in given.against] == ["train"] * 3
    alone = {"ptasks": [], "ftasks": [], "sizes": []}
    [record] = _load(tmp_path, **alone).experiments.values()
    assert record.against == (("smoke-stand-in-imagenet", "test"),) and not record.fits_laws
    assert "results/complexity/smoke.json" in record.answer
    assert not any("gaps-by-distance" in file for file in record.answer)
    [record] = _load(tmp_path, **alone, complexity=COMPLEXITY, references=GIVEN).experiments.values()
    assert record.against == () and record.distances == []
