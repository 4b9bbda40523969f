"""A user's own annotations, gone through once and cut into a part for each shard.

An annotation file of a million images has gigabytes. It is read when it is new or changed, an item at a
time; each import then reads its shard's part alone. A part is named by its content's digest, which is what an
import depends on: images that are added to the file re-import no shard that was whole before.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from syn2real.data.coco_format import annotation_problem, check_image, has_mask, unique_ids
from syn2real.data.json_stream import stream_json
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError
from syn2real.files import canonical_json, digest, file_stamp, read_json, write_json, write_text

logger = logging.getLogger(__name__)

VERSION = 1
TABLES = ("images", "annotations", "categories")
HERE = Path()
"""The working directory, which results/ lies in."""
LARGE = 32 << 20
"""Bytes of a file whose reading takes so long that a person is told."""
BUFFER = 128 << 20
"""Bytes of annotations that are kept in memory before they go to their parts."""


@dataclass(frozen=True)
class OwnIndex:
    """What is known of an annotation file.

    Attributes
    ----------
    key : str
        Digest of what the index was made from: the file's path, size and time, scenes and shards.
    images : int
        How many images the file names.
    categories : list of str
        Their names, in the order of their ids: the first is class 0.
    without_mask : int or None
        The id of the first annotation without a mask; None where all have one.
    parts : list of str
        The digest of each shard's part.
    """

    key: str
    images: int
    categories: list[str]
    without_mask: int | None
    parts: list[str]


def index_folder(setting: str, split: str, root: Path = HERE) -> Path:
    """Return the folder of a split's index: `index.json`, `files.json` and the parts, `<digest>.json`."""
    return root / "results/imports" / setting / split


def read_index(setting: str, split: str, root: Path = HERE) -> OwnIndex | None:
    """Return the index as it was last written, or None; the annotation file is not looked at."""
    path = index_folder(setting, split, root) / "index.json"
    return OwnIndex(**read_json(path)) if path.is_file() else None


def part_file(setting: str, split: str, shard: int, root: Path = HERE) -> Path | None:
    """Return the file of a shard's part, as the index was last written; None where there is none.

    Its path is that of a real run, whatever `root` the index is read from.
    """
    index = read_index(setting, split, root)
    if index is None or shard >= len(index.parts):
        return None
    return index_folder(setting, split) / f"{index.parts[shard]}.json"


def read_files(setting: str, split: str, root: Path = HERE) -> list[dict[str, Any]]:
    """Return `id` and `file_name` of every image, in the order of their ids."""
    images = read_json(index_folder(setting, split, root) / "files.json")
    return [{"id": number, "file_name": name} for number, name in images]


