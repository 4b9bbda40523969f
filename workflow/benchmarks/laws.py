"""How good the laws' answers are where the truth is known, against what a user would use instead.

Question: do the intervals cover, are the verdicts right, and how fast is it?
Cost: about three minutes on one core (``--curves 12`` for a glance).
Expected: every coverage near 0.95 or above it, lower error and interval score than least squares with the
delta method, than the paper's common D and than repeating the last value.

Run it with ``python workflow/benchmarks/laws.py``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from environment import ONE_THREAD

from syn2real.laws.forecast import CurveForecast, Goal
from syn2real.laws.forms.simple import LAW
from syn2real.laws.methods import paper, posterior
from syn2real.laws.results import Rows
from syn2real.laws.table import Curve
from syn2real.laws.verdicts import LIMIT, SURE

AHEAD = 8.0  # forecasts are made at so many times the largest measured n
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}  # 97.5 % of Student's t


@dataclass(frozen=True)
class Truth:
    """A simulated curve and the law behind it."""

    curve: Curve
    D: float
    alpha: float
    C: float
    noise: float

    def error(self, n: float) -> float:
        """Expected error at n."""
        params = {"D": self.D, "alpha": self.alpha, "C": self.C}
        return float(LAW.predict(params, Rows.at(n))[0])


def simulate(random: np.random.Generator, count: int, noise: float, span: float, points: int) -> list[Truth]:
    """Simulate a file of curves: α in [0.15, 0.9], images take 3 to 60 % of the error at the smallest n."""
    n = np.geomspace(1000, 1000 * span, points)
    out = []
    for index in range(count):
        alpha, start = random.uniform(0.15, 0.9), random.uniform(0.1, 0.97)
        share = np.exp(random.uniform(np.log(0.03), np.log(0.6)))
        d, gap = start * share * n[0] ** alpha, start * (1 - share)
        error = (d * n**-alpha + gap) * np.exp(noise * random.standard_normal(points))
        nothing = np.full(points, np.nan)
        curve = Curve({"curve": index}, n, error, np.ones(points), nothing, nothing)
        out.append(Truth(curve, d, alpha, gap, noise))
    return out


def least_squares(curve: Curve, n: float) -> dict[str, float]:
    """Free least squares in logs with the delta method, as curve_fit gives it."""
    from scipy.optimize import curve_fit

    n0 = float(np.exp(np.log(curve.n).mean()))

    def law(x: np.ndarray, d: float, alpha: float, gap: float) -> np.ndarray:
        return np.log(np.maximum(d * (x / n0) ** -alpha + gap, 1e-12))

    y = np.log(curve.error)
    start = (max(curve.error[0] - curve.error[-1], 1e-4), 0.5, 0.9 * curve.error.min())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            best, cover = curve_fit(law, curve.n, y, start, bounds=([0, 0.01, 0], [10, 5, 10]), max_nfev=2000)
    except (RuntimeError, ValueError):
        best, cover = np.array([0.0, 0.5, curve.error.mean()]), np.full((3, 3), np.inf)
    df = len(y) - 3
    sigma2 = float(((y - law(curve.n, *best)) ** 2).sum() / max(df, 1))
    step = 1e-5
    slope = [
        (law(np.array([n]), *(best + step * e))[0] - law(np.array([n]), *best)[0]) / step for e in np.eye(3)
    ]
    variance = float(np.array(slope) @ np.nan_to_num(cover, posinf=1e6) @ np.array(slope))
    t, se = T.get(df, 2.0), np.sqrt(np.nan_to_num(np.diag(cover), posinf=1e6))
    middle = law(np.array([n]), *best)[0]
    return {
        "error": float(np.exp(middle)), "C": best[2], "alpha": best[1], "d": best[0], "n0": n0,
        "alpha_half": t * se[1], "C_half": t * se[2],
        "low": float(np.exp(middle - t * np.sqrt(variance + sigma2))),
        "high": float(np.exp(min(middle + t * np.sqrt(variance + sigma2), 50))),
    }  # fmt: skip


def winkler(low: float, high: float, value: float) -> float:
    """Interval score at 95 % (Gneiting & Raftery 2007): lower is better."""
    return (high - low) + 40 * max(low - value, 0) + 40 * max(value - high, 0)


def targets(random: np.random.Generator, truth: Truth, most: float) -> tuple[float, str, float]:
    """Draw a target error, the class of the right answer, and the n that reaches it."""
    kind = str(random.choice(["reached", "within", "beyond", "unreachable"]))
    if kind == "unreachable":
        return truth.C * (1 - random.uniform(0.01, 0.2)), kind, np.inf
    edges = {"reached": (0.05, 0.7), "within": (1.5, LIMIT / 1.5), "beyond": (LIMIT * 2, LIMIT * 1e3)}[kind]
    n = most * np.exp(random.uniform(*np.log(edges)))
    return truth.error(n), kind, n


def answers(random: np.random.Generator, truths: list[Truth]) -> Iterator[dict[str, float]]:
    """Yield what every method says of each curve and how that compares with the truth."""
    curves = [truth.curve for truth in truths]
    fits, papers = (method.fit(curves, LAW, level=0.95)[0] for method in (posterior, paper))
    for truth, ours, common in zip(truths, fits, papers, strict=True):
        most = float(truth.curve.n.max())
        n = AHEAD * most
        mean = truth.error(n)
        measured = mean * np.exp(truth.noise * random.standard_normal())
        predicted, free = ours.predict(Rows.at(n), 0.95), least_squares(truth.curve, n)
        old = float(common.predict(Rows.at(n), 0.95).error[0])
        target, kind, n_true = targets(random, truth, most)
        yield {
            **_coverage(truth, ours.params, free, predicted, mean, measured),
            "rmse": float(predicted.error[0]) - mean, "rmse_ls": free["error"] - mean,
            "rmse_paper": old - mean, "rmse_last": float(truth.curve.error[-1]) - mean,
            "winkler": winkler(*map(float, (*predicted.predict_lower, *predicted.predict_upper)), measured),
            "winkler_delta": winkler(free["low"], free["high"], measured),
            **_verdict(CurveForecast(truth.curve, Goal(target), ours), free, kind, n_true),
        }  # fmt: skip


def _coverage(truth, params, free, predicted, mean, measured) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Whether each interval holds the truth."""

    def inside(name: str, value: float) -> bool:
        low, high = params[name].lower, params[name].upper
        return (low is None or low <= value) and (high is None or value <= high)

    return {
        "alpha": inside("alpha", truth.alpha), "D": inside("D", truth.D), "C": inside("C", truth.C),
        "confidence": predicted.lower[0] <= mean <= predicted.upper[0],
        "prediction": predicted.predict_lower[0] <= measured <= predicted.predict_upper[0],
        "delta": free["low"] <= measured <= free["high"],
        "delta_alpha": abs(free["alpha"] - truth.alpha) <= free["alpha_half"],
        "delta_C": abs(free["C"] - truth.C) <= free["C_half"],
    }  # fmt: skip


