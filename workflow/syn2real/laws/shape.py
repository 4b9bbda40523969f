"""What a curve shows before any law: how much it scatters, and whether it falls as a law can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syn2real.laws.student import student_t
from syn2real.laws.table import Curve, split_places

SURE = 0.99  # of a shape, one-sided: several are tried at every curve
PROBABLE = 0.95  # of each of the things that must hold together, and of one size among all
LIKELY = 0.9  # a curve that does not fall with this confidence shows no fall
MONOTONE = 4  # sizes that all rise: by chance once in 24, and less on a curve that falls
FAR = 0.05  # of the log error: less is no reason to measure a size again
EXCESS = 2  # times the variance of replicates that sizes may have by chance
SMALL = 0.02  # noise of a mean log error that is assumed where nothing but a steep curve could show it
PERSISTENT = 4.0  # times the noise of two slopes' difference
EVER_FASTER = "the error falls ever faster"
NO_FALL = "the error does not fall with n beyond the noise"
CAUSES = "common causes are training too short for the larger sets, a gap between the domains, and noise"


@dataclass(frozen=True)
class Noise:
    """How far the mean log errors of a curve lie from their expectation by chance.

    Attributes
    ----------
    variance : ndarray, shape (m,)
        Of the mean log error of each of the curve's sizes.
    unit : float
        Of a log error of weight 1.
    freedom : float
        Degrees of freedom; infinite where the variance is known.
    source : str
        What shows it, in words.
    """

    variance: np.ndarray
    unit: float
    freedom: float
    source: str

    def quantile(self, probability: float) -> float:
        """Return the quantile of an estimate over its standard error."""
        return student_t(self.freedom, probability)


def scatter(curve: Curve, squares: float = 0.0, freedom: int = 0) -> Noise | None:
    """Return how far replicates scatter, and the sizes about a smooth curve; None where that is unknown.

    The smooth curve is a parabola of the log error in log n, or a straight line through three sizes.

    Parameters
    ----------
    curve : Curve
        Measurements at one s and one model.
    squares, freedom : float, int
        Sum of squares of further replicates, and its degrees of freedom.
    """
    degree = min(2, len(curve.n) - 2)
    replicates = curve.replicates + freedom
    squares += curve.within
    lack = _polynomial(curve, 1 / curve.weight, degree).squares if degree > 0 else 0.0
    unit, freedom = _joined(squares, replicates, lack, len(curve.n) - degree - 1 if degree > 0 else 0)
    if freedom == 0:
        return None
    source = "the scatter of replicates" if freedom == replicates else "the scatter about a smooth curve"
    return Noise(unit / curve.weight, unit, freedom, source)


def _joined(within: float, replicates: int, lack: float, freedom: int) -> tuple[float, int]:
    """Return the variance of a log error of weight 1 and its freedom, of replicates and of sizes together.

    Sizes that scatter more than replicates do have a noise of their own, such as that of the rendered
    images; many replicates say nothing of it.
    """
    if replicates and freedom and lack / freedom > EXCESS * within / replicates:
        return lack / freedom, freedom
    return (within + lack) / max(replicates + freedom, 1), replicates + freedom


def curve_noise(curve: Curve) -> Noise | None:
    """Return the noise that a curve's own measurements show, or None where they show none.

    It is their `scatter`, or what the test set's size or the digits written leave open, whichever is larger.

    Parameters
    ----------
    curve : Curve
        Measurements at one s and one model.
    """
    found = [noise for noise in [scatter(curve)] if noise is not None]
    if curve.resolution.any():
        source = "the size of the test set" if curve.floor.any() else "the digits of the errors"
        found.append(Noise(curve.resolution, 0.0, np.inf, source))
    return max(found, key=lambda noise: noise.quantile(0.975) * noise.variance.mean() ** 0.5, default=None)


def describe_shape(curve: Curve, noise: Noise | None = None) -> str | None:
    """Say how a curve differs from every law, or None where it does not by more than its noise.

    Parameters
    ----------
    curve : Curve
        A curve over several s or models is looked at for each of them.
    noise : Noise, optional
        By default what the curve itself shows (`curve_noise`).

    Returns
    -------
    str or None
        That one size lies off the rest, that the error falls and then rises, grows, falls ever faster in
        the logarithms, or does not fall.
    """
    for part in split_places(curve):
        found = noise if noise is not None and len(part.n) == len(curve.n) else curve_noise(part)
        if found is not None and len(part.n) >= 3:
            text = _shape(part, found)
            if text is not None:
                return text
    return None


def _shape(curve: Curve, noise: Noise) -> str | None:
    """Name the first shape that exceeds the noise."""
    steps, sure = np.diff(np.log(curve.error)), noise.quantile(SURE)
    worst, above = off_the_rest(curve)
    if worst is not None:
        return (
            f"the size n = {worst:,.0f} lies {100 * abs(np.expm1(above)):.0f} % "
            f"{'above' if above > 0 else 'below'} what the other sizes lead to expect; measure it again"
        )
    line = _polynomial(curve, noise.variance, 1)
    first, last = f"n = {curve.n[0]:,.0f}", f"n = {curve.n[-1]:,.0f}"
    bend = _polynomial(curve, noise.variance, 2) if len(curve.n) >= 4 else None
    lowest = int(np.argmin(curve.error))
    probable = noise.quantile(PROBABLE)
    if bend is not None and bend.rises(-1) > probable and bend.rises(0) < -probable:
        back = np.log(curve.error[-1] / curve.error[lowest])
        if back > probable * (noise.variance[lowest] + noise.variance[-1]) ** 0.5:
            rise = 100 * np.expm1(back)
            return f"the error falls until n = {curve.n[lowest]:,.0f}, then rises by {rise:.0f} %; {CAUSES}"
    always = (steps > 0).all() and (len(curve.n) >= MONOTONE or line.rises(0) > sure)
    if always:
        return (
            "the error grows with n at every size: is this an accuracy (error = 1 - accuracy), or does "
            f"pre-training harm? If it is an error, {CAUSES}"
        )
    if line.rises(0) > sure:
        return f"the error grows with n, from {first} to {last}; {CAUSES}"
    no_fall = line.rises(0) > -noise.quantile(LIKELY)
    if not no_fall and ((bend is not None and bend.curvature < -sure) or _steepens(curve)):
        return (
            f"{EVER_FASTER} (in the logarithms of both), as no law in n does: such a curve is at its "
            "beginning, and only larger n show where it goes"
        )
    if (steps >= 0).any() and no_fall:
        accuracy = "is this an accuracy (error = 1 - accuracy)? If not, " if (steps > 0).all() else ""
        return f"{NO_FALL} ({noise.source}); {accuracy}{CAUSES}"
    return None


def _steepens(curve: Curve) -> bool:
    """Say whether each step falls at a steeper slope than the one before, the last by more than the noise.

    A curve that falls faster than a parabola leaves its scatter about one, which hides the bend.
    """
    slopes = np.diff(np.log(curve.error)) / np.diff(np.log(curve.n))
    if len(slopes) < 3 or not (np.diff(slopes) < 0).all() or slopes[0] > 0:
        return False
    known = max(float(np.mean(curve.resolution)) ** 0.5, _replicated(curve), SMALL)
    return bool(slopes[-1] - slopes[0] < -PERSISTENT * known / np.diff(np.log(curve.n)).min())


def _replicated(curve: Curve) -> float:
    """Standard deviation of a mean log error as replicates show it; 0 without any."""
    if not curve.replicates:
        return 0.0
    return float((curve.within / curve.replicates / curve.weight.mean()) ** 0.5)


@dataclass(frozen=True)
class _Polynomial:
    """Least squares of the log error in log n: slopes and curvature over their standard errors."""

    x: np.ndarray
    values: np.ndarray
    covariance: np.ndarray
    squares: float

    def rises(self, index: int) -> float:
        """Return the slope at a size, over its standard error."""
        slope = np.array([i * self.x[index] ** (i - 1) if i else 0.0 for i in range(len(self.values))])
        return float(slope @ self.values / max((slope @ self.covariance @ slope) ** 0.5, 1e-12))

    @property
    def curvature(self) -> float:
        """Return the quadratic coefficient over its standard error."""
        return float(self.values[2] / max(self.covariance[2, 2] ** 0.5, 1e-12))


def _polynomial(curve: Curve, variance: np.ndarray, degree: int) -> _Polynomial:
    """Fit a polynomial to the logarithms, weighted by the inverse variance."""
    x = np.log(curve.n / curve.n[-1])
    # An exact curve has no scatter; its variance must still be a number to divide by.
    root = np.maximum(variance, 1e-18) ** -0.5
    design, y = np.vander(x, degree + 1, increasing=True), np.log(curve.error)
    inverse = np.linalg.pinv(design * root[:, None])
    values = inverse @ (y * root)
    squares = float((((y - design @ values) * root) ** 2).sum())
    return _Polynomial(x, values, inverse @ inverse.T, squares)


def off_the_rest(curve: Curve) -> tuple[float | None, float]:
    """Return the one size that lies off a smooth curve through all others, and how far in log error.

    Parameters
    ----------
    curve : Curve
        Measurements at one s and one model. None and 0 where no size lies off by more than the noise.
    """
    if len(curve.n) < 5:
        return None, 0.0
    found = [_deviation(curve, i) for i in range(len(curve.n))]
    worst = int(np.argmax([abs(above) / limit for above, limit in found]))
    above, limit = found[worst]
    return (float(curve.n[worst]), above) if abs(above) > limit else (None, 0.0)


def _deviation(curve: Curve, i: int) -> tuple[float, float]:
    """Return how far a log error lies above a smooth curve through the others, and what chance explains."""
    most = len(curve.n)
    rest = curve.where(np.arange(most) != i)
    degree = 2 if most > 5 else 1
    fit = _polynomial(rest, 1 / rest.weight, degree)
    unit, freedom = _joined(curve.within, curve.replicates, fit.squares, most - 2 - degree)
    x = np.log(curve.n[i] / rest.n[-1]) ** np.arange(degree + 1)
    above = float(np.log(curve.error[i]) - x @ fit.values)
    end = 0 if i == 0 else -1
    trend, step = fit.rises(end), np.diff(curve.error)[end]
    if i in (0, most - 1) and above * trend < 0 < step * trend:
        return above, np.inf  # curves are steeper at small n than a parabola, and level off at large ones
    spread = (unit * (1 / curve.weight[i] + x @ fit.covariance @ x) + curve.floor[i]) ** 0.5
    # One of so many sizes is tried on each side.
    return above, max(FAR, spread * student_t(freedom, 1 - (1 - PROBABLE) / (2 * most)))
