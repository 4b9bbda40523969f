"""The ResNets of torchvision (He et al., 2016)."""

import re

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.base import Backbone

NAMES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
PUBLISHED = {
    "imagenet": {"licence": "BSD-3-Clause; ImageNet's own terms allow non-commercial research"},
    "coco": {
        "licence": "BSD-3-Clause; COCO's annotations are CC BY 4.0, its photographs under Flickr's terms",
        "models": ("resnet50",),
        "detector": True,
    },
}
UNDILATED = ("resnet18", "resnet34")
"""torchvision's basic block refuses dilation."""


def build(name: str, *, output_stride: int = 32) -> Backbone:
    """Return torchvision's ResNet of a depth, with random weights.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    output_stride : int
        8, 16 or 32: below 32 the last stages are dilated. Depths 18 and 34 cannot be: their last map always
        has stride 32.
    """
    return ResNet(name, 32 if name in UNDILATED else output_stride)


def fetch(name: str, start: str) -> tuple[dict[str, Tensor], str]:
    """Return published weights by torchvision's own loader, and which: of `coco` those of a Faster R-CNN."""
    if start == "imagenet":
        net = getattr(torchvision_resnet, name)(weights="IMAGENET1K_V1")
        return net.state_dict(), "torchvision, IMAGENET1K_V1"
    state = detection.fasterrcnn_resnet50_fpn(weights="COCO_V1").state_dict()
    for key, value in state.items():
        if key.endswith("running_var"):  # this network adds nothing to a variance, ours its eps
            value.sub_(nn.BatchNorm2d(1).eps).clamp_(min=0)
    return state, "torchvision, COCO_V1"


class ResNet(Backbone):
    """A ResNet whose tensors keep torchvision's names, `conv1` … `layer4`."""

    net: torchvision_resnet.ResNet

    def __init__(self, name: str, output_stride: int) -> None:
        generator = torch.get_rng_state()
        net = self.network(name, output_stride, outputs=1)
        width = net.fc.in_features
        net.fc = nn.Identity()  # type: ignore[assignment]
        super().__init__(
            name,
            net,
            channels=(width // 8, width // 4, width // 2, width),
            strides=(4, 8, min(16, output_stride), output_stride),
            width=width,
        )
        self.output_stride, self.generator = output_stride, generator

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the four stages."""
        net = self.net
        last = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        maps = []
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            last = stage(last)
            maps.append(last)
        return maps

    def pooled(self, images: Tensor) -> Tensor:
        """Return the mean of the last map."""
        vectors: Tensor = self.net(images)
        return vectors

    def last_layer(self, outputs: int) -> nn.Linear:
        """Return torchvision's last layer `fc`, whose weights are drawn amid those of the network.

        All of them are therefore drawn once more, from where the random numbers stood: a seed's network is
        torchvision's with so many outputs.
        """
        torch.set_rng_state(self.generator)
        self.net = self.network(self.name, self.output_stride, outputs)
        layer, self.net.fc = self.net.fc, nn.Identity()  # type: ignore[assignment]
        return layer

    def start_blocks_as_identity(self) -> None:
        """Start the last batch norm of each block at 0, as torchvision's `zero_init_residual` does."""
        for block in self.net.modules():
            if isinstance(block, torchvision_resnet.Bottleneck):
                nn.init.zeros_(block.bn3.weight)
            elif isinstance(block, torchvision_resnet.BasicBlock):
                nn.init.zeros_(block.bn2.weight)

    def distances(self, *, stages: bool = False) -> dict[str, int]:
        """Return how far from the head each weight is: blocks, or stages `layer1` …, then the stem."""
        block = re.compile(r"layer\d" if stages else r"layer\d\.\d+")
        names = [name for name, _ in self.net.named_parameters()]
        layers = {name: found[0] if (found := block.match(name)) else "stem" for name in names}
        order = list(dict.fromkeys(layers.values()))  # from the images on
        return {name: len(order) - order.index(layer) for name, layer in layers.items()}

    @staticmethod
    def network(name: str, output_stride: int, outputs: int) -> torchvision_resnet.ResNet:
        """Return the network with a last layer of some outputs."""
        dilated = (False, output_stride <= 8, output_stride <= 16)
        net: torchvision_resnet.ResNet = getattr(torchvision_resnet, name)(
            num_classes=outputs, replace_stride_with_dilation=dilated
        )
        return net
