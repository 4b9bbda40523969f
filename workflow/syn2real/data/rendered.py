"""Rendered images for pre-training, read from shards (paper, §4.1 and Appendix A)."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from torchvision import tv_tensors

from syn2real.channels.base import learnt_classes, load_channel
from syn2real.data.annotated import AnnotatedImages, check_whole_scenes
from syn2real.data.coco_format import index as coco_index
from syn2real.data.shards import (
    IMAGE,
    Shard,
    check_size,
    decode_image,
    decode_member,
    read_members,
    require_channel,
    view_key,
)
from syn2real.data.subsets import draw_from_pool, indices_digest
from syn2real.errors import InputError
from syn2real.files import digest


class RenderedImages(AnnotatedImages):
    """Images of a rendering setting: its first n / views scenes, whole, or n images drawn from a pool.

    Items are read at random access, so workers started by fork or by spawn may share one object. No file
    stays open between reads: a setting may have more shards than a process may open files.

    Parameters
    ----------
    shards : sequence of str or Path
        Shards of one setting and split, in the order of their names; those past n are not opened.
    n : int
        Images, a whole number of scenes unless they are drawn.
    channel : str
        What the images are labelled with, see `syn2real.channels`.
    pool : int, optional
        Draw the n from so many first images, whole scenes (see `draw_from_pool`).

    Attributes
    ----------
    draw_digest : str or None
        SHA-256 of which images of the pool were drawn.

    Raises
    ------
    InputError
        n, or the pool, is not a whole number of scenes, or more than the shards hold; the shards do not
        belong together or leave out scenes or the channel; or later, when it is read, a member is broken
        (naming shard and member).
    """

    def __init__(self, shards: Sequence[str | Path], n: int, channel: str, pool: int | None = None) -> None:
        self.channel = channel
        module = load_channel(channel)
        self._shards = _open(shards, n if pool is None else pool)
        self._drawn: NDArray[np.int64] | None = None
        self.draw_digest: str | None = None
        if pool is not None:
            self._drawn = draw_from_pool(pool, n)
            self.draw_digest = indices_digest(pool, self._drawn)
        self._ends = np.cumsum([len(shard) for shard in self._shards])
        self._n = n
        first = self._shards[0]
        self._views = int(first.meta["views"])
        require_channel(first, channel, module.MEMBER)
        self._member: str = module.MEMBER
        self._decode: Callable[[bytes], Any] = module.decode
        try:
            self.classes = learnt_classes(module, list(first.meta["classes"]))
        except ValueError as error:
            raise InputError(str(error), file=first.path, key="classes") from None
        self.category_ids = list(range(1, len(self.classes) + 1)) if channel == "objects" else None

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, Any]:
        shard, key = self._locate(index)
        members = read_members(shard, key, (IMAGE, self._member))
        pixels = decode_image(shard, key, members)
        value = decode_member(shard, key, members, self._member, self._decode)
        check_size(shard, key, self._member, pixels, value)
        if self.channel == "objects":
            value |= {"image_id": index + 1}
        return tv_tensors.Image(channels_first(pixels)), value

    def digest(self) -> str:
        """Return a digest of channel, number, draw, rendering setting, and names and sizes of the shards."""
        sizes = [[shard.path.name, shard.path.stat().st_size] for shard in self._shards]
        parts = {"channel": self.channel, "n": self._n, "meta": self._shards[0].meta, "shards": sizes}
        return digest(parts | ({"draw": self.draw_digest} if self.draw_digest else {}))

    def _locate(self, index: int) -> tuple[Shard, str]:
        """Return the shard and the key of an image."""
        if not 0 <= index < self._n:
            raise IndexError(index)
        if self._drawn is not None:
            index = int(self._drawn[index])
        place = int(np.searchsorted(self._ends, index, side="right"))
        shard = self._shards[place]
        scene, view = divmod(index - int(self._ends[place]) + len(shard), self._views)
        return shard, view_key(shard.scenes[scene], view)

    @cached_property
    def coco(self) -> COCO | None:  # type: ignore[override]
        """All annotations as pycocotools' ground truth; image i has id i + 1.

        Read when it is first asked for: the evaluation needs it, a million images to train on do not.
        """
        if self.channel != "objects":
            return None
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number in range(1, self._n + 1):
            shard, key = self._locate(number - 1)
            members = read_members(shard, key, (self._member,))
            view = decode_member(shard, key, members, self._member, self._decode)
            size = {"width": view["width"], "height": view["height"]}
            images.append({"id": number, "file_name": f"{key}.png", **size})
            for thing in view["objects"]:
                place = {"id": len(annotations) + 1, "image_id": number, "category_id": thing["class"] + 1}
                annotations.append(place | {"bbox": thing["bbox"], "area": thing["area"], "iscrowd": 0})
        categories = [{"id": k, "name": name} for k, name in enumerate(self.classes, start=1)]
        return coco_index({"images": images, "annotations": annotations, "categories": categories})


def _open(paths: Sequence[str | Path], n: int) -> list[Shard]:
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


def channels_first(array: NDArray[Any]) -> torch.Tensor:
    """Return a tensor (3, H, W) of an array (H, W, 3), whose order in memory it keeps.

    Colours side by side are what torchvision resizes fastest, and what a GPU's convolutions need.
    """
    return torch.from_numpy(array).permute(2, 0, 1)
