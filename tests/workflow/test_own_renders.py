"""A user's own renders and labelled data instead of rendered ones: what is planned, refused and imported."""

import json
from pathlib import Path

import numpy as np
import pytest
from checkout import Checkout, failed_logs
from PIL import Image

from syn2real.backbones.base import build_backbone, save_backbone

EXAMPLE = "config/experiments/own-renders.yaml"
MINE = "config/experiments/mine.yaml"
TAIL = dict.fromkeys(
    ("both_errors", "points", "fit", "advise", "figure_curves", "figure_parameters", "figure_samples"), 1
)


def write_coco(folder: Path, split: str, count: int) -> None:
    """Write images of a bright square each, and a COCO file that boxes and masks it."""
    rng = np.random.default_rng([count, len(split)])
    content: dict = {"images": [], "annotations": [], "categories": [{"id": 5, "name": "square"}]}
    (folder / split).mkdir(parents=True)
    for k in range(count):
        pixels = rng.integers(0, 99, (36, 48, 3), dtype=np.uint8)
        x, y = int(rng.integers(0, 28)), int(rng.integers(0, 16))
        pixels[y : y + 20, x : x + 20] = 222
        Image.fromarray(pixels).save(folder / split / f"{k:04d}.jpg")
        corners = [x, y, x + 20, y, x + 20, y + 20, x, y + 20]
        thing = {"id": k + 1, "image_id": k, "category_id": 5, "bbox": [x, y, 20, 20], "iscrowd": 0}
        content["images"].append({"id": k, "file_name": f"{k:04d}.jpg", "width": 48, "height": 36})
        content["annotations"].append(thing | {"area": 400, "segmentation": [corners]})
    (folder / f"{split}.json").write_text(json.dumps(content))