def update_index(setting: str, own: OwnRenders, split: str, root: Path = HERE) -> OwnIndex:
    """Return the index of a split's annotations; make it if the file is new or has changed.

    Parameters
    ----------
    setting : str
        The setting's name.
    own : OwnRenders
        The setting.
    split : {"train", "val"}
        Which annotations.
    root : Path
        The folder that a new index is written below. A dry run gives a temporary one: it writes nothing here.

    Raises
    ------
    InputError
        The file is missing or malformed; names the file and the first offending key.
    """
    path = own.annotations.of("train" if split == "train" else "val")
    if not path.is_file():
        problem = "there is no such file; put the annotations there or change `annotations`"
        raise InputError(problem, file=path)
    key = digest([VERSION, file_stamp(path), own.views, own.scenes_per_shard])
    folder, kept = index_folder(setting, split, root), index_folder(setting, split)
    if not folder.exists() and kept.is_dir() and (known := read_index(setting, split)) and known.key == key:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(kept.absolute())  # the index of an earlier run, read from the temporary folder
    known = read_index(setting, split, root)
    if known and known.key == key:
        return known
    if (size := path.stat().st_size) > LARGE:
        print(f"{path} ({size / 1e6:,.0f} MB) is new or has changed: reading it", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    for lines in folder.glob("*.jsonl"):
        lines.unlink()  # of a call that was killed
    index = _Cut(path, folder, own.views * own.scenes_per_shard).cut(key, own.views)
    write_json(folder / "index.json", asdict(index))
    for part in folder.iterdir():
        if part.stem not in {*index.parts, "index", "files"}:
            part.unlink()  # of an older file
    return index


class _Cut:
    """Cutting an annotation file into parts of so many images."""

    def __init__(self, path: Path, folder: Path, images_per_shard: int) -> None:
        self.path, self.folder, self.per_shard = path, folder, images_per_shard
        self.images: list[dict[str, Any]] = []
        self.categories: dict[int, str] = {}
        self.without_mask: int | None = None

    def cut(self, key: str, views: int) -> OwnIndex:
        """Write the parts and the list of files, and return the index."""
        self._read_images()
        files = [[image["id"], image["file_name"]] for image in self.images]
        write_text(self.folder / "files.json", canonical_json(files).decode())
        whole = len(self.images) // views * views
        shards = -(-whole // self.per_shard)
        self._spread(whole)
        parts = [self._write_part(shard, whole) for shard in range(shards)]
        names = list(self.categories.values())
        return OwnIndex(key, len(self.images), names, self.without_mask, parts)

    def _items(self) -> Iterator[tuple[str, Any]]:
        """Yield the file's items; say in one line what is wrong with it."""
        try:
            for key, item in stream_json(self.path):
                if key in TABLES and not isinstance(item, dict):
                    problem = "COCO's format has a list of mappings under this key"
                    raise InputError(problem, file=self.path, key=key)
                yield key, item
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            problem = f"no valid JSON mapping ({error}); write it again"
            raise InputError(problem, file=self.path) from None

    def _read_images(self) -> None:
        """Read images and categories, sorted by id."""
        categories: list[dict[str, Any]] = []
        for key, item in self._items():
            if key == "images":
                check_image(self.path, len(self.images), item)
                wanted = ("id", "file_name", "width", "height")
                self.images.append({name: item.get(name) for name in wanted})
            elif key == "categories":
                if not isinstance(item.get("name"), str):
                    where = f"categories[{len(categories)}].name"
                    raise InputError("a category needs a name", file=self.path, key=where)
                categories.append(item)
        for name, rows in (("images", self.images), ("categories", categories)):
            if not rows:
                raise InputError("this list is missing or empty", file=self.path, key=name)
            unique_ids(self.path, rows, name)
            rows.sort(key=lambda row: row["id"])
        self.categories = {row["id"]: row["name"] for row in categories}

    def _spread(self, whole: int) -> None:
        """Append each annotation to the file of its shard's annotations."""
        shard_of = {image["id"]: k // self.per_shard for k, image in enumerate(self.images)}
        last = -(-whole // self.per_shard)
        waiting: dict[int, list[bytes]] = {}
        number = size = 0
        for key, annotation in self._items():
            if key != "annotations":
                continue
            if problem := annotation_problem(annotation, None, shard_of, self.categories):
                where = f"annotations[{number}].{problem[0]}"
                raise InputError(problem[1], file=self.path, key=where)
            number += 1
            if self.without_mask is None and not has_mask(annotation):
                self.without_mask = annotation.get("id", number)
            shard = shard_of[annotation["image_id"]]
            if shard < last:
                line = canonical_json(annotation)
                waiting.setdefault(shard, []).append(line)
                size += len(line)
            if size > BUFFER:
                self._flush(waiting)
                size = 0
        self._flush(waiting)
        logger.info("%s: %d images, %d annotations", self.path, len(self.images), number)

    def _flush(self, waiting: dict[int, list[bytes]]) -> None:
        """Move annotations from memory to their files."""
        for shard, lines in waiting.items():
            with self._lines(shard).open("ab") as stream:
                stream.writelines(line + b"\n" for line in lines)
        waiting.clear()

    def _write_part(self, shard: int, whole: int) -> str:
        """Write a shard's part, an annotation file of its own, and return its digest."""
        lines = self._lines(shard).read_bytes().splitlines() if self._lines(shard).is_file() else []
        first = shard * self.per_shard
        rest = {
            "categories": [{"id": k, "name": name} for k, name in self.categories.items()],
            "images": self.images[first : min(first + self.per_shard, whole)],
            "all_have_masks": self.without_mask is None,
        }
        # The annotations are JSON already; most of a part is copied, not encoded again.
        text = b'{"annotations":[' + b",".join(lines) + b"]," + canonical_json(rest)[1:]
        name = hashlib.sha256(text).hexdigest()[:16]
        write_text(self.folder / f"{name}.json", text.decode())
        return name

    def _lines(self, shard: int) -> Path:
        return self.folder / f"part-{shard:06d}.jsonl"
