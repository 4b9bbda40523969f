"""Do the renders help at all? The largest n against none from the same weights, before any law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from syn2real.laws.arms import ARM, LONGER, PHOTOGRAPHS, RENDERS_ONLY, is_mixed
from syn2real.laws.photographs import resample
from syn2real.laws.reading import START
from syn2real.laws.results import number
from syn2real.laws.shape import Noise, scatter
from syn2real.laws.table import Curve, average, joined, split_places
from syn2real.laws.tested import FEWEST, LEAST_WHOLE, results_of

ONE_RUN = "one run cannot tell"


@dataclass(frozen=True)
class _Difference:
    """Mean log errors without pre-training and with the largest n, and the noise of their difference."""

    before: float
    after: float
    noise: Noise | None

    def half(self, level: float) -> float:
        """Return half the width of the difference's interval; infinite where its noise is unknown."""
        if self.noise is None:
            return np.inf
        return float(self.noise.quantile((1 + level) / 2) * self.noise.unit**0.5)


def describe_effect(curve: Curve, level: float = 0.95) -> dict[str, Any] | None:
    """Compare a curve's largest n with n = 0 from the same weights; None where the file has no run at n = 0.

    The noise is that of the log errors: paired by seed where two or more seeds ran both (a paired t; two
    seeds alone say too little, so their scatter over all sizes counts), else the scatter of `curve_noise`.
    It is not less than what other test images would change: by the per-image results of the runs at both
    ends, drawn again with the same images for all of them, else by the size of the test set (binomial).

    Parameters
    ----------
    curve : Curve
        Of several s, the largest that has runs at n = 0 is compared.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    dict or None
        ``{"verdict", "against", "n", "s", "initial", "start", "error", "change", "lower", "upper",
        "smallest", "noise", "text", "plain"}``: what it is compared with, "photographs" (n = 0), or
        "photographs-longer" (for as many updates) where renders and photographs are mixed in one training;
        labels, of the arm "renders-only" those of the photographs; the name of the initial weights, where
        the file has it; the errors at n = 0 and n; their relative change, negative where renders help, with
        its interval; the least change that would have been seen; what the noise is read from; all of it in
        words; and in short that renders do not help, None where they may. The last numbers and the noise are
        None where one run cannot tell.
    """
    against = LONGER if is_mixed(curve.identity) else PHOTOGRAPHS
    return _described(split_places(curve), against, level)


def describe_equal_updates(curve: Curve, level: float = 0.95) -> dict[str, Any] | None:
    """Compare the largest n of a curve with pre-training with photographs alone for as many updates.

    Both start from the same weights. Parameters and returns are those of `describe_effect`; None where the
    file has no such runs (the arm "photographs-longer"), and for arms that it cannot be compared with.
    """
    return _described([_from_longer(part) for part in split_places(curve)], LONGER, level)


def _from_longer(part: Curve) -> Curve:
    """Return a curve at one s and one model with photographs alone for as many updates as its n = 0."""
    here, there = (np.nan_to_num([one.s, one.n_params]) for one in (part, part.longer))
    longer = part.longer.where((there == here[:, :1]).all(axis=0))
    runs = joined(part.runs.where(part.runs.n > 0), longer)
    return replace(part, runs=runs, start=average(longer)[0] if len(longer.n) else longer)


def _described(parts: Sequence[Curve], against: str, level: float) -> dict[str, Any] | None:
    """Compare the first of some curves, each at one s and one model, that has runs at n = 0."""
    part = next((one for one in parts if len(one.start.n) and len(one.n)), None)
    if part is None:
        return None
    found = _paired(part) or _unpaired(part)
    images = _over_images(part)
    floor = images or float(part.floor[-1] + part.start.floor[0])
    rounding = float(part.resolution[-1] * (1 + (part.error[-1] / part.start.error[0]) ** 2))
    if max(floor, rounding) > 0:
        source = "the size of the test set" if floor > 0 else "the digits of the errors"
        source = "the test images, drawn again" if images else source
        known = Noise(np.empty(0), floor or rounding, np.inf, source)
        tested = _Difference(found.before, found.after, known)
        # Unknown noise is infinite; a test set's size says what it is, digits do not.
        if found.half(level) < tested.half(level) or (floor > 0 and found.noise is None):
            found = tested
    return _in_words(part, found, against, level, several=len(parts) > 1)


