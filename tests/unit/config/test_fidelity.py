"""docs/fidelity.md names keys and numbers that are there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from syn2real.cli import main
from syn2real.config.loading import read_yaml

ROOT = Path(__file__).parents[3]
DOES = 3  # the column "syn2real does"
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in (ROOT / "docs/fidelity.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|--", "| subject", "| the paper"))
]
TABLE = {row[0]: row[DOES] for row in ROWS if len(row) > 2}
RESULTS = {"empirical_entropy", "mIoU_all", "mAP", "test", "settled", "shortfall", "skipped"}
"""Words of results and code, which no schema of the configuration has."""
FILES = ["recipes/paper", "renderings", "experiments/complexity", "experiments/published-million-scale"]


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key that may be written, with its default."""
    if isinstance(schema, dict):
        yield from ((key, value.get("default")) for key, value in schema.get("properties", {}).items())
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def written(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key of a file with its value."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from written(inner)


@pytest.fixture(scope="module")
def known() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path in (ROOT / "workflow/schemas").glob("*.json"):
        for key, default in properties(json.loads(path.read_text(encoding="utf-8"))):
            found.setdefault(key, []).append(default)
    for name in FILES:
        for key, value in written(read_yaml(ROOT / f"config/{name}.yaml")):
            found.setdefault(str(key), []).append(value)
    return found


def test_every_row_has_its_five_cells():
    assert len(TABLE) > 20 and {len(row) for row in ROWS} == {2, 5}
    assert all(all(row) for row in ROWS)


@pytest.mark.parametrize("subject", TABLE)
def test_keys_are_keys_and_their_values_are_written_or_defaults(subject, known):
    for token in re.findall(r"`([a-z_0-9A-Z]+(?:: [^`]+)?)`", TABLE[subject]):
        key, _, value = token.partition(": ")
        assert key in known or key in RESULTS, token
        if value:
            assert yaml.safe_load(value) in known[key], (token, known[key])


def test_options_are_options(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    named = {option for cell in TABLE.values() for option in re.findall(r"`(--[\w-]+)", cell)}
    assert {"--method", "--fix-D"} <= named
    assert all(option in text for option in named)