@pytest.fixture
def mine(checkout: Checkout) -> Checkout:
    """A checkout with the shipped example made small: renders, photographs, the smoke recipe."""
    text = (checkout.folder / EXAMPLE).read_text()
    for old, new in (
        ("name: own-renders", "name: mine"),
        ("recipe: day ", "recipe: smoke "),
        ("models: [resnet50]", "models: [resnet18]"),
        ("    counts: {train: 400, test: 100}", "    counts: {train: 4, test: 4}"),
        ("sizes: [0, 1000, 2000, 4000, 8000, 16000]", "sizes: [0, 4, 8]"),
        ("    views: 1 ", "    scenes_per_shard: 3\n    views: 2 "),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (checkout.folder / MINE).write_text(text)
    for folder, splits in (
        ("my-renders", {"train": 9, "val": 8}),
        ("my-photographs", {"train": 4, "test": 4}),
    ):
        for split, count in splits.items():
            write_coco(checkout.folder / "resources" / folder, split, count)
    return checkout


def test_the_example_plans_imports_and_only_warns(checkout: Checkout) -> None:
    # 16,000 and 1,000 images by 500; 5 pre-trainings; 6 fine-tunings; the shipped settings render nothing.
    assert checkout.planned(experiment=EXAMPLE) == TAIL | {"import_renders": 34, "pretrain": 5, "finetune": 6}
    done = checkout.syn2real("check", EXAMPLE)
    assert done.returncode == 0, done.stderr
    assert (
        "import    my-renders: 16,000 and 1,000 of your own images for training and validation, "
        in done.stdout
    )
    warnings = done.stderr.splitlines()
    assert len(warnings) == 2 and all(line.startswith("warning: resources/my-") for line in warnings)
    real = checkout.snakemake("--cores", "1", experiment=EXAMPLE)
    assert real.returncode == 2
    assert "error: resources/my-renders/train: there is no such folder" in real.stdout


def test_a_size_beyond_the_annotations_is_refused(mine: Checkout) -> None:
    mine.edit(MINE, "sizes: [0, 4, 8]", "sizes: [0, 4, 16]")
    done = mine.snakemake("--dry-run", experiment=MINE)
    errors = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert done.returncode == 2 and errors == [
        f"error: {MINE}: sizes: 16 images are asked for, but resources/my-renders/train.json (my-renders) "
        "names 9; render more or ask for fewer"
    ]


def test_only_shards_whose_annotations_changed_are_imported_again(mine: Checkout) -> None:
    shards = [f"results/renders/my-renders/train/shard-{k:06d}.tar" for k in (0, 1)]
    mine.edit(MINE, "scenes_per_shard: 3", "scenes_per_shard: 2")
    done = mine.snakemake("--cores", "1", *shards, experiment=MINE)
    assert done.returncode == 0 and all((mine.folder / shard).is_file() for shard in shards), done.stdout
    once = TAIL | {"import_renders": 2, "pretrain": 2, "finetune": 3}  # two shards for validation
    path = mine.folder / "resources/my-renders/train.json"
    content = json.loads(path.read_text())
    added = {"id": 99, "file_name": "0000.jpg", "width": 48, "height": 36}
    path.write_text(json.dumps(content | {"images": [*content["images"], added]}, indent=1))
    assert mine.planned(experiment=MINE) == once
    content["annotations"][6]["bbox"] = [0, 0, 20, 20]
    path.write_text(json.dumps(content))
    assert mine.planned(experiment=MINE) == once | {"import_renders": 3}


def test_check_and_a_dry_run_write_nothing(mine: Checkout) -> None:
    def files() -> dict[Path, int]:
        kept = [p for p in mine.folder.rglob("*") if not {".snakemake", "__pycache__"} & {*p.parts}]
        # Python may add its __pycache__ to a folder, which changes the time of the folder.
        return {path: path.stat().st_mtime_ns if path.is_file() else 0 for path in kept}

    before = files()
    planned = mine.planned(experiment=MINE)
    assert planned["import_renders"] == 4
    assert mine.syn2real("check", MINE).returncode == 0
    assert files() == before
    # With the index of a real run, too.
    shard = "results/renders/my-renders/train/shard-000000.tar"
    assert mine.snakemake("--cores", "1", shard, experiment=MINE).returncode == 0
    before = files()
    assert mine.planned(experiment=MINE) == planned | {"import_renders": 3}
    assert mine.syn2real("check", MINE).returncode == 0
    assert files() == before


def test_corrected_labels_are_planned_again(mine: Checkout) -> None:
    scratch = "results/finetune/smoke/none/none/resnet18/n0/seed0"
    run = f"{scratch}/objdet-my-photographs/s100/metrics.json"
    (mine.folder / run).parent.mkdir(parents=True)
    (mine.folder / run).touch()
    accepted = mine.snakemake("--touch", "--force", "--cores", "1", run, experiment=MINE)
    assert accepted.returncode == 0, accepted.stdout
    labels = mine.folder / "resources/my-photographs/test.json"
    labels.touch()
    assert mine.planned("--cores", "1", run, experiment=MINE) == {}
    labels.write_text(labels.read_text().replace('"name": "square"', '"name": "box"'))
    assert mine.planned("--cores", "1", run, experiment=MINE) == {"finetune": 1}


def test_the_distance_is_from_labelled_photographs_by_their_scenes(mine: Checkout) -> None:
    save_backbone(mine.folder / "resources/mine.safetensors", build_backbone("resnet18").state_dict(), {})
    asked = (
        "complexity: {reference: mine, images: 6, image_size: 32}\n"
        "references: {mine: {weights: resources/mine.safetensors, model: resnet18}}\n"
    )
    mine.edit(MINE, "\nrenderings:\n", f"\n{asked}renderings:\n")
    mine.edit(MINE, "    layout: coco\n", "    layout: coco\n    scene: 000(?=[01])|00\n")
    done = mine.snakemake("--cores", "1", "results/complexity/mine.json", experiment=MINE)
    assert done.returncode == 0, done.stdout + failed_logs(mine.folder)
    found = json.loads((mine.folder / "results/complexity/mine.json").read_text())
    [row] = found["distances"]
    assert (row["images"], row["scenes"], row["photographs"]) == (6, 3, 4)
    assert row["standard_error"] is None, "four photographs of two scenes leave no spread to see"


@pytest.mark.slow
def test_own_renders_go_the_whole_way(mine: Checkout) -> None:
    mine.edit(MINE, "sizes: [0, 4, 8]", "sizes: [0, 4]")
    mine.edit(MINE, "ptasks: [objdet] ", "ptasks: [mulclass, objdet, semseg] ")
    done = mine.snakemake("--cores", "2", experiment=MINE)
    assert done.returncode == 0, done.stdout + failed_logs(mine.folder)
    rows = (mine.folder / "results/points/mine.csv").read_text().splitlines()
    assert len(rows) == 1 + 3 + 1  # three tasks, and from scratch
    assert (mine.folder / "results/laws/mine/advice.html").is_file()
    assert (mine.folder / "results/figures/samples/my-renders.png").is_file()
