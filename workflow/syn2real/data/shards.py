"""Shards: whole rendered scenes in an uncompressed WebDataset tar, written once, read at random.

WebDataset's tar, because a training run can both stream it with that library's maintained reader and jump
within it, `tar tvf` lists it, and a million images are a thousand files. HDF5 and LMDB need a library of
their own to be looked into; a zip's directory stands at its end, so it cannot be streamed. The second member
says where each other one lies: a shard is opened without going through its headers. Members stand in a fixed
order with fixed owners and times: equal content, equal bytes.
"""

import io
import json
import math
import os
import struct
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from syn2real.channels.base import decoded
from syn2real.errors import InputError
from syn2real.files import atomic, canonical_json, require_file

T = TypeVar("T")

FORMAT = 2
META = "__shard__.json"
INDEX = "__shard__.index.npy"
DESCRIPTION = "scene.json"
IMAGE = "png"
UNREADABLE = (OSError, ValueError, KeyError, struct.error, RecursionError, tarfile.TarError)
"""What reading a file that is no shard, or a damaged one, ends with."""
LARGEST = 64 << 20
"""Bytes of what a shard says about itself."""
FIRST_MEMBERS = (IMAGE, "seg.png", "normal.png", "json")
"""A view's members in a shard that does not list them."""


@dataclass(frozen=True)
class SceneRecord:
    """One rendered scene as it lies in a shard.

    Attributes
    ----------
    scene : int
        The scene's index within its split.
    description : bytes
        Canonical JSON of the scene description.
    views : list of dict
        For each camera pose the file contents by extension: `png` (RGB, 8 bit), and a member for each channel
        (see `syn2real.channels`). A user's own renders have no class map where there are no masks.
    """

    scene: int
    description: bytes
    views: list[dict[str, bytes]]


def view_key(scene: int, view: int) -> str:
    """Return the key of an image within its shard, such as `00000012-03`."""
    return f"{scene:08d}-{view:02d}"


def write_shard(path: str | Path, meta: dict[str, Any], scenes: Iterable[SceneRecord]) -> None:
    """Write a shard atomically; the same content gives the same bytes.

    Parameters
    ----------
    path : str or Path
        The `.tar` to write.
    meta : dict
        What `__shard__.json` holds: setting, split, first_scene, n_scenes, views, members (the extensions of
        a view's files, in order), classes, rendering, versions, resampled and, where it is rendered here,
        code, assets, devices and, where objects fitted nowhere and were left out, dropped. `format` is added.
    scenes : iterable of SceneRecord
        The scenes first_scene, first_scene + 1, …; they are taken one at a time.
    """
    members = members_of(meta)
    index = np.zeros((meta["n_scenes"], 1 + meta["views"] * len(members), 2), dtype="<i8")
    with atomic(path) as temporary:
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, META, canonical_json({"format": FORMAT, **meta}))
            place, _ = _add(tar, INDEX, _npy(index))  # holds its place until all is known
            for row, record in zip(index, scenes, strict=True):
                row[:] = list(_add_scene(tar, record, members))
        with temporary.open("r+b") as stream:
            stream.seek(place)
            stream.write(_npy(index))


def members_of(meta: dict[str, Any]) -> tuple[str, ...]:
    """Return the extensions of a view's files, in their order, from what a shard says about itself."""
    return tuple(meta.get("members", FIRST_MEMBERS))


def require_channel(shard: "Shard", channel: str, member: str | None) -> None:
    """Raise InputError unless a shard's images have a channel, whose file is `member` (None: none has it)."""
    if member not in members_of(shard.meta):
        fix = "add it to the setting's `channels`, or to your renders" if member else "only targets have one"
        raise InputError(f"the images have no {channel}; {fix}", file=shard.path, key="members")


