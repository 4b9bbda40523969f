"""A rate is recommended only where it is known to be better than the recipe's, on the same images."""

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.pilots import write_run
from syn2real.report.rates import compare_rates, rates_text


def _run(folder: Path, arm: str, n: int, rate: float, wrong: np.ndarray, part: int = 1) -> Path:
    """Write a fine-tuning that got these images wrong."""
    key = {"recipe": "day", "setting": "a" if n else "none", "ptask": "objdet" if n else "none", "n": n}
    key |= {"seed": 0, "ftask": "objdet", "arm": arm, "rate": rate}
    path = folder / f"{arm}-{n}-{rate}-{part}" / "metrics.json"
    return write_run(path, key, "accuracy", wrong, part)


def _pilot(folder: Path, errors: dict[tuple[str, int], tuple[float, ...]], count: int = 1000) -> list[Path]:
    """Write the runs of three rates on two parts of the labels."""
    return [
        _run(folder, arm, n, rate, np.arange(count) < round(error * count), part)
        for (arm, n), each in errors.items()
        for rate, error in zip((0.3, 1, 3), each, strict=True)
        for part in (1, 2)
    ]


def test_each_arm_gets_the_rate_that_is_known_to_be_better(tmp_path: Path) -> None:
    errors = {
        ("backbone", 0): (0.5, 0.4, 0.2),
        ("backbone", 90): (0.3, 0.2, 0.3),
        ("whole", 90): (0.1, 0.2, 0.3),
    }
    table = compare_rates(_pilot(tmp_path, errors))
    assert len(table) == 9 and {*table.images} == {2000}
    best = {(row.arm, row.n): row.rate for row in table[table.best].itertuples()}
    assert best == {("photographs", 0): 3, ("whole", 90): 0.3}
    text = rates_text(table, "mine")
    assert "\n    rates: {photographs: 3, whole: 0.3}\n" in text
    assert "- objdet on t, backbone: **no rate is known to be better** than the recipe's." in text
    assert (
        "whole: **0.3 times the recipe's rate is better**, -0.1000 [" in text and "try further ones" in text
    )


@pytest.mark.parametrize(("count", "known"), [(60, False), (2000, True)])
def test_what_few_images_cannot_tell_is_said(tmp_path: Path, count: int, known: bool) -> None:
    table = compare_rates(_pilot(tmp_path, {("whole", 90): (0.25, 0.275, 0.3)}, count))
    text = rates_text(table, "mine")
    assert table.best.any() == known
    assert ("Nothing is to be written: no rate" in text) != known
    assert ("better** than the recipe's; the lowest error has 0.3 times" in text) != known


def test_a_rate_that_diverged_anywhere_is_out_and_named(tmp_path: Path) -> None:
    files = _pilot(tmp_path, {("whole", 90): (0.3, 0.2, 0.1), ("backbone", 90): (0.3, 0.2, 0.1)})
    first = next(path for path in files if path.parent.name == "whole-90-3-1")
    lost = {"iteration": 10, "value": 0.0, "error": 1.0, "extras": {}}
    found = json.loads(first.read_text()) | {"value": 0.0, "error": 1.0, "last": lost, "best": lost}
    first.write_text(json.dumps(found | {"evaluations": [lost], "diverged": True}))
    first.with_name("per_image.npz").unlink()
    table = compare_rates(files)
    best = table[table.best]
    assert [(row.arm, row.rate) for row in best.itertuples()] == [("backbone", 3)]
    text = rates_text(table, "mine")
    assert "| objdet on t, whole | 90 | 3 | diverged |" in text
    assert "\n    rates: {backbone: 3}\n" in text
