"""Every claim: what it needs is known without importing it, and its words make a table."""

import inspect

import pytest

from syn2real.plugins import constant, load, names

KNOWN = {"points", "draws", "extrapolation", "complexity", "levels"}


@pytest.mark.parametrize("name", names("report.claims"))
def test_a_claim_says_what_it_needs_and_how_it_is_judged(name: str) -> None:
    module = load("report.claims", name)
    assert constant("report.claims", name, "NEEDS") == module.NEEDS, "Snakemake reads it as a literal"
    assert tuple(inspect.signature(module.judge).parameters) == module.NEEDS
    assert {*module.NEEDS} <= KNOWN
    for words in (module.TITLE, module.SOURCE, module.PAPER, module.RULE, module.UNIT):
        assert words and "|" not in words and "\n" not in words
    assert "agrees if" in module.RULE
