"""Images alone, each with the scene it shows: from shards, or from any folder of images."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from syn2real.complexity.choosing import choose_images
from syn2real.data.annotated import check_whole_scenes, file_sizes
from syn2real.data.images import read_image
from syn2real.data.rendered import channels_first
from syn2real.data.shards import IMAGE, Shard, decode_image, read_members
from syn2real.data.subsets import draw_from_pool, indices_digest
from syn2real.errors import InputError
from syn2real.files import digest


class SceneImages(Dataset[torch.Tensor]):
    """Images without annotations; an item is a uint8 RGB tensor of shape (3, H, W).

    Attributes
    ----------
    scenes : list of str
        The scene of each image. Images of one scene follow each other.
    warnings : sequence of str
        What may be wrong with them.
    """

    scenes: list[str]
    warnings: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.scenes)

    @abstractmethod
    def __getitem__(self, index: int) -> torch.Tensor: ...

    @abstractmethod
    def place(self, index: int) -> tuple[Path, str | None]:
        """Return the file of an image, and its key within it where it is a shard."""

    @abstractmethod
    def digest(self) -> str:
        """Return a digest that differs for other images, by names and sizes of files."""


class ShardImages(SceneImages):
    """The first n images of shards of one setting and split, or n drawn from a pool; all by default.

    Parameters
    ----------
    paths : sequence of Path
        Shards; they are read in the order of their names.
    n : int, optional
        Images, a whole number of scenes unless they are drawn.
    pool : int, optional
        Draw the n from so many first images, whole scenes (see `draw_from_pool`).

    Raises
    ------
    InputError
        A file is not a shard, shards are of different settings or repeat a scene, or there are fewer images.
    """

    def __init__(self, paths: Sequence[Path], n: int | None = None, pool: int | None = None) -> None:
        shards = [Shard(path) for path in sorted(paths)]
        if not shards:
            raise InputError("no shards given; render the setting first", key="shards")
        for shard in shards:
            shard.close()
            for key in ("setting", "split", "views"):
                if shard.meta[key] != shards[0].meta[key]:
                    raise InputError(f"does not belong with {shards[0].path}", file=shard.path, key=key)
        first = n if pool is None else pool
        self._images = [(shard, key) for shard in shards for key in shard.keys][:first]
        if first is not None:
            check_whole_scenes(first, int(shards[0].meta["views"]))
            if len(self._images) < first:
                held = f"the shards hold {len(self._images)} images, but {first} are asked for; render more"
                raise InputError(held, file=shards[0].path.parent, key="n")
        self._draw: dict[str, str] = {}
        if n is not None and pool is not None:
            drawn = draw_from_pool(pool, n)
            self._draw = {"draw": indices_digest(pool, drawn)}
            self._images = [self._images[index] for index in drawn]
        self.scenes = [key.partition("-")[0] for _, key in self._images]
        if len({key for _, key in self._images}) < len(self._images):
            raise InputError("two shards hold the same scene; give every shard once", file=shards[-1].path)

    def place(self, index: int) -> tuple[Path, str]:
        """Return the shard of an image, and its key."""
        shard, key = self._images[index]
        return shard.path, key

    def __getitem__(self, index: int) -> torch.Tensor:
        shard, key = self._images[index]
        members = read_members(shard, key, (IMAGE,))
        return channels_first(decode_image(shard, key, members)).contiguous()

    def digest(self) -> str:
        """Return a digest of the settings, of the draw, and of names and sizes of the shards."""
        shards = {str(shard.path): shard for shard, _ in self._images}
        sizes = [[shard.path.name, shard.path.stat().st_size, shard.meta] for shard in shards.values()]
        return digest({"n": len(self), "shards": sizes, **self._draw})


class FolderImages(SceneImages):
    r"""All images below a folder, in the order of their names.

    Parameters
    ----------
    folder : Path
        The folder; folders inside it are looked through too.
    scene : str, optional
        A regular expression whose first group, in an image's path within the folder, names its scene:
        `(scene\d+)/` for a folder a scene. By default each image is a scene of its own.
    pattern : str, optional
        Which images, see `choose_images`.

    Raises
    ------
    InputError
        There is no such folder or no image in it, one cannot be read, or there are pictures among other kinds
        of image; or the expression is none, has no group or does not fit an image.
    """

    def __init__(self, folder: Path, scene: str | None = None, pattern: str | None = None) -> None:
        self.folder, expression = folder, _compiled(scene)
        images, self.warnings = choose_images(folder, pattern)
        names = {path.relative_to(folder).as_posix(): path for path in images}
        placed = sorted((_scene_of(name, expression, folder), name) for name in names)
        self.scenes = [scene for scene, _ in placed]
        self._paths = [names[name] for _, name in placed]
        for index in {0, len(self) // 2, len(self) - 1}:
            self[index]  # decoded before hours of work begin

    def place(self, index: int) -> tuple[Path, None]:
        """Return the file of an image."""
        return self._paths[index], None

    def __getitem__(self, index: int) -> torch.Tensor:
        return read_image(self._paths[index]).as_subclass(torch.Tensor)

    def digest(self) -> str:
        """Return a digest of names and sizes of the images."""
        return digest(file_sizes(self.folder, self._paths))


def _compiled(scene: str | None) -> re.Pattern[str] | None:
    """Return a scene's regular expression, compiled and checked."""
    if scene is None:
        return None
    try:
        pattern = re.compile(scene)
    except re.error as error:
        raise InputError(f"{scene!r} is not a valid regular expression: {error}", key="scene") from None
    if pattern.groups < 1:
        raise InputError(f"{scene!r} has no group; put brackets around what names the scene", key="scene")
    return pattern


def _scene_of(name: str, pattern: re.Pattern[str] | None, folder: Path) -> str:
    """Return the scene of an image, given by its path within the folder."""
    if pattern is None:
        return name
    match = pattern.search(name)
    if match is None or match[1] is None:
        raise InputError(
            f"the scene's expression {pattern.pattern!r} does not fit this name", file=folder / name
        )
    return match[1]
