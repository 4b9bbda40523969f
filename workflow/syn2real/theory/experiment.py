"""The bound, its recursion and the network held against each other: what a file of config/theory asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from syn2real.theory.agreement import Circle, distances, errors
from syn2real.theory.bound import log_bound, minimise, recover, term_powers
from syn2real.theory.circle import ACTIVATIONS, decay, spectrum, unlearnable
from syn2real.theory.exponents import exponents
from syn2real.theory.judge import judge
from syn2real.theory.recursion import Setting, expected_errors

VERSION = 1
GIVEN = ("r0", "r1", "xi", "zeta")
NUMBERS = ("nu", "alpha", "beta", "lambda_s", "lambda_r0", "window")
FAR, FARTHER = (30.0, 60.0), (100.0, 200.0)
"""Decades of s at which the exponents are read off the bound; the second where ξ is near 1."""
REAL, REAL_R0 = (3.0, 6.0), (-2.0, -1.0)
"""Decades of s and R0 that are measured in practice."""
LATE = 4096
"""From here on local exponents of s count as the last ones."""


@dataclass
class Results:
    """What an experiment leaves.

    Attributes
    ----------
    points : DataFrame
        Columns source, setting, phi1, n, s, error: a row a cell.
    exponents : DataFrame
        A row a bound and case: worked out, read off the minimum, and measured.
    fits : dict
        The claims' numbers, plain JSON.
    seconds : dict of str to float
        CPU seconds of each part.
    """

    points: pd.DataFrame
    exponents: pd.DataFrame
    fits: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)


def run(asked: Mapping[str, Any]) -> Results:
    """Run what a file of config/theory asks for.

    Parameters
    ----------
    asked : mapping
        The plain data of `config.theory.Theory`.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "recursion: rates"):
        rates, late = _rates(asked)
    with _timed(seconds, "recursion: laws"):
        grids = [_grid(asked["laws"], *key, seed=asked["seed"]) for key in _keys(asked["laws"])]
    with _timed(seconds, "network"):
        network, measured = _network(asked["network"], asked["seed"])
    with _timed(seconds, "fits"):
        laws = [_judged(grid) for grid in [*grids, measured]]
    with _timed(seconds, "bound"):
        table = _exponents(asked["bounds"], late)
        local = _local(asked["local"])
    points = pd.concat([*rates, *grids, measured], ignore_index=True)
    fits = {"version": VERSION, "rates": late, "laws": laws, "network": network, "local": local}
    return Results(points, table, fits, seconds)


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Note the CPU seconds of a part."""
    start = time.process_time()
    yield
    seconds[part] = time.process_time() - start


def _keys(grid: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float]]:
    """Return each setting of a grid with each |φ1|."""
    return [(setting, phi1) for setting in grid["settings"] for phi1 in grid["phi1"]]


def _setting(asked: Mapping[str, Any], phi1: float, seed: int) -> Setting:
    """Return the setting that a section describes."""
    return Setting(**{key: value for key, value in asked.items() if key != "name"}, phi1=phi1, seed=seed)


def _grid(grid: Mapping[str, Any], asked: Mapping[str, Any], phi1: float, *, seed: int) -> pd.DataFrame:
    """Return the exact errors of a setting at all sizes, as points; its attrs say what it is."""
    setting = _setting(asked, phi1, seed)
    _, error = expected_errors(setting, grid["n"], grid["s"])
    points = _points("recursion", asked["name"], phi1, grid, error)
    points.attrs |= {**asked, "phi1": phi1, "source": "recursion", "setting": asked["name"]}
    return points


def _points(source: str, name: str, phi1: float, sizes: Mapping[str, Any], error: np.ndarray) -> pd.DataFrame:
    """Return errors (len(n), len(s)) as a table."""
    n, s = np.meshgrid(sizes["n"], sizes["s"], indexing="ij")
    columns = {"n": n.ravel(), "s": s.ravel(), "error": error.ravel()}
    return pd.DataFrame({"source": source, "setting": name, "phi1": phi1, **columns})


def _rates(asked: Mapping[str, Any]) -> tuple[list[pd.DataFrame], list[dict[str, Any]]]:
    """Claim (i): the errors against the bound, and their last local exponents."""
    grid, tables, found = asked["rates"], [], []
    for section, phi1 in _keys(grid):
        setting = _setting(section, phi1, asked["seed"])
        r0, error = expected_errors(setting, grid["n"], grid["s"])
        tables.append(_points("recursion", section["name"], phi1, grid, error))
        given = {key: section[key] for key in GIVEN}
        penalty = np.stack([setting.penalty_of(s, r0) for s in grid["s"]], axis=1)
        logs = log_bound(term_powers(**given), np.log(grid["s"]), np.log(penalty), np.log(r0)[:, None])
        ratio = error / np.exp(logs)
        # Local exponents between neighbouring sizes, of s for each n and of n at the largest s.
        late = np.array(grid["s"]) >= LATE
        in_s = -np.diff(np.log(error[:, late]), axis=1) / np.diff(np.log(np.array(grid["s"])[late]))
        in_n = -np.diff(np.log(error[:, -1])) / np.diff(np.log(grid["n"]))
        case = exponents(**given).followed[0]
        found.append(
            {
                "setting": section["name"], "phi1": phi1, "penalty": section["penalty"], **given,
                "case": case.name, "beta": case.beta, "alpha": case.alpha,
                "ratio": [float(ratio.min()), float(ratio.max())],
                "n": list(grid["n"]), "s": [int(s) for s in np.array(grid["s"])[late]],
                "s_exponents": in_s.tolist(), "n_exponents": in_n.tolist(),
                "slower": [n for n, slopes in zip(grid["n"], in_s, strict=True) if slopes.min() < case.beta],
            }
        )  # fmt: skip
    return tables, found


def _judged(points: pd.DataFrame) -> dict[str, Any]:
    """Claim (ii): the laws' fits of one setting, with the α of Table 1."""
    about = points.attrs
    case = exponents(*(about[key] for key in GIVEN)).followed[0]
    ends = points[points["s"] == points["s"].max()].sort_values("n")["error"].to_numpy()
    return {
        **{key: about[key] for key in ("source", "setting", *GIVEN, "phi1", "penalty", "lambda1", "update")},
        "nu_alpha0": case.alpha,
        "gain": float(ends[0] / ends[-1]),
        "fits": judge(points[["n", "s", "error"]]),
    }


