from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from syn2real.config.extending import read_recipe
from syn2real.config.recipe import Recipe
from syn2real.errors import InputError
from syn2real.tasks.mulclass.schema import Section as MulclassSection
from syn2real.tasks.schema import read_section, tasks_of
from syn2real.tasks.sinclass.schema import Section as SinclassSection

RECIPES = Path(__file__).parents[3] / "config" / "recipes"


def load(name: str) -> Recipe:
    return Recipe.model_validate(yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("stage", "task", "model", "batch", "iterations", "warmup", "lr"),
    [  # Appendix A, number by number
        ("pretrain", "objdet", "resnet50", 64, 225_000, 1_875, 0.02),
        ("pretrain", "objdet", "resnet152", 32, 450_000, 3_750, 0.02),
        ("finetune", "objdet", "resnet50", 64, 22_500, 1_875, 0.02),
        ("finetune", "objdet", "resnet152", 32, 45_000, 3_750, 0.02),
        ("pretrain", "semseg", "resnet50", 32, 125_000, 0, 0.02),
        ("finetune", "semseg", "resnet50", 32, 18_750, 0, 0.02),
        ("pretrain", "normal", "resnet50", 32, 200_000, 0, 0.04),
        ("pretrain", "mulclass", "resnet50", 256, 112_500, 468.75, 0.1),
    ],
)
def test_paper(stage, task, model, batch, iterations, warmup, lr):
    section = load("paper").section(stage, task, model)
    assert (section.batch_size, section.total_iterations, section.lr) == (batch, iterations, lr)
    assert section.warmup_images / section.batch_size == warmup
    assert (section.momentum, section.weight_decay) == (0.9, 1e-4)


@pytest.mark.parametrize(
    ("stage", "task", "numbers"),
    [  # Appendix A, what else it says
        ("pretrain", "objdet", {"schedule": "cosine", "image_size": 640, "flip": True, "norm_group": 64}),
        ("finetune", "objdet", {"schedule": "cosine", "image_size": 640, "precision": "mixed16"}),
        ("pretrain", "semseg", {"flip": True, "norm_group": 32, "evaluation_interval": 3125}),
        ("finetune", "semseg", {"flip": True, "norm_group": 32, "evaluation_interval": 3125}),
        ("pretrain", "normal", {"norm_group": 32, "evaluation_interval": 3125}),
        ("pretrain", "mulclass", {"schedule": "cosine", "image_size": 640, "flip": True, "norm_group": 32}),
        ("pretrain", "mulclass", {"evaluation_images": 120_000, "precision": "fp32"}),
        ("finetune", "sinclass", {"schedule": "cosine", "crop": 224, "nesterov": True, "norm_group": 32}),
    ],
)
def test_paper_in_detail(stage, task, numbers):
    section = load("paper").section(stage, task, "resnet50")
    if task in ("semseg", "normal"):
        numbers |= {"schedule": "polynomial", "power": 0.9, "resize": (260, 1040), "crop": 480}
        numbers |= {"eval_size": 520, "aux_weight": 0.5, "aux_lr_factor": 10}
    assert {name: getattr(section, name) for name in numbers} == numbers


def test_paper_validates_by_1000_images_and_never_flips_normals():
    assert load("paper").validation_images == 1000
    assert "flip" not in type(load("paper").pretrain.normal).model_fields


def test_paper_pretraining_is_about_1300_gpu_days_for_some_170_runs():
    recipe = load("paper")
    days = [
        recipe.section("pretrain", task, "resnet50").hours() / 24
        for task in ("mulclass", "objdet", "semseg", "normal")
    ]
    assert 150 < 1300 / (sum(days) / 4) < 190


@pytest.mark.parametrize("name", ["paper", "demo", "smoke"])
def test_a_resolved_section_is_read_back(name):
    recipe = load(name)
    for stage, tasks in (("pretrain", recipe.pretrain), ("finetune", recipe.finetune)):
        for task in tasks.model_fields_set:
            resolved = recipe.resolve(stage, task, "resnet152")
            section = read_section(task, resolved)
            assert section.total_iterations == recipe.section(stage, task, "resnet152").total_iterations
            assert "seconds_per_1000_images" not in resolved
            assert recipe.section(stage, task, "resnet152").hours() > 0


def test_the_paper_s_recipe_has_no_tf32_where_the_appendix_names_no_reduced_precision():
    for stage, tasks in (("pretrain", load("paper").pretrain), ("finetune", load("paper").finetune)):
        for task in tasks.model_fields_set:
            section = getattr(tasks, task)
            assert section.tf32 == (section.precision == "mixed16") == (task == "objdet"), (stage, task)


