"""One picture of a shard: its images with boxes, class maps, masks and normals (compare Figure 7)."""

import colorsys
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from syn2real.data.shards import Shard, decode_normals
from syn2real.errors import InputError
from syn2real.files import atomic

TILE = 192
"""Side of a picture on the sheet, pixels."""
MARGIN, LINE = 6, 15


def contact_sheet(shard: Path, output: Path, views: int = 8, others: Sequence[Path] = ()) -> str:
    """Draw some of a shard's views, one a column: image with boxes and class numbers, masks, normals.

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
    if not shard.is_file():
        raise InputError("no such file; results/renders/<setting>/<split>/ holds shards", file=shard)
    source = Shard(shard)
    if views < 1:
        raise InputError("a contact sheet shows at least one view", key="views")
    keys = _spread(source, views)
    columns = [_column(source.read(key), source.meta["classes"]) for key in keys]
    title = summary([source, *map(Shard, others)])
    # The built-in font takes 6 pixels a letter.
    width = max(MARGIN + (TILE + MARGIN) * len(columns), 2 * MARGIN + 6 * len(title))
    height = LINE + MARGIN + (TILE + MARGIN) * 3
    sheet = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(sheet).text((MARGIN, 2), title, fill="black")
    for i, column in enumerate(columns):
        for j, tile in enumerate(column):
            sheet.paste(tile, (MARGIN + i * (TILE + MARGIN), LINE + MARGIN + j * (TILE + MARGIN)))
    with atomic(output) as temporary:
        sheet.save(temporary, format="PNG")
    return title


def summary(shards: Sequence[Shard]) -> str:
    """Return in one line what the first of a setting's shards holds.

    It ends with how many scenes of all these shards could not be built as first drawn.
    """
    meta, scenes = shards[0].meta, shards[0].scenes
    text = f"{meta['setting']}, {meta['split']}: {len(shards[0])} images, scenes {scenes[0]} to {scenes[-1]}"
    redrawn = sum(len(shard.meta["resampled"]) for shard in shards)
    if len(shards) > 1:
        count = sum(len(shard.scenes) for shard in shards)
        return f"{text}; {redrawn} of all {count} scenes in {len(shards)} shards redrawn"
    return text + (f", {redrawn} redrawn" if redrawn else "")


def _spread(source: Shard, views: int) -> list[str]:
    """Return the first view of every scene, then the second ones, until there are enough; sorted."""
    order = sorted(source.keys, key=lambda key: (key.split("-")[1], key))
    return sorted(order[:views])


def _column(files: dict[str, bytes], classes: Sequence[str]) -> list[Image.Image]:
    """Return a view's three tiles; a user's own renders may have no masks or normals."""
    pixels = _decode(files["png"])
    objects = json.loads(files["json"])["objects"]
    masks = pixels * 0.35
    for item in objects:
        if item["segmentation"] is None:
            continue
        inside = coco_mask.decode(item["segmentation"]).astype(bool)
        masks[inside] = 0.3 * pixels[inside] + 0.7 * 255 * np.array(colour(item["class"], len(classes)))
    shaded = np.zeros_like(pixels, dtype=float)
    if "normal.png" in files:
        normals, valid = decode_normals(_decode(files["normal.png"]))
        shaded = np.where(valid[..., None], normals / 2 + 0.5, 0) * 255
    tiles = [_tile(pixels), _tile(masks), _tile(shaded)]
    draw, scale = ImageDraw.Draw(tiles[0]), TILE / max(pixels.shape)
    for item in objects:
        x, y, width, height = (value * scale for value in item["bbox"])
        ink = tuple(int(255 * part) for part in colour(item["class"], len(classes)))
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=ink)
        # A class's number among the setting's: whole names would cover the image.
        draw.text((x + 3, y + 1), str(item["class"] + 1), fill=ink, stroke_width=1, stroke_fill="black")
    return tiles


def colour(index: int, classes: int) -> tuple[float, float, float]:
    """Return a class's colour, red, green and blue from 0 to 1; neighbours differ much."""
    return colorsys.hsv_to_rgb(index * 0.381966 % 1, 0.9 - 0.4 * (index / max(classes, 1)), 1.0)


def _decode(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def _tile(pixels: NDArray[np.floating] | NDArray[np.uint8]) -> Image.Image:
    """Return a picture on a white square, its longer side as long as the square's."""
    image = Image.fromarray(np.rint(pixels).astype(np.uint8))
    sides = [max(1, round(side * TILE / max(image.size))) for side in image.size]
    tile = Image.new("RGB", (TILE, TILE), "white")
    tile.paste(image.resize((sides[0], sides[1]), Image.Resampling.NEAREST))
    return tile
