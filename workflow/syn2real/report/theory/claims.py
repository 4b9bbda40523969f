"""The theory's claims with their numbers, as Markdown. No sentence says that a law is proved by them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from syn2real.report.markdown import markdown_table

CASES = ("I-A", "I-B", "II-A", "II-B")
LIMITS = (
    "The bound is an upper bound, the data have no noise, and the recursion is linear: what follows is about "
    "these models, not about images."
)
WHY_NO_PROOF = (
    "A fitted α near ν α0 proves nothing where λ1 follows Table 1: that λ1 falls with R0, and the error is "
    "of the order of λ1^(2r), so the power was put in. With λ1 by s alone the bound has (1 + R0) s^-β, not "
    "R0^ν s^-β: it has a γ, but the power α0; and what is fitted then moves with |φ1|, on which no exponent "
    "of the theory depends."
)
KINDS = {
    "rms": "on all cells",
    "held_out": "with the largest n or s held out",
    "held_out_n": "with the largest n held out",
}
"""How the laws of n and s are judged, and each way in words."""


def claims_text(name: str, exponents: pd.DataFrame, fits: Mapping[str, Any]) -> str:
    """Return the claims of a theory experiment as Markdown.

    Parameters
    ----------
    name : str
    exponents : DataFrame
        Its exponents.csv.
    fits : dict
        Its fits.json.
    """
    parts = [f"# Theory: {name}", LIMITS, "## Exponents: worked out, read off the bound, measured"]
    parts += [_exponents(exponents), "## (i) Errors and the bound", *_rates(fits["rates"])]
    parts += ["## (ii) The full law, the additive law, the simple law at each s", *_laws(fits["laws"])]
    parts += ["## (iii) Network and recursion", *_network(fits["network"])]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _exponents(table: pd.DataFrame) -> str:
    """Return a setting of each case, one that is measured where there is one."""
    rows = []
    for case in CASES:
        mine = table[table["case"] == case]
        if mine.empty:
            continue
        measured = mine["measured_beta_low"].notna() if "measured_beta_low" in mine else mine["nu"].isna()
        row = (mine[measured] if measured.any() else mine).iloc[0]
        given = f"{row['r0']:g}, {row['r1']:g}, {row['xi']:g}, {row['zeta']:g}"
        spans = ["–", "–"]
        if measured.any():
            ends = ((row[f"measured_{key}_low"], row[f"measured_{key}_high"]) for key in ("alpha", "beta"))
            spans = [_span(pair, 2) for pair in ends]
        numerical = row["numerical_nu"] * row["alpha0"]
        rows.append(
            (
                case, given, f"{row['alpha']:.4f}", f"{numerical:.4f}", spans[0], f"{row['beta']:.4f}",
                f"{row['numerical_beta']:.4f}", spans[1], f"{row['real_beta']:.3f}",
            )
        )  # fmt: skip
    header = (
        "case", "r0, r1, ξ, ζ", "α predicted", "α numerical", "α measured", "β predicted", "β numerical",
        "β measured", "bound's β at s = 10³–10⁶",
    )  # fmt: skip
    return markdown_table(header, rows)


def _rates(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return claim (i): how far errors lie below the bound, and their last exponents of s."""
    rows, slower = [], []
    for entry in found:
        last = [slopes[-1] for slopes in entry["s_exponents"]]
        every = [slope for slopes in entry["s_exponents"] for slope in slopes]
        rows.append(
            (
                entry["setting"], entry["case"], entry["penalty"], _span(entry["ratio"], 4),
                f"{entry['beta']:.3f}", _span((min(last), max(last)), 3), f"{min(last) - entry['beta']:+.3f}",
            )
        )  # fmt: skip
        if entry["slower"]:
            sizes = ", ".join(map(str, entry["slower"]))
            slower.append(
                f"{entry['setting']} (n = {sizes}; least {min(every):.3f}, bound {entry['beta']:.3f})"
            )
    sizes = found[0]["s"]
    last_sizes = f"last, s = {sizes[-2]:,} to {sizes[-1]:,}"
    header = ("setting", "case", "penalty", "error / bound", "β", last_sizes, "least above β by")
    largest = max(entry["ratio"][1] for entry in found)
    named = f"Slower than the bound between two sizes: {'; '.join(slower)}." if slower else "None is slower."
    return [
        markdown_table(header, rows),
        f"With constants 1 every error is at most {largest:.2f} times the bound. From s = {sizes[0]:,} on "
        f"most fall faster than s^-β. {named}",
    ]


