"""Thresholds, classes and sentences of the advice, from one file that the page's script reads too."""

import json
from pathlib import Path
from typing import Any

RULES: dict[str, Any] = json.loads(Path(__file__).with_name("verdicts.json").read_text(encoding="utf-8"))
"""What `verdicts.json` holds; its sentences have fields of Python's format."""

_numbers = RULES["thresholds"]
LIMIT: float = _numbers["limit"]
"""Without --max-images, so many times the largest measured n counts as within reach."""
FARTHEST: float = _numbers["farthest"]
"""Times the largest measured n: beyond it no size is named."""
SURE: float = _numbers["sure"]
"""A verdict needs this probability; below it, more points decide."""
LIKELY: float = _numbers["likely"]
"""A lever is recommended, and a set may well meet the target, from this probability on."""
NO_CHANCE: float = _numbers["no_chance"]
"""To reach the target: below it no single measurement changes the verdict."""
DOUBLINGS: int = _numbers["doublings"]
"""Of the most measured n are considered for the next measurement."""
BINS: int = _numbers["bins"]
"""Of the draws, in which a measurement's part of the decision is read."""
MOST_DOUBLINGS: int = _numbers["most_doublings"]
"""Of the photographs, to find how many settle a verdict."""
PER_DOUBLING: int = _numbers["per_doubling"]
"""Sizes at which the draws are counted."""
CLASSES: tuple[str, ...] = tuple(RULES["classes"])
"""Where the target is reached, in the order of the advice's probabilities."""
FACTORS: dict[str, tuple[str, ...]] = {name: tuple(columns) for name, columns in RULES["levers"].items()}
"""The identity columns that are each lever's factor."""


def verdict(name: str, /, **values: Any) -> str:
    """Return a verdict, with the numbers it names."""
    text: str = RULES["verdicts"][name]
    return text.format(**values)


def say(name: str, /, **values: Any) -> str:
    """Return a sentence or a part of one, with the numbers it names."""
    text: str = RULES["sentences"][name]
    return text.format(**values)
