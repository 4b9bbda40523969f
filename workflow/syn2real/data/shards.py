"""Shards: whole rendered scenes in an uncompressed WebDataset tar, written once, read at random.

WebDataset's tar, because a training run can both stream it with that library's maintained reader and jump
within it, `tar tvf` lists it, and a million images are a thousand files. HDF5 and LMDB need a library of
their own to be looked into; a zip's directory stands at its end, so it cannot be streamed. The second member
says where each other one lies: a shard is opened without going through its headers. Members stand in a fixed
order with fixed owners and times: equal content, equal bytes.
"""

import io
import json
import os
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from syn2real.errors import InputError
from syn2real.files import atomic, canonical_json

T = TypeVar("T")

FORMAT = 2
META = "__shard__.json"
INDEX = "__shard__.index.npy"
DESCRIPTION = "scene.json"
IMAGE = "png"
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
        code, assets and devices. `format` is added.
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
        try:
            with tarfile.open(self.path, "r:") as tar:
                self.meta: dict[str, Any] = json.loads(_member(tar, META))
                if self.meta.get("format") != FORMAT:
                    problem = f"format {self.meta.get('format')} is not {FORMAT}; render it again"
                    raise InputError(problem, file=self.path, key=META)
                index = np.load(io.BytesIO(_member(tar, INDEX)))
        except InputError:
            raise
        except (OSError, ValueError, tarfile.TarError) as error:
            raise InputError(f"not a readable shard ({error}); render it again", file=self.path) from None
        self._index = index
        if len(index) and index.sum(axis=-1).max() > self.path.stat().st_size:
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
    stream = tar.extractfile(member) if member is not None and member.name == name else None
    if stream is None:
        raise ValueError(f"it has no {name}")
    return stream.read()


def _npy(array: NDArray[Any]) -> bytes:
    """Return the content of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
