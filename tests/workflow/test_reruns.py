"""What is run again after a change: exactly what depends on it, and nothing else."""

import base64
import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest
from checkout import PARTS, ROOT, Checkout, metrics

EXPERIMENT = "config/experiments/smoke.yaml"
DRAWN = {"figure_curves": 1, "figure_parameters": 1, "figure_complexity": 1}
FITTED = {"fit": 1, "advise": 1} | DRAWN
ANSWERS = {"points": 1, "both_errors": 1, "gaps_by_distance": 1} | FITTED
MEASURED = {"complexity": 1, "compare_complexity": 1, "figure_complexity": 1}
DISTANT = {"distances": 1, "compare_complexity": 1, "figure_complexity": 1, "gaps_by_distance": 1}
RENDERED = {"render": 1, "figure_samples": 1}
"""One shard more, whose redrawn scenes the setting's sheet counts."""
TRAINED = {"pretrain": 4, "finetune": 15, "reference": 1} | MEASURED | DISTANT | ANSWERS


def test_comments_docstrings_a_release_and_touched_files_run_nothing(reuse: Checkout) -> None:
    reuse.edit("workflow/syn2real/version.py", '__version__ = "', '__version__ = "99.')
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
        ("report/figures/curves.py", {"figure_curves": 1}),
        ("report/page.py", {"advise": 1}),
        ("report/wording.py", {"advise": 1}),
        ("laws/bayes/grid.py", FITTED | {"gaps_by_distance": 1}),
        ("complexity/covariance.py", MEASURED),
        ("complexity/distance.py", DISTANT),
        ("tasks/sinclass/task.py", {"finetune": 5, "reference": 1} | MEASURED | DISTANT | ANSWERS),
        ("tasks/normal/task.py", {"pretrain": 1, "finetune": 3} | ANSWERS),
        ("report/contact_sheet.py", {"figure_samples": 2}),
        ("render/scene.py", {"render": 4, "export_stand_in": 1, "figure_samples": 2} | TRAINED),
    ],
)
def test_an_edited_module_reruns_its_stage(reuse: Checkout, module: str, jobs: dict[str, int]) -> None:
    edit_module(reuse, module)
    assert reuse.planned() == jobs


def edit_module(reuse: Checkout, module: str) -> None:
    path = reuse.folder / "workflow/syn2real" / module
    path.write_text(path.read_text() + "\nEDITED = True\n")


def test_how_jobs_are_run_and_plug_ins_that_none_names_rerun_nothing(reuse: Checkout) -> None:
    unused = ("laws/methods/paper.py", "render/randomise/jpeg.py")
    for module in ("jobs/attempts.py", "jobs/log.py", *unused):
        edit_module(reuse, module)
    folder = reuse.folder / "workflow/syn2real/render/randomise"
    shutil.copy(folder / "jpeg.py", folder / "new_one.py")
    assert reuse.planned() == {}


def test_one_settings_compression_rerenders_that_setting_alone(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "    objects_per_scene: 3\n", "    objects_per_scene: 3\n    jpeg: {}\n")
    assert reuse.planned()["render"] == 2


def test_one_settings_light_rerenders_that_setting_alone(reuse: Checkout) -> None:
    reuse.edit(
        EXPERIMENT,
        "    objects_per_scene: 3\n",
        "    objects_per_scene: 3\n    light: fix\n",
    )
    rendered = {"render": 2, "figure_samples": 1} | MEASURED | DISTANT
    assert reuse.planned() == rendered | {"pretrain": 4, "finetune": 12} | ANSWERS


def test_a_new_size_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "sizes: [0, 8]", "sizes: [0, 8, 16]")
    assert reuse.planned() == {"pretrain": 4, "finetune": 12} | RENDERED | ANSWERS


def test_a_new_seed_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "seeds: [0]", "seeds: [0, 1]")
    assert reuse.planned() == {"pretrain": 4, "finetune": 15} | ANSWERS


def test_a_new_model_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "models: [resnet18]", "models: [resnet18, resnet34]")
    assert reuse.planned() == {"pretrain": 4, "finetune": 15} | ANSWERS


def test_a_new_start_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "seeds: [0]", "seeds: [0]\ninitial: [random, imagenet]")
    assert reuse.planned() == {"fetch_weights": 1, "pretrain": 4, "finetune": 15} | ANSWERS


