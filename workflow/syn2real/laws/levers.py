"""Which lever to pull when more images will not do (paper §3.2–3.3 and Figure 3 b, c, d).

A lever is only ever recommended from curves of the same file that differ in just that factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from syn2real.laws.table import Curve, differing

BLIND = "rendering, model or labels: this file cannot tell"
# lever -> the identity columns that are this factor
FACTORS = {
    "change the rendering": ("setting", "rendering"),
    "bigger model": ("model",),
    "label more": ("s",),
}
GAIN = 1e-3  # a lever must lower the error at the limit by this share to be worth naming


class Seen(Protocol):
    """What a lever is chosen from (see `advice.View`)."""

    curve: Curve
    at_limit: float

    @property
    def reachable(self) -> float:
        """Probability that the target is reached within the limit."""


@dataclass(frozen=True)
class Lever:
    """The verdict, the lever's name (None where there is none to pull) and why."""

    verdict: str
    name: str | None
    detail: str
    chances: dict[str, float] | None = None


def choose_lever(view: Seen, others: Sequence[Seen]) -> Lever:
    """Choose the factor whose change brings the target closest, from curves that differ in it alone."""
    best: dict[str, Seen] = {}
    for other in others:
        name = single_factor(view.curve, other.curve)
        if name and (name not in best or _rank(other) > _rank(best[name])):
            best[name] = other
    helpful = {name: seen for name, seen in best.items() if _rank(seen) > _rank(view) and _gains(view, seen)}
    chances = {name: seen.reachable for name, seen in best.items()}
    if not best:
        return Lever(
            BLIND,
            None,
            "measure the same sizes with another rendering, model or number of labels: " + _run(view),
        )
    if not helpful:
        tried = ", ".join(best)
        return Lever(BLIND, None, f"none of the levers in this file ({tried}) lowers the error", chances)
    name = max(helpful, key=lambda key: _rank(helpful[key]))
    seen = helpful[name]
    columns = differing([view.curve.identity, seen.curve.identity])
    told = ", ".join(f"{c} = {seen.curve.identity[c]}" for c in columns)
    chance, error = f"{seen.reachable:.2f}", f"{seen.at_limit:.4g}"
    detail = f"{told} reaches the target with probability {chance} (error {error} at the limit)"
    return Lever(name, name, detail, chances)


def single_factor(one: Curve, two: Curve) -> str | None:
    """Name the lever in which two curves differ, or None where they differ in more or in none."""
    differ = set(differing([one.identity, two.identity]))
    for name, columns in FACTORS.items():
        if differ and differ <= set(columns):
            return name if _forward(name, one, two) else None
    return None


def _forward(name: str, one: Curve, two: Curve) -> bool:
    """Say whether going from one curve to the other pulls the lever in its own direction."""
    if name == "label more":
        return float(two.identity["s"]) > float(one.identity["s"])
    if name == "bigger model":
        return not (two.size < one.size.min()).all()  # sizes may be unknown (NaN): then any other model
    return True


def _rank(seen: Seen) -> tuple[float, float]:
    """Order by the probability of reaching the target, then by the error at the limit."""
    return (round(seen.reachable, 2), -seen.at_limit)


def _gains(view: Seen, seen: Seen) -> bool:
    """Say whether the other curve ends clearly lower."""
    return seen.at_limit < (1 - GAIN) * view.at_limit


def _run(view: Seen) -> str:
    """Name the run to measure."""
    return f"start with n = {view.curve.n.max():,.0f}"
