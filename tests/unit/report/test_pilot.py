"""The shortest length that is as good: decided only where the tested labels can decide it."""

import re
from pathlib import Path

import numpy as np
import pytest

from fixtures.pilots import write_run
from syn2real.errors import InputError
from syn2real.report.pilot import chosen_length, compare_lengths, pilot_text

LENGTHS = {"day-x0.25": 0.25, "day-x0.5": 0.5, "day": 1.0}


def _run(folder: Path, recipe: str, n: int, wrong: np.ndarray, *, seed: int = 0, part: int = 1) -> Path:
    """Write a fine-tuning that got these images wrong."""
    key = {"recipe": recipe, "setting": "a", "ptask": "mulclass", "n": n, "seed": seed, "ftask": "sinclass"}
    path = folder / recipe / f"n{n}" / f"seed{seed}" / f"part{part}" / "metrics.json"
    return write_run(path, key, "top-1 accuracy", wrong, part)


def _pilot(folder: Path, count: int, errors: dict[str, tuple[float, float]]) -> list[Path]:
    """Write runs whose first images are wrong, so that lengths differ on as few images as they can."""
    return [
        _run(folder, recipe, n, np.arange(count) < round(error * count))
        for recipe, pair in errors.items()
        for n, error in zip((10, 90), pair, strict=True)
    ]


@pytest.mark.parametrize(
    ("count", "quarter", "half", "chosen", "words"),
    [
        (2000, (0.505, 0.302), (0.5, 0.3), 0.25, r"Length 0.25 is enough.*none was shorter"),
        (
            2000,
            (0.6, 0.3),
            (0.51, 0.301),
            0.5,
            r"Length 0.5 is enough\*\*: at n = 10 .* no shorter",
        ),
        (
            2000,
            (0.5, 0.3),
            (0.5, 0.4),
            1,
            r"Keep length 1\*\*: at n = 90 the errors of length 0.5 differ.",
        ),
        (2000, (0.8, 0.3), (0.5, 0.2), 1, "Keep length 1"),
        # Equal errors on 60 images: a difference of 3 / 60 is as likely as not to be missed.
        (
            60,
            (0.5, 0.3),
            (0.5, 0.3),
            1,
            r"Not decided, keep length 1\*\*: 60 tested .* ± 0.050, and 0.03",
        ),
    ],
)
def test_the_shortest_length_that_is_known_to_be_alike(tmp_path, count, quarter, half, chosen, words):
    files = _pilot(tmp_path, count, {"day-x0.25": quarter, "day-x0.5": half, "day": (0.5, 0.3)})
    table = compare_lengths(files, LENGTHS, 0.1)
    assert len(table) == 6 and chosen_length(table) == chosen
    text = pilot_text(table, "mine", "day", 0.1, 1)
    assert f"\n    length: {chosen:g}\n" in text
    (sentence,) = [line for line in text.splitlines() if line.startswith("- ")]
    assert re.search(words, sentence), sentence


def test_a_model_that_has_learnt_little_is_not_like_one_that_has_learnt_nothing(tmp_path):
    errors = {"day-x0.25": (0.97, 0.97), "day-x0.5": (0.86, 0.86), "day": (0.84, 0.84)}
    table = compare_lengths(_pilot(tmp_path, 2000, errors), LENGTHS, 0.2)
    assert {*table.allowed.round(6)} == {0.032} and chosen_length(table) == 0.5
    assert "20 % of the error of length 1, or of 1 - error where" in pilot_text(table, "mine", "day", 0.2, 1)


def test_seeds_scatter_and_parts_are_joined(tmp_path):
    rng = np.random.default_rng(0)
    files = [
        _run(
            tmp_path, recipe, n, rng.random(400) < 0.3 + 0.1 * seed * (recipe != "day"), seed=seed, part=part
        )
        for recipe in LENGTHS
        for n in (10, 90)
        for seed in (0, 1)
        for part in (1, 2)
    ]
    table = compare_lengths(files, LENGTHS, 0.1)
    assert {*table.images} == {800} and {*table.seeds} == {2} and {*table.target} == {"t"}
    others = table[table.length < 1]
    assert ((others.upper - others.lower) / 2 > 0.05).all() and chosen_length(table) == 1


def test_runs_on_different_images_are_refused(tmp_path):
    files = [_run(tmp_path, r, n, np.arange(50 + (r == "day")) < 9) for r in LENGTHS for n in (10, 90)]
    with pytest.raises(InputError, match="different images"):
        compare_lengths(files, LENGTHS, 0.1)
