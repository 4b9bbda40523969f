"""Which tests stay together when two processes share them: those that share something made once."""

from pathlib import Path

import pytest

TOGETHER = ("workflow", "render")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, and those of a folder whose fixtures are costly."""
    for item in items:
        folder = Path(item.path).parent.name
        group = folder if folder in TOGETHER else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