def _add_scene(
    tar: tarfile.TarFile, record: SceneRecord, members: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Append a scene; yield (offset, size) of its description and its views' members, (0, 0) for none."""
    yield _add(tar, f"{record.scene:08d}.{DESCRIPTION}", record.description)
    for view, contents in enumerate(record.views):
        for extension in members:
            if extension in contents:
                yield _add(tar, f"{view_key(record.scene, view)}.{extension}", contents[extension])
            else:
                yield 0, 0


class Shard:
    """Random access to one shard.

    The file is opened at the first read in each process, and never travels with a pickle, so that a data
    loader's workers can share one `Shard`.

    Parameters
    ----------
    path : str or Path
        A shard written by `write_shard`.

    Attributes
    ----------
    meta : dict
        What the shard says about itself.

    Raises
    ------
    InputError
        If the file is not a shard, of another format, or cut short.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._stream: IO[bytes] | None = None
        require_file(self.path, "shard (.tar)")
        try:
            with tarfile.open(self.path, "r:") as tar:
                self.meta = _meta(_member(tar, META), self.path)
                rows, members = self.meta["n_scenes"], members_of(self.meta)
                shape = (rows, 1 + self.meta["views"] * len(members), 2)
                self._index = _index(_member(tar, INDEX), shape)
        except InputError:
            raise
        except UNREADABLE as error:
            raise InputError(f"not a readable shard ({error}); render it again", file=self.path) from None
        offsets, sizes = self._index[..., 0], self._index[..., 1]
        if (self._index < 0).any() or (offsets > self.path.stat().st_size - sizes).any():
            raise InputError("cut short; render it again", file=self.path)

    @property
    def scenes(self) -> range:
        """The scenes it holds, in order."""
        first = self.meta["first_scene"]
        return range(first, first + self.meta["n_scenes"])

    @property
    def keys(self) -> list[str]:
        """The images' keys, in order of scene and view."""
        return [view_key(scene, view) for scene in self.scenes for view in range(self.meta["views"])]

    def read(self, key: str, extensions: Collection[str] | None = None) -> dict[str, bytes]:
        """Return the contents of one key's members by extension.

        Parameters
        ----------
        key : str
            One of `keys`, or a scene's eight digits for its `scene.json`.
        extensions : collection of str, optional
            Which members to read, if they are there; all by default.

        Returns
        -------
        dict of str to bytes

        Raises
        ------
        InputError
            The file ends before a member does; names shard and member.
        OSError
            The file cannot be read.
        """
        if self._stream is None:
            self._stream = self.path.open("rb", buffering=0)
        contents = {}
        for extension, offset, size in self._places(key):
            if size and (extensions is None or extension in extensions):
                # Not seek and read: forked processes share an open file's position.
                contents[extension] = os.pread(self._stream.fileno(), size, offset)
                if len(contents[extension]) < size:
                    raise InputError("cut short; render it again", file=self.path, key=f"{key}.{extension}")
        return contents

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None}

    def __len__(self) -> int:
        return int(self.meta["n_scenes"] * self.meta["views"])

    def _places(self, key: str) -> Iterator[tuple[str, int, int]]:
        """Yield extension, offset and size in bytes of the members of a scene or a view."""
        scene, _, view = key.partition("-")
        row = self._index[self.scenes.index(int(scene))].tolist()
        if not view:
            yield DESCRIPTION, *row[0]
            return
        members = members_of(self.meta)
        first = 1 + int(view) * len(members)
        for extension, place in zip(members, row[first:], strict=False):
            yield extension, *place


def read_members(shard: Shard, key: str, extensions: Sequence[str]) -> dict[str, bytes]:
    """Return some of an image's members and leave the file closed."""
    try:
        return shard.read(key, extensions)
    except OSError as error:
        raise InputError(f"cannot be read ({error}); render it again", file=shard.path, key=key) from None
    finally:
        shard.close()


def decode_member(
    shard: Shard, key: str, members: Mapping[str, bytes], extension: str, decode: Callable[[bytes], T]
) -> T:
    """Return what a member holds.

    Raises
    ------
    InputError
        The member is missing or damaged; names shard and member.
    """
    place = f"{key}.{extension}"
    if extension not in members:
        problem = "is not in this shard, because the images were imported without it"
        raise InputError(problem, file=shard.path, key=place)
    try:
        return decode(members[extension])
    except ValueError as error:
        problem = f"{error}; the shard is damaged, render it again"
        raise InputError(problem, file=shard.path, key=place) from None


