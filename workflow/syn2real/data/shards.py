"""Shards: whole rendered scenes in an uncompressed WebDataset tar, written once, read at random.

A tar because every tool opens it, WebDataset reads it as a stream, and its headers make an index for
random access. Members stand in a fixed order with fixed owners and times: equal content, equal bytes.
"""

import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from syn2real.errors import InputError
from syn2real.files import atomic

FORMAT = 1
META = "__shard__.json"
DESCRIPTION = "scene.json"
VIEW_EXTENSIONS = ("png", "seg.png", "normal.png", "json")
OPTIONAL_EXTENSIONS = ("seg.png", "normal.png")
"""What a user's own renders may lack."""


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
        For each camera pose the file contents by extension: `png` (RGB, 8 bit), `seg.png` (class map, 0 is
        background and k + 1 class k), `normal.png` (see `encode_normals`) and `json` (annotations). A user's
        own renders have no `seg.png` where there are no masks, and no `normal.png` without normals.
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
        What `__shard__.json` holds: setting, split, first_scene, n_scenes, views, classes, rendering,
        versions, resampled. `format` is added.
    scenes : iterable of SceneRecord
        The scenes in their order; they are taken one at a time.
    """
    with atomic(path) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, META, canonical_json({"format": FORMAT, **meta}))
        for record in scenes:
            _add(tar, f"{record.scene:08d}.{DESCRIPTION}", record.description)
            for view, contents in enumerate(record.views):
                for extension in VIEW_EXTENSIONS:
                    if extension in OPTIONAL_EXTENSIONS and extension not in contents:
                        continue
                    _add(tar, f"{view_key(record.scene, view)}.{extension}", contents[extension])


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys and without spaces: equal values, equal bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


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
    keys : list of str
        The images' keys, in order of scene and view.
    scenes : list of int
        The scenes it holds, in order.

    Raises
    ------
    InputError
        If the file is no shard, of another format, or cut short.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._stream: IO[bytes] | None = None
        self._index: dict[str, dict[str, tuple[int, int]]] = {}
        try:
            with tarfile.open(self.path, "r:") as tar:
                for member in tar:
                    key, _, extension = member.name.partition(".")
                    self._index.setdefault(key, {})[extension] = (member.offset_data, member.size)
        except (OSError, tarfile.TarError) as error:
            raise InputError(f"not a readable shard ({error}); render it again", file=self.path) from error
        if "__shard__" not in self._index:
            raise InputError("not a shard of this project: it has no __shard__.json", file=self.path)
        self.meta: dict[str, Any] = json.loads(self.read("__shard__")["json"])
        if self.meta.get("format") != FORMAT:
            raise InputError(f"format {self.meta.get('format')} is not {FORMAT}", file=self.path, key=META)
        self.keys = [key for key, members in self._index.items() if "png" in members]
        self.scenes = [int(key) for key, members in self._index.items() if DESCRIPTION in members]
        whole = len(self.scenes) == self.meta["n_scenes"]
        if not whole or len(self.keys) != len(self.scenes) * self.meta["views"]:
            problem = "fewer scenes than it says, so it was cut short; render it again"
            raise InputError(problem, file=self.path)

    def read(self, key: str) -> dict[str, bytes]:
        """Return the contents of one key's members by extension.

        Parameters
        ----------
        key : str
            One of `keys`, or a scene's eight digits for its `scene.json`.

        Returns
        -------
        dict of str to bytes
        """
        if self._stream is None:
            self._stream = self.path.open("rb")
        contents = {}
        for extension, (offset, size) in self._index[key].items():
            self._stream.seek(offset)
            contents[extension] = self._stream.read(size)
        return contents

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None}

    def __len__(self) -> int:
        return len(self.keys)


def encode_normals(normals: NDArray[np.floating], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack unit normals into 8-bit RGB: an octahedral map in red and green, validity in blue.

    Octahedral coordinates spread 2^16 codes nearly evenly over the sphere: the median error stays below
    half a degree, at a thirteenth of float32's size before compression (Cigolla et al., "A survey of
    efficient representations for independent unit vectors", JCGT 2014).

    Parameters
    ----------
    normals : array, shape (H, W, 3)
        Camera-space normals: x right, y up, z towards the camera. They need not have unit length.
    valid : bool array, shape (H, W)
        Pixels that have a normal.

    Returns
    -------
    uint8 array, shape (H, W, 3)
    """
    sums = np.abs(normals).sum(axis=-1, keepdims=True)
    valid = valid & (sums[..., 0] > 0)
    flat = normals / np.where(sums > 0, sums, 1)
    sign = np.where(flat[..., :2] >= 0, 1.0, -1.0)
    folded = (1 - np.abs(flat[..., 1::-1])) * sign
    plane = np.where(flat[..., 2:] >= 0, flat[..., :2], folded)
    codes = np.rint((plane + 1) * 127.5)
    packed = np.concatenate([codes, np.full_like(codes[..., :1], 255)], axis=-1)
    return np.where(valid[..., None], packed, 0).astype(np.uint8)


def decode_normals(packed: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Unpack what `encode_normals` packed.

    Parameters
    ----------
    packed : uint8 array, shape (H, W, 3)
        RGB as read from a `normal.png`.

    Returns
    -------
    normals : float32 array, shape (H, W, 3)
        Unit normals in camera space; zero where invalid.
    valid : bool array, shape (H, W)
    """
    valid = packed[..., 2] > 127
    plane = packed[..., :2].astype(np.float32) / 127.5 - 1
    z = 1 - np.abs(plane).sum(axis=-1, keepdims=True)
    sign = np.where(plane >= 0, np.float32(1), np.float32(-1))
    xy = np.where(z >= 0, plane, (1 - np.abs(plane[..., ::-1])) * sign)
    normals = np.concatenate([xy, z], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(valid[..., None], normals, 0).astype(np.float32), valid


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append one member; TarInfo's own defaults are fixed owners and times."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
