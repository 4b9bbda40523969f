"""What can be known of a law without importing it: its name and its method."""

from __future__ import annotations

from syn2real.plugins import constant, names

GENERAL = "least-squares"
"""The method of a law whose module names none as `METHOD`."""


def law_names() -> list[str]:
    """Return the names of the laws, sorted."""
    return names("laws.forms")


def method_of(law: str) -> str:
    """Return the method by which a law is fitted unless a user names another."""
    return str(constant("laws.forms", law, "METHOD", GENERAL))