def decode_image(shard: Shard, key: str, members: Mapping[str, bytes]) -> NDArray[np.uint8]:
    """Return a view's image, uint8 [H, W, 3].

    Raises
    ------
    InputError
        It is missing, damaged or of another kind; names shard and member.
    """

    def decode(content: bytes) -> NDArray[np.uint8]:
        pixels = decoded(content, colour=True)
        if pixels.dtype != np.uint8:
            raise ValueError(f"its pixels are {pixels.dtype}, not uint8")
        return pixels

    return decode_member(shard, key, members, IMAGE, decode)


def check_size(shard: Shard, key: str, extension: str, image: NDArray[np.uint8], value: Any) -> None:
    """Raise InputError unless a member, as it was decoded, is of its image's size."""
    said = (value["height"], value["width"]) if isinstance(value, dict) else value.shape[:2]
    if tuple(said) != image.shape[:2]:
        height, width = image.shape[:2]
        problem = f"is for {said[1]} x {said[0]} pixels, but the image is {width} x {height}; render it again"
        raise InputError(problem, file=shard.path, key=f"{key}.{extension}")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> tuple[int, int]:
    """Append one member and return its offset and size; TarInfo's defaults are fixed owners and times."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
    padded = -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return tar.offset - padded, member.size


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    """Return the content of the next member, which has the given name."""
    member = tar.next()
    if member is None or member.name != name or not member.isreg() or member.issparse():
        raise ValueError(f"it has no {name}")
    stream = tar.extractfile(member) if member.size <= LARGEST else None
    if stream is None:
        raise ValueError(f"its {name} has {member.size:,} bytes")
    return stream.read()


def _meta(content: bytes, path: Path) -> dict[str, Any]:
    """Return what a shard says about itself, once its format and what is read of it are checked."""
    meta = json.loads(content)
    if not isinstance(meta, dict):
        raise ValueError(f"its {META} is no mapping")
    if meta.get("format") != FORMAT:
        problem = f"format {meta.get('format')} is not {FORMAT}; render it again"
        raise InputError(problem, file=path, key=META)
    for key, (what, holds) in SAID.items():
        if key in meta and not holds(meta[key]):
            raise InputError(
                f"is not {what}; the shard is damaged, render it again", file=path, key=f"{META}.{key}"
            )
        if key not in meta and key in REQUIRED:
            raise InputError(
                "is missing; the shard is damaged, render it again", file=path, key=f"{META}.{key}"
            )
    return meta


def _index(content: bytes, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return where each member lies, from the content of a `.npy` file."""
    # Not np.load: of a damaged header it allocates whatever that says.
    said = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    start = len(content) - 8 * math.prod(shape)
    if not content[10:].startswith(said) or start < 10 + len(said):
        raise ValueError(f"its {INDEX} is not of {shape[0]} scenes with these views and members")
    return np.frombuffer(content, "<i8", offset=start).reshape(shape)


def _is_whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


def _are_names(value: Any) -> bool:
    named = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return named and len(set(value)) == len(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_whole(1), value.values()))


REQUIRED = ("setting", "split", "first_scene", "n_scenes", "views", "classes")
SAID: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "setting": ("a name", lambda value: isinstance(value, str)),
    "split": ("a name", lambda value: isinstance(value, str)),
    "first_scene": ("a whole number from 0 on", _is_whole(0)),
    "n_scenes": ("a whole number from 1 on", _is_whole(1)),
    "views": ("a whole number from 1 on", _is_whole(1)),
    "classes": ("a list of names, each once", _are_names),
    "members": ("a list of names, each once", _are_names),
    "resampled": ("a mapping", lambda value: isinstance(value, dict)),
    "dropped": ("a mapping to whole numbers from 1 on", _is_count),
}
"""What is read of `__shard__.json`, in words and as a test."""


def _npy(array: NDArray[Any]) -> bytes:
    """Return the content of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
