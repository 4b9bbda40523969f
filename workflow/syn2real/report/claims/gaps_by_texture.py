"""Is the objects' texture the exception: does it make the transfer gap larger?"""

from collections.abc import Mapping, Sequence

from syn2real.laws.intervals import mean_of_pairs
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import TEXTURE, Finding, changes, judged, quotable

TITLE = "Textured objects have a larger transfer gap C"
SOURCE = "§4.5 and §5.1, Figure 6"
PAPER = (
    'The exception: "the additional complexity in object texture works negatively", which shortcut '
    "learning may explain."
)
RULE = (
    "the mean change of log C from objects without texture to textured ones, all else equal, its "
    "interval by the pairs' scatter; agrees if it is above 0"
)
UNIT = "is the change of log C by texture"
NEEDS = ("draws", "levels")


def judge(draws: Sequence[CurveDraws], levels: Mapping[str, Mapping[str, float]]) -> Finding:
    """Compare settings that differ in the objects' texture alone."""
    curves, left = quotable([curve for curve in draws if curve.identity.get("setting") in levels])
    pairs = changes(curves, levels, "C").get(TEXTURE)
    if pairs is None:
        return Finding(f"No two settings are known to differ in the objects' texture alone.{left}")
    return judged(f"{len(pairs)} pairs of settings.{left}", mean_of_pairs(pairs), 0.0)
