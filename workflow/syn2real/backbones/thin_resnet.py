"""A thin ResNet for small images on a CPU: one block a stage, a quarter of torchvision's channels.

No published network: `resnet10` is the depth that one basic block a stage gives, `w16` the channels of the
first stage (torchvision's have 64). On images of 48 pixels a step takes a fifteenth of ResNet-18's.
"""

from torch import nn
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.resnet import ResNet

NAMES = ("resnet10-w16",)
PUBLISHED = {}  # type: ignore[var-annotated]


def build(name: str, *, output_stride: int = 32) -> "ThinResNet":
    """Return a thin ResNet with random weights.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    output_stride : int
        Its blocks cannot be dilated: the last map always has stride 32.
    """
    return ThinResNet(name, 32)


class ThinResNet(ResNet):
    """A thin ResNet whose tensors keep torchvision's names, `conv1` … `layer4`."""

    @staticmethod
    def network(name: str, output_stride: int, outputs: int) -> torchvision_resnet.ResNet:
        """Return the network with a last layer of some outputs."""
        return _Network(int(name.partition("-w")[2]), outputs)


class _Network(torchvision_resnet.ResNet):
    """torchvision's ResNet of one basic block a stage, from `width` channels on."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(torchvision_resnet.BasicBlock, [1, 1, 1, 1], num_classes=outputs)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for number in range(4):
            stage = self._make_layer(
                torchvision_resnet.BasicBlock, width * 2**number, 1, stride=1 if number == 0 else 2
            )
            setattr(self, f"layer{number + 1}", stage)
        self.fc = nn.Linear(8 * width, outputs)
        for module in self.modules():  # as torchvision starts its own
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
