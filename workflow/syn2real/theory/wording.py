"""The exponents of the bound in words, as `syn2real theory` prints them."""

from __future__ import annotations

from typing import Any

import numpy as np

from syn2real.errors import InputError
from syn2real.theory.bound import minimise, term_powers
from syn2real.theory.exponents import Case, Exponents

REGIMES = {"I": "small learning rate, s λ1 η1² ≪ 1", "II": "large learning rate, s λ1 η1² ≫ 1"}
CLOSE = 0.02
"""Local exponents within this share of the asymptotic ones count as reached."""


def local_exponents(found: Exponents, n: float, s: float) -> dict[str, Any]:
    """Return the exponents that the minimised bound has at a size; constants are 1 and R0 = n^-α0.

    Parameters
    ----------
    found : Exponents
    n, s : float
        Pre-training and fine-tuning samples.

    Returns
    -------
    dict
        n, s, R0, lambda1, alpha, beta and ``asymptotic``: whether they are those of a case.

    Raises
    ------
    InputError
        n or s is below 1.
    """
    for key, size in (("--n", n), ("--s", s)):
        if not 1 <= size < np.inf:
            raise InputError(f"{size:g} is not a number of samples; give 1 or more", key=key)
    powers = term_powers(found.r0, found.r1, found.xi, found.zeta)
    there = minimise(powers, np.log(s), -found.alpha0 * np.log(n))
    alpha, beta = found.alpha0 * float(there.nu), float(there.beta)
    reached = any(_close(alpha, case.alpha) and _close(beta, case.beta) for case in found.followed)
    sizes = {"n": float(n), "s": float(s), "R0": float(n**-found.alpha0)}
    order = float(np.exp(there.log_lambda))
    return {**sizes, "lambda1": order, "alpha": alpha, "beta": beta, "asymptotic": reached}


def exponents_text(result: dict[str, Any], found: Exponents) -> str:
    """Return the exponents as text.

    Parameters
    ----------
    result : dict
        The JSON of the command; its ``local`` is None or what `local_exponents` returns.
    found : Exponents
    """
    lines = [f"r0 = {found.r0:g}, r1 = {found.r1:g}, ξ = {found.xi:g}, ζ = {found.zeta:g}"]
    lines.append(f"pre-training: R0 = E|φ̂0 - φ0|² falls as n^-α0, α0 = {found.alpha0:.4f} (13)")
    lines += [line for case in found.cases for line in _case_lines(case)]
    if not found.printed:
        names = " and ".join(case.name for case in found.followed)
        lines.append(
            f"No printed case holds. What fails is sufficient, not necessary: the minimum of the terms (16) "
            f"over λ1 goes as case {names} says."
        )
    if len(found.printed) > 1:
        lines.append(
            "Both cases hold: β and the order of λ1 in s agree, ν does not; the minimum lies between."
        )
    lines.append(f"As n grows the bound stops at s^-{found.plateau:.4f}.")
    if result["local"]:
        lines += _local_lines(result["local"], found)
    return "\n".join(lines) + "\n"


def _case_lines(case: Case) -> list[str]:
    """Return a case with its conditions and, where the minimum follows it, its exponents."""
    regime = REGIMES[case.name.partition("-")[0]]
    verdict = "holds" if case.holds else "does not hold as printed" if case.followed else "does not hold"
    lines = [f"case {case.name} ({regime}; {case.pair}): {verdict}"]
    for condition in case.conditions:
        numbers = f"{condition.left:.4f} {'<' if condition.strict else '<='} {condition.right:.4f}"
        note = "" if condition.needed else ", sufficient, not necessary"
        mark = "yes" if condition.holds else "no"
        lines.append(f"  {mark:3}  {condition.text}: {numbers} {condition.equation}{note}")
    if not case.followed:
        return lines
    order, rate = case.cites.split(", ")
    window = f"n ≪ s^{case.window:.3f}" if case.window else "no n, on the boundary of the two cases"
    return [
        *lines,
        f"  error <= ε + C R0^ν s^-β, ν = {case.nu:.4f}, β = {case.beta:.4f} (18), {rate}",
        f"  α = ν α0 = {case.alpha:.4f} (19)",
        f"  λ1 of the order s^{case.lambda_s:.4f} R0^{case.lambda_r0:.4f} {order}",
        f"  ends: this power of n holds for {window}",
    ]


def _local_lines(local: dict[str, Any], found: Exponents) -> list[str]:
    """Return the local exponents, and a sentence where they are not the asymptotic ones."""
    lines = [
        f"at n = {_size(local['n'])}, s = {_size(local['s'])} (constants 1, R0 = n^-α0 = {local['R0']:.3g}): "
        f"λ1 = {local['lambda1']:.3g}, local α = {local['alpha']:.3f}, local β = {local['beta']:.3f}"
    ]
    if not local["asymptotic"]:
        cases = " or ".join(f"α = {case.alpha:.3f}, β = {case.beta:.3f}" for case in found.followed)
        lines.append(f"These are not the asymptotic exponents ({cases}): {_why(local, found)}.")
    return lines


def _size(value: float) -> str:
    """Return a number of samples in full, or its power of ten."""
    return f"{value:,.12g}" if value < 1e12 else f"{value:g}"


def _why(local: dict[str, Any], found: Exponents) -> str:
    """Say what keeps the local exponents from the asymptotic ones."""
    if len(found.followed) > 1:
        return "on the boundary of two cases the minimum lies between them"
    window = found.followed[0].window
    if window is not None and np.log(local["n"]) > window * np.log(local["s"]):
        size = f" = {local['s'] ** window:,.0f}" if window * np.log10(local["s"]) < 12 else ""
        return f"n lies beyond s^{window:.3f}{size}, where the bound stops falling"
    return "at this size other terms count as well"


def _close(value: float, limit: float) -> bool:
    """Say whether a local exponent is the asymptotic one."""
    return abs(value - limit) <= CLOSE * limit
