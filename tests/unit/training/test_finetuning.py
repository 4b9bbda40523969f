"""What a fine-tuning is (§4.1), seen from inside the run; and which runs leave no metrics.json."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from syn2real.backbones.base import Backbone, build_backbone, save_backbone
from syn2real.errors import InputError, TrainingError
from syn2real.files import file_digest
from syn2real.laws.per_image import FILE, read_per_image
from syn2real.tasks.base import build_model, task_class
from syn2real.training import run
from syn2real.training.finetune import finetune, train_reference
from syn2real.training.metrics import read_metrics
from syn2real.training.points import find_finished
from syn2real.training.pretrain import pretrain
from syn2real.training.progress import Progress

FTASKS = ("sinclass", "objdet", "semseg")


class Watch:
    """Looks at a task's model whenever its loss is computed."""

    def __init__(self, monkeypatch, ftask):
        self.start, self.norms_trained = None, []
        original = task_class(ftask).loss

        def loss(task, model, images, targets):
            if self.start is None:
                self.body = next(m for m in model.modules() if isinstance(m, Backbone)).state()
                self.start = {key: value.clone() for key, value in model.state_dict().items()}
                self.model = model
            norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
            self.norms_trained.append(all(norm.training and norm.track_running_stats for norm in norms))
            return original(task, model, images, targets)

        monkeypatch.setattr(task_class(ftask), "loss", loss)


@pytest.fixture
def backbone(tmp_path):
    """A backbone whose weights no fresh network has."""
    torch.manual_seed(123)
    state = {key: value + 0.01 for key, value in build_backbone("resnet18").state().items()}
    state = {key: value.long() if "num_batches" in key else value for key, value in state.items()}
    save_backbone(tmp_path / "backbone.safetensors", state, {})
    return tmp_path / "backbone.safetensors"


@pytest.fixture
def arguments(key, resolve, image_folder, stand_in, tmp_path):
    """Return a function that makes the arguments of a fine-tuning."""
    targets = {
        "sinclass": image_folder,
        "objdet": {"layout": "coco", "path": str(stand_in / "coco")},
        "semseg": {"layout": "ade20k", "path": str(stand_in / "ade20k")},
    }

    def make(ftask="sinclass", folder="run", backbone=None, percent=50.0, **changes):
        output = tmp_path / "results" / "finetune" / folder / "metrics.json"
        return {
            "key": key | {"ftask": ftask, "target": "boxes", "s_percent": percent},
            "recipe": resolve("finetune", ftask, **changes),
            "target": targets[ftask],
            "backbone": backbone,
            "percent": percent,
            "outputs": {"metrics": output},
            "scratch": output.parent / ".scratch",
            "threads": 1,
        }

    return make


@pytest.mark.parametrize("ftask", FTASKS)
def test_what_each_test_image_was_judged_by_gives_the_error_again(arguments, ftask):
    given = arguments(ftask)
    finetune(**given)
    metrics = read_metrics(given["outputs"]["metrics"])
    file = given["outputs"]["metrics"].with_name(FILE)
    each, content = read_per_image(file), file.read_bytes()
    assert each.photographs == metrics.n_test == len(set(each.ids))
    for times in (1, 3):  # every image as often: the same error
        assert each.error(np.full(metrics.n_test, times)) == pytest.approx(metrics.error, abs=1e-12)
    judged = each.class_errors(np.ones(metrics.n_test, int))
    assert len(judged) == len(each.classes) and np.nanmin(judged) >= 0 and np.nanmax(judged) <= 1
    file.unlink()
    finetune(**given)
    assert file.read_bytes() == content


def test_a_fold_is_tested_by_what_did_not_learn_from_it(arguments):
    names = []
    for fold in (1, 2):
        given = arguments("objdet", folder=f"fold{fold}", percent=100.0)
        finetune(**given | {"target": given["target"] | {"folds": 2, "fold": fold}})
        metrics = read_metrics(given["outputs"]["metrics"])
        names += read_per_image(given["outputs"]["metrics"].with_name(FILE)).ids.tolist()
        assert abs(metrics.n_train - metrics.n_test) <= 1
    assert len(names) == metrics.n_train + metrics.n_test


