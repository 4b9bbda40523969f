"""Rendered images for pre-training, read from shards (paper, §4.1 and Appendix A)."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from torchvision import tv_tensors

from syn2real.data.annotated import IGNORE, AnnotatedImages, check_whole_scenes, detection
from syn2real.data.coco_format import index as coco_index
from syn2real.data.shards import OPTIONAL_EXTENSIONS, Shard, view_key
from syn2real.errors import InputError
from syn2real.files import digest
from syn2real.png import decode_png

MEMBERS = {"mulclass": "json", "objdet": "json", "semseg": "seg.png", "normal": "normal.png"}
"""The member that holds each pre-training task's annotations."""
PTASKS = tuple(MEMBERS)


class SyntheticImages(AnnotatedImages):
    """The first n images of a rendering setting: its first n / views scenes, whole.

    Items are read at random access, so workers started by fork or by spawn may share one object. No file
    stays open between reads: a setting may have more shards than a process may open files.

    Parameters
    ----------
    shards : sequence of Path
        Shards of one setting and split, in the order of their names; those past n are not opened.
    n : int
        Images, a whole number of scenes.
    ptask : {"mulclass", "objdet", "semseg", "normal"}
        The pre-training task whose annotations to give (see `AnnotatedImages`). semseg has the background as
        a class of its own, the first (Appendix A.2).

    Raises
    ------
    InputError
        n is no whole number of scenes, or more than the shards hold; the shards do not belong together or
        leave out scenes; or later, when it is read, a member is broken (naming shard and member).
    """

    def __init__(self, shards: Sequence[Path], n: int, ptask: str) -> None:
        if ptask not in PTASKS:
            raise InputError(f"{ptask!r} is no pre-training task; they are {', '.join(PTASKS)}", key="ptask")
        self.task = ptask
        self._shards = _open(shards, n)
        self._ends = np.cumsum([len(shard) for shard in self._shards])
        self._n = n
        self._views = int(self._shards[0].meta["views"])
        names = list(self._shards[0].meta["classes"])
        if ptask == "semseg" and len(names) >= IGNORE:
            raise InputError(
                f"{len(names)} classes; class maps for semseg hold {IGNORE - 1}",
                file=self._shards[0].path,
                key="classes",
            )
        self._n_objects = len(names)
        self._label_of = {number: number for number in range(1, len(names) + 1)}
        self.classes = {"semseg": ["background", *names], "normal": []}.get(ptask, names)
        if ptask == "objdet":
            self.category_ids = list(self._label_of)

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        shard, key = self._locate(index)
        members = _read(shard, key, ("png", MEMBERS[self.task]))
        image = _channels_first(_decode(shard, key, members, "png"))
        annotate = getattr(self, f"_{self.task}")
        return tv_tensors.Image(image), annotate(index, shard, key, members)

    def digest(self) -> str:
        """Return a digest of task, number, rendering setting, and names and sizes of the shards."""
        sizes = [[shard.path.name, shard.path.stat().st_size] for shard in self._shards]
        return digest({"task": self.task, "n": self._n, "meta": self._shards[0].meta, "shards": sizes})

    def _locate(self, index: int) -> tuple[Shard, str]:
        """Return the shard and the key of an image."""
        if not 0 <= index < self._n:
            raise IndexError(index)
        place = int(np.searchsorted(self._ends, index, side="right"))
        shard = self._shards[place]
        scene, view = divmod(index - int(self._ends[place]) + len(shard), self._views)
        return shard, view_key(shard.scenes[scene], view)

    def _mulclass(self, index: int, shard: Shard, key: str, members: dict[str, bytes]) -> torch.Tensor:
        visible = torch.zeros(self._n_objects)
        for thing in _view(shard, key, members)["objects"]:
            visible[thing["class"]] = 1
        return visible

    def _objdet(self, index: int, shard: Shard, key: str, members: dict[str, bytes]) -> dict[str, Any]:
        view = _view(shard, key, members)
        return detection(_annotations(view), self._label_of, index + 1, (view["height"], view["width"]))

    def _semseg(self, index: int, shard: Shard, key: str, members: dict[str, bytes]) -> tv_tensors.Mask:
        return tv_tensors.Mask(torch.from_numpy(_decode(shard, key, members, "seg.png")))

    def _normal(self, index: int, shard: Shard, key: str, members: dict[str, bytes]) -> tv_tensors.Mask:
        return tv_tensors.Mask(_channels_first(_decode(shard, key, members, "normal.png")))

    @cached_property
    def coco(self) -> COCO | None:  # type: ignore[override]
        """All annotations as pycocotools' ground truth; image i has id i + 1.

        Read when it is first asked for: the evaluation needs it, a million images to train on do not.
        """
        if self.task != "objdet":
            return None
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number in range(1, self._n + 1):
            shard, key = self._locate(number - 1)
            view = _view(shard, key, _read(shard, key, ("json",)))
            size = {"width": view["width"], "height": view["height"]}
            images.append({"id": number, "file_name": f"{key}.png", **size})
            for annotation in _annotations(view):
                annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation})
        categories = [{"id": k, "name": name} for k, name in enumerate(self.classes, start=1)]
        return coco_index({"images": images, "annotations": annotations, "categories": categories})