def _finish_without(reuse: Checkout, part: str, kept: str, results: str) -> None:
    """Make the finished experiment one without a part of it: its results are gone, the others up to date."""
    reuse.edit(EXPERIMENT, part, kept)
    for folder in list(reuse.folder.glob(results)):
        shutil.rmtree(folder)
    assert reuse.snakemake("--touch", "--cores", "1").returncode == 0
    assert reuse.planned() == {}
    path = reuse.folder / EXPERIMENT
    shutil.copy(ROOT / EXPERIMENT, path)


def test_a_new_pretraining_task_adds_only_its_runs(reuse: Checkout) -> None:
    _finish_without(reuse, ", normal]", "]", "results/*/smoke/smoke/normal")
    assert reuse.planned() == {"pretrain": 1, "finetune": 3} | ANSWERS


def test_a_new_finetuning_task_adds_only_its_runs(reuse: Checkout) -> None:
    task = "  - {task: semseg, target: smoke-stand-in-ade20k, percents: [100]}\n"
    _finish_without(reuse, task, "", "results/finetune/**/semseg-*")
    assert reuse.planned() == {"finetune": 5} | DISTANT | ANSWERS


def test_a_new_target_adds_only_its_runs(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "models: [", "  - {task: sinclass, target: fewer, percents: [100]}\nmodels: [")
    stand_in = "stand_ins:\n  fewer: {setting: smoke-stand-in, train_images: 24, test_images: 12}\n"
    reuse.edit(EXPERIMENT, "stand_ins:\n", stand_in)
    target = "layout: imagenet, path: results/targets/fewer/imagenet, stand_in: true, description: fewer"
    reuse.edit(EXPERIMENT, "\ntargets:\n", f"\ntargets:\n  fewer: {{{target}}}\n")
    assert reuse.planned() == {"export_stand_in": 1, "finetune": 5} | DISTANT | ANSWERS


def test_results_are_accepted_after_an_upgrade_and_missing_ones_still_planned(reuse: Checkout) -> None:
    loop = reuse.folder / "workflow/syn2real/training/loop.py"
    loop.write_text(loop.read_text() + "\nEDITED = True\n")
    assert reuse.planned() == TRAINED
    before = metrics(reuse.folder)
    reuse.edit(EXPERIMENT, "sizes: [0, 8]", "sizes: [0, 8, 16]")
    # Only as far as the runs: a touched answer would count as one from all of them.
    accepted = reuse.snakemake("--touch", "--until", "finetune", "complexity", "distances", "--cores", "1")
    assert accepted.returncode == 0, accepted.stdout
    assert metrics(reuse.folder) == before
    assert reuse.planned() == {"pretrain": 4, "finetune": 12} | RENDERED | ANSWERS
    reuse.edit(EXPERIMENT, "sizes: [0, 8, 16]", "sizes: [0, 8]")
    assert reuse.planned() == {}


def test_results_of_the_first_release_keep_their_keys(finished: Checkout) -> None:
    """Of what 0.1.0 recorded with its results, only fingerprints differ: `--touch` accepts it."""
    expected = json.loads(Path(__file__).with_name("keys-0.1.0.json").read_text(encoding="utf-8"))
    found = {}
    for path in (finished.folder / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            name = path.relative_to(finished.folder / ".snakemake/metadata").as_posix()
            output = base64.b64decode(name.replace("@", "").replace("/", "")).decode()
            found[output] = json.loads(path.read_text(encoding="utf-8"))["params"]
    for output, params in expected.items():
        assert [p for p in found[output] if not re.fullmatch("'[0-9a-f]{16}'", p)] == params, output


def test_another_target_error_is_answered_again_and_nothing_else(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "target_error: 0.5", "target_error: 0.4")
    assert reuse.planned() == {"advise": 1}


def test_a_better_estimate_of_the_hours_runs_nothing(reuse: Checkout) -> None:
    reuse.edit(EXPERIMENT, "\ncost: two or three minutes", "\ncost: two minutes")
    path = reuse.folder / "config/recipes/smoke.yaml"
    path.write_text(path.read_text().replace("seconds_per_1000_images: 20", "seconds_per_1000_images: 21"))
    assert reuse.planned() == {}
