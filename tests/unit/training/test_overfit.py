"""Each task learns eight images by heart through the real loop: loss down tenfold, metric above 0.9."""

import csv
import json
import shutil

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from syn2real.training.finetune import finetune
from syn2real.training.pretrain import pretrain

PLAIN = {"batch_size": 8, "warmup_images": 80, "flip": False}
PIXELS = {"batch_size": 8, "warmup_images": 80, "resize": [64, 64], "crop": 64, "eval_size": 64}


@pytest.mark.timeout(1700)  # detection: some six minutes of a core
@pytest.mark.parametrize(
    ("ptask", "model", "size", "numbers"),
    [
        ("mulclass", "resnet18", 32, PLAIN | {"image_size": 32, "iterations": 45, "lr": 0.05}),
        pytest.param(
            *("normal", "resnet18", 64, PIXELS | {"iterations": 60, "lr": 0.05}), marks=pytest.mark.slow
        ),
        pytest.param(
            *("semseg", "resnet50", 64, PIXELS | {"iterations": 80, "lr": 0.05, "flip": False}),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("objdet", "resnet18", 64, PLAIN | {"image_size": 64, "iterations": 300, "lr": 0.01}),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_pretraining_overfits(ptask, model, size, numbers, eight_images, key, resolve, tmp_path):
    shards = eight_images(size)
    files = {"backbone": "backbone.safetensors", "metrics": "metrics.json", "curve": "curve.csv"}
    outputs = {name: tmp_path / file for name, file in files.items()}
    numbers |= {"evaluation_iterations": numbers["iterations"]}
    pretrain(
        key=key | {"ptask": ptask, "model": model, "n": 8},
        recipe=resolve("pretrain", ptask, model, **numbers),
        shards=shards,
        val_shards=shards,
        n=8,
        n_val=8,
        outputs=outputs,
        scratch=tmp_path / ".scratch",
        threads=1,
    )
    with outputs["curve"].open(encoding="utf-8") as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert losses[-1] < losses[0] / 10
    assert json.loads(outputs["metrics"].read_text())["value"] > 0.9


def test_finetuning_overfits(key, resolve, image_folder, tmp_path):
    folder = tmp_path / "target"
    for name, kept in (("class0", 3), ("class1", 3), ("class2", 2)):
        for file in sorted((folder / "train" / name).iterdir())[kept:]:
            file.unlink()
    shutil.rmtree(folder / "val")
    shutil.copytree(folder / "train", folder / "val")
    numbers = {"batch_size": 8, "iterations": 45, "lr": 0.05, "warmup_images": 80, "flip": False}
    finetune(
        key=key | {"ftask": "sinclass", "target": "boxes", "s_percent": 100.0},
        recipe=resolve("finetune", "sinclass", **numbers, crop=32, crop_scale=[1, 1], eval_size=32),
        target=image_folder,
        backbone=None,
        percent=100.0,
        outputs={"metrics": tmp_path / "metrics.json"},
        scratch=tmp_path / ".scratch",
        threads=1,
    )
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    losses = [event.value for event in events.Scalars("loss")]
    assert losses[-1] < losses[0] / 10
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["value"] > 0.9 and (metrics["n_train"], metrics["n_test"]) == (8, 8)
