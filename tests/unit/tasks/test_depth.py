"""The scale-invariant error: against its formula, a scale that is known in advance, and what is unknown."""

import numpy as np
import pytest
import torch

from syn2real.tasks.base import build_model
from syn2real.tasks.common.dense import enlarged
from syn2real.tasks.depth.task import Depth, scale_invariant_errors

CPU = torch.device("cpu")


def drawn(seed=0):
    """Return predicted logarithms and depths [3, 5, 7]; the depth of some pixels, and of one image, is 0."""
    generator = torch.Generator().manual_seed(seed)
    logs = torch.randn(3, 5, 7, generator=generator)
    depths = torch.rand(3, 5, 7, generator=generator) * 4 + 0.5
    depths[torch.rand(3, 5, 7, generator=generator) < 0.3] = 0
    depths[2] = 0
    return logs, depths


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_the_error_is_equation_4(balance):
    logs, depths = drawn()
    for found, log, depth in zip(scale_invariant_errors(logs, depths, balance), logs, depths, strict=True):
        d = (log[depth > 0] - depth[depth > 0].log()).double().numpy()
        expected = np.mean(d**2) - balance * d.sum() ** 2 / len(d) ** 2 if len(d) else 0.0
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_at_balance_1_it_is_equation_1_over_all_pairs_of_pixels_and_no_scale_changes_it():
    logs, depths = drawn()
    found = scale_invariant_errors(logs, depths, 1.0)
    known = depths[0] > 0
    y, truth = logs[0][known].double(), depths[0][known].double().log()
    pairs = (y[:, None] - y[None]) - (truth[:, None] - truth[None])
    assert found[0].item() == pytest.approx(float(pairs.square().sum() / (2 * len(y) ** 2)), rel=1e-5)
    scaled = scale_invariant_errors(logs + np.log(3), depths, 1.0)
    assert torch.allclose(scaled, found, atol=1e-5)
    assert not torch.allclose(scale_invariant_errors(logs + np.log(3), depths, 0.5)[:2], found[:2], atol=0.1)


def test_a_prediction_off_by_a_factor_has_the_error_that_follows():
    depths = torch.full((1, 4, 4), 2.5)
    logs = (depths * 3).log()
    error = scale_invariant_errors(logs, depths, 0.5).item()
    assert error == pytest.approx(0.5 * np.log(3) ** 2, rel=1e-5)


def test_a_perfect_model_reaches_1_and_no_known_depth_is_undefined(smoke_task):
    task = smoke_task("depth")
    depths = torch.tensor([[[0, 1.0], [2, 4]]])
    batch = torch.zeros(1, 3, 2, 2, dtype=torch.uint8), depths
    perfect = lambda _: {"out": depths.clamp(min=0.1).log()[:, None]}  # noqa: E731
    assert task.evaluate(perfect, [batch], None, CPU)[:3] == (1.0, 1, {"scale_free_error": 0.0})
    nothing = batch[0], torch.zeros(1, 2, 2)
    assert np.isnan(task.evaluate(perfect, [nothing], None, CPU).value)


def test_images_without_a_known_depth_do_not_dilute_the_loss(smoke_task):
    task = smoke_task("depth")
    model = build_model(task, "resnet18")[1].train()
    images = torch.randn(3, 3, 32, 32)
    depths = torch.rand(3, 32, 32) + 1
    depths[2] = 0
    torch.manual_seed(0)
    whole = task.loss(model, images, depths)
    torch.manual_seed(0)
    outputs = enlarged(model(images)["out"], images.shape[-2:])[:, 0]
    expected = scale_invariant_errors(outputs[:2], depths[:2], task.section.balance).mean()
    assert torch.allclose(whole["main"], expected, rtol=1e-4) and task.weight(depths) == 2


def test_the_annotation_is_the_depth_itself():
    value = np.array([[0, 1.5], [2, 3]], dtype=np.float32)
    mask = Depth.annotate(value, (2, 2))
    assert mask.dtype == torch.float32 and mask.tolist() == value.tolist()
