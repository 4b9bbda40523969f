"""A rendering setting that is already there: images a user rendered with any tool, in COCO's format."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from syn2real.errors import InputError
from syn2real.schema import Section


class Splits(Section):
    """A path for the images to pre-train on, and one for those that choose the best model."""

    train: str = Field(min_length=1, description="for pre-training")
    val: str = Field(min_length=1, description="for choosing the best model of a pre-training")

    def of(self, split: Literal["train", "val"]) -> Path:
        """Return the path of a split."""
        return Path(self.train if split == "train" else self.val)


class OwnRenders(Section):
    """A setting of one's own renders.

    Images count in the order of their ids in the annotation file: n images are the first n. Where renders
    are sorted, say by class, number them in random order; give later ones higher ids.
    """

    images: Splits = Field(description="the folders of the images, which the files' names are relative to")
    annotations: Splits = Field(description="the annotation files in COCO's format (JSON)")
    normals: Splits | None = Field(
        default=None,
        description="folders of surface normals: a PNG of 8 or 16 bits named as its image, with red, green, "
        "blue = (n + 1) / 2 in camera space (x right, y up, z towards the camera); black has none",
    )
    views: int = Field(
        default=1, ge=1, le=100, description="images a scene; a scene's images have ids in a row"
    )
    scenes_per_shard: int = Field(default=500, ge=1, description="scenes in one shard file")

    def shard_count(self, images: int) -> int:
        """Return how many shards hold the first `images` images."""
        return -(-images // (self.views * self.scenes_per_shard))

    def require(self, ptask: str, *, file: str | Path, key: str, name: str) -> None:
        """Raise InputError when a pre-training task can have no labels here.

        Whether the annotations have the boxes or masks that objdet or semseg need, the file itself tells (see
        `syn2real.data.own_renders.checks`).

        Parameters
        ----------
        ptask : str
            `mulclass`, `objdet`, `semseg` or `normal`.
        file, key : str
            Where it was asked for, for the message.
        name : str
            The setting's name, for the message.

        Raises
        ------
        InputError
            Naming what to add.
        """
        if ptask == "normal" and self.normals is None:
            raise InputError(
                f"setting {name} has no surface normals; give its `normals` folders or take normal out",
                file=file,
                key=key,
            )
