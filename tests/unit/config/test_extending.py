"""A recipe may say only what differs from another: what is inherited, replaced, removed and refused."""

import json
from pathlib import Path

import pytest
import yaml

from syn2real.cli import main
from syn2real.config.extending import leaves, read_recipe
from syn2real.config.recipe import Recipe
from syn2real.config.schemas import RecipeDocument
from syn2real.errors import InputError
from syn2real.plan.read import load_plan
from syn2real.report.bundle import _configuration

ROOT = Path(__file__).resolve().parents[3]
RECIPES = ROOT / "config" / "recipes"


def _read(folder: Path, text: str, name: str = "mine"):
    (folder / f"{name}.yaml").write_text(text)
    return read_recipe(folder / f"{name}.yaml", RECIPES)


def _objdet(text: str) -> str:
    return f"extends: paper\npretrain: {{objdet: {{{text}}}}}\n"


@pytest.mark.parametrize("name", [path.stem for path in RECIPES.glob("*.yaml")])
def test_a_recipe_that_extends_nothing_is_as_its_file_says(name: str) -> None:
    raw = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    if "extends" not in raw:
        assert read_recipe(RECIPES / f"{name}.yaml", RECIPES).recipe == Recipe.model_validate(raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # what a section says over the paper's, and what comes out
        ("lr: 0.01", {"lr": 0.01, "images": 14_400_000, "batch_size": 64}),
        ("iterations: 20_000", {"iterations": 20_000, "images": None}),
        ("images: 200_000", {"iterations": None, "images": 200_000}),
        ("evaluation_iterations: 500", {"evaluation_iterations": 500, "evaluation_images": None}),
        ("momentum: null, images: null, iterations: 9_000", {"momentum": 0.9, "iterations": 9_000}),
        ("detector: {box_head: 64}", {"detector.box_head": 64, "detector.box_samples": 512}),
        ("image_size: 320", {"image_size": 320, "seconds_per_1000_images": None}),
        ("image_size: 640", {"image_size": 640, "seconds_per_1000_images": 83}),
        ("image_size: 320, seconds_per_1000_images: 25", {"seconds_per_1000_images": 25}),
    ],
)
def test_a_section_is_merged_key_by_key(tmp_path: Path, text: str, expected: dict) -> None:
    section = _read(tmp_path, _objdet(text)).recipe.pretrain.objdet
    for key, value in expected.items():
        found = section
        for part in key.split("."):
            found = getattr(found, part)
        assert found == value, key


def test_exceptions_by_backbone_are_merged_and_removed(tmp_path: Path) -> None:
    read = _read(tmp_path, _objdet("models: {resnet18: null, resnet152: {batch_size: 16}}"))
    models = read.recipe.pretrain.objdet.models
    assert "resnet18" not in models
    assert (models["resnet152"].batch_size, models["resnet152"].seconds_per_1000_images) == (16, 170)
    smaller = _read(tmp_path, _objdet("image_size: 320")).recipe.pretrain.objdet.models
    assert smaller["resnet152"].batch_size == 32 and smaller["resnet152"].seconds_per_1000_images is None


def test_what_is_inherited_is_the_same_in_params(tmp_path: Path) -> None:
    paper = read_recipe(RECIPES / "paper.yaml", RECIPES).recipe
    mine = _read(tmp_path, "extends: paper\nvalidation_images: 100\n").recipe
    for task in ("objdet", "mulclass", "semseg", "normal"):
        assert mine.resolve("pretrain", task, "resnet50") == paper.resolve("pretrain", task, "resnet50")
    assert _read(tmp_path, "extends: paper\npretrain: {normal: null}\n").recipe.pretrain.normal is None


def test_a_chain_says_which_file_gives_each_number(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    _read(tmp_path / "sub", _objdet("lr: 0.01, momentum: 0.8"), "base")
    read = _read(tmp_path, "extends: sub/base.yaml\npretrain: {objdet: {lr: 0.03}}\n")
    assert [file.name for file in read.files] == ["mine.yaml", "base.yaml", "paper.yaml"]
    sources = {key: (leaf.value, leaf.file.name) for key, leaf in leaves(read.given)}
    assert sources["pretrain.objdet.lr"] == (0.03, "mine.yaml")
    assert sources["pretrain.objdet.momentum"] == (0.8, "base.yaml")
    assert sources["threads"] == (8, "paper.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: papr\n", "mine.yaml: extends: 'papr' is not defined; did you mean 'paper'?"),
        ("extends: ./none.yaml\n", "mine.yaml: extends: there is no file "),
        ("extends: 3\n", "mine.yaml: extends: text belongs here"),
        (f"extends: {'a' * 5000}\n", "mine.yaml: extends: this cannot be a path"),
        ("extends: ~nobody9/x.yaml\n", "mine.yaml: extends: ~nobody9/x.yaml: the home folder is not known"),
        ("extends: mine\n", "mine.yaml: extends: mine.yaml extends mine.yaml, in a circle; remove one"),
        ("extends: other\n", "other.yaml: extends: mine.yaml extends other.yaml extends mine.yaml, in a"),
        (_objdet("lrr: 1"), "mine.yaml: pretrain.objdet.lrr: unknown key; did you mean 'lr'?"),
        (_objdet("lrr: null"), "mine.yaml: pretrain.objdet.lrr: unknown key; did you mean 'lr'?"),
        (
            _objdet("optimiser: adamw"),
            "mine.yaml: pretrain.objdet.lr: another optimiser needs a learning rate of its own; give it",
        ),
        (
            _objdet("models: {resnet18: {optimiser: adamw}}"),
            "mine.yaml: pretrain.objdet.models.resnet18: another optimiser needs a learning rate of its own",
        ),
        (_objdet("lr: null"), "mine.yaml: pretrain.objdet.lr: null removes this key, and it is needed; give"),
        (_objdet("iterations: 5, images: 9"), "mine.yaml: pretrain.objdet: give the length in exactly one"),
        (_objdet("images: 1000"), "mine.yaml: pretrain.objdet: the warm-up is as long as the training"),
        ("extends: wrong\n", "wrong.yaml: pretrain.objdet.lr: "),
    ],
)
def test_mistakes_are_one_line_in_the_file_that_makes_them(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "other.yaml").write_text("extends: mine\n")
    (tmp_path / "wrong.yaml").write_text(_objdet("lr: -1"))
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text)
    assert f"{tmp_path}/{message}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment of own renders by a recipe in a folder of its own that extends the paper's."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/mine.yaml").write_text(
        f"extends: {RECIPES / 'paper.yaml'}\nfinetune: {{objdet: {{iterations: 9_000, lr: 0.01}}}}\n"
    )
    (tmp_path / "recipes/paper.yaml").write_text((RECIPES / "paper.yaml").read_text())
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= {"recipes": str(tmp_path / "recipes"), "experiments": [str(tmp_path / "own.yaml")]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    own = yaml.safe_load((ROOT / "config/experiments/own-renders.yaml").read_text())
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own | {"recipe": "mine"}))
    return tmp_path / "config.yaml"


