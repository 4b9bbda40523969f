"""The arms of a fine-tuning: what each learns from, how long, and what it starts with."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fixtures.interruptions import stopped_after
from syn2real.backbones.base import read_about, save_backbone
from syn2real.data.targets.load import load_splits
from syn2real.data.targets.schema import Target
from syn2real.errors import InputError
from syn2real.files import file_digest
from syn2real.laws.per_image import FILE
from syn2real.tasks.base import build_model, task_class
from syn2real.tasks.schema import channel_of, read_section
from syn2real.training.batches import annotated, evaluation_batches
from syn2real.training.finetune import finetune
from syn2real.training.launch import run_processes
from syn2real.training.metrics import read_metrics
from syn2real.training.pretrain import pretrain

CLASSES = ["box/red", "box/green", "box/blue"]


@pytest.fixture
def pretrained(shards, key, resolve, tmp_path):
    """Return a function that pre-trains on renders and returns the files."""

    def make(task):
        names = {"backbone": "b.safetensors", "head": "h.safetensors", "metrics": "m.json", "curve": "c.csv"}
        outputs = {name: tmp_path / "pre" / file for name, file in names.items()}
        pretrain(
            key=key | {"ptask": task}, recipe=resolve("pretrain", task), shards=shards[0],
            val_shards=shards[1], n=16, n_val=8, outputs=outputs, scratch=tmp_path / ".pre", threads=1,
        )  # fmt: skip
        return outputs

    return make


@pytest.fixture
def arguments(key, resolve, stand_in, tmp_path):
    """Return a function that makes the arguments of an arm's fine-tuning."""

    def make(arm, task="semseg", folder="run", percent=50.0, given=None, **changes):
        output = tmp_path / folder / "metrics.json"
        return {
            "key": key
            | {"ptask": task, "ftask": task, "target": "boxes", "s_percent": percent}
            | {"arm": arm, "rate": 0.5},
            "recipe": resolve("finetune", task, **changes),
            "target": {"layout": "coco", "path": str(stand_in / "coco")},
            "backbone": None,
            "percent": percent,
            "outputs": {"metrics": str(output)},
            "scratch": tmp_path / folder / ".scratch",
            "threads": 1,
        } | (given or {})

    return make


def parts(files):
    """Return what an arm with the whole pre-trained model takes."""
    return {"backbone": files["backbone"], "head": files["head"]}


def rename(stand_in, names):
    """Give the photographs' classes other names, in the order of their numbers; others are added."""
    for path in (stand_in / "coco/annotations").glob("*.json"):
        content = json.loads(path.read_text())
        content["categories"] = [{"id": k, "name": name} for k, name in enumerate(names, start=1)]
        path.write_text(json.dumps(content))


def judged(arguments):
    """Return metrics and what the test images were judged by."""
    path = Path(arguments["outputs"]["metrics"])
    with np.load(path.with_name(FILE)) as each:
        return read_metrics(path), dict(each)


@pytest.mark.parametrize("task", ["objdet", "semseg"])
def test_the_whole_pre_trained_model_is_tested_as_it_is(task, pretrained, arguments, monkeypatch):
    """Without training the result is that of the pre-trained network; with it, it starts there."""
    files = pretrained(task)
    backbone, head = load_file(files["backbone"]), load_file(files["head"])
    about = read_about(files["head"])
    assert about["task"] == task and about["classes"][-3:] == CLASSES and about["key"]["n"] == 16
    assert about["iteration"] == read_metrics(files["metrics"]).best.iteration
    given = arguments("renders-only", task, percent=0.0, given=parts(files), iterations=None, passes=3)
    finetune(**given)
    metrics, each = judged(given)
    assert (metrics.iterations, metrics.n_train, metrics.n_test, metrics.key.rate) == (0, 0, 8, 0.5)
    assert [point.iteration for point in metrics.evaluations] == [0]
    assert {"head", "backbone", "classes", "test"} == set(metrics.inputs)
    assert metrics.inputs["head"] == file_digest(files["head"])

    _, data = load_splits(Target.model_validate(given["target"]), channel_of(task))
    own = task_class(task)(
        read_section(task, given["recipe"] | {"images": 100, "passes": None}), data.classes
    )
    body, model = build_model(own, "resnet18")
    where = next(f"{name}.net." for name, part in model.named_modules() if part is body)
    state = {f"{where}{name}": tensor for name, tensor in backbone.items()} | head
    model.load_state_dict(state)  # strict: the two files are the whole model
    with torch.no_grad():
        batches = evaluation_batches(annotated(data, own), own, torch.device("cpu"))
        expected = own.evaluate(model.eval(), batches, data, torch.device("cpu"))
    assert metrics.value == expected.value and metrics.last.extras == expected.extras
    assert len(each["image"]) and all(
        np.array_equal(each[name], expected.per_image[name]) for name in each.keys() - {"ids", "classes"}
    )

    starts = []
    loss = type(own).loss
    monkeypatch.setattr(
        type(own),
        "loss",
        lambda task, model, *batch: (
            starts.append({name: tensor.clone() for name, tensor in model.state_dict().items()}),
            loss(task, model, *batch),
        )[1],
    )
    finetune(**arguments("whole", task, "whole", given=parts(files)))
    assert all(torch.equal(starts[0][name], tensor) for name, tensor in state.items())
    assert len(starts) == 3 and read_metrics(given["outputs"]["metrics"]) == metrics


