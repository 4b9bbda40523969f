"""The learning rate at marked iterations, against the formulas and numbers of Appendix A."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from torch import nn

from syn2real.backbones.base import build_backbone
from syn2real.config.recipe import Recipe
from syn2real.tasks.base import build_model
from syn2real.tasks.mulclass.schema import Section as MulclassSection
from syn2real.training.optimiser import learning_rate, make_optimiser

PAPER = Path(__file__).parents[3] / "config" / "recipes" / "paper.yaml"


@pytest.fixture(scope="module")
def paper():
    return Recipe.model_validate(yaml.safe_load(PAPER.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("model", "warmup", "total"), [("resnet50", 1875, 225_000), ("resnet152", 3750, 450_000)]
)
def test_detection_warms_up_and_decays_by_a_cosine(paper, model, warmup, total):
    section = paper.section("pretrain", "objdet", model)
    assert learning_rate(section, 0) == pytest.approx(0.02 / warmup)
    assert learning_rate(section, warmup // 2) == pytest.approx(0.02 * (warmup // 2 + 1) / warmup)
    assert learning_rate(section, warmup - 1) == learning_rate(section, warmup) == 0.02
    assert learning_rate(section, warmup + (total - warmup) // 4) == pytest.approx(
        0.02 * (1 + math.cos(math.pi / 4)) / 2, rel=1e-4
    )
    assert learning_rate(section, warmup + (total - warmup) // 2) == pytest.approx(0.01, rel=1e-4)
    assert 0 < learning_rate(section, total - 1) < 1e-11


def test_warmup_that_ends_within_a_batch(paper):
    section = paper.section("pretrain", "mulclass", "resnet50")  # 120,000 images are 468.75 batches
    rates = [learning_rate(section, t) for t in range(480)]
    assert rates[467] == pytest.approx(0.1 * 468 / 468.75)
    assert rates[468] == 0.1 == max(rates)
    assert rates[469] < rates[468] and rates == sorted(rates[:469]) + sorted(rates[469:], reverse=True)


@pytest.mark.parametrize(
    ("stage", "task", "lr", "total"),
    [
        ("pretrain", "semseg", 0.02, 125_000),
        ("pretrain", "normal", 0.04, 200_000),
        ("finetune", "semseg", 0.02, 18_750),
    ],
)
def test_polynomial_decay(paper, stage, task, lr, total):
    section = paper.section(stage, task, "resnet50")
    for share in (0, 0.25, 0.5, 0.75):
        assert learning_rate(section, int(total * share)) == pytest.approx(lr * (1 - share) ** 0.9, rel=1e-4)
    # torchvision's reference, which A.2 follows, uses torch's own schedule.
    small = section.model_copy(update={"iterations": 50})
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    reference = torch.optim.lr_scheduler.PolynomialLR(optimiser, total_iters=50, power=0.9)
    for iteration in range(50):
        assert learning_rate(small, iteration) == pytest.approx(reference.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        reference.step()


def test_cosine_equals_torchs_own():
    section = MulclassSection(batch_size=2, iterations=40, lr=0.3)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=40)
    for iteration in range(40):
        assert learning_rate(section, iteration) == pytest.approx(reference.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        reference.step()


def test_a_first_step_whose_gradient_overflows_leaves_no_momentum(monkeypatch):
    """Memory that nothing was written to holds NaN here, by torch's own switch."""
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    model = nn.Linear(3, 1, bias=False)
    nn.init.ones_(model.weight)
    section = MulclassSection(batch_size=2, iterations=40, lr=0.1, momentum=0.9, weight_decay=0)
    task = SimpleNamespace(section=section, lr_factor=lambda _: 1.0)
    optimiser = make_optimiser(task, build_backbone("resnet10-w16"), model, scaled=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    torch.use_deterministic_algorithms(True)
    try:
        for slope in (math.inf, 1.0, 1.0):
            optimiser.zero_grad()
            scaler.scale((model.weight * slope).sum()).backward()
            scaler.step(optimiser)
            scaler.update()
    finally:
        torch.use_deterministic_algorithms(False)
    assert model.weight.tolist() == [pytest.approx([1 - 0.1 - 0.1 * 1.9] * 3)]


def groups(task, name="resnet18"):
    """Return a task's optimiser and, by the names of the model's weights, the group of each."""
    backbone, model = build_model(task, name)
    names = {weight: name for name, weight in model.named_parameters()}
    optimiser = make_optimiser(task, backbone, model)
    return optimiser, {names[weight]: group for group in optimiser.param_groups for weight in group["params"]}


def test_without_a_word_the_optimiser_is_the_papers(smoke_task):
    optimiser, found = groups(smoke_task("sinclass"))
    assert type(optimiser) is torch.optim.SGD and len(optimiser.param_groups) == 1
    assert {group["lr_factor"] for group in found.values()} == {1.0}


def test_adamw_decays_neither_norms_nor_biases(smoke_task):
    optimiser, found = groups(smoke_task("sinclass", optimiser="adamw", momentum=0.8, weight_decay=0.05))
    assert type(optimiser) is torch.optim.AdamW and optimiser.defaults["betas"] == (0.8, 0.999)
    ends = ("downsample.0.weight", "last.weight")
    decayed = {name for name in found if "conv" in name or name.endswith(ends)}
    assert {name for name, group in found.items() if group["weight_decay"] == 0.05} == decayed
    assert {group["weight_decay"] for group in found.values()} == {0.0, 0.05}


def test_the_learning_rate_falls_block_by_block_from_the_head(smoke_task):
    _, found = groups(smoke_task("semseg", layer_decay=0.5, aux_lr_factor=10))
    blocks = {"layer4.1": 1, "layer4.0": 2, "layer3.1": 3, "layer1.0": 8, "conv1": 9, "bn1": 9}
    expected = {f"backbone.net.{block}.": 0.5**distance for block, distance in blocks.items()}
    for part, factor in (expected | {"classifier.": 1, "aux_classifier.": 10}).items():
        assert {group["lr_factor"] for name, group in found.items() if name.startswith(part)} == {factor}
