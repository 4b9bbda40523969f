"""A setting of a user's own renders: images rendered with any tool, annotated in COCO's format."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, create_model, model_validator

from syn2real import plugins
from syn2real.data.targets.schema import Exif
from syn2real.errors import InputError
from syn2real.schema import Section, UserPaths, later

SPLITS = ("train", "val")


class Splits(Section):
    """A path for the images to pre-train on, and one for those that choose the best model; or lists."""

    train: UserPaths = Field(description="for pre-training; a list where there are several annotation files")
    val: UserPaths = Field(description="for choosing the best model of a pre-training")

    def paths(self, split: str) -> list[Path]:
        """Return the paths of a split, "train" or "val"."""
        given = self.train if split == "train" else self.val
        return [Path(path) for path in ([given] if isinstance(given, str) else given)]

    def options(self) -> dict[str, Any]:
        """Return the keys beside the paths, such as the unit of the files."""
        return {key: value for key, value in self if key not in Splits.model_fields}


class MeasuredSplits(Splits):
    """The folders of files that hold lengths."""

    unit_m: float = Field(gt=0, description="the length that one step of a pixel's value stands for, metres")


class OwnRenders(Section):
    """A setting of your own renders.

    Images count in the order of their ids in the annotation file: n images are the first n. If the renders
    are sorted, say by class, number them in random order, or draw from a pool of them (`subset: images`);
    give later ones higher ids. Of several files, as BlenderProc writes one for every 1,000 images, the first
    one's images come first.
    """

    images: Splits = Field(description="the folders of the images, which the files' names are relative to")
    annotations: Splits = Field(description="the annotation files in COCO's format (JSON)")
    views: int = Field(
        default=1, ge=1, le=100, description="images a scene; a scene's images have ids in a row"
    )
    scenes_per_shard: int = Field(default=500, ge=1, description="scenes in one shard file")

    exif: Exif | None = later(
        None,
        description="whether the annotations were drawn on the images as their EXIF orientation turns them "
        "(apply) or as they are stored (ignore); by default the annotations' size decides",
    )

    @model_validator(mode="after")
    def _as_many_folders_as_files(self) -> Self:
        for split in SPLITS:
            files = len(self.annotations.paths(split))
            for name, folders in {"images": self.images, **self.channel_folders()}.items():
                if (count := len(folders.paths(split))) not in (1, files):
                    raise ValueError(
                        f"{name}.{split} has {count} folders, annotations.{split} has {files} files; give "
                        "a folder for each file, or one for all"
                    )
        return self

    def folders(self, folders: Splits, split: str) -> list[Path]:
        """Return the folder of each of a split's annotation files: one for each, or the same for all."""
        paths, files = folders.paths(split), len(self.annotations.paths(split))
        return paths if len(paths) == files else paths * files

    def shard_count(self, images: int) -> int:
        """Return how many shards hold the first `images` images."""
        return -(-images // (self.views * self.scenes_per_shard))

    def channel_names(self) -> tuple[str, ...]:
        """Return the channels that the images may be labelled with."""
        return ("class-map", *self.channel_folders(), "objects")

    def channel_folders(self) -> dict[str, Splits]:
        """Return the folders of those channels that have files of their own, by channel."""
        found = {name: getattr(self, name.replace("-", "_"), None) for name in channels_of_files()}
        return {name: folders for name, folders in found.items() if folders is not None}

    def require(self, channel: str, *, task: str, file: str | Path, key: str, name: str) -> None:
        """Raise InputError if the images are not labelled with a channel.

        `syn2real.data.own_renders.checks` reads the annotation file itself for masks.

        Parameters
        ----------
        channel : str
            What the images must be labelled with.
        task : str
            The task that learns from it, for the message.
        file, key : str
            Where it was asked for, for the message.
        name : str
            The setting's name, for the message.

        Raises
        ------
        InputError
            Naming what to add.
        """
        if channel in self.channel_names():
            return
        if channel in channels_of_files():
            problem = f"setting {name} has no {channel}; give its `{channel}` folders or take {task} out"
        else:
            problem = f"your own renders cannot be labelled with {channel}; take {task} out"
        raise InputError(problem, file=file, key=key)


def own_name(file_name: str) -> str:
    """Return the name of an image's file in a channel's folder: a PNG, named as the image."""
    return str(Path(file_name).with_suffix(".png"))


def channels_of_files() -> list[str]:
    """Return the channels that come as a file for each image."""
    return [name for name in plugins.names("channels") if plugins.constant("channels", name, "FILES")]


def _with_channels() -> type[OwnRenders]:
    """Return the model of own renders with a key for each channel of files."""
    fields: dict[str, Any] = {}
    for name in channels_of_files():
        files = plugins.constant("channels", name, "FILES")
        model = MeasuredSplits if files["measured"] else Splits
        # `normals` is older than the rule that params leave out what is not given: it stays, as null.
        key = Field if name == "normals" else later
        fields[name.replace("-", "_")] = (model | None, key(None, description=files["description"]))
    return create_model("OwnRenders", __base__=OwnRenders, __doc__=OwnRenders.__doc__, **fields)


if TYPE_CHECKING:
    AnyOwnRenders = OwnRenders
else:
    AnyOwnRenders = _with_channels()
"""The model with a key for each channel that is there."""
