"""A target: the labelled data set a backbone is fine-tuned and tested on (paper, §4.1)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, PositiveInt, field_validator, model_serializer, model_validator

from syn2real.errors import InputError
from syn2real.plugins import unknown
from syn2real.schema import Section, UserPath, UserPaths, later, renamed

Layout = Literal["imagenet", "image-folder", "coco", "ade20k", "torchvision"]
Split = Literal["train", "test"]
Exif = Literal["apply", "ignore"]
SPLITS: tuple[Split, ...] = get_args(Split)

RECORDED = {"train": "train", "test": "val"}
"""Each split's name in params and digests: results that are there keep theirs, from when `test` was `val`."""

LAYOUT_CHANNELS: dict[str, tuple[str, ...]] = {
    "imagenet": ("label",),
    "image-folder": ("label",),
    "coco": ("objects", "class-map"),
    "ade20k": ("class-map",),
}
"""What each layout is labelled with; `torchvision` depends on the data set."""

TORCHVISION_CHANNELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "CIFAR10",
            "CIFAR100",
            "Country211",
            "DTD",
            "EMNIST",
            "FashionMNIST",
            "FGVCAircraft",
            "Flowers102",
            "Food101",
            "GTSRB",
            "Imagenette",
            "KMNIST",
            "MNIST",
            "RenderedSST2",
            "StanfordCars",
            "STL10",
            "SVHN",
            "USPS",
        ),
        ("label",),
    ),
    "Cityscapes": ("class-map",),
    "OxfordIIITPet": ("label", "class-map"),
    "VOCSegmentation": ("class-map",),
}
"""The data sets of torchvision that have a training and a labelled test set, and their labels."""

_BY_HAND = ("Cityscapes", "StanfordCars")
"""torchvision reads these, and cannot download them."""

PILOT_PARTS = 5
"""Parts that a pilot cuts a training set into."""

_FOLD = re.compile(r"(.+)-(fold|pilot)(\d+)of(\d+)")

_UNDIVIDED = ("Caltech101", "Caltech256", "EuroSAT", "SEMEION", "SUN397")
"""torchvision has these, without a test set."""

_FOLDERS = {
    "imagenet": {"train": "train", "test": "val"},
    "image-folder": {"train": "train", "test": "val"},
    "coco": {"train": "train2017", "test": "val2017"},
    "ade20k": {"train": "images/training", "test": "images/validation"},
}
_ANNOTATIONS = {
    "coco": {"train": "annotations/instances_train2017.json", "test": "annotations/instances_val2017.json"},
    "ade20k": {"train": "annotations/training", "test": "annotations/validation"},
}
_ADE20K = "ADEChallengeData2016"


class Scans(Section):
    """Which of scikit-learn's 1,797 scans of handwritten digits are labelled; all others are tested on."""

    labels: int = Field(ge=1, le=100, description="labelled scans of each digit")
    seed: int = Field(0, ge=0, description="seed of the draw of the labelled scans")


