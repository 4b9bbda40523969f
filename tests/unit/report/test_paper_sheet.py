"""The contact sheet of the paper's figures."""

from pathlib import Path

import pytest
from PIL import Image

from syn2real.config.experiment import experiment_model
from syn2real.errors import InputError
from syn2real.plan.read import load_plan
from syn2real.plan.sheet import sheet_cells
from syn2real.report.paper_sheet import COLUMNS, HEIGHT, MARGIN, TITLE, WIDTH, draw_sheet
from syn2real.schema import validate

WIDE, HIGH = WIDTH + 2 * MARGIN, TITLE + HEIGHT + 2 * MARGIN
MEASURED = {
    "name": "table", "question": "q?", "cost": "none", "expected": "a law", "measurements": {"path": "t.csv"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "columns", "rows"),
    [
        ([1], 1, 1),
        ([1, 2, 3, 4, 5], COLUMNS, 2),
        ([1, 1, 2, 3, 3], 3, 2),  # the second of figure 3 stands beside the first
        ([1, 1, 2, 2, 3, 3], COLUMNS, 2),
        ([1] * 5, 5, 1),
    ],
)
def test_the_figures_of_one_number_stand_in_one_row(numbers, columns, rows, tmp_path: Path) -> None:
    Image.new("RGBA", (WIDTH // 2, HEIGHT // 2), "navy").save(tmp_path / "a.png")
    files = [str(tmp_path / "a.png")]
    cells = [{"number": n, "experiment": "e", "drawn": ["curves"], "files": files} for n in numbers]
    draw_sheet(cells, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (columns * WIDE, rows * HIGH)
        assert (0, 0, 128) in {colour for _, colour in sheet.getcolors(2**20)}


def test_the_published_experiments_draw_all_figures_but_the_sample_images() -> None:
    names = ("complexity", "cross-task", "full-law", "million-scale", "model-size", "scenarios")
    files = [f"config/experiments/published-{name}.yaml" for name in names]
    cells = sheet_cells(load_plan({"experiments": files}))
    assert [cell["number"] for cell in cells] == [n for n in range(1, 15) if n != 7]
    assert all(cell["given"] and len(cell["files"]) == len(cell["drawn"]) for cell in cells)


def test_samples_are_those_of_the_rendered_settings() -> None:
    asked = Path("config/experiments/complexity.yaml").read_text(encoding="utf-8")
    plan = load_plan({"experiments": ["config/experiments/complexity.yaml"]})
    [cell] = [cell for cell in sheet_cells(plan) if cell["number"] == 7]
    assert asked.count("-images\n") == len(cell["files"]) == 8
    assert cell["files"][0] == "results/figures/samples/single-fix-fix-textureless.png"
    assert not cell["given"]


@pytest.mark.parametrize(
    ("sizes", "height"),
    [
        ([(400, 100)], 200),  # as wide as a cell, and no higher than that makes it
        ([(100, 900)], HEIGHT),
        ([(400, 100)] * 2, 2 * 200 + MARGIN),  # pictures stand where they are largest
        ([(200, 100)] * 8, (HEIGHT + MARGIN) // 4 * 4 - MARGIN),
    ],
)
def test_pictures_fill_their_cell(sizes, height: int, tmp_path: Path) -> None:
    files = [tmp_path / f"{k}.png" for k, _ in enumerate(sizes)]
    for file, size in zip(files, sizes, strict=True):
        Image.new("RGB", size, "navy").save(file)
    cell = {"number": 4, "experiment": "e", "drawn": ["curves"], "files": [*map(str, files)]}
    draw_sheet([cell], tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == pytest.approx(TITLE + height + 2 * MARGIN, abs=6)


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"curves": [15]}, "14"),
        ({"landscapes": [1]}, "landscapes is not among its figures; add it there"),
        ({"samples": [7]}, "a table has no images, so no samples; drop them"),
        ({"curves": []}, "curves needs one or more numbers, each once"),
        ({"curves": [1, 1]}, "curves needs one or more numbers, each once"),
        ({"curve": [1]}, "curves"),
    ],
)
def test_a_figure_that_is_not_drawn_is_refused(figures, problem: str) -> None:
    asked = MEASURED | {"paper_figures": figures}
    with pytest.raises(InputError, match=problem):
        validate(experiment_model(asked), asked, file="t.yaml")


def test_a_claim_on_complexity_needs_the_order_of_a_tables_settings() -> None:
    asked = MEASURED | {"claims": ["law-holds", "rates-by-complexity"]}
    with pytest.raises(InputError, match=r"claims: rates-by-complexity needs measurements\.select\.setting"):
        validate(experiment_model(asked), asked, file="t.yaml")


def test_without_the_key_there_is_no_sheet() -> None:
    assert sheet_cells(load_plan({"experiments": ["config/experiments/demo.yaml"]})) == []
