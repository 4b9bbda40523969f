"""A rendered stand-in for a target, written as the real ones are: ImageNet, COCO and ADE20K layouts."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from syn2real.channels import class_map, objects
from syn2real.data.shards import IMAGE, Shard, require_channel
from syn2real.errors import InputError
from syn2real.files import write_json, write_text

JPEG_QUALITY = 95
SPLITS = ("train", "test")
_ON_DISK = {"train": "train", "test": "val"}
"""Each split's name in the three layouts."""

_README = """{name}: a rendered stand-in, no real photographs

These images were rendered by this project (setting {setting}) to stand in for a labelled data set of real
photographs. They lie in the layouts of ImageNet (imagenet/), COCO 2017 (coco/) and ADE20K (ade20k/) only so
that the loaders of those data sets read them. They hold nothing of those data sets, and an error measured
on them says nothing about real photographs.

{counts}
"""


@dataclass(frozen=True)
class _View:
    """One rendered image on its way into the layouts."""

    number: int
    jpeg: bytes
    classes: NDArray[np.uint8]
    annotations: dict[str, Any]


def export_target(
    shards: Mapping[str, Sequence[Path]],
    folder: str | Path,
    *,
    images: Mapping[str, int] | None = None,
) -> None:
    """Write rendered shards as a stand-in target: `<folder>/imagenet`, `<folder>/coco` and `<folder>/ade20k`.

    ImageNet's class of an image is that of the object with the largest visible area; an image without objects
    is left out there. ADE20K's classes are the room (1) and the objects (2 …). Everything is written into a
    temporary folder that takes its name at the end, so a killed run leaves nothing that could be taken for a
    result.

    Parameters
    ----------
    shards : mapping of {"train", "test"} to sequence of Path
        The rendered shards of each split, all of one setting.
    folder : str or Path
        What to write, named as the stand-in; an earlier export there is replaced.
    images : mapping of {"train", "test"} to int, optional
        Use only the first so many images of a split.

    Raises
    ------
    InputError
        A split is missing or too small, the shards do not have the same classes, or no class maps or objects,
        there are more classes than a mask can hold, or a class is seen in test but not in train.
    """
    folder = Path(folder)
    opened = {split: [Shard(path) for path in sorted(shards.get(split, ()))] for split in SPLITS}
    classes = _classes(opened)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        made = scratch / "made"
        counts = []
        for split, split_shards in opened.items():
            views = list(_views(split_shards, (images or {}).get(split)))
            _write_imagenet(made / "imagenet", _ON_DISK[split], views, classes)
            _write_coco(made / "coco", _ON_DISK[split], views, classes)
            _write_ade20k(made / "ade20k" / "ADEChallengeData2016", _ON_DISK[split], views)
            counts.append(f"{split}: {len(views)} images")
        _write_object_info(made / "ade20k" / "ADEChallengeData2016", classes)
        _check_classes_trained(made / "imagenet", folder)
        setting = opened["train"][0].meta["setting"]
        write_text(
            made / "README.txt", _README.format(name=folder.name, setting=setting, counts="\n".join(counts))
        )
        _put_in_place(made, folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _classes(shards: Mapping[str, Sequence[Shard]]) -> list[str]:
    """Return the classes, which all shards must share; each must have what the layouts are written from."""
    for split, members in shards.items():
        if not members:
            raise InputError(f"no shards for split {split}; render it first", key=f"shards.{split}")
    first = shards["train"][0]
    for shard in [*shards["train"], *shards["test"]]:
        for key in ("classes", "setting"):
            if shard.meta[key] != first.meta[key]:
                raise InputError(f"does not belong with {first.path}", file=shard.path, key=key)
        for channel, module in (("class-map", class_map), ("objects", objects)):
            require_channel(shard, channel, module.MEMBER)
    classes = list(first.meta["classes"])
    if len(classes) > 254:
        raise InputError(f"{len(classes)} classes; ADE20K's masks hold 254 and the room", file=first.path)
    return classes


def _views(shards: Sequence[Shard], limit: int | None) -> Iterator[_View]:
    """Yield the first `limit` images of a split (all of them without a limit), numbered from 1."""
    keys = [(shard, key) for shard in shards for key in shard.keys]
    if limit is not None and limit > len(keys):
        raise InputError(
            f"the shards hold {len(keys)} images, but {limit} are asked for; render more",
            file=shards[0].path.parent,
        )
    for number, (shard, key) in enumerate(keys[:limit], start=1):
        members = shard.read(key)
        shard.close()
        try:
            with Image.open(io.BytesIO(members[IMAGE])) as image:
                buffer = io.BytesIO()
                image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
            classes = class_map.decode(members[class_map.MEMBER]).astype(np.uint8)
            annotations = objects.decode(members[objects.MEMBER])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"the shard is damaged ({error}); render it again", file=shard.path, key=key
            ) from None
        yield _View(number, buffer.getvalue(), classes, annotations)


