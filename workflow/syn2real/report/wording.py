"""Fits and advice in words: a sentence first, then the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syn2real.laws.arms import ARM, PHOTOGRAPHS, is_arm
from syn2real.laws.columns import differing
from syn2real.laws.levers import change_text
from syn2real.laws.results import AT_BOUND, FIXED, PROVISIONAL, SETTLED, UNIDENTIFIED, UNSETTLED
from syn2real.laws.tested import BINOMIAL
from syn2real.laws.verdicts import CLASSES, LIKELY, RULES, SURE, say
from syn2real.report.markdown import markdown_table

NUMBERS = (
    "curve", "largest n", "error there", "P(reached)", "P(within)", "P(beyond)", "P(unreachable)",
    "required n: lower", "median", "upper",
)  # fmt: skip
"""The columns of the table of an advice."""
ARMS = (
    "curve", "largest n", "error there", "against photographs alone",
    "against photographs alone, as many updates",
)  # fmt: skip
"""The columns of the table of arms, whose changes are relative."""
DOUBTS = {
    UNIDENTIFIED: "is not determined by these measurements",
    AT_BOUND: "lies at an end of the values that are considered",
    PROVISIONAL: "is provisional, from few sizes",
}
"""What is not known of a parameter, by its status."""
MOST_NAMES = 12  # classes that a sentence names; the JSON has them all


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
    names, shared = curve_names([curve["curve"] for curve in result["curves"]])
    lines = [f"# {say('question', target=result['target'])}", ""]
    lines += [f"All curves: {shared}.", ""] if shared else []
    lines += [
        f"- **{name}**: {verdict_text(curve)}" for name, curve in zip(names, result["curves"], strict=True)
    ]
    lines += ["", "## Numbers", "", markdown_table(NUMBERS, number_rows(result)), ""]
    arms = arm_rows(result)
    lines += ["## Arms", "", markdown_table(ARMS, arms), ""] if arms else []
    lines += [f"- {note}" for note in advice_notes(result)]
    return "\n".join(lines).strip() + "\n"


def advice_notes(result: dict[str, Any]) -> list[str]:
    """Return what stands below the numbers of `advise_table`, a sentence each."""
    notes = [f"Note: {note}." for note in result["notes"]]
    if not any("photographs" in curve for curve in result["curves"]):
        notes.append("All of this is about the images that the runs were tested on.")
    level = f"{100 * result['level']:g} % interval"
    return [*notes, f"Required n: with these images half of the forecasts reach the target ({level})."]


def number_rows(result: dict[str, Any]) -> list[list[str]]:
    """Return the cells of `NUMBERS` for each curve of `advise_table`."""
    names, _ = curve_names([curve["curve"] for curve in result["curves"]])
    return [_numbers(name, curve) for name, curve in zip(names, result["curves"], strict=True)]


def arm_rows(result: dict[str, Any]) -> list[list[str]]:
    """Return the cells of `ARMS` for each curve of `advise_table`; no row where the table has no arms."""
    curves = result["curves"]
    if not any(is_arm(curve["curve"].get(ARM)) for curve in curves):
        return []
    names, _ = curve_names([curve["curve"] for curve in curves])
    return [_arm(name, curve) for name, curve in zip(names, curves, strict=True)]


def fit_text(result: dict[str, Any]) -> str:
    """Return the fits of `fit_table` as text.

    Parameters
    ----------
    result : dict
        What `fit_table` returned.

    Returns
    -------
    str
        For each curve a line a parameter and a line a prediction; then the notes.
    """
    names, shared = curve_names([curve["curve"] for curve in result["curves"]])
    lines = [f"All curves: {shared}.", ""] if shared else []
    for name, curve in zip(names, result["curves"], strict=True):
        lines.append(f"**{name}** ({curve['law']} law, {curve['method']} method)")
        lines += [f"  {text}" for text in [opening(curve).strip()] if text]
        if curve["fit"] is None:
            lines += [f"  not fitted: {curve['reason']}", ""]
            continue
        for letter, param in curve["fit"]["params"].items():
            lines.append(f"  {letter:<6} {estimate_text(param)}")
        lines.append(f"  {curve['n_used']} sizes used, rmse of log error {_short(curve['fit']['rmse_log'])}")
        for row in curve["predictions"]:
            where = f"n = {row['n']:,.0f}" + (f", s = {row['s']:,.0f}" if row["s"] is not None else "")
            mean = f"{_short(row['error'])} {_interval(row['lower'], row['upper'])}"
            one = _interval(row["predict_lower"], row["predict_upper"])
            lines.append(f"  error at {where}: {mean}; one more measurement {one}")
        lines += [f"  {text}" for text in tested_text(curve)]
        lines.append("")
    lines += [f"Note: {note}." for note in result["notes"]]
    return "\n".join(lines).strip() + "\n"


def estimate_text(estimate: Mapping[str, Any]) -> str:
    """Return a parameter's value, interval and status, such as ``0.51 [0.43, open] (unidentified)``.

    A standard error, where a method gives one, stands behind the value: ``0.51 ± 0.02 [0.47, 0.55] (ok)``.

    Parameters
    ----------
    estimate : dict
        Its value, lower, upper and status, as `fit_table` returns them.

    Returns
    -------
    str
        An end that the measurements leave open is written as open; what is one value for all curves has no
        interval.
    """
    if estimate["status"] in (FIXED, SETTLED, UNSETTLED):
        return f"{_short(estimate['value'])} ({estimate['status']})"
    interval = _interval(estimate["lower"], estimate["upper"])
    error = estimate.get("standard_error")
    exact = "" if error is None else f" ± {_short(error)}"
    return f"{_short(estimate['value'])}{exact} {interval} ({estimate['status']})"


def law_text(equation: str, estimates: Mapping[str, Mapping[str, Any]], level: float) -> str:
    """Return a fitted law in standard words: its parameters with intervals, and what is not known of them.

    Parameters
    ----------
    equation : str
    estimates : dict of str to dict
        A parameter's value, lower, upper and status by its name.
    level : float
        Of the intervals.
    """
    parts, doubts = [], []
    for name, one in estimates.items():
        low, high = (None if one[end] is None else _short(one[end]) for end in ("lower", "upper"))
        ends = f"{low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less"
        parts.append(f"{name} = {_short(one['value'])} ({ends if low or high else 'any value'})")
        doubts += [f"{name} {DOUBTS[one['status']]}"] if one["status"] in DOUBTS else []
    text = f"error = {equation} with {', '.join(parts)}; in brackets {100 * level:g} % intervals"
    return "; ".join([text, *doubts]).replace("alpha", "α")


def opening(curve: Mapping[str, Any]) -> str:
    """Return what a curve shows before any law, with a space behind it; empty where that is nothing.

    Parameters
    ----------
    curve : dict
        Its object of `fit_table` or `advise_table`.
    """
    shape = curve.get("shape")
    return effects_text(curve) + (f"The law does not describe this curve: {shape}. " if shape else "")


def effects_text(curve: Mapping[str, Any]) -> str:
    """Return what renders change of a curve, a sentence a comparison with a space behind it."""
    effects = (curve.get(name) for name in ("effect", "equal_updates"))
    return "".join(f"{effect['text']}. " for effect in effects if effect)


def verdict_text(curve: dict[str, Any]) -> str:
    """Return what one curve of `advise_table` shows, its verdict and what that is based on."""
    return opening(curve) + _sentence(curve)


def plain_text(curve: dict[str, Any], result: dict[str, Any]) -> str:
    """Return one curve's verdict without statistics: a sentence, and before it one where renders do not help.

    Parameters
    ----------
    curve : dict
        Its object of `advise_table`.
    result : dict
        What `advise_table` returned.
    """
    sentence: str = RULES["plain"][curve["kind"]]
    if curve["probabilities"] is None:
        return first_words(curve) + sentence.format(n=curve["next_n"])
    tried = (curve["levers"] or {}).get(curve["lever"])
    return first_words(curve) + sentence.format(
        target=result["target"], limit=curve["limit_n"], most=curve["largest_n"], n=curve["next_n"],
        name=curve["lever"], change=change_text(tried["change"]) if tried else "",
        images=_images(curve["required_n"]["median"], curve),
    )  # fmt: skip


def first_words(curve: Mapping[str, Any]) -> str:
    """Return that the renders do not help, which a plain verdict begins with, or nothing."""
    effects = (curve.get(name) for name in ("effect", "equal_updates"))
    return "".join(f"{effect['plain']}. " for effect in effects if effect and effect["plain"])


def _sentence(curve: dict[str, Any]) -> str:
    """Return one curve's verdict and what it is based on."""
    if curve["probabilities"] is None:
        return say("no_fit", verdict=curve["verdict"], reason=curve["reason"], n=curve["next_n"])
    opened, met = curve["verdict"][0].upper() + curve["verdict"][1:], ""
    if curve["met_at"] is not None:
        met = say("met", n=curve["met_at"])
    said = [f"{met}{opened}. {_outcome(curve)}; {curve['detail']}", *_claim(curve), *tested_text(curve)]
    return as_sentences(said)