def _laws(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return claim (ii): RMS of log error of the laws."""
    rows = []
    for entry in found:
        fits = entry["fits"]
        cells = [f"{fits['full'][key]:.3f} / {fits['additive'][key]:.3f}" for key in KINDS]
        one = fits["simple"]
        rows.append(
            (
                entry["setting"], entry["update"], entry["penalty"], _lambda(entry["lambda1"]),
                f"{entry['phi1']:g}", f"{entry['gain']:.2f}", *cells,
                f"{one['rms']:.3f} / {one['held_out_n']:.3f}", _value(fits["full"]["params"]["alpha"]),
                f"{entry['nu_alpha0']:.3f}",
            )
        )  # fmt: skip
    header = (
        "setting", "updated", "penalty", "λ1", "norm of φ1", "gain of n", "(2) / additive: all cells",
        "largest n or s held out", "largest n held out", "(1) at each s: all / n held out", "α of (2)",
        "ν α0",
    )  # fmt: skip
    whole = [entry for entry in found if entry["update"] == "all" and entry["source"] == "recursion"]
    off = [entry["fits"]["full"]["rms"] for entry in whole]
    return [
        markdown_table(header, rows),
        "Numbers are root mean squares of log error; the gain is the error at the smallest n over that at "
        "the largest, at the largest s.",
        f"The full law (2) is not exact: where all is updated it is off by {min(off):.2f} to {max(off):.2f}, "
        f"median {np.median(off):.2f}, on errors without noise.",
        *_wins(found),
        WHY_NO_PROOF,
    ]


def _wins(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the settings where the additive law is nearer, for each way of judging."""
    lines = []
    for key, words in KINDS.items():
        names = [
            f"{entry['setting']} (|φ1| {entry['phi1']:g})"
            for entry in found
            if entry["fits"]["additive"][key] < entry["fits"]["full"][key]
        ]
        count = f"{len(found) - len(names)} of {len(found)}"
        listed = ", ".join(names) or "none"
        lines.append(f"{words.capitalize()} (2) is nearer in {count}; the additive law in {listed}.")
    return lines


def _network(found: Mapping[str, Any]) -> list[str]:
    """Return claim (iii): distances by width, and what the spectra are."""
    header = ("M", *(f"{width}" for width in found["widths"]), "slope")
    names = {
        "own": "own kernel, start",
        "infinite": "infinite width, start",
        "origin": "own kernel, origin (34)",
    }
    rows = [
        (label, *(f"{far:.4f}" for far in found["distances"][key]), f"{found['slopes'][key]:.2f}")
        for key, label in names.items()
    ]
    spectra = [
        (
            entry["activation"], *(f"{xi:.2f}" for xi in entry["xi"]),
            f"{entry['unlearnable_without_bias']:.0%}",
        )
        for entry in found["spectra"]
    ]  # fmt: skip
    low, high = found["to_infinite"]
    return [
        f"Largest distance over all iterates and inputs of a network ({found['activation']}, measured ξ = "
        f"{found['xi']:.2f}) trained with (7) to the recursion on the same samples.",
        markdown_table(header, rows),
        f"The networks of claim (ii) make {low:.2f} to {high:.2f} times the error of infinite width. A pull "
        "to zero, as (34) is printed, is another training: its distance does not vanish.",
        "Without a trainable bias half of the frequencies cannot be learnt; ramp alone has (A1) and (A4):",
        markdown_table(("σ", "ξ at 4–16", "ξ at 32–128", "eigenvalue 0 without a bias, of 3–10"), spectra),
    ]


def _span(pair: Sequence[float], digits: int) -> str:
    """Return a range of numbers."""
    return f"{pair[0]:.{digits}f}–{pair[1]:.{digits}f}"


def _lambda(value: str | float) -> str:
    """Return how λ1 was chosen."""
    return {"table": "Table 1", "s": "s alone"}.get(value, "") if isinstance(value, str) else f"{value:g}"


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