def _verdict(forecast: CurveForecast, free: dict[str, float], kind: str, n_true: float) -> dict[str, float]:
    """Whether the class, the decided action and the required n are right."""
    most, limit, target = forecast.most, forecast.limit, forecast.goal.target_error
    chances = forecast.probabilities
    # No required n is named outside the smallest measured n and a thousand times the largest.
    first = float(forecast.curve.n.min())
    low, high = forecast.required(0.025), forecast.required(0.975)
    n_true = np.clip(n_true, first, np.inf) if n_true <= forecast.farthest else np.inf
    action = {"reached": "done", "within": "render", "beyond": "other", "unreachable": "other"}
    sums = {"done": chances["reached"], "render": chances["reached"] + chances["within"],
            "other": chances["beyond"] + chances["unreachable"]}  # fmt: skip
    decided = next((name for name, chance in sums.items() if chance >= SURE), None)
    params = {"D": free["d"], "alpha": free["alpha"], "C": free["C"]}
    n_free = free["n0"] * float(LAW.required_n(params, target))
    never = float(kind == "unreachable")
    return {
        "required": float(low <= n_true <= high),
        "class": float(max(chances, key=lambda name: chances[name]) == kind),
        "class_ls": float(("unreachable" if np.isinf(n_free) else "reached" if n_free <= most
                           else "within" if n_free <= limit else "beyond") == kind),
        "decided": float(decided is not None),
        "right": np.nan if decided is None else float(decided == action[kind]),
        "brier": (chances["unreachable"] - never) ** 2,
        "brier_ls": (float(np.isinf(n_free)) - never) ** 2,
    }  # fmt: skip