class Target(Section):
    """A labelled data set: where it lies, in which layout, and what it is."""

    layout: Layout = Field(description="how the data set is laid out on disk")
    path: UserPath = Field(description="the data set's folder")
    description: str = Field("", description="what it is, in words, for figures and reports")
    stand_in: bool = Field(
        False, description="true for a rendered stand-in; shown wherever the target appears"
    )
    dataset: str | None = Field(None, description="layout torchvision: the data set's name, such as CIFAR10")
    images: dict[Split, UserPaths] = Field(
        {}, description="layouts coco and image-folder: the image folder of each split, within path"
    )
    annotations: dict[Split, UserPaths] = Field(
        {}, description="layout coco: the annotation file of each split, or a list of them, within path"
    )
    counts: dict[Split, PositiveInt] = Field(
        {},
        description="images in each split; with fewer the set is not complete and is refused before any job",
    )
    exif: Exif | None = later(
        None,
        description="whether the annotations were drawn on the images as their EXIF orientation turns them "
        "(apply) or as they are stored (ignore); by default the annotations' size decides, and apply where "
        "it cannot",
    )
    overlap: Literal["refuse", "warn"] = later(
        "refuse",
        description="where images of `test` are in `train` too, as files or byte for byte: refuse the "
        "target, or only warn, for published splits that have some",
    )
    folds: int | None = later(
        None,
        ge=2,
        le=20,
        description="test on each photograph once: train and test together are cut into so many parts, the "
        "same at every n and seed; a fine-tuning for each part learns from the others (`percents` of them) "
        "and is tested on it, and a point's error is that of all photographs together; no folds by default",
    )
    scene: str | None = later(
        None,
        description="of folds, of a pilot and of distances: a regular expression found in the names of "
        "photographs; those with the same match (its first group, if it has one) stay in one part, and a "
        "distance compares none of them with each other",
    )
    scans: Scans | None = later(
        None,
        description="layout image-folder: the workflow makes the folder, results/scans/<name>, of the scans "
        "of handwritten digits that come with scikit-learn (real images, no download)",
    )
    download: bool = Field(False, description="layout torchvision: may be downloaded through torchvision")
    archives: UserPath | None = Field(
        None, description="layout torchvision: a folder with the archives already downloaded, used first"
    )

    @field_validator("images", "annotations", "counts", mode="before")
    @classmethod
    def _test_was_val(cls, splits: Any) -> Any:
        """Read `val` as `test`, as files of versions before call it."""
        return renamed(splits, "val", "test")

    @model_validator(mode="after")
    def _fits_layout(self) -> Self:
        if self.layout == "torchvision":
            _check_dataset(self.dataset, self.download)
        elif self.dataset or self.download or self.archives:
            raise ValueError(
                f"dataset, download and archives belong to layout torchvision; remove them from this "
                f"{self.layout} target or set layout: torchvision"
            )
        if self.scans:
            _check_scans(self)
        if self.scene is not None:
            _check_scene(self.scene)
        if self.exif and self.layout == "torchvision":
            raise ValueError("torchvision's data sets are not turned; remove `exif`")
        if self.images and self.layout not in ("coco", "image-folder"):
            raise ValueError(f"layout {self.layout} has its own folders; remove `images`")
        if self.annotations and self.layout != "coco":
            raise ValueError(f"layout {self.layout} has no annotation files; remove `annotations`")
        for key, value in (("images", self.images), ("annotations", self.annotations)):
            if value and set(value) != set(SPLITS):
                raise ValueError(f"`{key}` needs both train and test; it has only {', '.join(value)}")
        for split, folders in self.images.items():
            files = self.annotations.get(split, "")
            if isinstance(folders, tuple) and (isinstance(files, str) or len(files) != len(folders)):
                raise ValueError(
                    f"images.{split} has {len(folders)} folders; give as many files as annotations.{split}"
                )
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Write `val` for `test`, as older runs have it as params."""
        data = write(self)
        for key in ("images", "annotations", "counts"):
            data[key] = {RECORDED[split]: value for split, value in data[key].items()}
        return data

    @property
    def channels(self) -> tuple[str, ...]:
        """What this target is labelled with, as `syn2real.channels` names it."""
        if self.layout == "torchvision":
            return TORCHVISION_CHANNELS[str(self.dataset)]
        return LAYOUT_CHANNELS[self.layout]

    def require(
        self,
        channel: str,
        *,
        file: str | Path | None = None,
        key: str | None = None,
        name: str = "",
        task: str = "",
    ) -> None:
        """Raise InputError unless the target is labelled with a channel.

        Parameters
        ----------
        channel : str
            `label`, `objects` or `class-map`.
        task : str
            The task that learns from it, for the message.
        file, key : str, optional
            Where the pair was asked for, for the message.
        name : str
            The target's name, for the message.

        Raises
        ------
        InputError
            Naming what it is labelled with.
        """
        if channel not in self.channels:
            what = f"{self.layout} {self.dataset}" if self.dataset else self.layout
            raise InputError(
                f"target {name or self.path} (layout {what}) is not labelled with {channel}"
                f"{f', which {task} learns from' if task else ''}; it has {', '.join(self.channels)}",
                file=file,
                key=key,
            )

    def check_count(self, split: Split, found: int, folder: Path) -> None:
        """Raise InputError where a split has fewer images than `counts` says, as a half-unpacked set has."""
        expected = self.counts.get(split, 0)
        if found < expected:
            raise InputError(
                f"{found:,} images here, of {expected:,}; unpack the complete set, or correct `counts`",
                file=folder,
                key=f"counts.{split}",
            )

    @property
    def root(self) -> Path:
        """The folder that holds the data; ADE20K's may be given with or without its own top folder."""
        path = Path(self.path)
        return path / _ADE20K if self.layout == "ade20k" and path.name != _ADE20K else path

    def image_folder(self, split: Split) -> Path:
        """Return the folder of a split's images (every layout but torchvision); of several the first."""
        return self.image_folders(split)[0]

    def annotation(self, split: Split) -> Path:
        """Return a split's annotation file (coco; of several the first) or folder (ade20k)."""
        return self.annotation_files(split)[0]

    def image_folders(self, split: Split) -> list[Path]:
        """Return the folder of the images of each of a split's annotation files."""
        paths = self._paths((self.images or _FOLDERS[self.layout])[split])
        files = self.annotations.get(split, "")
        return paths * len(self._paths(files)) if len(paths) == 1 else paths

    def annotation_files(self, split: Split) -> list[Path]:
        """Return a split's annotation files (coco), or its folder of them (ade20k)."""
        return self._paths((self.annotations or _ANNOTATIONS[self.layout])[split])

    def _paths(self, given: str | tuple[str, ...]) -> list[Path]:
        return [self.root / path for path in ([given] if isinstance(given, str) else given)]


