"""The thin ResNet: torchvision's code and tensors, fewer of them."""

import pytest
import torch
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.base import build_backbone


@pytest.mark.parametrize(
    ("name", "blocks", "parameters"),
    [
        ("resnet10-w16", [1, 1, 1, 1], 309_456),
        ("resnet18-w16", [2, 2, 2, 2], 702_096),
        ("resnet34-w16", [3, 4, 6, 3], 1_335_248),
    ],
)
def test_it_is_torchvisions_network_with_a_quarter_of_the_channels(name, blocks, parameters):
    thin = build_backbone(name)
    with torch.device("meta"):
        wide = torchvision_resnet.ResNet(torchvision_resnet.BasicBlock, blocks)
    shapes = {key: value.shape for key, value in wide.state_dict().items() if not key.startswith("fc.")}
    own = {key: value.shape for key, value in thin.net.state_dict().items()}
    quarter = {k: tuple(n if n in (1, 3, 7) else n // 4 for n in shape) for k, shape in shapes.items()}
    assert {key: tuple(shape) for key, shape in own.items()} == quarter
    assert (thin.channels, thin.width, thin.count_parameters()) == ((16, 32, 64, 128), 128, parameters)


def test_its_convolutions_start_as_torchvisions():
    torch.manual_seed(0)
    weight = build_backbone("resnet10-w16").net.layer4[0].conv2.weight
    assert abs(weight.std() / (2 / (128 * 9)) ** 0.5 - 1) < 0.02
