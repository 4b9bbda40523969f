"""A minute of damaged files: every reader takes them, or refuses them in one line."""

import pytest

from fuzz.readers import READERS
from fuzz.run import fuzz

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_in_one_line(name, tmp_path):
    result = fuzz(name, 60 / len(READERS), tmp_path)
    assert result.inputs > 20, "next to nothing was read"
    assert not result.finds


@pytest.mark.parametrize(
    ("name", "find"),
    [
        ("good", None),
        ("traceback", "KeyError in planted.py:<lambda>"),
        ("advice", "no short line from planted.py:_advise"),
        ("crash", "crash with code -11"),
        ("hang", "hang of more than 5 s"),
        ("memory", "MemoryError in planted.py:<lambda>"),
    ],
)
def test_a_planted_fault_is_found_and_its_file_kept(name, find, tmp_path):
    result = fuzz(name, 3, tmp_path, module="fuzz.planted", hangs=5)
    assert len(result.finds) == (find is not None), result
    assert all(text.startswith(find) for text in result.finds)
    assert all(file.is_file() for file in result.finds.values())