def _network(asked: Mapping[str, Any], seed: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """Claim (iii): distances by width, spectra, and the errors of networks as points."""
    targets = {key: asked[key] for key in ("activation", "r0", "r1", "zeta", "phi0", "phi1")}
    circle, sizes = Circle(**targets, seed=seed), asked["errors"]
    far = distances(circle, asked["widths"], asked["n"], asked["s"], asked["seeds"])
    slopes = {name: float(np.polyfit(np.log(asked["widths"]), np.log(d), 1)[0]) for name, d in far.items()}
    small = Circle(**{**targets, "phi1": sizes["phi1"]}, seed=seed)
    network, limit = errors(small, sizes["width"], sizes["n"], sizes["s"], sizes["seeds"])
    points = _points("network", "network", sizes["phi1"], sizes, network)
    kept = {"penalty": "start", "lambda1": "s", "update": "all", "xi": circle.xi}
    points.attrs |= {**targets, **kept, "source": "network", "setting": "network", "phi1": sizes["phi1"]}
    ratio = network / limit
    return {
        **targets, "xi": circle.xi, "widths": list(asked["widths"]), "n": asked["n"], "s": asked["s"],
        "distances": {name: d.tolist() for name, d in far.items()}, "slopes": slopes,
        "to_infinite": [float(ratio.min()), float(ratio.max())], "spectra": _spectra(),
    }, points  # fmt: skip


def _spectra() -> list[dict[str, Any]]:
    """Return each activation's ξ over two ranges of frequencies, and what needs a bias to be learnt."""
    return [
        {
            "activation": name,
            "xi": [decay(spectrum(name, 200), *span) for span in ((4, 16), (32, 128))],
            "unlearnable_without_bias": unlearnable(spectrum(name, 200, bias=False)),
        }
        for name in ACTIVATIONS
    ]


def _exponents(bounds: list[dict[str, Any]], late: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row a bound and case: worked out, read off the minimum far off and at real sizes, measured."""
    rows: list[dict[str, Any]] = []
    for given in bounds:
        found = exponents(**given)
        far = recover(**given, decades=FARTHER if given["xi"] < 1.5 else FAR)
        real = recover(**given, decades=REAL, log10_r0=REAL_R0)
        for case in found.followed:
            about = {**given, "case": case.name, "printed": case.holds, "alpha0": found.alpha0}
            about |= {name: getattr(case, name) for name in NUMBERS} | {"plateau": found.plateau}
            about |= {f"numerical_{name}": value for name, value in vars(far).items()}
            rows.append({**about, "real_nu": real.nu, "real_beta": real.beta, **_measured(given, late)})
    return pd.DataFrame(rows)


def _measured(given: Mapping[str, float], late: list[dict[str, Any]]) -> dict[str, float]:
    """Return the range of a bound's last local exponents as measured with the penalty it is proved for."""
    mine = [
        found
        for found in late
        if found["penalty"] == "origin" and all(found[key] == given[key] for key in GIVEN)
    ]
    if not mine:
        return {}
    in_s = [slopes[-1] for found in mine for slopes in found["s_exponents"]]
    in_n = [slope for found in mine for slope in found["n_exponents"]]
    return {
        "measured_beta_low": min(in_s), "measured_beta_high": max(in_s),
        "measured_alpha_low": min(in_n), "measured_alpha_high": max(in_n),
    }  # fmt: skip


def _local(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the local exponents of the minimised bound against s, at one n."""
    found = []
    for given in asked["bounds"]:
        about = exponents(**given)
        case = about.followed[0]
        log10_s = np.linspace(0, asked["decades"], 8 * asked["decades"] + 1)
        log_r0 = -about.alpha0 * np.log(asked["n"])
        least = minimise(term_powers(**given), log10_s * np.log(10), log_r0)
        curves = {"log10_s": log10_s, "alpha": about.alpha0 * least.nu, "beta": least.beta}
        asymptotic = {"alpha": case.alpha, "beta": case.beta}
        entry = {**given, "case": case.name, "n": asked["n"], "asymptotic": asymptotic}
        found.append(entry | {name: values.tolist() for name, values in curves.items()})
    return found