def test_a_length_in_passes_is_counted_in_the_labels_of_the_run(arguments):
    lengths = []
    for percent in (25.0, 100.0):
        given = arguments(folder=f"s{percent}", percent=percent, iterations=None, passes=3, warmup_images=0)
        finetune(**given)
        metrics = read_metrics(given["outputs"]["metrics"])
        batch, n = metrics.recipe["batch_size"], metrics.n_train
        assert metrics.iterations == -(-3 * n // batch) and metrics.recipe["images"] == 3 * n
        lengths.append(metrics.iterations)
    assert lengths[1] > lengths[0]
    with pytest.raises(InputError, match="passes: 3 passes over .* are no longer than the warm-up; lower"):
        finetune(**arguments(folder="w", iterations=None, passes=3, warmup_images=1000))


def test_a_frozen_batch_norm_stays_as_it_was_loaded(arguments, backbone, monkeypatch):
    watch = Watch(monkeypatch, "sinclass")
    given = arguments(backbone=backbone, norm="frozen", norm_batch_size=None, micro_batch_size=2)
    finetune(**given)
    assert read_metrics(given["outputs"]["metrics"]).norm_batch_size is None
    norms = {key for key in watch.start if "bn" in key or "downsample.1" in key}
    end = watch.model.state_dict()
    assert norms and {key for key in norms if torch.equal(end[key], watch.start[key])} == norms
    assert not torch.equal(end["backbone.net.conv1.weight"], watch.start["backbone.net.conv1.weight"])
    assert not any(watch.norms_trained)
    with pytest.raises(InputError, match="norm: frozen: a network from scratch has nothing trained"):
        finetune(**arguments(norm="frozen"))


@pytest.mark.parametrize(
    ("stages", "trained", "optimiser"), [(0, ("none",), "adamw"), (2, ("layer3.", "layer4."), "sgd")]
)
def test_the_stages_before_those_that_are_trained_stay_as_they_were_loaded(
    stages, trained, optimiser, arguments, backbone, monkeypatch
):
    """Their batch norm too, statistics included."""
    watch = Watch(monkeypatch, "sinclass")
    finetune(**arguments(backbone=backbone, train_stages=stages, optimiser=optimiser))
    end = watch.model.state_dict()
    moved = {name for name, tensor in watch.start.items() if not torch.equal(tensor, end[name])}
    assert moved == {"last.weight", "last.bias"} | {
        name for name in end if name.removeprefix("backbone.net.").startswith(trained)
    }


@pytest.mark.parametrize("ftask", FTASKS)
def test_all_weights_of_the_backbone_are_loaded_and_trained(ftask, arguments, backbone, monkeypatch):
    watch = Watch(monkeypatch, ftask)
    given = arguments(ftask, backbone=backbone)
    finetune(**given)
    held = load_file(backbone)
    assert watch.body.keys() == held.keys() and len(held) == 120
    assert all(torch.equal(watch.body[name], tensor) for name, tensor in held.items())
    end = watch.model.state_dict()
    still = [name for name, tensor in watch.start.items() if torch.equal(tensor, end[name])]
    assert still == [], "every weight and every running statistic, of backbone and head, must move"
    assert all(parameter.grad is not None for parameter in watch.model.parameters())
    assert watch.norms_trained == [True] * given["recipe"]["iterations"]


def test_from_scratch_is_the_same_recipe_head_and_subset_without_the_backbone(
    arguments, backbone, monkeypatch
):
    found = {}
    for name, start in (("pretrained", backbone), ("scratch", None)):
        watch = Watch(monkeypatch, "sinclass")
        given = arguments("sinclass", name, start)
        finetune(**given)
        found[name] = watch, read_metrics(given["outputs"]["metrics"])
        monkeypatch.undo()
    (one, pretrained), (other, scratch) = found["pretrained"], found["scratch"]
    weights = [name for name in one.body if "num_batches" not in name]
    assert not any(torch.equal(one.body[name], other.body[name]) for name in weights)
    head = {name for name in one.start if not name.startswith("backbone.")}
    assert head == {"last.weight", "last.bias"}
    assert all(torch.equal(one.start[name], other.start[name]) for name in head)
    assert pretrained.recipe == scratch.recipe and pretrained.iterations == scratch.iterations
    assert pretrained.subset_digest == scratch.subset_digest
    assert set(pretrained.inputs) - set(scratch.inputs) == {"backbone"}


@pytest.fixture
def detector(smoke_task, tmp_path):
    """A whole detector's weights, by torchvision's names."""
    torch.manual_seed(321)
    task = smoke_task("objdet")
    own, model = build_model(task, "resnet18")
    state = {f"backbone.body.{key}": value for key, value in own.state().items()}
    for prefix, part in task.detector_parts(model).items():
        state |= {f"{prefix}{key}": value for key, value in part.state_dict().items()}
    save_backbone(tmp_path / "detector.safetensors", state, {})
    return tmp_path / "detector.safetensors"


@pytest.mark.parametrize("n", [0, 16])
def test_a_fine_tuning_starts_from_the_same_weights_with_renders_and_without(
    n, arguments, backbone, detector, monkeypatch
):
    """Of a detector pyramid and proposals too; the backbone is that of the renders where there are any."""
    watch = Watch(monkeypatch, "objdet")
    given = arguments("objdet", backbone=backbone if n else None)
    given["key"] |= {"initial": "mine", "n": n}
    finetune(**given, start={"path": str(detector), "detector": True})
    held, own = load_file(detector), load_file(backbone)
    for name, tensor in held.items():
        if name.startswith("backbone.body."):
            expected = own[name.removeprefix("backbone.body.")] if n else tensor
            assert torch.equal(watch.body[name.removeprefix("backbone.body.")], expected)
        else:
            assert torch.equal(watch.start[name], tensor), name
    metrics = read_metrics(given["outputs"]["metrics"])
    assert metrics.key.initial == "mine" and metrics.inputs["initial"] == file_digest(detector)
    assert ("backbone" in metrics.inputs) == bool(n)


def test_a_pre_training_starts_from_the_file_and_says_so(
    key, resolve, shards, backbone, tmp_path, monkeypatch
):
    watch = Watch(monkeypatch, "mulclass")
    outputs = {name: tmp_path / "out" / f"{name}.x" for name in ("backbone", "metrics", "curve")}
    pretrain(
        key=key | {"initial": "mine"}, recipe=resolve("pretrain", "mulclass"), shards=shards[0],
        val_shards=shards[1], n=16, n_val=8, outputs=outputs, scratch=tmp_path / ".scratch", threads=1,
        start={"path": str(backbone), "detector": False},
    )  # fmt: skip
    held = load_file(backbone)
    assert all(torch.equal(watch.body[name], tensor) for name, tensor in held.items())
    metrics = read_metrics(outputs["metrics"])
    assert metrics.key.initial == "mine" and metrics.inputs["initial"] == file_digest(backbone)


def test_the_last_iterations_metric_counts_even_where_an_earlier_one_was_better(arguments, monkeypatch):
    values = iter([0.9, 0.2, 0.5])
    evaluate = task_class("sinclass").evaluate

    def replayed(*args):
        return evaluate(*args)._replace(value=next(values))

    monkeypatch.setattr(task_class("sinclass"), "evaluate", replayed)
    given = arguments(iterations=6, evaluation_iterations=2)
    finetune(**given)
    metrics = read_metrics(given["outputs"]["metrics"])
    assert (metrics.value, metrics.last.value, metrics.best.value) == (0.5, 0.5, 0.9)
    assert (metrics.last.iteration, metrics.best.iteration) == (6, 2)
    assert [point.value for point in metrics.evaluations] == [0.9, 0.2, 0.5]


def test_photographs_do_not_choose_the_reference_backbone_either(arguments, tmp_path, monkeypatch):
    """It is the last iteration's, whatever the recipe's interval of evaluation."""
    given = arguments(iterations=4, evaluation_iterations=1, tf32=False)
    del given["backbone"]
    asked = []
    monkeypatch.setattr(run, "use_tf32", lambda device, allowed: asked.append((device.type, allowed)))
    given["outputs"] = {"backbone": tmp_path / "backbone.safetensors", "metrics": tmp_path / "metrics.json"}
    train_reference(**given)
    metrics = read_metrics(tmp_path / "metrics.json")
    assert [point.iteration for point in metrics.evaluations] == [metrics.best.iteration] == [4]
    assert asked == [("cpu", False)] and metrics.tf32 is None, "the recipe says whether a GPU may use TF32"


def test_a_class_with_too_few_images_is_recorded(arguments, tmp_path):
    for number in range(2, 20):
        (tmp_path / "target" / "train" / "class2" / f"{number:03d}.png").unlink()
    given = arguments()
    finetune(**given)
    metrics = read_metrics(given["outputs"]["metrics"])
    assert (
        metrics.n_train == 7 + 7 + 2
    )  # half of 42 images in three equal parts, and what the third class has
    assert metrics.shortfall == {"2": 5}


def unlabel(target, ftask):
    """Take every label from a target's test set."""
    if ftask == "objdet":
        (path,) = target.glob("coco/annotations/*val*.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"annotations": []}))
    else:
        for path in target.glob("ade20k/ADEChallengeData2016/annotations/validation/*.png"):
            Image.fromarray(np.zeros_like(np.array(Image.open(path)))).save(path)


@pytest.mark.parametrize(
    ("ftask", "error", "message"),
    [
        ("objdet", InputError, "there are no annotations"),
        ("semseg", TrainingError, r"is nan at iteration \d+: no image of the evaluation has a label"),
    ],
)
def test_a_metric_without_a_label_to_judge_by_is_refused(
    ftask, error, message, arguments, stand_in, tmp_path
):
    unlabel(stand_in, ftask)
    with pytest.raises(error, match=message):
        finetune(**arguments(ftask))
    assert not [*tmp_path.glob("results/finetune/**/metrics.json")]


def test_an_empty_test_set_is_refused(arguments, tmp_path):
    for path in (tmp_path / "target" / "val").rglob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match="val: no image in any class folder here"):
        finetune(**arguments())
    assert not (tmp_path / "results").exists()


def test_a_test_set_smaller_than_the_targets_own_is_refused(arguments, monkeypatch, tmp_path):
    evaluate = task_class("sinclass").evaluate

    def hasty(task, model, batches, data, device):
        return evaluate(task, model, [next(iter(batches))], data, device)

    monkeypatch.setattr(task_class("sinclass"), "evaluate", hasty)
    with pytest.raises(TrainingError, match="evaluated 5 images of 12"):
        finetune(**arguments(eval_batch_size=5))
    assert find_finished(tmp_path / "results") == []


def test_a_run_that_stops_early_leaves_nothing_to_gather(arguments, monkeypatch, tmp_path):
    steps = []

    def stop(*_):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt

    given = arguments(evaluation_iterations=1)
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "step", stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(**given)
    assert given["outputs"]["metrics"].parent.is_dir() and find_finished(tmp_path / "results") == []
    finetune(**given)
    assert find_finished(tmp_path / "results") == [given["outputs"]["metrics"]]
    assert read_metrics(given["outputs"]["metrics"]).last.iteration == 4


def test_only_of_a_pilots_other_rates_a_diverged_training_is_a_result(arguments):
    diverging = {"lr": 100, "weight_decay": 1, "iterations": 60, "warmup_images": 0}
    given = arguments("sinclass", **diverging)
    given["key"] |= {"target": "boxes-pilot1of5"}
    with pytest.raises(TrainingError, match="training diverged"):
        finetune(**given)
    given["key"] |= {"rate": 3.0}
    finetune(**given)
    metrics = read_metrics(given["outputs"]["metrics"])
    assert metrics.diverged and metrics.error == 1 and metrics.iterations == 60
    assert not given["outputs"]["metrics"].with_name(FILE).exists()
