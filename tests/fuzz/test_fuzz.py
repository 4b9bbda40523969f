"""A minute of damaged files: every reader takes them, or refuses them in one line."""

import pytest

from fuzz.readers import READERS
from fuzz.run import fuzz


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_in_one_line(name, tmp_path):
    result = fuzz(name, 60 / len(READERS), tmp_path)
    assert result.inputs > 20, "next to nothing was read"
    assert not result.finds
