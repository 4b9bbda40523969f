"""The contact sheet of the paper's figures: each as drawn here, the one of given measurements beside it."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from syn2real.files import atomic

COLUMNS = 4
WIDTH, HEIGHT = 800, 560
"""Of the pictures of a cell together at most, pixels."""
TITLE, MARGIN = 34, 12
"""Height of a cell's title, and what is left free around a cell and between its pictures, pixels."""


def draw_sheet(cells: Sequence[Mapping[str, Any]], output: str | Path) -> None:
    """Draw a page with a cell for each of the paper's figures and each experiment that draws it.

    Parameters
    ----------
    cells : sequence of mapping
        As `plan.sheet.sheet_cells` returns them: number, experiment, drawn, given, files. The cells of one
        number stand in one row where they fit.
    output : str or Path
        The PNG to write.
    """
    rows: list[list[Mapping[str, Any]]] = [[]]
    for _, group in groupby(cells, key=lambda cell: cell["number"]):
        same = list(group)
        if len(rows[-1]) + len(same) > COLUMNS and rows[-1]:
            rows.append([])
        rows[-1] += same
    drawn = [[_cell(cell) for cell in row] for row in rows]
    highs = [max(cell.height for cell in row) + 2 * MARGIN for row in drawn]
    wide = WIDTH + 2 * MARGIN
    sheet = Image.new("RGB", (wide * max(map(len, drawn)), sum(highs)), "white")
    for i, row in enumerate(drawn):
        for j, cell in enumerate(row):
            sheet.paste(cell, (j * wide + MARGIN, sum(highs[:i]) + MARGIN))
    with atomic(output) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def _cell(cell: Mapping[str, Any]) -> Image.Image:
    """Return a title with the pictures below it."""
    image = Image.new("RGB", (WIDTH, TITLE + HEIGHT), "white")
    title = f"Figure {cell['number']} · {cell['experiment']}: {', '.join(cell['drawn'])}"
    ImageDraw.Draw(image).text((0, 2), title, fill="black", font=ImageFont.load_default(size=22))
    pictures = [Image.open(file).convert("RGB") for file in cell["files"]]
    columns, tile = _layout([picture.size for picture in pictures])
    scaled = [p.resize(_fitted(p.size, tile), Image.Resampling.LANCZOS) for p in pictures]
    top = TITLE
    for k in range(0, len(scaled), columns):
        row = scaled[k : k + columns]
        for j, picture in enumerate(row):
            image.paste(picture, (j * (tile[0] + MARGIN), top))
        top += max(picture.height for picture in row) + MARGIN
    return image.crop((0, 0, WIDTH, top - MARGIN))


def _layout(sizes: Sequence[tuple[int, int]]) -> tuple[int, tuple[int, int]]:
    """Return in how many columns pictures are largest, and the room that each of them has."""
    best, covered = (1, (WIDTH, HEIGHT)), -1
    for columns in range(1, len(sizes) + 1):
        rows = -(-len(sizes) // columns)
        tile = ((WIDTH + MARGIN) // columns - MARGIN, (HEIGHT + MARGIN) // rows - MARGIN)
        if min(tile) < 1:
            continue
        area = sum(w * h for w, h in (_fitted(size, tile) for size in sizes))
        if area > covered:
            best, covered = (columns, tile), area
    return best


def _fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return a picture's size where it fills its room, its shape kept."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))