def as_sentences(texts: Sequence[str]) -> str:
    """Return texts as sentences: each with a capital and a full stop."""
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in texts)


def tested_text(curve: Mapping[str, Any]) -> list[str]:
    """Return what is known for all images like the tested ones, and of the classes; no text for nothing.

    Parameters
    ----------
    curve : dict
        Its object of `fit_table` or `advise_table`.
    """
    tested = curve.get("photographs")
    if tested is None:
        return []
    error, constant = (
        _interval(tested[f"{name}_lower"], tested[f"{name}_upper"]) for name in ("error", "constant")
    )
    bound = " (binomial, at most so wide)" if tested["source"] == BINOMIAL else ""
    whom = f"on all images like the {tested['count']:,} tested ones"
    text = f"{whom} the error at n = {tested['n']:,.0f} is in {error}, C in {constant}{bound}"
    return [text, *_classes_text(tested["classes"])]


def _classes_text(classes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the classes that still fall with n, and those of which these runs do not say."""
    fall, rest = (_some([c["class"] for c in classes if c["falls"] == falls]) for falls in (True, False))
    if not fall:
        return ["whether any class alone still falls with n is unclear"] if rest else []
    return [f"still falling with n: {fall}" + (f"; unclear: {rest}" if rest else "")]


def _some(names: Sequence[str]) -> str:
    """Return names in a row, the first ones of many."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _claim(curve: Mapping[str, Any]) -> list[str]:
    """Say whether a verdict is about these test images or about all like them."""
    tested = curve.get("photographs")
    if tested is None:
        return []
    whom = {
        "these": say("photographs", count=tested["count"]),
        "chances": say("chances", p_these=tested["p_these"], p_all=tested["p_all"]),
    }
    if tested["sure"]:
        return [say("holds", **whom)]
    if 1 - SURE < tested["p_these"] < SURE:
        return [say("open", **whom)]
    if tested["settles"] is not None:
        return [say("settles", settle=_rounded(tested["settles"], 2), **whom)]
    return [say("alone", **whom)]


def _outcome(curve: dict[str, Any]) -> str:
    """Return what the forecast says of the target, in words that the verdict cannot contradict."""
    chances, limit = curve["probabilities"], curve["limit_n"]
    reached, chance = chances["reached"], chances["reached"] + chances["within"]
    if reached >= LIKELY:
        return say("out_reached", reached=reached)
    if chance >= SURE:
        perhaps = say("perhaps", reached=reached) if reached > 1 - SURE else ""
        images = _images(curve["required_n"]["median"], curve)
        return say("out_within", limit=limit, chance=chance, images=images, perhaps=perhaps)
    if chance > 1 - SURE:
        return say("out_maybe", limit=limit, chance=chance)
    if curve["never"]:
        return say("out_never", unreachable=chances["unreachable"])
    later = "" if curve["shape"] else say("later")
    return say("out_not", limit=limit, missed=1 - chance, later=later)


def _images(size: float | None, curve: dict[str, Any]) -> str:
    """Return a required n to three digits, or what it exceeds."""
    if size is None:
        return say("images_none") if curve["never"] else say("images_beyond", farthest=curve["farthest_n"])
    return _rounded(size, 3)


def _rounded(size: float, digits: int) -> str:
    """Return a number of images to so many digits."""
    return f"{float(f'{size:.{digits}g}'):,.0f}"


def _numbers(name: str, curve: dict[str, Any]) -> list[str]:
    """Return one curve's row of the table, ten cells; empty ones where it has no forecast."""
    if curve["probabilities"] is None:
        return [name, *[""] * 9]
    need = curve["required_n"]
    chances = [f"{curve['probabilities'][name]:.2f}" for name in CLASSES]
    ends = [_images(need[end], curve) for end in ("lower", "median", "upper")]
    return [name, f"{curve['largest_n']:,.0f}", _short(curve["error_at_largest_n"]), *chances, *ends]


def _arm(name: str, curve: dict[str, Any]) -> list[str]:
    """Return one curve's row of the table of arms; empty cells for what the table of measurements lacks."""
    effect, longer = curve["effect"], curve["equal_updates"]
    seen, error = effect or longer, ""
    if curve["probabilities"] is not None:
        ends = (curve[f"error_at_largest_n_{end}"] for end in ("lower", "upper"))
        error = f"{_short(curve['error_at_largest_n'])} {_interval(*ends)}"
    elif seen:
        error = _short(seen["error"])
    n = curve.get("largest_n") or (seen and seen["n"])
    alone, as_long = (effect, longer) if not effect or effect["against"] == PHOTOGRAPHS else (None, effect)
    return [name, f"{n:,.0f}" if n else "", error, _change(alone), _change(as_long)]


def _change(effect: dict[str, Any] | None) -> str:
    """Return a relative change with its interval, such as `-9.2 % [-14.0, -4.1]`."""
    if effect is None:
        return ""
    text = f"{100 * effect['change']:+.1f} %"
    if effect["noise"] is None:
        return f"{text} (one run)"
    return f"{text} [{100 * effect['lower']:+.1f}, {100 * effect['upper']:+.1f}]"


def curve_names(identities: Sequence[dict[str, Any]]) -> tuple[list[str], str]:
    """Return names of curves by what differs among them, and what they share.

    Parameters
    ----------
    identities : sequence of dict
        The columns and values that set each curve apart.

    Returns
    -------
    names : list of str
        One for each curve; a single curve is named by all its columns.
    shared : str
        What all curves have in common; empty for nothing, and for a single curve.
    """
    differ = differing(identities)
    several = len(identities) > 1
    names = [_pairs({k: v for k, v in i.items() if k in differ or not several}) for i in identities]
    shared = {k: v for k, v in identities[0].items() if k not in differ} if several else {}
    return [name or "the curve" for name in names], _pairs(shared)


def _pairs(values: dict[str, Any]) -> str:
    """Return columns with their values, such as `setting room, model resnet50`."""
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _interval(lower: float | None, upper: float | None) -> str:
    """Return an interval such as `[0.43, open]`."""
    return f"[{'open' if lower is None else _short(lower)}, {'open' if upper is None else _short(upper)}]"


def _short(value: float | None) -> str:
    """Return four significant digits."""
    return "?" if value is None else f"{value:.4g}"
