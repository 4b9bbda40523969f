"""What figures are drawn from and claims are judged by, read without importing them."""

from collections.abc import Iterable

from syn2real import plugins

VALUES = ("stand_ins", "settings", "levels")
"""What a figure or a claim needs that is in no file."""
POSITION = "position"
"""Of `levels`, the only attribute of settings of given measurements: where each is listed, from 0."""


def needs(name: str, point: str = "report.figures") -> tuple[str, ...]:
    """Return what a figure is drawn from, or a claim (of `report.claims`) judged by.

    Files: points (draws are made of them), complexity, distances, the fits of a law, extrapolation, advice.
    Values: `VALUES`.
    """
    found: tuple[str, ...] = plugins.constant(point, name, "NEEDS")
    return found


def claim_needs(claims: Iterable[str]) -> tuple[str, ...]:
    """Return what some claims are judged by, each need once."""
    return tuple(dict.fromkeys(need for claim in claims for need in needs(claim, "report.claims")))
