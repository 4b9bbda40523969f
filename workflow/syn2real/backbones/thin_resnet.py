"""Thin ResNets for small images on a CPU: a quarter of torchvision's channels.

No published networks: `w16` names the channels of the first stage (torchvision's have 64); depths 18 and
34 have torchvision's blocks, and `resnet10` has one block a stage. On images of 48 pixels a step of
`resnet10-w16` takes a fifteenth of ResNet-18's.
"""

from torch import nn
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.resnet import ResNet

NAMES = ("resnet10-w16", "resnet18-w16", "resnet34-w16")
PUBLISHED = {}  # type: ignore[var-annotated]
BLOCKS = {"10": (1, 1, 1, 1), "18": (2, 2, 2, 2), "34": (3, 4, 6, 3)}
"""Blocks a stage, by depth."""


def build(name: str, *, output_stride: int = 32) -> "ThinResNet":
    """Return a thin ResNet with random weights.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    output_stride : int
        Its blocks are never dilated: the last map always has stride 32.
    """
    return ThinResNet(name, 32)


class ThinResNet(ResNet):
    """A thin ResNet whose tensors keep torchvision's names, `conv1` … `layer4`."""

    @staticmethod
    def network(name: str, output_stride: int, outputs: int) -> torchvision_resnet.ResNet:
        """Return the network with a last layer of some outputs."""
        depth, _, width = name.removeprefix("resnet").partition("-w")
        return _Network(depth, int(width), outputs)


class _Network(torchvision_resnet.ResNet):
    """torchvision's ResNet of a depth, from `width` channels on."""

    def __init__(self, depth: str, width: int, outputs: int) -> None:
        block = torchvision_resnet.BasicBlock
        super().__init__(block, [1, 1, 1, 1], num_classes=outputs)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for number, blocks in enumerate(BLOCKS[depth]):
            stage = self._make_layer(block, width * 2**number, blocks, stride=1 if number == 0 else 2)
            setattr(self, f"layer{number + 1}", stage)
        self.fc = nn.Linear(8 * width, outputs)
        for module in self.modules():  # as torchvision starts its own
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
