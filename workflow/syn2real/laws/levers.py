"""Which lever to pull when more images will not do (paper §3.2–3.3 and Figure 3 b, c, d).

A lever is only ever recommended from curves of the same file that differ in just that factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from syn2real.laws.table import Curve, differing

BLIND = "rendering, model or labels: this file cannot decide"
# lever -> the identity columns that are this factor
FACTORS = {
    "change the rendering": ("setting", "rendering"),
    "bigger model": ("model",),
    "label more": ("s",),
}
GAIN = 1e-3  # a lever must lower the error at the limit by this share to be worth naming


class Candidate(Protocol):
    """A curve among which a lever is chosen (see `advice.CurveForecast`)."""

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


def choose_lever(here: Candidate, others: Sequence[Candidate]) -> Lever:
    """Choose the factor whose change brings the target closest, from curves that differ in it alone."""
    best: dict[str, Candidate] = {}
    for other in others:
        name = single_factor(here.curve, other.curve)
        if name and (name not in best or _rank(other) > _rank(best[name])):
            best[name] = other
    chances = {name: other.reachable for name, other in best.items()}
    helpful = {name: other for name, other in best.items() if _helps(here, other)}
    if not best:
        return Lever(
            BLIND,
            None,
            "measure the same sizes with another rendering, model or number of labels: " + _run(here),
        )
    if not helpful:
        tried = ", ".join(best)
        return Lever(BLIND, None, f"none of the levers in this file ({tried}) lowers the error", chances)
    name = max(helpful, key=lambda key: _rank(helpful[key]))
    other = helpful[name]
    columns = differing([here.curve.identity, other.curve.identity])
    change = ", ".join(f"{c} = {other.curve.identity[c]}" for c in columns)
    chance, error = f"{other.reachable:.2f}", f"{other.at_limit:.4g}"
    detail = f"{change} reaches the target with probability {chance} (error {error} at the limit)"
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
        return not (two.n_params < one.n_params.min()).all()  # unknown sizes (NaN): any other model
    return True


def _rank(curve: Candidate) -> tuple[float, float]:
    """Order by the probability of reaching the target, then by the error at the limit."""
    return (round(curve.reachable, 2), -curve.at_limit)


def _helps(here: Candidate, other: Candidate) -> bool:
    """Say whether the other curve ranks higher and ends clearly lower."""
    return _rank(other) > _rank(here) and other.at_limit < (1 - GAIN) * here.at_limit


def _run(here: Candidate) -> str:
    """Name the run to measure."""
    return f"start with n = {here.curve.n.max():,.0f}"
