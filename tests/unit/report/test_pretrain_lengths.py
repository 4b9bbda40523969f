"""One length of pre-training is recommended for all starts and arms, where it is known to suit."""

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.pilots import write_run
from syn2real.errors import InputError
from syn2real.report.pretrain_lengths import (
    chosen_pretrain_length,
    compare_pretrain_lengths,
    pretrain_lengths_text,
)

LENGTHS = {"day-p0.25": 0.25, "day-p0.5": 0.5, "day": 1.0}
Errors = dict[tuple[str, str], tuple[float, float, float]]


def _run(folder: Path, recipe: str, initial: str, arm: str, wrong: np.ndarray, part: int) -> Path:
    """Write a fine-tuning that got these images wrong."""
    key = {"recipe": recipe, "setting": "a", "ptask": "objdet", "n": 90, "seed": 0}
    key |= {"initial": initial, "ftask": "objdet", "arm": arm}
    path = folder / f"{recipe}-{initial}-{arm}-{part}" / "metrics.json"
    return write_run(path, key, "accuracy", wrong, part)


def _pilot(folder: Path, errors: Errors, count: int = 1000) -> list[Path]:
    """Write the runs of three lengths on two parts of the labels."""
    return [
        _run(folder, recipe, initial, arm, np.arange(count) < round(error * count), part)
        for (initial, arm), each in errors.items()
        for recipe, error in zip(LENGTHS, each, strict=True)
        for part in (1, 2)
    ]


@pytest.mark.parametrize(
    ("errors", "count", "chosen", "words"),
    [
        (
            {("imagenet", "whole"): (0.1, 0.15, 0.2), ("random", "backbone"): (0.3, 0.3, 0.3)},
            1000,
            0.25,
            "objdet on t, whole from imagenet, 0.25 of the recipe's pre-training is **better**, -0.1000 [",
        ),
        # The best length for one start is worse for another; the next best is not.
        (
            {("imagenet", "whole"): (0.1, 0.15, 0.2), ("random", "backbone"): (0.4, 0.3, 0.3)},
            1000,
            0.5,
            "random, **no length is known to be better** than the recipe's; 0.25 is worse, +0.1000 [",
        ),
        (
            {("imagenet", "whole"): (0.1, 0.2, 0.2), ("random", "backbone"): (0.4, 0.3, 0.3)},
            1000,
            None,
            "better for one start or arm is worse for another",
        ),
        ({("random", "whole"): (0.3, 0.25, 0.2)}, 1000, None, "0.25 is worse, +0.1000 ["),
        ({("random", "whole"): (0.18, 0.2, 0.2)}, 60, None, "the lowest error has 0.25 of"),
        (
            {("imagenet", "whole"): (0.2, 0.15, 0.2), ("random", "whole"): (0.2, 0.3, 0.4)},
            1000,
            0.25,
            "random, 0.25 of the recipe's pre-training is **better**",
        ),
    ],
)
def test_one_length_for_all_is_written_where_it_is_known_to_suit(tmp_path, errors, count, chosen, words):
    table = compare_pretrain_lengths(_pilot(tmp_path, errors, count), LENGTHS)
    assert len(table) == 3 * len(errors) and {*table.images} == {2 * count}
    assert chosen_pretrain_length(table) == chosen
    text = pretrain_lengths_text(table, "mine", "day")
    assert (f"\n    pretrain_length: {chosen}\n" in text) == (chosen is not None)
    assert ("Leave `pretrain_length` out" in text) == (chosen is None)
    assert words in text


def test_intervals_hold_for_all_starts_together(tmp_path):
    one = {("random", "whole"): (0.1, 0.15, 0.2)}
    alone = compare_pretrain_lengths(_pilot(tmp_path / "one", one), LENGTHS)
    both = compare_pretrain_lengths(
        _pilot(tmp_path / "two", one | {("imagenet", "whole"): one["random", "whole"]}), LENGTHS
    )
    width = [float((table.upper - table.lower)[table.initial == "random"].max()) for table in (alone, both)]
    assert width[1] / width[0] == pytest.approx(2.498 / 2.241, abs=0.002)


def test_a_recipe_that_diverges_as_it_is_is_an_error(tmp_path):
    files = _pilot(tmp_path, {("random", "whole"): (0.1, 0.15, 0.2)})
    first = next(path for path in files if path.parent.name == "day-random-whole-1")
    first.write_text(json.dumps(json.loads(first.read_text()) | {"diverged": True}))
    with pytest.raises(InputError, match="recipe's own values diverged"):
        compare_pretrain_lengths(files, LENGTHS)
