"""What a curve's draws say of a target: every probability and required n is a share of the same draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from syn2real.laws.forms.base import find_law
from syn2real.laws.methods.least_squares import scaled_problem
from syn2real.laws.methods.posterior import BayesFit
from syn2real.laws.photographs import Photographs
from syn2real.laws.profiles import profile
from syn2real.laws.results import ceiling, number, tails
from syn2real.laws.student import student_t
from syn2real.laws.table import Curve
from syn2real.laws.varpro import search
from syn2real.laws.verdicts import CLASSES, FARTHEST, LIMIT, MOST_DOUBLINGS, PER_DOUBLING, SURE

ROUNDS = 5  # in which the smallest target that a law reaches is narrowed
LAWS = ("simple", "log-power")  # by which a target may be reached; a power law is the simple one with C = 0


@dataclass(frozen=True)
class Goal:
    """The error to reach and what images and runs cost.

    Attributes
    ----------
    target_error : float
    max_images : float or None
        The most images that can be made; None: `LIMIT` times the most measured of the curve.
    cost_per_image, cost_per_run : float or None
        In any one unit. A run costs as much as rendering the curve's largest set, unless said otherwise.
    """

    target_error: float
    max_images: float | None = None
    cost_per_image: float = 1.0
    cost_per_run: float | None = None
    level: float = 0.95


class CurveForecast:
    """A curve's draws held against a goal.

    The probability to reach the target with N images is the share of the draws at N that lie below it. It
    never falls with N beyond the largest measured n: images that harm can be left out. With `photographs`
    the draws are of all photographs like the tested ones, else of these.
    """

    def __init__(
        self, curve: Curve, goal: Goal, fit: BayesFit | None, photographs: Photographs | None = None
    ) -> None:
        self.curve, self.goal, self.fit, self.photographs = curve, goal, fit, photographs
        self.most = float(curve.n.max())
        self.limit = LIMIT * self.most if goal.max_images is None else goal.max_images
        self.farthest = max(FARTHEST * self.most, self.limit)

    def _errors(self, n: np.ndarray) -> np.ndarray:
        """Draws of the error at each n, shape (S, P)."""
        assert self.fit is not None
        errors = self.fit.forecast.errors(n)
        return self.photographs.moved(errors) if self.photographs else errors

    @cached_property
    def _shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Sizes n and the share of the draws that lie below the target there, both (P,)."""
        ends = float(self.curve.n.min()), self.farthest
        even = np.geomspace(*ends, int(PER_DOUBLING * np.log2(ends[1] / ends[0])) + 2)
        sizes = np.unique(np.concatenate([even, self.curve.n, [max(self.limit, ends[0])]]))
        share = (self._errors(sizes) <= self.goal.target_error).mean(axis=0)
        beyond = sizes >= self.most
        share[beyond] = np.maximum.accumulate(share[beyond])
        # Within the measured range: what holds from n on, up to the largest.
        share[~beyond] = np.minimum.accumulate(share[: beyond.argmax() + 1][::-1])[::-1][:-1]
        return sizes, share

    def chance(self, n: float) -> float:
        """Return the probability to reach the target with n images, or with the largest measured set."""
        if self.fit is None:
            return 0.0
        sizes, share = self._shares
        return float(np.interp(np.log(max(n, self.most)), np.log(sizes), share))

    def required(self, quantile: float) -> float:
        """Return the fewest images that reach the target with a probability; infinite where none do."""
        sizes, share = self._shares
        enough = np.flatnonzero(share >= quantile)
        if len(enough) == 0:
            return np.inf
        k = int(enough[0])
        if k == 0:
            return float(sizes[0])
        part = (quantile - share[k - 1]) / (share[k] - share[k - 1])
        return float(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** part)

    @property
    def required_n(self) -> dict[str, float | None]:
        """Lower end, median and upper end of the required n; None beyond `farthest`."""
        low, high = tails(self.goal.level)
        return {
            name: number(self.required(q)) for name, q in (("lower", low), ("median", 0.5), ("upper", high))
        }

    def cost(self, n: float) -> float:
        """Return what one run with n images costs, with the rendering of those beyond the largest set."""
        goal = self.goal
        run = goal.cost_per_run if goal.cost_per_run is not None else goal.cost_per_image * self.most
        return run + goal.cost_per_image * max(n - self.most, 0)

    @property
    def met_at(self) -> float | None:
        """The smallest n whose measured error meets the target, where that at the largest n does not."""
        met = self.curve.n[self.curve.error <= self.goal.target_error]
        return float(met[0]) if len(met) and met[-1] < self.most else None

    @property
    def reachable(self) -> float:
        """Probability that the target is reached with the most images there can be."""
        return self.chance(self.limit)

    @cached_property
    def never(self) -> bool:
        """Whether the draws stay above the target, and each law that describes the curve as well."""
        if self.chance(self.farthest) > 1 - SURE:
            return False
        return not can_reach(self.curve, self.goal.target_error)

    @property
    def probabilities(self) -> dict[str, float]:
        """Probabilities that the target is reached, within and beyond the limit, and never; they sum to 1."""
        reached, limit = self.chance(self.most), self.reachable
        far = self.chance(self.farthest) if self.never else 1.0
        return dict(zip(CLASSES, (reached, limit - reached, far - limit, 1 - far), strict=True))

    @cached_property
    def at_limit(self) -> tuple[float, float, float]:
        """Median and interval of the error with the most images; NaN without a forecast."""
        return self.at(self.limit)

    def at(self, n: float) -> tuple[float, float, float]:
        """Return median and interval of the error with n images; NaN without a forecast."""
        if self.fit is None:
            return np.nan, np.nan, np.nan
        low, high = tails(self.goal.level)
        errors = self._errors(np.array([n]))
        errors = np.minimum(errors, ceiling(self.curve.error, self.curve.unit))
        middle, lower, upper = np.quantile(errors, [0.5, low, high])
        return float(middle), float(lower), float(upper)


