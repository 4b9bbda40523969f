"""What a recipe says of depth."""

from pydantic import Field

from syn2real.tasks.schema import DenseSection

CHANNEL = "depth"
METRIC = "1 / (1 + scale-invariant error)"
STAGES = ("pretrain",)


class Section(DenseSection):
    """Depth: DeepLabV3 with one channel on random crops."""

    flip: bool = Field(default=True, description="flip images horizontally at random")
    balance: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="λ of the scale-invariant loss (Eigen et al., 2014, eq. 4): at 0 the scale counts in "
        "full, at 1 not at all",
    )
