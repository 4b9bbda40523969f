"""Every task learns a few images by heart, resumes exactly, and refuses what it cannot judge."""

import itertools
import re

import pytest
import torch

from syn2real import plugins
from syn2real.channels.base import load_channel
from syn2real.data.rendered import RenderedImages
from syn2real.data.shards import SceneRecord, write_shard
from syn2real.errors import InputError, TrainingError
from syn2real.png import encode_png
from syn2real.tasks.base import Evaluation, build_model, task_class
from syn2real.tasks.schema import TrainingSection, channel_of, task_schema
from syn2real.training import loop
from syn2real.training.batches import Annotated
from syn2real.training.checkpoints import Checkpoints
from syn2real.training.loop import train
from syn2real.training.progress import Progress
from syn2real.training.seeding import seed_everything
from syn2real.training.step import prepare

TASKS = plugins.names("tasks")
CPU = torch.device("cpu")


class Killed(BaseException):
    """The process ends here."""


def setup_of(task, seed=0):
    seed_everything(seed, "initialisation")
    return prepare(task, *build_model(task, "resnet18"), seed=seed, device=CPU)


def trained(task, data, folder, seconds=60.0):
    """Return what a training has reached."""
    total, batch = task.section.total_iterations, task.section.batch_size
    with Progress("test", total, batch, folder=None, silent=True) as progress:
        checkpoints = Checkpoints(folder, "identity", seconds)
        return train(setup_of(task), data, data, checkpoints, progress, keep_best=True)


@pytest.mark.parametrize("name", TASKS)
def test_the_schema_says_what_a_recipe_and_a_plan_need(name):
    schema = task_schema(name)
    assert re.fullmatch("[a-z-]+", schema.CHANNEL) and schema.METRIC
    assert schema.STAGES and set(schema.STAGES) <= {"pretrain", "finetune"}
    assert issubclass(schema.Section, TrainingSection) and schema.Section.__doc__
    assert task_class(name).metric == schema.METRIC


@pytest.mark.parametrize("name", TASKS)
def test_a_few_images_are_learnt(name, smoke_task, boxes, tmp_path):
    """The loss falls by a quarter in twelve steps (in trials by half and more)."""
    task = smoke_task(name, batch_size=4, iterations=12, lr=0.01, warmup_images=0, evaluation_iterations=12)
    history = trained(task, boxes(name, n=4), tmp_path)
    losses = [row["loss"] for row in history.curve]
    assert sum(losses[-3:]) < 0.75 * sum(losses[:3])
    assert history.n_test == 4 and 0 <= history.best["value"] <= 1


@pytest.mark.parametrize("name", TASKS)
def test_a_killed_training_resumes_to_the_same_digits(name, smoke_task, boxes, tmp_path, monkeypatch):
    torch.use_deterministic_algorithms(True)
    task = smoke_task(name, iterations=4, warmup_images=0, evaluation_iterations=2)
    data = boxes(name, n=6)
    whole = trained(task, data, tmp_path / "whole")

    def dies_at_three(*_):
        if next(steps) == 3:
            raise Killed

    steps = itertools.count(1)
    monkeypatch.setattr(Progress, "step", dies_at_three)
    with pytest.raises(Killed):
        trained(task, data, tmp_path / "broken", seconds=0)
    monkeypatch.undo()
    resumed = trained(task, data, tmp_path / "broken", seconds=0)
    assert resumed.evaluations == whole.evaluations and resumed.curve == whole.curve
    assert all(torch.equal(resumed.best_backbone[key], value) for key, value in whole.best_backbone.items())
    assert all(torch.equal(resumed.best_head[key], value) for key, value in whole.best_head.items())


@pytest.mark.parametrize("name", [name for name in TASKS if task_class(name).class_layers])
def test_the_layers_of_the_classes_grow_with_them_and_no_others(name, smoke_task):
    """A pre-trained head is matched by them, class by class."""
    few, more = (
        build_model(smoke_task(name, [f"class{k}" for k in range(count)]), "resnet18")[1].state_dict()
        for count in (3, 5)
    )
    grown = {key: len(more[key]) - len(few[key]) for key in few if few[key].shape != more[key].shape}
    layers = task_class(name).class_layers
    assert grown == {f"{layer}.{kind}": 2 * n for layer, n in layers.items() for kind in ("weight", "bias")}


@pytest.mark.parametrize("name", TASKS)
def test_a_metric_that_is_undefined_is_refused(name, smoke_task, boxes, tmp_path, monkeypatch):
    task = smoke_task(name, iterations=2, warmup_images=0, evaluation_iterations=2)
    undefined = Evaluation(float("nan"), 6, {})
    monkeypatch.setattr(loop, "evaluate", lambda *_: undefined)
    with pytest.raises(TrainingError, match=re.escape(f"{task.metric} is nan at iteration 2")):
        trained(task, boxes(name, n=6), tmp_path)


@pytest.mark.parametrize("name", TASKS)
def test_a_bad_label_is_refused_with_its_place(name, smoke_task, boxes, tmp_path):
    """As a training reads it: damaged, or not there, it is one line that names shard and member."""
    member = load_channel(channel_of(name)).MEMBER
    if member is None:
        pytest.skip("labels of whole images lie in no shard")
    image = boxes(name)[0][0].permute(1, 2, 0).numpy()
    views = [{"png": encode_png(image), member: b"damaged"}, {"png": encode_png(image)}]
    meta = {"setting": "s", "split": "train", "first_scene": 0, "n_scenes": 1, "views": 2, "classes": ["a/b"]}
    path = tmp_path / "shard-000000.tar"
    write_shard(path, meta | {"members": ["png", member]}, [SceneRecord(0, b"{}", views)])
    samples = Annotated(RenderedImages([path], 2, channel_of(name)), smoke_task(name))
    for view in range(2):
        with pytest.raises(InputError, match=f"shard-000000.tar: 00000000-0{view}.{member}: "):
            samples[view]
