"""A backbone with a linear last layer, for labels of whole images (A.3, A.4)."""

from torch import Tensor, nn

from syn2real.backbones.base import Backbone


class Classifier(nn.Module):
    """A linear layer on the backbone's pooled vector.

    Parameters
    ----------
    backbone : Backbone
        With random weights: the family draws the last layer.
    outputs : int
        Outputs of the last layer.
    """

    def __init__(self, backbone: Backbone, outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.last = backbone.last_layer(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs [B, K] of normalised images [B, 3, H, W]."""
        outputs: Tensor = self.last(self.backbone.pooled(images))
        return outputs