def test_check_says_what_differs_and_where_each_number_comes_from(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(mine)]) == 0
    short = " ".join(capsys.readouterr().out.split())
    start = short.index("recipe mine: ")
    assert "(--recipe prints all its numbers) pretrain.objdet: as it is there finetune" in short[start:]
    for change in ("lr 0.01 (was 0.02)", "iterations 9000", "without images (was 1_440_000)"):
        assert change in short[start:]
    assert main(["check", "--recipe", "--config", str(mine)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["lr", "0.01", "mine.yaml"] in lines and ["lr", "0.02", "paper.yaml"] in lines
    assert ["tf32", "true", "default"] in lines and ["threads", "8", "paper.yaml"] in lines


@pytest.mark.parametrize("held", ["norm: frozen", "train_stages: 0"])
def test_what_is_held_needs_a_backbone_to_start_from(
    mine: Path, held: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = mine.parent / "recipes/mine.yaml"
    recipe.write_text(f"extends: {RECIPES / 'paper.yaml'}\nfinetune: {{objdet: {{{held}}}}}\n")
    assert main(["check", "--config", str(mine)]) == 2
    error = capsys.readouterr().err
    assert f"{held.partition(':')[0]}: size 0 is trained from scratch" in error and f"remove {held}" in error


@pytest.mark.parametrize(
    ("changes", "expected"),
    [  # 60 passes over 400 images at 83 s a thousand, from six backbones
        ("passes: 60, warmup_images: 1000", "about 3.32 device hours"),
        (
            "passes: 60",
            "mine.yaml: finetune.objdet.warmup_images: 120,000 images of warm-up are no less than 60 passes",
        ),
    ],
)
def test_passes_are_counted_over_the_labels(
    mine: Path, capsys: pytest.CaptureFixture[str], changes: str, expected: str
) -> None:
    recipe = mine.parent / "recipes/mine.yaml"
    recipe.write_text(f"extends: {RECIPES / 'paper.yaml'}\nfinetune: {{objdet: {{{changes}}}}}\n")
    own = yaml.safe_load((mine.parent / "own.yaml").read_text())
    own["targets"]["my-photographs"]["counts"] = {"train": 400, "test": 100}
    (mine.parent / "own.yaml").write_text(yaml.safe_dump(own))
    assert main(["check", "--config", str(mine)]) == (0 if "about" in expected else 2)
    assert expected in "".join(capsys.readouterr())


def test_a_bundle_holds_the_files_that_a_recipe_extends(mine: Path) -> None:
    plan = load_plan(yaml.safe_load(mine.read_text()))
    files = _configuration(plan, "own-renders", str(mine))
    assert {"config/recipes/mine.yaml", "config/recipes/paper.yaml"} <= {*files}


def test_another_optimiser_inherits_no_learning_rate(tmp_path: Path) -> None:
    read = _read(tmp_path, "extends: paper\npretrain: {objdet: {optimiser: adamw, lr: 0.0001}}\n")
    section = read.recipe.require("pretrain", "objdet")
    assert section.lr == 0.0001 and {section.for_model(name).lr for name in section.models} <= {0.0001}
    again = _read(tmp_path, "extends: mine\npretrain: {objdet: {optimiser: adamw}}\n", "again")
    assert again.recipe.require("pretrain", "objdet").lr == 0.0001


def test_the_schema_takes_a_file_of_differences() -> None:
    schema = RecipeDocument.model_json_schema()
    assert "extends" in schema["properties"] and "required" not in json.dumps(schema).replace("_required", "")
    lr = next(part["properties"]["lr"] for part in schema["$defs"].values() if "lr" in part["properties"])
    assert {"type": "null"} in lr["anyOf"]