def _write_imagenet(root: Path, split: str, views: Sequence[_View], classes: Sequence[str]) -> None:
    """Write `<root>/<split>/<class>/<class>_<number>.JPEG`."""
    (root / split).mkdir(parents=True, exist_ok=True)
    for view in views:
        if not view.annotations["objects"]:
            continue
        largest = max(view.annotations["objects"], key=lambda thing: thing["area"])
        name = classes[largest["class"]].replace("/", "-")
        path = root / split / name / f"{name}_{view.number}.JPEG"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(view.jpeg)


def _write_coco(root: Path, split: str, views: Sequence[_View], classes: Sequence[str]) -> None:
    """Write `<root>/<split>2017/*.jpg` and `<root>/annotations/instances_<split>2017.json`."""
    folder = root / f"{split}2017"
    folder.mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for view in views:
        file_name = f"{view.number:012d}.jpg"
        (folder / file_name).write_bytes(view.jpeg)
        height, width = view.classes.shape
        images.append({"id": view.number, "file_name": file_name, "width": width, "height": height})
        for thing in view.annotations["objects"]:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": view.number,
                    "category_id": thing["class"] + 1,
                    "bbox": thing["bbox"],
                    "area": thing["area"],
                    "segmentation": thing["segmentation"],
                    "iscrowd": 0,
                }
            )
    categories = [
        {"id": k, "name": name, "supercategory": name.partition("/")[0]}
        for k, name in enumerate(classes, start=1)
    ]
    content = {"images": images, "annotations": annotations, "categories": categories}
    info = {"description": "a rendered stand-in, no real photographs"}
    write_json(
        root / "annotations" / f"instances_{split}2017.json", {"info": info, "licenses": [], **content}
    )


def _write_ade20k(root: Path, split: str, views: Sequence[_View]) -> None:
    """Write images and masks of a split; a mask's 1 is the room and k + 2 is class k."""
    folder = {"train": "training", "val": "validation"}[split]
    for kind in ("images", "annotations"):
        (root / kind / folder).mkdir(parents=True)
    for view in views:
        stem = f"ADE_{split}_{view.number:08d}"
        (root / "images" / folder / f"{stem}.jpg").write_bytes(view.jpeg)
        mask = Image.fromarray(view.classes + np.uint8(1))
        mask.save(root / "annotations" / folder / f"{stem}.png")


def _write_object_info(root: Path, classes: Sequence[str]) -> None:
    """Write ADE20K's table of classes; its shares and counts, which no loader reads, are left at 0."""
    rows = ["Idx\tRatio\tTrain\tVal\tStuff\tName", "1\t0\t0\t0\t1\troom"]
    rows += [f"{number}\t0\t0\t0\t0\t{name}" for number, name in enumerate(classes, start=2)]
    write_text(root / "objectInfo150.txt", "\n".join(rows) + "\n")


def _check_classes_trained(root: Path, folder: Path) -> None:
    """Raise InputError if a class has images to test on but none to learn from."""
    untrained = {path.name for path in (root / "val").iterdir()} - {
        path.name for path in (root / "train").iterdir()
    }
    if untrained:
        raise InputError(
            f"{', '.join(sorted(untrained))} is seen in test but never in train; render more training images",
            file=folder,
        )


def _put_in_place(made: Path, folder: Path, scratch: Path) -> None:
    """Give the finished folder its name, in the place of an earlier one."""
    os.sync()  # the files first, then the name that says they are whole
    if folder.exists():
        folder.rename(scratch / "earlier")
    made.rename(folder)