@pytest.mark.parametrize("task", ["objdet", "semseg"])
def test_classes_that_the_renders_lack_are_not_found_in_photographs(task, pretrained, arguments, stand_in):
    files = pretrained(task)
    rename(stand_in, ["cup", "plate", "fork", "box/green"])
    given = arguments("renders-only", task, percent=0.0, given=parts(files) | {"classes": {"box/red": "cup"}})
    finetune(**given)
    each = judged(given)[1]
    names = each["classes"][each["of_class"]]
    found = set(names if task == "objdet" else names[each["pixels"][:, [0, 1]].sum(1) > 0])
    assert found and found <= {"background", "cup", "box/green"}


@pytest.fixture
def mixing(arguments, shards):
    """Return a function that makes the arguments of a training on renders and photographs."""

    def make(folder, task="semseg", arm="mixed-0.5", **changes):
        renders = {"shards": [str(path) for path in shards[0]], "n": 16, "pool": None}
        numbers = {"norm_batch_size": 2, "iterations": 1, "warmup_images": 0} | changes
        given = arguments(arm, task, folder, given={"renders": renders, "added_iterations": 2}, **numbers)
        given["outputs"]["curve"] = str(Path(given["outputs"]["metrics"]).with_name("curve.csv"))
        return given

    return make


def test_renders_mixed_in_are_trained_on_as_long_and_not_counted_as_labels(mixing):
    given = mixing("run", "objdet")
    given["renders"] |= {"n": 11, "pool": {"of": "boxes", "images": 16}}
    finetune(**given)
    metrics = judged(given)[0]
    assert (metrics.iterations, metrics.n_train, metrics.n_test) == (3, 8, 8)
    assert set(metrics.inputs) == {"train", "test", "subset", "renders", "classes"}
    assert metrics.pool is not None and metrics.pool.images == 16
    longer = mixing("longer", "objdet", "photographs-longer")
    del longer["renders"]
    finetune(**longer)
    assert judged(longer)[0].iterations == 3


def test_a_stopped_mixed_training_goes_on_to_the_same_digits(mixing):
    whole, stopped = mixing("whole", workers=1), mixing("stopped", workers=1)
    stopped["checkpoint_seconds"] = 0
    finetune(**whole)
    with stopped_after(2):
        finetune(**stopped)
    finetune(**stopped)
    one, other = (judged(given) for given in (whole, stopped))
    same = {"seconds": 0.0, "git_commit": None}
    assert one[0].model_copy(update=same) == other[0].model_copy(update=same)
    assert all(np.array_equal(one[1][name], other[1][name]) for name in one[1])
    curves = [Path(given["outputs"]["curve"]).read_text() for given in (whole, stopped)]
    assert curves[0] == curves[1]


def test_two_processes_mix_as_one_does(mixing):
    one, two = mixing("one"), mixing("two")
    finetune(**one)
    run_processes(finetune, two, processes=2)
    (metrics, _), (metrics2, _) = judged(one), judged(two)
    assert (metrics.devices, metrics2.devices) == (1, 2) and metrics2.inputs == metrics.inputs
    rows, rows2 = (
        [line.split(",") for line in Path(given["outputs"]["curve"]).read_text().splitlines()[1:]]
        for given in (one, two)
    )
    assert len(rows) == 3
    for row, row2 in zip(rows, rows2, strict=True):
        assert float(row2[3]) == pytest.approx(float(row[3]), rel=1e-4)


def test_a_share_that_is_no_whole_number_of_a_batch_is_refused(mixing):
    with pytest.raises(InputError, match="^arms: mixed-0.3: 0.3 of a batch of 4 images are 1.2, no whole"):
        finetune(**mixing("run", arm="mixed-0.3"))


def test_a_head_that_does_not_fit_is_refused(arguments, tmp_path):
    files = {name: tmp_path / f"{name}.safetensors" for name in ("backbone", "head")}
    save_backbone(files["backbone"], {"conv1.weight": torch.zeros(1)}, {})
    save_backbone(files["head"], {"classifier.4.bias": torch.zeros(4)}, {"classes": ["background", *CLASSES]})
    given = arguments("renders-only", percent=0.0, given=files)
    with pytest.raises(InputError, match="head.safetensors: classifier.0.convs.0.0.weight: is missing"):
        finetune(**given)
    save_backbone(files["head"], {"classifier.4.bias": torch.zeros(4)}, {})
    with pytest.raises(InputError, match="head.safetensors: does not name its classes; pre-train again"):
        finetune(**given)
    files["head"].write_bytes(b"damaged")
    with pytest.raises(InputError, match="head.safetensors: says nothing of its training; pre-train again"):
        finetune(**given)


@pytest.mark.parametrize(
    ("arm", "given", "line"),
    [
        ("whole", {"backbone": "b"}, "the arm whole needs head"),
        ("whole", {"head": "h"}, "the arm whole needs backbone"),
        ("mixed-0.5", {"added_iterations": 3}, "the arm mixed-0.5 needs renders"),
        ("mixed-0.5", {"added_iterations": 3, "renders": {"n": 1}, "backbone": "b"}, "takes no backbone"),
        ("photographs-longer", {}, "the arm photographs-longer needs added_iterations"),
        ("backbone", {"backbone": "b", "added_iterations": 3}, "the arm backbone takes no added_iterations"),
        ("renders-only", {"backbone": "b", "head": "h"}, "the arm renders-only takes no percent"),
    ],
)
def test_an_arm_takes_what_is_its_own(arm, given, line, arguments):
    with pytest.raises(ValueError, match=line):
        finetune(**arguments(arm, given=given))
