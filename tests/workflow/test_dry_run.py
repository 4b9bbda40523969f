"""What Snakemake plans and refuses before the first job."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT, Checkout


def test_smoke_holds_all_twelve_pairs_once(checkout: Checkout) -> None:
    # 4 pre-trainings; 3 targets from each of them and from scratch.
    assert checkout.planned() == {
        "make_objects": 2, "make_textures": 1, "render": 4, "export_stand_in": 1, "pretrain": 4,
        "finetune": 15, "points": 1, "fit": 1, "advise": 1, "figure_curves": 1,
        "figure_parameters": 1, "figure_samples": 2, "reference": 1, "complexity": 1, "compare_complexity": 1,
        "figure_complexity": 1, "distances": 1, "gaps_by_distance": 1, "both_errors": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sizes: [0, 8]", "sizes: [0, 7]", "sizes: 7 images are not a whole number of scenes of 2 views"),
        ("seeds: [0]", "sedes: [0]", "sedes: unknown key; did you mean 'seeds'?"),
    ],
)
def test_a_mistake_is_one_line_with_code_2(checkout: Checkout, old: str, new: str, message: str) -> None:
    checkout.edit("config/experiments/smoke.yaml", old, new)
    done = checkout.snakemake("--dry-run")
    errors = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert done.returncode == 2
    assert len(errors) == 1 and f"config/experiments/smoke.yaml: {message}" in errors[0]
    assert "Traceback" not in done.stdout
    check = checkout.syn2real("check", "config/experiments/smoke.yaml")
    assert (check.returncode, check.stderr) == (2, errors[0] + "\n")


def test_another_start_has_all_runs_again_and_its_weights_are_fetched_once(checkout: Checkout) -> None:
    name = "config/experiments/smoke.yaml"
    checkout.edit(name, "seeds: [0]", "seeds: [0]\ninitial: [random, imagenet]")
    checkout.edit(name, "models: [resnet18]", "models: [convnext_atto]")
    planned = checkout.planned()
    assert (planned["fetch_weights"], planned["pretrain"], planned["finetune"]) == (1, 2 * 4, 2 * 15)


def test_a_pilot_is_planned_apart_and_trains_nothing_twice(checkout: Checkout) -> None:
    refused = checkout.snakemake("pilot", "--dry-run")
    assert refused.returncode == 2 and "Traceback" not in refused.stdout
    assert "smoke.yaml: sizes: a pilot compares the smallest and the largest n above 0" in refused.stdout
    name = "config/experiments/smoke.yaml"
    pilot = "pilot: {lengths: [0.5, 1], parts: 1, tolerance: 0.9, rates: [1, 3], pretrain_lengths: [0.25, 1]}"
    checkout.edit(name, "sizes: [0, 8]", f"sizes: [0, 8, 16]\nlength: 0.5\n{pilot}")
    planned = checkout.planned("--nolock", "pilot", "all")
    # Two lengths at two sizes of four tasks, each fine-tuned on three targets; half of the pre-trainings are
    # the experiment's own. The other rate at the largest size, and both on the targets without pre-training.
    # The shorter pre-training at the largest size.
    assert [planned[f"compare_{what}"] for what in ("lengths", "rates", "pretrain_lengths")] == [1, 1, 1]
    assert planned["pretrain"] == 16 + 4
    assert planned["finetune"] == 48 + 27 + 12 + 6 + 12


@pytest.mark.parametrize(
    ("value", "message"),
    [("0100", "64 is what Snakemake reads"), ("2024-99-99", "cannot read it")],
)
def test_a_value_that_snakemake_reads_otherwise_is_refused(
    checkout: Checkout, value: str, message: str
) -> None:
    checkout.edit("config/config.yaml", "downloads: resources/downloads", f"downloads: {value}")
    done = checkout.snakemake("--dry-run")
    [error] = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert done.returncode == 2 and message in error and "Traceback" not in done.stdout


def test_missing_data_warns_in_a_dry_run_and_refuses_a_real_one(checkout: Checkout) -> None:
    checkout.edit("config/experiments/smoke.yaml", "target: smoke-stand-in-coco", "target: coco")
    dry = checkout.snakemake("--dry-run")
    assert dry.returncode == 0
    assert re.search(r"warning: resources/targets/coco.*needed by the objdet runs on coco", dry.stdout)
    real = checkout.snakemake("--cores", "1")
    assert real.returncode == 2
    assert re.search(r"error: resources/targets/coco.*needed by the objdet runs on coco", real.stdout)
    assert not (checkout.folder / "results").exists()


def test_an_own_copy_that_is_not_there_warns_in_a_dry_run_and_refuses_a_real_one(checkout: Checkout) -> None:
    checkout.edit("config/config.yaml", "objects: {}", "objects: {tless: mine/tless}")
    checkout.edit("config/config.yaml", "textures: {}", "textures: {ambientcg: mine/ambientcg}")
    name, old = "config/experiments/smoke.yaml", "collections: [demo-textured, demo-textureless]"
    checkout.edit(name, old, "collections: [tless]")
    checkout.edit(name, "    textures: demo\n", "    textures: ambientcg\n")
    dry = checkout.snakemake("--dry-run")
    assert dry.returncode == 0, dry.stdout
    problem = r"mine/tless: no object collection.*needed by the renders of experiment smoke"
    assert re.search(f"warning: {problem}", dry.stdout)
    assert "warning: mine/ambientcg: no materials" in dry.stdout
    real = checkout.snakemake("--cores", "1")
    assert real.returncode == 2 and re.search(f"error: {problem}", real.stdout)


def test_check_prints_runs_images_and_hours(checkout: Checkout) -> None:
    done = checkout.syn2real("check", "config/experiments/smoke.yaml")
    assert done.returncode == 0, done.stderr
    assert "pretrain  4 runs, about 0.0" in done.stdout
    assert "finetune  15 runs (3 of them without pre-training, n = 0)" in done.stdout
    assert "smoke: 16 images in 2 shards, 0 of them rendered already" in done.stdout
    targets = ", ".join(f"smoke-stand-in-{layout}" for layout in ("imagenet", "coco", "ade20k"))
    measured = f"complexity by 8 images a setting, 0 of 1 done already; distances from {targets}"
    assert measured in done.stdout
    assert "resnet18 trained for sinclass on smoke-stand-in-imagenet, about 0.0" in done.stdout
    assert "a rendered stand-in" in done.stdout
    assert "4 pre-trainings, 15 fine-tunings, 1 reference backbone; training: about 0.0" in done.stdout


def test_snakemake_finds_no_fault_with_the_workflow() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "your workflow is in a good condition" in done.stderr


def test_snakefile_and_scripts_stay_small() -> None:
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 60
    for script in Path(ROOT / "workflow/scripts").glob("*.py"):
        assert len(script.read_text().splitlines()) <= 40, script