def _over_images(curve: Curve) -> float:
    """Return the variance over sets of test images of the difference of log errors; 0 where it is unknown."""
    ends = curve.runs.where((curve.runs.n == 0) | (curve.runs.n == curve.n[-1]))
    found, _ = results_of(ends, "")
    if not found or found[0].photographs < FEWEST:
        return 0.0
    errors, _ = resample(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(errors[1:])
        gains = logs[:, ends.n > 0].mean(axis=1) - logs[:, ends.n == 0].mean(axis=1)
    known = gains[np.isfinite(gains)]
    return float(np.var(known, ddof=1)) if len(known) >= LEAST_WHOLE * len(gains) else 0.0


def _paired(curve: Curve) -> _Difference | None:
    """Pair the runs at the largest n and at n = 0 by seed, where two or more seeds ran both."""
    runs, top = curve.runs.where(curve.runs.seed >= 0), curve.n[-1]
    rows = pd.DataFrame({"n": runs.n, "seed": runs.seed, "y": np.log(runs.error)})
    table = rows.pivot_table(index="seed", columns="n", values="y")
    if not {0, top} <= set(table.columns):
        return None
    table = table.dropna(subset=[0, top])
    if len(table) < 2:
        return None
    used = (table[[0, top]] if len(table) > 2 else table.dropna(axis=1)).to_numpy()
    rest = used - used.mean(axis=0) - used.mean(axis=1, keepdims=True) + used.mean()
    freedom = (used.shape[0] - 1) * (used.shape[1] - 1)
    variance = 2 * float((rest**2).sum()) / freedom / len(used)
    source = f"paired by seed, {len(used)} seeds" + (f" of {used.shape[1]} sizes" if len(used) == 2 else "")
    return _Difference(
        float(table[0].mean()), float(table[top].mean()), Noise(np.empty(0), variance, freedom, source)
    )


def _unpaired(curve: Curve) -> _Difference:
    """Compare the means of all runs by the scatter of all sizes."""
    start = curve.runs.where(curve.runs.n == 0)
    mean, within = average(start)
    noise = scatter(curve, within, len(start.n) - 1)
    if noise is not None:
        variance = noise.unit * float(1 / curve.weight[-1] + 1 / mean.weight[0])
        noise = Noise(np.empty(0), variance, noise.freedom, noise.source)
    return _Difference(float(np.log(mean.error[0])), float(np.log(curve.error[-1])), noise)


def _in_words(
    curve: Curve, found: _Difference, against: str, level: float, *, several: bool
) -> dict[str, Any]:
    """Return the JSON contract's object."""
    change, half = found.after - found.before, found.half(level)
    ends = np.expm1([change, change - half, change + half]), -np.expm1(-half)
    (relative, lower, upper), smallest = ends
    n, before, after = float(curve.n[-1]), float(np.exp(found.before)), float(np.exp(found.after))
    s = float(curve.start.s[0] if curve.identity.get(ARM) == RENDERS_ONLY else curve.s[-1])
    where = f" (s = {s:,.0f})" if several and np.isfinite(s) else ""
    errors = f"with n = {n:,.0f} the error is {after:.4g}, {_without(curve, against)} {before:.4g}{where}"
    known, (helps, hurts, open_) = found.noise is not None, _openings(curve)
    if found.noise is None:
        verdict, plain = ONE_RUN, None
        text = f"One run cannot tell whether {open_}: {errors}; repeat both with other seeds"
    else:
        interval = f"{100 * relative:+.1f} % [{100 * lower:+.1f}, {100 * upper:+.1f}] ({found.noise.source})"
        verdict = "helps" if upper < 0 else "hurts so far" if lower > 0 else "no effect beyond noise"
        opening = {"helps": helps, "hurts so far": hurts}
        short = f"{opening.get(verdict, 'No effect beyond noise')}: {errors}"
        text, plain = f"{short}, {interval}", None if verdict == "helps" else short
        if verdict not in opening:
            text += f"; a change below {100 * smallest:.1f} % could not have been seen"
    return {
        "verdict": verdict, "against": against, "n": n, "s": number(s), "initial": curve.identity.get(START),
        "start": before, "error": after, "change": float(relative),
        "lower": number(lower) if known else None, "upper": number(upper) if known else None,
        "smallest": number(smallest) if known else None, "noise": found.noise.source if found.noise else None,
        "text": text, "plain": plain,
    }  # fmt: skip


def _openings(curve: Curve) -> tuple[str, str, str]:
    """Say of a curve that its renders help, that they hurt, and what is asked."""
    if is_mixed(curve.identity):
        return "Mixing renders in helps", "Mixing renders in hurts so far", "mixing renders in helps"
    if curve.identity.get(ARM) == RENDERS_ONLY:
        return "Renders alone do better", "Renders alone do worse so far", "renders alone do better"
    return "Pre-training helps", "Pre-training hurts so far", "pre-training helps"


def _without(curve: Curve, against: str) -> str:
    """Say what the start of a curve was trained on, and from which weights."""
    initial = curve.identity.get(START)
    if against == LONGER:
        weights = "" if initial is None else f" from the same weights ({initial})"
        return f"with photographs alone for as many updates{weights}"
    if curve.identity.get(ARM) == RENDERS_ONLY:
        labels = curve.start.s[0]
        return "with photographs alone" + (f" (s = {labels:,.0f})" if np.isfinite(labels) else "")
    return "without pre-training" if initial is None else f"from the same weights ({initial}) without renders"