@dataclass(frozen=True)
class Claim:
    """How far a verdict goes beyond the tested photographs.

    Attributes
    ----------
    these, others : float
        Probability of what the verdict is about, to have reached the target or to reach it with the most
        images there can be, on the tested photographs and on all like them.
    settles : float or None
        How many photographs would make the verdict sure for all like them, if their errors stay as they are;
        None where it is sure already, or where it is not sure on these photographs.
    """

    these: float
    others: float
    settles: float | None

    @property
    def sure(self) -> bool:
        """Whether the verdict is sure for all photographs like the tested ones."""
        return _same_side(self.these, self.others)


def _same_side(these: float, others: float) -> bool:
    """Say whether two probabilities are both high or both low enough for a verdict."""
    return min(these, others) >= SURE or max(these, others) <= 1 - SURE


def claim(forecast: CurveForecast, photographs: Photographs) -> Claim:
    """Hold a verdict on the tested photographs against all photographs like them."""
    size = forecast.most if forecast.chance(forecast.most) >= SURE else forecast.limit

    def chance(count: float) -> float:
        moved = photographs.as_many(count)
        return CurveForecast(forecast.curve, forecast.goal, forecast.fit, moved).chance(size)

    these, others = forecast.chance(size), chance(photographs.count)
    if _same_side(these, others) or not _same_side(these, these):
        return Claim(these, others, None)
    more = photographs.count * 2.0 ** (np.arange(1, 2 * MOST_DOUBLINGS + 1) / 2)
    return Claim(these, others, next((count for count in more if _same_side(these, chance(count))), None))


def can_reach(curve: Curve, target: float, level: float = 0.95) -> bool:
    """Say whether any of `LAWS` that reaches a target at some n describes a curve about as well as the best.

    Parameters
    ----------
    curve : Curve
        At one s and one model, of at least three sizes.
    target : float
    level : float
        Of the likelihood region around the best fit of all laws, without any prior.
    """
    return bool(_reached(curve, np.array([target]), level)[0])


def least_reached(curve: Curve, level: float = 0.95) -> float:
    """Return the smallest target that `can_reach` says a law reaches; 0 where there is none."""
    low, high = float(curve.error.min()) * 1e-6, float(curve.error.max()) * 2
    if _reached(curve, np.array([low]), level)[0]:
        return 0.0
    for _ in range(ROUNDS):
        targets = np.geomspace(low, high, 24)
        first = int(_reached(curve, targets, level)[1:].argmax()) + 1
        low, high = float(targets[first - 1]), float(targets[first])
    return high


def _reached(curve: Curve, targets: np.ndarray, level: float) -> np.ndarray:
    """Say of each target whether a law that describes the curve about as well as the best reaches it."""
    least, reaching, freedom = np.inf, np.full(len(targets), np.inf), 0
    for name in LAWS:
        law = find_law(name)
        if law.why_not(curve) is not None:
            continue
        problem, df = scaled_problem(curve, law, "log")
        best = search(problem)
        constant = best.coefficients[0, law.coefficients.index(str(law.constant))]
        # The best law that reaches the target, or just does not, has it as its constant.
        held, beyond = np.full(len(targets), best.loss[0]), targets <= constant
        if beyond.any():
            held[beyond] = profile(problem, str(law.constant), targets[beyond])
        least, reaching, freedom = min(least, float(best.loss[0])), np.minimum(reaching, held), df
    if freedom < 1:
        return np.full(len(targets), True)
    noise = max(least / freedom, float(np.mean(curve.weight * curve.resolution)))
    return np.asarray(reaching <= least + noise * student_t(freedom, (1 + level) / 2) ** 2)
