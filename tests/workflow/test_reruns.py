"""What is run again after a change: exactly what depends on it, and nothing else."""

import os
import shutil
import time

import pytest
from checkout import PARTS, Checkout

DRAWN = {"figure_curves": 1, "figure_parameters": 1, "compare_complexity": 1}
ANSWERS = {"points": 1, "fit": 1, "advise": 1} | DRAWN


def test_comments_docstrings_and_touched_files_run_nothing(reuse: Checkout) -> None:
    reuse.edit("workflow/rules/render.smk", "rule render:", "# a comment\nrule render:")
    reuse.edit("workflow/syn2real/render/job.py", "def render_shard(", "# a comment\ndef render_shard(")
    reuse.edit("workflow/scripts/pretrain.py", '"""Pre-train a', '"""A docstring: pre-train a')
    for path in [*reuse.folder.glob("workflow/**/*.py"), *reuse.folder.glob("config/**/*.yaml")]:
        os.utime(path, (time.time() + 10,) * 2)
    assert reuse.planned() == {}


def test_a_fresh_checkout_over_old_results_runs_nothing(reuse: Checkout) -> None:
    for part in PARTS:
        path = reuse.folder / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    Checkout(reuse.folder)
    assert reuse.planned() == {}


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("figures/curves.py", {"figure_curves": 1}),
        ("report.py", {"fit": 1, "advise": 1} | DRAWN),
        ("complexity/covariance.py", {"complexity": 1, "compare_complexity": 1}),
        ("tasks/sinclass.py", None),
        ("render/contact_sheet.py", {"figure_samples": 2}),
    ],
)
def test_an_edited_module_reruns_its_stage(reuse: Checkout, module: str, jobs: dict | None) -> None:
    path = reuse.folder / "workflow/syn2real" / module
    path.write_text(path.read_text() + "\nEDITED = True\n")
    planned = reuse.planned()
    if jobs is None:  # a task of training: nothing is rendered again
        assert planned["finetune"] == 15 and planned["render"] == planned["export_stand_in"] == 0
    else:
        assert planned == jobs


def test_one_settings_light_rerenders_that_setting_alone(reuse: Checkout) -> None:
    reuse.edit(
        "config/experiments/smoke.yaml",
        "    objects_per_scene: 3\n",
        "    objects_per_scene: 3\n    light: fix\n",
    )
    rendered = {"render": 2, "figure_samples": 1, "complexity": 1}
    assert reuse.planned() == rendered | {"pretrain": 4, "finetune": 12} | ANSWERS


def test_a_new_size_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit("config/experiments/smoke.yaml", "sizes: [0, 8]", "sizes: [0, 8, 16]")
    assert reuse.planned() == {"render": 1, "pretrain": 4, "finetune": 12} | ANSWERS


def test_a_new_seed_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit("config/experiments/smoke.yaml", "seeds: [0]", "seeds: [0, 1]")
    assert reuse.planned() == {"pretrain": 4, "finetune": 15} | ANSWERS


def test_a_new_model_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit("config/experiments/smoke.yaml", "models: [resnet18]", "models: [resnet18, resnet34]")
    assert reuse.planned() == {"pretrain": 4, "finetune": 15} | ANSWERS


def test_a_better_estimate_of_the_hours_runs_nothing(reuse: Checkout) -> None:
    path = reuse.folder / "config/recipes/smoke.yaml"
    path.write_text(path.read_text().replace("seconds_per_1000_images: 20", "seconds_per_1000_images: 21"))
    assert reuse.planned() == {}
