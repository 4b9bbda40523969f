"""Fixtures of the commands on tables of measurements."""

import json

import pytest

from syn2real.cli import main


@pytest.fixture
def file(tmp_path, points):
    """Four curves as a CSV."""
    path = tmp_path / "points.csv"
    points.to_csv(path, index=False)
    return path


@pytest.fixture
def run(tmp_path):
    """Run a command and return the JSON that it writes."""

    def call(*arguments):
        out = tmp_path / "out.json"
        assert main([*map(str, arguments), "--json", str(out)]) == 0
        return json.loads(out.read_text())

    return call