def fold_name(target: str, fold: int, folds: int, *, pilot: bool = False) -> str:
    """Return what a target is called in the run that is tested on one of its parts, the first being 1.

    Those of a pilot are parts of its training set.
    """
    return f"{target}-{'pilot' if pilot else 'fold'}{fold}of{folds}"


def fold_of(name: str) -> tuple[str, int | None, int]:
    """Return the target, the part and the number of parts of what `fold_name` returned; else None and 1."""
    match = _FOLD.fullmatch(name)
    return (match[1], int(match[3]), int(match[4])) if match else (name, None, 1)


def is_pilot(name: str) -> bool:
    """Whether a target's name is that of a part of its training set."""
    match = _FOLD.fullmatch(name)
    return match is not None and match[2] == "pilot"


def cut_splits(name: str) -> tuple[Split, ...]:
    """Return the splits whose images are cut into the parts that `fold_name` names."""
    return SPLITS[:1] if is_pilot(name) else SPLITS


def _check_scans(target: Target) -> None:
    """Raise ValueError for keys that do not fit scans, whose folders and labels the workflow makes."""
    if target.layout != "image-folder":
        raise ValueError("scans are made in layout image-folder; write that, or remove `scans`")
    if target.images:
        raise ValueError("scans are made in folders of their own; remove `images`")
    if target.folds:
        raise ValueError("folds join labelled and tested scans, whatever `labels` says; remove `folds`")


def _check_scene(scene: str) -> None:
    """Raise ValueError unless a regular expression is one."""
    try:
        re.compile(scene)
    except re.error as error:
        raise ValueError(f"scene: {scene!r} is no regular expression ({error}); correct it") from None


def _check_dataset(name: str | None, download: bool) -> None:
    """Raise ValueError unless torchvision's data set `name` is one that targets know."""
    if name is None:
        raise ValueError(f"layout torchvision needs `dataset`, one of {', '.join(TORCHVISION_CHANNELS)}")
    if name in _UNDIVIDED:
        raise ValueError(
            f"torchvision's {name} has no test set of its own; sort it into train/<class> and val/<class>, "
            "layout image-folder"
        )
    if name not in TORCHVISION_CHANNELS:
        raise ValueError(f"torchvision's data set {unknown(name, [*TORCHVISION_CHANNELS])}")
    if download and name in _BY_HAND:
        raise ValueError(f"torchvision cannot download {name}; put it there yourself and remove `download`")