def table(curves: int, files: int) -> pd.DataFrame:
    """Simulate over noise, span and number of points; one row a setting."""
    rows = []
    for noise in (0.001, 0.004, 0.016):
        for span, points in ((16, 5), (64, 7), (64, 13), (1280, 11)):
            random = np.random.default_rng([int(1e4 * noise), span, points])
            found = [
                answer
                for _ in range(files)
                for answer in answers(random, simulate(random, curves, noise, span, points))
            ]
            frame = pd.DataFrame(found).astype(float)
            means = frame.mean()
            for name in [name for name in frame if name.startswith("rmse")]:
                means[name] = 1000 * float(np.sqrt((frame[name] ** 2).mean()))
            for name in ("winkler", "winkler_delta"):
                means[name] = 1000 * float(frame[name].median())
            rows.append({"noise": noise, "span": span, "points": points, **means})
    return pd.DataFrame(rows).set_index(["noise", "span", "points"])


def timings(repeats: int = 5) -> dict[str, list[float]]:
    """CPU seconds of a paper's worth of curves, and of the command on 50 curves."""
    random = np.random.default_rng(0)
    truths = simulate(random, 150, 0.002, 64, 7)
    curves = [truth.curve for truth in truths]

    def timed(work: Callable[[], object]) -> list[float]:
        work()
        seconds = []
        for _ in range(repeats):
            before = os.times()
            work()
            seconds.append(sum(os.times()[:4]) - sum(before[:4]))
        return seconds

    out = {
        "150 curves, default fit": timed(lambda: posterior.fit(curves, LAW, level=0.95)),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.csv"
        parts = [
            pd.DataFrame({"n": c.n.round(), "error": c.error, "setting": i})
            for i, c in enumerate(curves[:50])
        ]
        pd.concat(parts).to_csv(path, index=False)
        command = [sys.executable, "-m", "syn2real.cli", "advise", str(path), "--target-error", "0.3"]
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "env": ONE_THREAD}
        out["syn2real advise on 50 curves, imports included"] = timed(
            lambda: subprocess.run(command, **quiet)
        )
    return out


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", type=int, default=24, help="in a file (default: %(default)s)")
    parser.add_argument("--files", type=int, default=3, help="of each setting (default: %(default)s)")
    args = parser.parse_args()
    results = table(args.curves, args.files)
    with pd.option_context("display.width", 200, "display.max_columns", 40):
        parts = {
            "Coverage of 95 % intervals": ["alpha", "D", "C", "confidence", "prediction", "required",
                                           "delta_alpha", "delta_C", "delta"],
            f"Forecast at {AHEAD:g} times the largest n: RMSE and median interval score, in 0.001":
                ["rmse", "rmse_ls", "rmse_paper", "rmse_last", "winkler", "winkler_delta"],
            "Verdicts (a guess of the class is right in 0.25)":
                ["class", "class_ls", "decided", "right", "brier", "brier_ls"],
        }  # fmt: skip
        for title, names in parts.items():
            print(f"\n{title}\n{results[names].round(3).to_string()}")
        print(f"\nOver all settings\n{results.mean().round(3).to_string()}")
    for name, seconds in timings().items():
        error = statistics.stdev(seconds) / len(seconds) ** 0.5
        print(f"{name}: {statistics.mean(seconds):.2f} ± {error:.2f} CPU s")


if __name__ == "__main__":
    main()
