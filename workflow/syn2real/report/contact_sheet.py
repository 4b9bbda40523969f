"""One picture of a shard: its images, with what each channel draws of them (compare Figure 7)."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from syn2real import plugins
from syn2real.channels import objects
from syn2real.channels.base import fitted, load_channel
from syn2real.data.shards import Shard, check_size, decode_image, decode_member, members_of
from syn2real.errors import InputError
from syn2real.files import atomic

TILE = 192
"""Longer side of a picture on the sheet, pixels."""
MARGIN, LINE = 6, 15


def contact_sheet(shard: Path, output: Path, views: int = 8, others: Sequence[Path] = ()) -> str:
    """Draw some of a shard's views, one a column: a picture for each channel, the objects' boxes first.

    Parameters
    ----------
    shard : Path
        A rendered shard.
    output : Path
        The `.png` to write.
    views : int
        How many views; as many scenes as possible are shown.
    others : sequence of Path
        The setting's other shards: scenes that were redrawn are counted over all of them.

    Returns
    -------
    str
        What the shard holds, in one line, which is also the heading of the sheet.

    Raises
    ------
    InputError
        If the shard is not readable.
    """
    source = Shard(shard)
    if views < 1:
        raise InputError("a contact sheet shows at least one view", key="views")
    keys = _spread(source, views)
    channels = _channels(source)
    columns = [_column(source, key, channels) for key in keys]
    title = summary([source, *map(Shard, others)])
    # The built-in font takes 6 pixels a letter.
    tiles = [tile for column in columns for tile in column]
    wide, high = max(tile.width for tile in tiles) + MARGIN, max(tile.height for tile in tiles) + MARGIN
    width = max(MARGIN + wide * len(columns), 2 * MARGIN + 6 * len(title))
    height = LINE + MARGIN + high * len(channels)
    sheet = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(sheet).text((MARGIN, 2), title, fill="black")
    for i, column in enumerate(columns):
        for j, tile in enumerate(column):
            sheet.paste(tile, (MARGIN + i * wide, LINE + MARGIN + j * high))
    with atomic(output) as temporary:
        sheet.save(temporary, format="PNG")
    return title


def summary(shards: Sequence[Shard]) -> str:
    """Return in one line what the first of a setting's shards holds.

    It ends with how many scenes of all these shards could not be built as first drawn, and how many objects
    were left out of scenes because they fitted nowhere.
    """
    meta, scenes = shards[0].meta, shards[0].scenes
    text = f"{meta['setting']}, {meta['split']}: {len(shards[0])} images, scenes {scenes[0]} to {scenes[-1]}"
    redrawn = sum(len(shard.meta.get("resampled", ())) for shard in shards)
    dropped = sum(sum(shard.meta.get("dropped", {}).values()) for shard in shards)
    left_out = f", {dropped} objects left out" if dropped else ""
    if len(shards) > 1:
        count = sum(len(shard.scenes) for shard in shards)
        return f"{text}; {redrawn} of all {count} scenes in {len(shards)} shards redrawn{left_out}"
    return text + (f", {redrawn} redrawn" if redrawn else "") + left_out


def _spread(source: Shard, views: int) -> list[str]:
    """Return the first view of every scene, then the second ones, until there are enough; sorted."""
    order = sorted(source.keys, key=lambda key: (key.split("-")[1], key))
    return sorted(order[:views])


def _column(source: Shard, key: str, channels: Sequence[ModuleType]) -> list[Image.Image]:
    """Return a view's tiles: its image, with what each channel draws on it or beside it."""
    files = source.read(key)
    pixels = decode_image(source, key, files)
    image = _enlarged(pixels)
    tiles = []
    for channel in channels:
        drawn = image * 0
        if channel.MEMBER in files:  # a user's own renders may have no masks
            value = decode_member(source, key, files, channel.MEMBER, channel.decode)
            check_size(source, key, channel.MEMBER, pixels, value)
            drawn = channel.draw(value, image)
        tiles.append(Image.fromarray(drawn))
    return tiles


def _channels(source: Shard) -> list[ModuleType]:
    """Return the channels that a shard's views have, the objects first."""
    members = members_of(source.meta)
    named = {plugins.constant("channels", name, "MEMBER"): name for name in plugins.names("channels")}
    channels = [load_channel(named[member]) for member in members if member in named]
    return sorted(channels, key=lambda channel: (channel is not objects, members.index(channel.MEMBER)))


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image whose longer side is a tile's, so that what is drawn on it can be read."""
    height, width = pixels.shape[:2]
    scale = TILE / max(height, width)
    return fitted(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))