def test_a_key_at_its_default_that_older_recipes_lack_is_in_no_params():
    recipe = load("smoke")
    assert "tf32" not in recipe.resolve("pretrain", "mulclass", "resnet18")
    off = recipe.pretrain.mulclass.model_copy(update={"tf32": False})
    assert off.for_model("resnet18").tf32 is False and off.model_dump()["tf32"] is False


def test_a_recipe_needs_only_the_sections_that_are_used():
    raw = yaml.safe_load((RECIPES / "smoke.yaml").read_text(encoding="utf-8"))
    del raw["pretrain"]["normal"], raw["finetune"]
    recipe = Recipe.model_validate(raw)
    assert recipe.section("pretrain", "semseg", "resnet18").batch_size == 4
    with pytest.raises(InputError, match=r"^mine.yaml: pretrain.normal: an experiment uses this section"):
        recipe.require("pretrain", "normal", file="mine.yaml")
    with pytest.raises(InputError, match=r"^finetune.objdet: an experiment uses this section"):
        recipe.section("finetune", "objdet", "resnet18")


@pytest.mark.parametrize("name", ["paper", "demo", "smoke"])
def test_every_task_has_its_sections_in_a_recipe_of_all(name):
    recipe = load(name)
    for stage in ("pretrain", "finetune"):
        assert set(getattr(recipe, stage).model_fields_set) <= set(tasks_of(stage))


def test_a_day_holds_what_it_is_for_whatever_the_task():
    """One GPU of 24 GB: mixed precision, few images at a time, and the test images choose nothing."""
    recipe = read_recipe(RECIPES / "day.yaml", RECIPES).recipe
    for stage in ("pretrain", "finetune"):
        for task in getattr(recipe, stage).model_fields_set:
            section = recipe.section(stage, task, "resnet50")
            assert section.precision == "mixed16" and section.tf32 and section.pass_size <= 32, (stage, task)
            if stage == "finetune":
                assert (
                    section.with_labels(400).evaluation_interval == section.with_labels(400).total_iterations
                )
            assert (section.seconds_per_1000_images is None) == (task in ("semseg", "normal")), (stage, task)
    hours = 5 * recipe.section("pretrain", "objdet", "resnet50").hours()
    hours += 6 * recipe.section("finetune", "objdet", "resnet50").with_labels(400).hours()
    assert 12 < hours < 24


def test_cost_estimates_change_no_job():
    raw = yaml.safe_load((RECIPES / "smoke.yaml").read_text(encoding="utf-8"))
    before = Recipe.model_validate(raw).resolve("pretrain", "mulclass", "resnet18")
    raw["pretrain"]["mulclass"]["seconds_per_1000_images"] = 12345
    assert Recipe.model_validate(raw).resolve("pretrain", "mulclass", "resnet18") == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "exactly one unit"),
        ({"iterations": 5, "images": 40}, "exactly one unit"),
        ({"passes": 5, "images": 40}, "exactly one unit"),
        ({"iterations": 5, "evaluation_iterations": 1, "evaluation_images": 8}, "interval in one unit"),
        ({"iterations": 5, "warmup_images": 40}, "warm-up"),
        ({"iterations": 5, "batch_size": 1}, "batch_size"),
        ({"iterations": 5, "crop_scale": (0.9, 0.5)}, r"\[0.9, 0.5\] is no range"),
        ({"iterations": 5, "grey": 1.5}, "grey"),
        ({"iterations": 5, "learning_rate": 0.1}, "learning_rate"),
        ({"iterations": 5, "micro_batch_size": 4}, "give norm_batch_size, .* or norm: frozen"),
        ({"iterations": 5, "norm": "frozen", "micro_batch_size": 3}, "3 does not divide the batch of 8"),
        ({"iterations": 5, "nesterov": True, "optimiser": "adamw"}, "nesterov is SGD's; remove it, or"),
        ({"iterations": 5, "models": {"resnet20": {"batch_size": 4}}}, "resnet20"),
        ({"iterations": 10**10}, "1000000000"),
        ({"images": 10**13}, "1000000000000"),
        ({"passes": 1e300}, "1000000"),
        ({"iterations": 5, "lr": 1e300}, "less than or equal to 100"),
        ({"iterations": 5, "batch_size": 10**12}, "100000"),
        ({"iterations": 5, "image_size": 1}, "greater than or equal to 4"),
        ({"iterations": 5, "image_size": 10**8}, "10000"),
        ({"iterations": 5, "small_first": {"part": 0.5, "scale": 0.001}}, "0.1"),
    ],
)
def test_mistakes_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        MulclassSection.model_validate({"batch_size": 8, "lr": 0.1} | values)


