"""Targets that torchvision reads by name: classification and segmentation data sets."""

import gzip
import inspect
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torchvision
from numpy.typing import NDArray
from torchvision import tv_tensors
from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights

from syn2real.channels.class_map import IGNORE
from syn2real.data.annotated import AnnotatedImages, file_sizes
from syn2real.data.findings import Findings
from syn2real.data.image_checks import ends_and_middle
from syn2real.data.images import to_rgb
from syn2real.data.pixels import class_numbers
from syn2real.data.targets.schema import SPLITS, Split, Target
from syn2real.errors import InputError
from syn2real.files import digest

_TRAINVAL: dict[Split, dict[str, Any]] = {"train": {"split": "trainval"}, "test": {"split": "test"}}
_SPLITS: dict[str, dict[Split, dict[str, Any]]] = {
    "Cityscapes": {
        "train": {"split": "train", "target_type": "semantic"},
        "test": {"split": "val", "target_type": "semantic"},
    },
    "EMNIST": {
        "train": {"split": "balanced", "train": True},
        "test": {"split": "balanced", "train": False},
    },
    "FGVCAircraft": _TRAINVAL,
    "Imagenette": {"train": {"split": "train"}, "test": {"split": "val"}},
    "OxfordIIITPet": _TRAINVAL,
    "VOCSegmentation": {"train": {"image_set": "train"}, "test": {"image_set": "val"}},
}
"""The arguments that give each split, where they are not the usual ones (see `split_arguments`)."""

_ARCHIVE_FOLDERS = {
    "DTD": "dtd",
    "EMNIST": "EMNIST/raw",
    "FashionMNIST": "FashionMNIST/raw",
    "Flowers102": "flowers-102",
    "GTSRB": "gtsrb",
    "KMNIST": "KMNIST/raw",
    "MNIST": "MNIST/raw",
    "OxfordIIITPet": "oxford-iiit-pet",
}
"""Where torchvision looks for archives that are already downloaded, if not in the data set's folder."""