def _open(paths: Sequence[Path], n: int) -> list[Shard]:
    """Open the shards that hold the first n images; they must be one run of scenes from 0 on."""
    if not paths:
        raise InputError("no shards given; render the setting first", key="shards")
    shards: list[Shard] = []
    scenes = images = 0
    for path in sorted(paths):
        shard = Shard(path)
        shard.close()  # forked workers would share the open file's position
        _check_follows(shard, shards[0] if shards else shard, scenes)
        shards.append(shard)
        scenes += len(shard.scenes)
        images += len(shard)
        if images >= n:
            break
    _check_size(n, images, int(shards[0].meta["views"]), Path(paths[0]).parent)
    return shards


def _check_follows(shard: Shard, first: Shard, scene: int) -> None:
    """Raise InputError unless a shard belongs with the first and begins at the given scene."""
    for key in ("setting", "split", "views", "classes"):
        if shard.meta[key] != first.meta[key]:
            raise InputError(f"does not belong with {first.path}", file=shard.path, key=key)
    if shard.meta["first_scene"] != scene:
        raise InputError(
            f"begins at scene {shard.meta['first_scene']}, but scene {scene} is next; give every shard once",
            file=shard.path,
            key="first_scene",
        )


def _check_size(n: int, images: int, views: int, folder: Path) -> None:
    """Raise InputError unless n images are whole scenes and there are so many."""
    check_whole_scenes(n, views)
    if images < n:
        raise InputError(
            f"the shards hold {images} images, but {n} are asked for; render more", file=folder, key="n"
        )


def _read(shard: Shard, key: str, extensions: Sequence[str]) -> dict[str, bytes]:
    """Return some of an image's members and leave the file closed."""
    try:
        return shard.read(key, extensions)
    except OSError as error:
        raise InputError(f"cannot be read ({error}); render it again", file=shard.path, key=key) from None
    finally:
        shard.close()


def _decode(shard: Shard, key: str, members: dict[str, bytes], extension: str) -> NDArray[Any]:
    """Decode a PNG member, shape (H, W) or (H, W, 3)."""
    if extension not in members and extension in OPTIONAL_EXTENSIONS:
        raise InputError(
            "is not in this shard, because the images were imported without masks or normals",
            file=shard.path,
            key=f"{key}.{extension}",
        )
    image = decode_png(members.get(extension, b""))
    if image is None:
        raise InputError(
            "no whole PNG; the shard is damaged, render it again", file=shard.path, key=f"{key}.{extension}"
        )
    return np.ascontiguousarray(image)


def _channels_first(array: NDArray[Any]) -> torch.Tensor:
    """Return a tensor (3, H, W) of an array (H, W, 3), whose order in memory it keeps.

    Colours side by side are what torchvision resizes fastest, and what a GPU's convolutions want.
    """
    return torch.from_numpy(array).permute(2, 0, 1)


def _view(shard: Shard, key: str, members: dict[str, bytes]) -> dict[str, Any]:
    """Return a view's annotations."""
    try:
        return json.loads(members["json"])
    except (KeyError, ValueError):
        raise InputError(
            "no valid JSON; the shard is damaged, render it again", file=shard.path, key=f"{key}.json"
        ) from None


def _annotations(view: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a view's objects as COCO annotations without ids."""
    return [
        {"category_id": thing["class"] + 1, "bbox": thing["bbox"], "area": thing["area"], "iscrowd": 0}
        for thing in view["objects"]
    ]
