"""Importing a user's own renders into shards, so that pre-training reads them as it reads rendered ones."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from syn2real.channels import class_map, objects
from syn2real.channels.base import load_channel
from syn2real.data.coco.masks import cut
from syn2real.data.coco.painting import class_map as painted_classes
from syn2real.data.coco.painting import instance_mask
from syn2real.data.images import read_image
from syn2real.data.own_renders.index import Part, read_part
from syn2real.data.own_renders.schema import AnyOwnRenders, OwnRenders, own_name
from syn2real.data.pairing import find_image
from syn2real.data.shards import IMAGE, SceneRecord, write_shard
from syn2real.files import canonical_json
from syn2real.png import encode_png

logger = logging.getLogger(__name__)

PACKAGES = ("numpy", "opencv-python-headless", "pillow", "pycocotools", "torchvision")
"""Packages whose versions decide pixels and files."""

_Instances = list[tuple[dict[str, Any], NDArray[np.bool_] | None]]
"""Annotations with their masks, where they have one."""


def import_shard(
    *,
    setting: str,
    own: Mapping[str, Any],
    split: Literal["train", "val"],
    shard: int,
    annotations: Path,
    output: Path,
) -> None:
    """Write one shard of a setting that consists of a user's own renders.

    Scene i holds the images i · views to (i + 1) · views - 1 in the order of their ids. The last shard holds
    the remaining scenes; images that do not fill a scene are left out.

    - Images become RGB PNGs, upright as the annotations have them.
    - Classes are the categories in the order of their ids.
    - An object has its own box, cut at the image's edges, or the box of its mask. Objects whose masks cover
      no pixel are left out, and so are crowds, which are not single objects.
    - Class maps are painted from the masks, crowds included; they are written if all annotations have masks.

    Parameters
    ----------
    setting : str
        The setting's name.
    own : dict
        The setting, as `OwnRenders.model_dump(mode="json")` gives it.
    split : {"train", "val"}
        Which images.
    shard : int
        Shard k holds the scenes from `k * scenes_per_shard`.
    annotations : Path
        The shard's part of the annotations, see `syn2real.data.own_renders.index`.
    output : Path
        The shard's file; it appears when it is complete.

    Raises
    ------
    InputError
        A file is missing or malformed; names the file.
    """
    model = AnyOwnRenders.model_validate(own)
    first = shard * model.scenes_per_shard
    source = _Source(model, split, annotations, first)
    scenes = range(first, first + len(source.own.images) // model.views)
    meta = {
        "setting": setting,
        "split": split,
        "first_scene": first,
        "n_scenes": len(scenes),
        "views": model.views,
        "members": source.members,
        "classes": list(source.own.categories.values()),
        "rendering": {"annotations": source.path.name, "part": annotations.stem},
        "versions": {name: version(name) for name in PACKAGES},
        "resampled": {},
    }
    write_shard(output, meta, (source.scene(scene) for scene in scenes))
    source.log()


class _Source:
    """The own renders of one shard, from which scenes are made one at a time."""

    def __init__(self, model: OwnRenders, split: Literal["train", "val"], part: Path, first: int) -> None:
        self.path = model.annotations.paths(split)[0]
        self.own: Part = read_part(part)
        self._views, self._first = model.views, first
        self._folders, self._exif = model.folders(model.images, split), model.exif
        self._files = [
            (load_channel(name), model.folders(folders, split), folders.options())
            for name, folders in model.channel_folders().items()
        ]
        self._counts: Counter[str] = Counter()
        self._class_of = {number: k for k, number in enumerate(self.own.categories)}

    def log(self) -> None:
        """Log how many objects the shard has, and how many annotations are in none, and why."""
        counts = ", ".join(f"{count:,} {what}" for what, count in self._counts.items())
        logger.info("%s: %d images: %s", self.path, len(self.own.images), counts or "no annotations")

    @property
    def members(self) -> list[str]:
        """The extensions of a view's files."""
        class_maps = [class_map.MEMBER] if self.own.all_have_masks else []
        return [IMAGE, *class_maps, *(channel.MEMBER for channel, _, _ in self._files), objects.MEMBER]

    def scene(self, scene: int) -> SceneRecord:
        """Return a scene as it lies in a shard."""
        start = (scene - self._first) * self._views
        images = self.own.images[start : start + self._views]
        files = [{"id": image["id"], "file_name": image["file_name"]} for image in images]
        description = canonical_json({"scene": scene, "images": files})
        return SceneRecord(scene, description, [self._view(scene, v, i) for v, i in enumerate(images)])

    def _view(self, scene: int, view: int, image: dict[str, Any]) -> dict[str, bytes]:
        """Return an image's files by extension."""
        size = (image["height"], image["width"])
        annotations = self.own.annotations.get(image["id"], [])
        masks = [instance_mask(a, size) if "segmentation" in a else None for a in annotations]
        pairs = list(zip(annotations, masks, strict=True))
        record = {
            "scene": scene,
            "view": view,
            "width": image["width"],
            "height": image["height"],
            "camera": {},
            "objects": list(self._objects(pairs, size)),
        }
        number = image.get("folder", 0)
        file = find_image(self._folders[number], image["file_name"])
        pixels = read_image(file, size, self._exif).permute(1, 2, 0).numpy()
        files = {IMAGE: encode_png(pixels), objects.MEMBER: objects.encode(record)}
        if self.own.all_have_masks:
            files[class_map.MEMBER] = class_map.encode(self._class_map(pairs, size))
        for channel, folders, options in self._files:
            path = find_image(folders[number], own_name(image["file_name"]))
            value = channel.read(path, size, **options)
            files[channel.MEMBER] = channel.encode(value)
        return files

    def _objects(self, pairs: _Instances, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
        """Yield the entries of an image's objects."""
        for annotation, mask in pairs:
            if annotation["iscrowd"]:
                self._counts["crowds left out"] += 1
                continue
            if mask is not None and annotation["segmentation"] and not mask.any():
                self._counts["masks without a pixel left out"] += 1
                continue
            seen = mask is not None and mask.any()
            encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8)) if seen else None
            self._counts["objects"] += 1
            yield {
                "class": self._class_of[annotation["category_id"]],
                "bbox": cut(annotation["bbox"], size),
                "area": int(mask.sum()) if mask is not None and seen else float(annotation["area"]),
                "segmentation": encoded and {"size": list(size), "counts": encoded["counts"].decode("ascii")},
                "visible_fraction": None,
            }

    def _class_map(self, pairs: _Instances, size: tuple[int, int]) -> NDArray[Any]:
        """Return an image's class map: 0 is the background, k + 1 is class k."""
        painted = [(self._class_of[a["category_id"]] + 1, mask) for a, mask in pairs if mask is not None]
        return painted_classes(painted, size, class_map.dtype_of(len(self._class_of)))
