"""A user's own annotations, read once and split into one part a shard.

An annotation file of a million images has gigabytes. It is read when it is new or has changed, one item at a
time, so memory stays small; each import then reads the part of its shard alone. A part is named by the digest
of its content, which is what an import depends on: adding images to the file imports no full shard again.
"""

import hashlib
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from syn2real.data.coco_format import (
    annotation_problem,
    check_image,
    has_mask,
    read_annotations,
    unique_ids,
)
from syn2real.data.own_renders.schema import OwnRenders
from syn2real.errors import InputError
from syn2real.files import canonical_json, digest, file_stamp, read_json, write_json, write_text

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the index's format; another number means that every annotation file is read again."""
HERE = Path()
"""The working directory, which results/ lies in."""
LARGE = 32 << 20
"""Bytes from which reading a file takes long enough for a message."""
CHUNK = 1 << 20
"""Bytes of an annotation file that are parsed at a time."""
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
    return OwnIndex(**read_json(path)) if path.is_file() else None


def part_file(setting: str, split: str, shard: int, root: Path = HERE) -> Path | None:
    """Return the file of a shard's part, as the index was last written; None where there is none.

    Its path is that of a real run, whatever `root` the index is read from.
    """
    index = read_index(setting, split, root)
    if index is None or shard >= len(index.parts):
        return None
    return index_folder(setting, split) / f"{index.parts[shard]}.json"


def read_part(path: Path) -> Part:
    """Read the annotations of one shard.

    Raises
    ------
    InputError
        The part is damaged; names the file and the first offending key.
    """
    data = read_annotations(path, None)
    annotations = defaultdict(list)
    for annotation in data["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    return Part(
        images=data["images"],
        annotations=dict(annotations),
        categories={category["id"]: category["name"] for category in data["categories"]},
        all_have_masks=data["all_have_masks"],
    )


def read_files(setting: str, split: str, root: Path = HERE) -> list[dict[str, Any]]:
    """Return `id` and `file_name` of every image, in the order of their ids."""
    images = read_json(index_folder(setting, split, root) / "files.json")
    return [{"id": number, "file_name": name} for number, name in images]


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
        lines.unlink()  # left by a run that was killed
    index = AnnotationSplitter(path, folder, own.views * own.scenes_per_shard).split(key, own.views)
    write_json(folder / "index.json", asdict(index))
    for part in folder.iterdir():
        if part.stem not in {*index.parts, "index", "files"}:
            part.unlink()  # belongs to an older version of the file
    return index