@pytest.mark.parametrize("scale", [(5.0, 9.0), (0.0, 1.0), (0.9, 0.5), (-1.0, 0.5)])
def test_a_crop_covers_a_part_of_the_image(scale):
    with pytest.raises(ValidationError, match="crop_scale"):
        SinclassSection.model_validate({"batch_size": 8, "lr": 0.1, "iterations": 5, "crop_scale": scale})


def test_length_in_images_is_whole_batches():
    section = MulclassSection(batch_size=8, lr=0.1, images=81, evaluation_images=20)
    assert section.total_iterations == 11
    assert section.evaluation_interval == 2


@pytest.mark.parametrize(
    ("stage", "task", "values", "message"),
    [
        (
            "pretrain",
            "mulclass",
            {"norm": "frozen"},
            "a pre-training has nothing trained yet that could be held; remove norm: frozen",
        ),
        ("pretrain", "mulclass", {"train_stages": 2}, "that could be held; remove train_stages: 2"),
        (
            "pretrain",
            "mulclass",
            {"passes": 3, "iterations": None},
            "a pre-training has one length for all n",
        ),
        (
            "finetune",
            "objdet",
            {"norm_batch_size": 2, "models": {"resnet18": {"batch_size": 5}}},
            "models.resnet18: norm_batch_size: 2 does not divide the batch of 5 images",
        ),
        ("finetune", "semseg", {"norm": "frozen", "micro_batch_size": 2}, "the head's batch norm"),
        (
            "finetune",
            "semseg",
            {"passes": 0.001, "iterations": None},
            "passes: 0.001 would leave out some of the labelled images; give 1 or more",
        ),
    ],
)
def test_what_a_stage_cannot_have_is_refused(stage, task, values, message):
    raw = yaml.safe_load((RECIPES / "smoke.yaml").read_text(encoding="utf-8"))
    raw[stage][task] |= values
    with pytest.raises(ValidationError, match=message):
        Recipe.model_validate(raw)


def test_a_length_in_passes_is_one_in_images_of_the_labels():
    section = MulclassSection(batch_size=8, lr=0.1, passes=2.5, warmup_images=20, seconds_per_1000_images=36)
    assert section.hours() is None and section.with_labels(40).hours() == pytest.approx(0.001 * 1.04)
    assert (section.with_labels(40).images, section.with_labels(40).total_iterations) == (100, 13)
    with pytest.raises(ValueError, match="warm-up"):
        section.with_labels(3)


@pytest.mark.parametrize(
    ("lengths", "by", "shortened"),
    [
        ({"iterations": 600, "warmup_images": 800, "evaluation_iterations": 60}, 0.25, (150, 200, 15, None)),
        ({"iterations": 5, "warmup_images": 39}, 0.5, (3, 19, 3, None)),
        ({"iterations": 3, "warmup_images": 4}, 0.0001, (1, 0, 1, None)),
        ({"images": 192_000, "evaluation_images": 38_400}, 0.125, (3_000, 0, 600, None)),
        ({"images": 10, "warmup_images": 15}, 0.75, (1, 7, 1, None)),
        ({"passes": 60, "warmup_images": 1_600}, 0.1, (None, 160, None, 6)),
        ({"iterations": 7}, 1, (7, 0, 7, None)),
    ],
)
def test_all_lengths_are_shortened_alike(lengths, by, shortened):
    section = MulclassSection(batch_size=8, lr=0.1, seconds_per_1000_images=3, **lengths).shortened(by)
    steps, interval = (
        (None, None) if section.passes else (section.total_iterations, section.evaluation_interval)
    )
    assert (steps, section.warmup_images, interval, section.passes) == shortened
    assert section.seconds_per_1000_images == 3


@pytest.mark.parametrize("name", ["paper", "day", "digits", "smoke"])
def test_every_shipped_recipe_can_be_shortened(name):
    read = read_recipe(RECIPES / f"{name}.yaml", RECIPES)
    for length in (0.001, 0.3):
        shorter = read.shortened(length)
        for stage in ("pretrain", "finetune"):
            for task, given in shorter.given[stage].items():
                section = getattr(getattr(shorter.recipe, stage), task)
                assert section.lr == getattr(getattr(read.recipe, stage), task).lr
                assert all(
                    given[key].value == getattr(section, key) for key in ("images", "passes") if key in given
                )
