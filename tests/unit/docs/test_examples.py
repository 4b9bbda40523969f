"""The examples of the documentation run, and print what it shows."""

import doctest
import re
from pathlib import Path

import pytest

from syn2real.cli import main

DOCS = Path(__file__).parents[3] / "docs"


def test_the_python_interface_prints_what_its_page_shows() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "api.md", "docs/api.md", 0)
    assert len(test.examples) > 10
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_theory_prints_what_its_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    [(words, shown)] = re.findall(r"^\$ syn2real (.*)\n([^`]*)^```$", page, flags=re.MULTILINE)
    assert main(words.split()) == 0
    assert capsys.readouterr().out == shown
