"""The results in words, for people: words first, numbers after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

CLASS_WORDS = {
    "reached": "reached already",
    "within": "reachable within {limit}",
    "beyond": "reachable beyond {limit}",
    "unreachable": "unreachable by n",
}


def advice_text(result: dict[str, Any]) -> str:
    """Return the advice of `advise_table` as Markdown.

    Parameters
    ----------
    result : dict
        What `advise_table` returned.

    Returns
    -------
    str
        A sentence a curve, then a table of the numbers.
    """
    lines = [f"# Will more synthetic images reach an error of {result['target_error']:g}?", ""]
    lines += [f"- **{_name(curve['curve'])}**: {_sentence(curve, result)}" for curve in result["curves"]]
    lines += ["", "## Numbers", ""]
    header = ["curve", "largest n", "error there", "P(reached)", "P(within)", "P(beyond)", "P(unreachable)"]
    header += ["required n: lower", "median", "upper"]
    lines += table(header, (_numbers(curve) for curve in result["curves"]))
    lines += ["", *(f"- Note: {note}." for note in result["notes"])]
    level = f"{100 * result['level']:g} %"
    lines.append(f"- An empty end of a required n: the target may never be reached ({level} interval).")
    return "\n".join(lines).strip() + "\n"


def fit_text(result: dict[str, Any]) -> str:
    """Return the fits of `fit_table` as Markdown."""
    lines = []
    for curve in result["curves"]:
        lines.append(f"**{_name(curve['curve'])}** ({curve['law']} law, {curve['method']} method)")
        if curve["fit"] is None:
            lines += [f"  not fitted: {curve['reason']}", ""]
            continue
        for name, param in curve["fit"]["params"].items():
            told = _interval(param["value"], param["lower"], param["upper"])
            lines.append(f"  {name:<6} {told}  {param['status']}")
        lines.append(f"  {curve['n_used']} sizes used, rmse of log error {_short(curve['fit']['rmse_log'])}")
        for row in curve["predictions"]:
            where = f"n = {row['n']:,.0f}" + (f", s = {row['s']:,.0f}" if row["s"] is not None else "")
            mean = _interval(row["error"], row["lower"], row["upper"])
            one = f"[{_short(row['predict_lower'])}, {_short(row['predict_upper'])}]"
            lines.append(f"  error at {where}: {mean}; one more measurement {one}")
        lines.append("")
    lines += [f"Note: {note}." for note in result["notes"]]
    return "\n".join(lines).strip() + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _sentence(curve: dict[str, Any], result: dict[str, Any]) -> str:
    """One curve's verdict with what carries it."""
    if curve["probabilities"] is None:
        return f"{curve['verdict']}: {curve['reason']}; measure n = {curve['next_n']:,.0f} next."
    limit = f"{curve['limit_n']:,.0f} images"
    chances = curve["probabilities"]
    top = max(chances, key=lambda key: chances[key])
    outcome = CLASS_WORDS[top].format(limit=limit)
    text = f"{curve['verdict']}. Most likely {outcome} (probability {chances[top]:.2f})"
    median = curve["required_n"]["median"]
    if top in ("within", "beyond") and median is not None:
        text += f", at about {median:,.0f} images"
    return f"{text}; {curve['detail']}."


def _numbers(curve: dict[str, Any]) -> list[str]:
    """One curve's row of the table."""
    name = _name(curve["curve"]).replace("|", "/")
    if curve["probabilities"] is None:
        return [name, *[""] * 9]
    need = curve["required_n"]
    chances = [f"{value:.2f}" for value in curve["probabilities"].values()]
    ends = ["" if need[end] is None else f"{need[end]:,.0f}" for end in ("lower", "median", "upper")]
    return [name, f"{curve['largest_n']:,.0f}", _short(curve["error_at_largest_n"]), *chances, *ends]


def _name(identity: dict[str, Any]) -> str:
    """Name a curve by its identity."""
    return ", ".join(f"{key} {value}" for key, value in identity.items()) or "the curve"


def _interval(value: float | None, lower: float | None, upper: float | None) -> str:
    """Value and interval; an open end is shown as such."""
    low = "open" if lower is None else _short(lower)
    high = "open" if upper is None else _short(upper)
    return f"{_short(value)} [{low}, {high}]"


def _short(value: float | None) -> str:
    """Four significant digits."""
    return "?" if value is None else f"{value:.4g}"