_VOC = ["background", *DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"][1:]]
"""The class names; torchvision's own first one is `__background__`."""
_TRAINED_CITYSCAPES = [c for c in torchvision.datasets.Cityscapes.classes if 0 <= c.train_id < IGNORE]


def _lookup(numbers: Mapping[int, int]) -> NDArray[np.uint8]:
    """Return the class of every value a mask file may hold; values not in `numbers` have no label."""
    table = np.full(256, IGNORE, dtype=np.uint8)
    table[list(numbers)] = list(numbers.values())
    return table


MASKS: dict[str, tuple[list[str], NDArray[np.uint8]]] = {
    # The benchmark's 19 classes of its 34.
    "Cityscapes": (
        [c.name for c in _TRAINED_CITYSCAPES],
        _lookup({c.id: c.train_id for c in _TRAINED_CITYSCAPES}),
    ),
    # The trimap has 1 pet, 2 background, 3 border; border pixels have no class.
    "OxfordIIITPet": (["background", "pet"], _lookup({1: 1, 2: 0})),
    "VOCSegmentation": (_VOC, _lookup({number: number for number in range(len(_VOC))})),
}
"""Class names, and the class of every value in the mask files."""


def split_arguments(name: str, split: Split) -> dict[str, Any]:
    """Return the arguments with which torchvision's data set `name` gives a split.

    `test` is the labelled test set where there is one, else the validation set. Most data sets have either a
    flag `train` or a `split`.
    """
    if name in _SPLITS:
        return dict(_SPLITS[name][split])
    if "train" in inspect.signature(getattr(torchvision.datasets, name)).parameters:
        return {"train": split == "train"}
    return {"split": "train" if split == "train" else "test"}


class TorchvisionTarget(AnnotatedImages):
    """One split of a torchvision data set."""

    def __init__(self, target: Target, split: Split, channel: str) -> None:
        self.channel = channel
        self._place = target.root
        self._images = _open(target, split, channel, target.root)
        if channel == "class-map":
            self.classes, self._class_of = MASKS[str(target.dataset)]
        else:
            self.labels = _labels(self._images)
            numbers = range(int(self.labels.max()) + 1)  # GTSRB, SVHN and USPS have no names
            self.classes = [_class_name(name) for name in getattr(self._images, "classes", numbers)]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        try:
            image, label = self._images[index]
            if self.channel == "label":
                return to_rgb(image), int(label)
            mask = class_numbers(label, getattr(label, "filename", None) or self._place)
        except InputError:
            raise
        except Exception as error:  # Pillow raises nearly every kind
            raise InputError(f"image {index} cannot be read ({error})", file=self._place) from None
        return to_rgb(image), self._class_of[mask]

    def digest(self) -> str:
        """Return a digest of the classes, the labels, and names and sizes of the files in the folder."""
        files = file_sizes(self._place, sorted(p for p in self._place.rglob("*") if p.is_file()))
        labels = None if self.labels is None else self.labels.tolist()
        return digest({"channel": self.channel, "classes": self.classes, "labels": labels, "files": files})


def check_torchvision(target: Target, channel: str, found: Findings) -> None:
    """Raise InputError unless torchvision finds both splits of its data set, with enough images."""
    for split in SPLITS:
        images = TorchvisionTarget(target, split, channel)
        target.check_count(split, len(images), target.root)
        for index in ends_and_middle(range(len(images))):
            images[index]  # reading it is the check
        found.lines.append(
            f"{target.root}: {split} has {len(images):,} images of {len(images.classes):,} classes"
        )


def fetch(target: Target) -> None:
    """Make a data set's folder from local archives or by download; it appears when it is complete.

    Raises
    ------
    InputError
        The target does not allow a download, the download failed, or its folder holds something else.
    """
    if target.root.exists():
        for channel in target.channels:
            check_torchvision(target, channel, Findings())
        return
    if not target.download:
        raise InputError(
            "does not exist; set download: true or put it there", file=target.root, key="download"
        )
    target.root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.root.name}.", dir=target.root.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        archives = made / _ARCHIVE_FOLDERS.get(str(target.dataset), "")
        if target.archives and Path(target.archives).is_dir():
            _unpack(Path(target.archives), archives)
        for channel in target.channels:
            for split in SPLITS:
                _open(target, split, channel, made, download=True)
        made.rename(target.root)


def _unpack(source: Path, folder: Path) -> None:
    """Copy archives to where torchvision looks for them.

    A single compressed file is unpacked here: torchvision compares checksums, and Debian compresses its
    files again, to other bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(path for path in source.iterdir() if path.is_file()):
        if path.suffix == ".gz" and path.suffixes[-2:] != [".tar", ".gz"]:
            with gzip.open(path) as packed, (folder / path.stem).open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        else:
            shutil.copyfile(path, folder / path.name)


def _open(target: Target, split: Split, channel: str, root: Path, *, download: bool = False) -> Any:
    """Return torchvision's data set for a split."""
    name = str(target.dataset)
    arguments = split_arguments(name, split)
    if name == "OxfordIIITPet":
        arguments["target_types"] = "segmentation" if channel == "class-map" else "category"
    if download:  # the data sets that torchvision cannot download have no such argument
        arguments["download"] = True
    try:
        images = getattr(torchvision.datasets, name)(str(root), **arguments)
    except Exception as error:  # of damaged pickles, tables and archives nearly every kind
        fix = "the download failed" if download else "set download: true or put it there"
        raise InputError(
            f"torchvision finds no complete {name} ({split}) here: {error}; {fix}", file=root, key="dataset"
        ) from None
    if name == "Cityscapes":  # sorted, so that a subset is the same on every machine
        pairs = sorted(zip(images.images, images.targets, strict=True))
        images.images, images.targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return images


def _labels(images: Any) -> NDArray[np.int64]:
    """Return every image's class, which torchvision's data sets hold under one of several names."""
    for name in ("targets", "labels", "_labels"):
        if hasattr(images, name):
            return np.asarray(getattr(images, name), dtype=np.int64)
    return np.array([label for _, label in images._samples], dtype=np.int64)


def _class_name(name: Any) -> str:
    """Return a class's name; Imagenette gives a tuple of synonyms."""
    return ", ".join(name) if isinstance(name, tuple) else str(name)
