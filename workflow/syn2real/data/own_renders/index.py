"""A user's own annotations, read once and split into one part a shard.

An annotation file of a million images has gigabytes. It is read when it is new or has changed, one item at a
time, so memory stays small; each import then reads the part of its shard alone. A part is named by the digest
of its content, which is what an import depends on: adding images to the file imports no full shard again.
"""

import hashlib
import logging
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from syn2real.data.coco.cleaning import used_annotations
from syn2real.data.coco.counts import NO_MASK, Counts
from syn2real.data.coco.records import Header, read_header
from syn2real.data.coco.stream import no_such_file
from syn2real.data.coco.tally import Tally
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError
from syn2real.files import canonical_json, digest, file_stamp, read_json, write_json, write_text

logger = logging.getLogger(__name__)

VERSION = 6
"""Of the index's format; another number means that every annotation file is read again."""
HERE = Path()
"""The working directory, which results/ lies in."""
LARGE = 32 << 20
"""Bytes from which reading a file takes long enough for a message."""
BUFFER = 128 << 20
"""Bytes of annotations that are kept in memory before they are written to their parts."""


@dataclass(frozen=True)
class OwnIndex:
    """The summary of an annotation file.

    Attributes
    ----------
    key : str
        Digest of what the index was made from: the file's path, size and time, scenes and shards.
    images : int
        How many images the file names.
    categories : list of str
        Their names, in the order of their ids: the first is class 0.
    parts : list of str
        The digest of each shard's part.
    counts : dict
        `Counts` of its annotations.
    """

    key: str
    images: int
    categories: list[str]
    parts: list[str]
    counts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """The annotations of one shard.

    Attributes
    ----------
    images : list of dict
        Sorted by id.
    annotations : dict of int to list of dict
        By the image's id.
    categories : dict of int to str
        Names by id, sorted by id: the first is class 0.
    all_have_masks : bool
        Whether every annotation of the whole file has a mask, not only those of this part.
    """

    images: list[dict[str, Any]]
    annotations: dict[int, list[dict[str, Any]]]
    categories: dict[int, str]
    all_have_masks: bool


def index_folder(setting: str, split: str, root: Path = HERE) -> Path:
    """Return the folder of a split's index: `index.json`, `files.json` and the parts, `<digest>.json`."""
    return root / "results/imports" / setting / split


def read_index(setting: str, split: str, root: Path = HERE) -> OwnIndex | None:
    """Return the index as it was last written, or None; the annotation file is not looked at."""
    path = index_folder(setting, split, root) / "index.json"
    if not path.is_file():
        return None
    try:
        return OwnIndex(**read_json(path))
    except (ValueError, TypeError):
        return None  # damaged, or of an older version: it is made again


def part_file(setting: str, split: str, shard: int, root: Path = HERE) -> Path | None:
    """Return the file of a shard's part, as the index was last written; None where there is none.

    Its path is that of a real run, whatever `root` the index is read from.
    """
    index = read_index(setting, split, root)
    if index is None or shard >= len(index.parts):
        return None
    return index_folder(setting, split) / f"{index.parts[shard]}.json"


def read_part(path: Path) -> Part:
    """Read the annotations of one shard, as `used_annotations` gives them.

    Raises
    ------
    InputError
        The part is damaged; names the file.
    """
    try:
        data = read_json(path)
    except ValueError as error:
        raise InputError(f"damaged ({error}); delete it and run again", file=path) from None
    rows = defaultdict(list)
    for annotation in data["annotations"]:
        rows[annotation["image_id"]].append(annotation)
    return Part(
        images=data["images"],
        annotations=dict(rows),
        categories={category["id"]: category["name"] for category in data["categories"]},
        all_have_masks=data["all_have_masks"],
    )


def read_files(setting: str, split: str, root: Path = HERE) -> list[dict[str, Any]]:
    """Return every image as `Header` has it, in the order of their ids."""
    images: list[dict[str, Any]] = read_json(index_folder(setting, split, root) / "files.json")
    return images


