"""A pre-trained head on a new model: the same outputs for the same classes, the right ones for others."""

import pytest
import torch

from syn2real.backbones.base import save_backbone
from syn2real.errors import InputError
from syn2real.tasks.base import PretrainedHead, build_model, head_state, load_head

CLASSES = {"objdet": ["red", "green", "blue"], "semseg": ["background", "red", "green", "blue"]}


@pytest.fixture
def pretrained(smoke_task, tmp_path):
    """Return a function that makes a task's model and writes its backbone and its head."""

    def make(name, network="resnet18", **changes):
        torch.manual_seed(11)
        task = smoke_task(name, CLASSES[name], **changes)
        backbone, model = build_model(task, network)
        save_backbone(tmp_path / "backbone.safetensors", backbone.state(), {})
        save_backbone(tmp_path / "head.safetensors", head_state(backbone, model), {})
        return model.eval()

    return make


@pytest.fixture
def loaded(smoke_task, tmp_path):
    """Return a function that builds a model of some classes and loads what was pre-trained."""

    def make(name, classes, matched, closed=False, network="resnet18", **changes):
        torch.manual_seed(12)
        task = smoke_task(name, classes, **changes)
        backbone, model = build_model(task, network)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        head = PretrainedHead(tmp_path / "head.safetensors", CLASSES[name], matched, closed)
        load_head(task, backbone, model, head)
        backbone.load(tmp_path / "backbone.safetensors")
        return task, model.eval(), before

    return make


def outputs(name, model):
    """Return what a model says of two images."""
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = model(list(images)) if name == "objdet" else [model(images)]
    return [tensor for one in found for tensor in one.values()]


@pytest.mark.parametrize(("network", "closed"), [("resnet18", False), ("resnet18", True), ("test_vit", True)])
@pytest.mark.parametrize("name", [*CLASSES])
def test_with_the_same_classes_it_is_the_pre_trained_model(name, network, closed, pretrained, loaded):
    """So is what makes maps of a ViT's: it is in no backbone file."""
    model = pretrained(name, network)
    same = {number: number for number in range(len(CLASSES[name]))}
    _, again, before = loaded(name, CLASSES[name], same, closed, network)
    state = again.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert not all(torch.equal(value, state[key]) for key, value in before.items())
    assert outputs(name, model)
    pairs = zip(outputs(name, model), outputs(name, again), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("name", [*CLASSES])
def test_each_class_has_the_outputs_of_its_counterpart(name, pretrained, loaded):
    """The renders' blue is the photographs' first class, their red the third; the second is new."""
    state = pretrained(name).state_dict()
    first = len(CLASSES[name]) - 3
    task, model, before = loaded(name, ["cup", "plate", "pan"], {first: 2, first + 2: 0})
    for layer, outputs in task.class_layers.items():
        own, extra = model.state_dict(), 1 if name == "objdet" else 0
        for kind in ("weight", "bias"):
            after, new, old = (
                tensors[f"{layer}.{kind}"].unflatten(0, (-1, outputs)) for tensors in (own, before, state)
            )
            assert len(after) == 3 + extra and len(old) == len(CLASSES[name]) + extra
            assert torch.equal(after[:extra], old[:extra])
            assert torch.equal(after[extra + 2], old[extra + first])
            assert torch.equal(after[extra], old[extra + first + 2])
            assert torch.equal(after[extra + 1], new[extra + 1])
    rest = [key for key in state if not key.startswith(tuple(task.class_layers))]
    assert rest and all(torch.equal(model.state_dict()[key], state[key]) for key in rest)


@pytest.mark.parametrize("name", [*CLASSES])
def test_a_class_that_the_renders_lack_is_never_predicted(name, pretrained, loaded):
    """Nor does it take anything from the others."""
    changes = {"detector": {"score_threshold": 0.0}} if name == "objdet" else {}
    reference = pretrained(name, **changes)
    same = {number: number for number in range(len(CLASSES[name]))}
    _, model, _ = loaded(name, [*CLASSES[name], "new"], same, True, **changes)
    ours, theirs = outputs(name, model), outputs(name, reference)
    if name == "semseg":
        assert all((scores[:, -1] == -3e4).all() for scores in ours)
        ours = [scores[:, :-1] for scores in ours]
    # Not bit for bit: a layer of another width is computed in another order.
    assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(ours, theirs, strict=True))


def test_a_head_of_another_width_is_refused_by_its_first_tensor(pretrained, loaded, tmp_path):
    pretrained("semseg", head=64)
    line = (
        r"head.safetensors: classifier.0.convs.0.0.weight: has the shape \[64, 512, 1, 1\], not \[256, 512, "
    )
    line += r"1, 1\]: the file does not fit a head on resnet18; it holds another head$"
    with pytest.raises(InputError, match=line):
        loaded("semseg", CLASSES["semseg"], {0: 0})


def test_a_task_whose_classes_outputs_are_not_known_is_refused(smoke_task):
    task = smoke_task("sinclass")
    with pytest.raises(InputError, match="arms: of this task the backbone alone can be handed on"):
        load_head(task, *build_model(task, "resnet18"), PretrainedHead("h.safetensors", [], {}, False))
