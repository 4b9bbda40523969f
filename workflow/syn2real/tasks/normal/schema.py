"""What a recipe says of surface normals."""

from syn2real.tasks.schema import DenseSection

CHANNEL = "normals"
METRIC = "mean (1 + cos)/2"
STAGES = ("pretrain",)


class Section(DenseSection):
    """Surface normals: DeepLabV3 with three channels on random crops, never flipped (A.5)."""