class AnnotationSplitter:
    """Splits an annotation file into parts of so many images.

    Parameters
    ----------
    path : Path
        The annotation file, in COCO's format.
    folder : Path
        Where the parts and the list of files are written.
    images_per_shard : int
        How many images a part has; the last one may have fewer.
    """

    def __init__(self, path: Path, folder: Path, images_per_shard: int) -> None:
        self.path, self.folder, self.per_shard = path, folder, images_per_shard
        self.images: list[dict[str, Any]] = []
        self.categories: dict[int, str] = {}
        self.without_mask: int | None = None

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
        self.images = self._read_images()
        self.categories = self._read_categories()
        files = [[image["id"], image["file_name"]] for image in self.images]
        write_text(self.folder / "files.json", canonical_json(files).decode())
        whole = len(self.images) // views * views
        shards = -(-whole // self.per_shard)
        self._distribute(shards)
        parts = [self._write_part(shard, whole) for shard in range(shards)]
        names = list(self.categories.values())
        return OwnIndex(key, len(self.images), names, self.without_mask, parts)

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield the mappings of one of the file's lists, one at a time."""
        try:
            import ijson
        except ModuleNotFoundError:  # Snakemake may plan where nothing else is installed
            raise InputError(
                "reading this needs the package ijson; install it beside Snakemake", file=self.path
            ) from None
        no_list = InputError("COCO's format has a list of mappings here", file=self.path, key=table)
        row = None
        try:
            with self.path.open("rb") as stream:
                for row in ijson.items(stream, f"{table}.item", use_float=True, buf_size=CHUNK):
                    if not isinstance(row, dict):
                        raise no_list
                    yield row
                if row is None:  # the list is empty or missing, or it is not a list
                    stream.seek(0)
                    starts = (event for key, event, _ in ijson.parse(stream) if key == table)
                    if next(starts, "start_array") != "start_array":
                        raise no_list
        except (OSError, UnicodeDecodeError, ijson.JSONError) as error:
            problem = f"not a valid JSON mapping ({_first_lines(error)}); write it again"
            raise InputError(problem, file=self.path) from None

    def _read_images(self) -> list[dict[str, Any]]:
        """Return what is needed of each image, sorted by id."""
        images = []
        for number, image in enumerate(self._rows("images")):
            check_image(self.path, number, image)
            images.append({name: image.get(name) for name in ("id", "file_name", "width", "height")})
        return self._sorted("images", images)

    def _read_categories(self) -> dict[int, str]:
        """Return the categories' names by id, sorted by id."""
        categories = list(self._rows("categories"))
        for number, category in enumerate(categories):
            if not isinstance(category.get("name"), str):
                where = f"categories[{number}].name"
                raise InputError("a category needs a name", file=self.path, key=where)
        return {row["id"]: row["name"] for row in self._sorted("categories", categories)}

    def _sorted(self, table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows sorted by id; there must be some, and each id must be a whole number and occur once."""
        if not rows:
            raise InputError("this list is missing or empty", file=self.path, key=table)
        unique_ids(self.path, rows, table)
        return sorted(rows, key=lambda row: row["id"])

    def _distribute(self, shards: int) -> None:
        """Append each annotation to the file of its shard's annotations."""
        shard_of = {image["id"]: k // self.per_shard for k, image in enumerate(self.images)}
        waiting: dict[int, list[bytes]] = defaultdict(list)
        number = size = 0
        for number, annotation in enumerate(self._rows("annotations"), start=1):
            if problem := annotation_problem(annotation, None, shard_of, self.categories):
                where = f"annotations[{number - 1}].{problem[0]}"
                raise InputError(problem[1], file=self.path, key=where)
            if self.without_mask is None and not has_mask(annotation):
                self.without_mask = annotation.get("id", number)
            shard = shard_of[annotation["image_id"]]
            if shard < shards:
                waiting[shard].append(canonical_json(annotation))
                size += len(waiting[shard][-1])
            if size > BUFFER:
                self._flush(waiting)
                size = 0
        self._flush(waiting)
        logger.info("%s: %d images, %d annotations", self.path, len(self.images), number)

    def _flush(self, waiting: dict[int, list[bytes]]) -> None:
        """Move annotations from memory to the files of their shards."""
        for shard, lines in waiting.items():
            with self._lines(shard).open("ab") as stream:
                stream.writelines(line + b"\n" for line in lines)
        waiting.clear()

    def _write_part(self, shard: int, whole: int) -> str:
        """Write a shard's part, itself an annotation file, and return its digest."""
        lines = self._lines(shard).read_bytes().splitlines() if self._lines(shard).is_file() else []
        first = shard * self.per_shard
        rest = {
            "categories": [{"id": k, "name": name} for k, name in self.categories.items()],
            "images": self.images[first : min(first + self.per_shard, whole)],
            "all_have_masks": self.without_mask is None,
        }
        # The annotations are JSON already: they are copied, not encoded a second time.
        text = b'{"annotations":[' + b",".join(lines) + b"]," + canonical_json(rest)[1:]
        name = hashlib.sha256(text).hexdigest()[:16]
        write_text(self.folder / f"{name}.json", text.decode())
        return name

    def _lines(self, shard: int) -> Path:
        """Return the file of a shard's annotations, one a line, which become its part at the end."""
        return self.folder / f"part-{shard:06d}.jsonl"


def _first_lines(error: Exception) -> str:
    """Return the cause and the text near it from an error of ijson, whose third line is an arrow."""
    message = error.args[0] if error.args else ""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(error)
    return " near ".join(line.strip() for line in text.splitlines()[:2] if line.strip())