def update_index(setting: str, own: OwnRenders, split: str, root: Path = HERE) -> OwnIndex:
    """Return the index of a split's annotations; write it first if the file is new or has changed.

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
    paths = own.annotations.paths(split)
    for path in paths:
        if not path.is_file():
            raise no_such_file(path)
    key = digest([VERSION, *map(file_stamp, paths), own.views, own.scenes_per_shard])
    folder, kept = index_folder(setting, split, root), index_folder(setting, split)
    if not folder.exists() and kept.is_dir() and (known := read_index(setting, split)) and known.key == key:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(kept.absolute())  # the index of an earlier run, read from the temporary folder
    known = read_index(setting, split, root)
    if known and known.key == key:
        return known
    if (size := sum(path.stat().st_size for path in paths)) > LARGE:
        what = f"{paths[0]}{' and others' if len(paths) > 1 else ''} ({size / 1e6:,.0f} MB)"
        print(f"{what}: new or changed, reading it", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    for lines in folder.glob("*.jsonl"):
        lines.unlink()  # left by a run that was killed
    index = AnnotationSplitter(paths, folder, own.views * own.scenes_per_shard).split(key, own.views)
    write_json(folder / "index.json", asdict(index))
    for part in folder.iterdir():
        if part.stem not in {*index.parts, "index", "files"}:
            part.unlink()  # belongs to an older version of the file
    return index


class AnnotationSplitter:
    """Splits the annotations of a split into parts of so many images.

    Parameters
    ----------
    paths : sequence of Path
        The annotation files, in COCO's format.
    folder : Path
        Where the parts and the list of files are written.
    images_per_shard : int
        How many images a part has; the last one may have fewer.
    """

    def __init__(self, paths: Sequence[Path], folder: Path, images_per_shard: int) -> None:
        self.paths, self.folder, self.per_shard = paths, folder, images_per_shard

    def split(self, key: str, views: int) -> OwnIndex:
        """Write the parts and the list of files, and return the index.

        Parameters
        ----------
        key : str
            Of the index, see `OwnIndex`.
        views : int
            Images a scene; images that make no whole scene are in no part.

        Raises
        ------
        InputError
            The file is malformed; names the first offending key.
        """
        header = read_header(self.paths)
        write_text(self.folder / "files.json", canonical_json(header.images).decode())
        whole = len(header.images) // views * views
        shards = -(-whole // self.per_shard)
        counts = self._distribute(header, shards)
        for line in counts.lines():
            logger.info(line)
        masks = NO_MASK not in counts.remarks
        parts = [self._write_part(shard, header, whole, masks=masks) for shard in range(shards)]
        names = list(header.categories.values())
        return OwnIndex(key, len(header.images), names, parts, asdict(counts))

    def _distribute(self, header: Header, shards: int) -> Counts:
        """Append each annotation to the file of its shard's annotations."""
        tally = Tally(header)
        waiting: dict[int, list[bytes]] = defaultdict(list)
        size = 0
        for annotation in used_annotations(header, None, tally):
            shard = header.place_of[annotation["image_id"]] // self.per_shard
            if shard < shards:
                waiting[shard].append(canonical_json(annotation))
                size += len(waiting[shard][-1])
            if size > BUFFER:
                self._flush(waiting)
                size = 0
        self._flush(waiting)
        return tally.counts()

    def _flush(self, waiting: dict[int, list[bytes]]) -> None:
        """Move annotations from memory to the files of their shards."""
        for shard, lines in waiting.items():
            with self._lines(shard).open("ab") as stream:
                stream.writelines(line + b"\n" for line in lines)
        waiting.clear()

    def _write_part(self, shard: int, header: Header, whole: int, *, masks: bool) -> str:
        """Write a shard's part and return its digest; `masks` says whether every annotation has one."""
        lines = self._lines(shard).read_bytes().splitlines() if self._lines(shard).is_file() else []
        first = shard * self.per_shard
        rest = {
            "categories": [{"id": k, "name": name} for k, name in header.categories.items()],
            "images": header.images[first : min(first + self.per_shard, whole)],
            "all_have_masks": masks,
        }
        # The annotations are JSON already: they are copied, not encoded a second time.
        text = b'{"annotations":[' + b",".join(lines) + b"]," + canonical_json(rest)[1:]
        name = hashlib.sha256(text).hexdigest()[:16]
        write_text(self.folder / f"{name}.json", text.decode())
        return name

    def _lines(self, shard: int) -> Path:
        """Return the file of a shard's annotations, one a line, which become its part at the end."""
        return self.folder / f"part-{shard:06d}.jsonl"
