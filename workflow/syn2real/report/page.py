"""The page of the report that answers an experiment in words."""

import html
from pathlib import Path
from typing import Any

import markdown as markdown_package
import pandas as pd

from syn2real.files import read_json, write_json, write_text
from syn2real.laws.advice import Forecasts, advise_of, forecast_table
from syn2real.laws.forecast import Goal
from syn2real.laws.results import VERSION, identified
from syn2real.report.answer import can_draw, page
from syn2real.report.wording import (
    advice_text,
    as_sentences,
    curve_names,
    effects_text,
    estimate_text,
    opening,
    tested_text,
)

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }}
td, th {{ border: 1px solid #bbb; padding: .3rem .6rem; text-align: left }}
blockquote {{ border-left: .3rem solid #bbb; margin: 1rem 0; padding: .1rem 1rem; background: #f6f6f6 }}
code {{ background: #f2f2f2 }}
</style></head><body>
{body}
</body></html>
"""


def write_advice(
    points: pd.DataFrame,
    fits: str | Path,
    experiment: dict[str, Any],
    *,
    markdown: str | Path,
    html: str | Path,
    data: str | Path,
) -> None:
    """Write the answer to an experiment in words, as Markdown and as a page of the report, and as data.

    Parameters
    ----------
    points : pandas.DataFrame
        The experiment's points table.
    fits : str or Path
        Its fits.json.
    experiment : dict
        The experiment's summary: name, question, target_error, max_images, costs, stand_ins.
    markdown, html, data : str or Path
        The files to write; `data` holds what `advise_table` returns, without curves where there is no target.
    """
    fitted, table = read_json(fits), _forecast(points, experiment)
    advised = advise_of(table) if table else None
    write_json(data, advised or {"version": VERSION, "target_error": None, "curves": []})
    title, note = f"{experiment['name']}: {experiment['question']}", _stand_in_note(experiment["stand_ins"])
    words = advice_text(advised) if advised else _without_target(fitted["curves"])
    supported = _paragraphs(
        "## What the fits support", *_supported(fitted["curves"]), _repetitions(points), _rates(points)
    )
    text = _paragraphs(f"# {title}", note, words, supported)
    write_text(markdown, text)
    if table and table.curves and advised and can_draw():
        write_text(html, page(table, advised, title, note=_in_html(note), more=_in_html(supported)))
    else:
        write_text(html, page_of(experiment["name"], text))


def page_of(title: str, text: str) -> str:
    """Return Markdown as a page of HTML that needs no other file."""
    return _PAGE.format(title=html.escape(title), body=_in_html(text))


def _in_html(text: str) -> str:
    """Return Markdown as HTML."""
    return markdown_package.markdown(text, extensions=["tables", "sane_lists"])


def _paragraphs(*parts: str) -> str:
    """Join the parts of a text that are not empty."""
    return "\n\n".join(part for part in parts if part) + "\n"


def _stand_in_note(stand_ins: list[str]) -> str:
    """Return the warning that a target is rendered, where one is."""
    if not stand_ins:
        return ""
    return (
        f"> **Rendered stand-in** ({', '.join(stand_ins)}). The test images are rendered under other "
        "conditions than any training setting; they are not photographs. The numbers show that the workflow "
        "measures a law; they say nothing about transfer to real images."
    )


def _forecast(points: pd.DataFrame, experiment: dict[str, Any]) -> Forecasts | None:
    """Return the forecasts for the experiment's target error, or None without one."""
    if experiment["target_error"] is None:
        return None
    costs = {f"cost_per_{name}": value for name, value in experiment["costs"].items() if value is not None}
    goal = Goal(experiment["target_error"], experiment["max_images"], **costs)
    return forecast_table(points, goal, allow_unfitted=True)


def _without_target(curves: list[dict[str, Any]]) -> str:
    """Return what is known without a target, and how to ask."""
    names, _ = curve_names([curve["curve"] for curve in curves])
    named = zip(names, curves, strict=True)
    seen = [(name, effects_text(curve).strip()) for name, curve in named]
    known = [f"- **{name}**: {text}\n" for name, text in seen if text]
    return (
        "".join(known)
        + "\nNo `target_error` is set in the experiment, so there is no verdict; set one to get advice."
    )


def _supported(curves: list[dict[str, Any]]) -> list[str]:
    """Return an item a curve on what its fit supports; a curve has the name that the advice gives it."""
    names, shared = curve_names([curve["curve"] for curve in curves])
    items = [
        f"- **{name}**: {_support(curve)} {as_sentences(tested_text(curve))}".rstrip()
        for name, curve in zip(names, curves, strict=True)
    ]
    return [f"All curves: {shared}." if shared else "", *items]


def _support(curve: dict[str, Any]) -> str:
    """Return a sentence or two on what one curve's fit supports and what it does not."""
    if curve["fit"] is None:
        return f"no fit: {curve['reason']}."
    params = curve["fit"]["params"]
    estimates = [f"{label} = {estimate_text(params[name])}" for name, label in (("alpha", "α"), ("C", "C"))]
    if curve.get("shape"):
        return f"{opening(curve)}Do not quote its parameters: {', '.join(estimates)}."
    loose = [name for name in ("D", "alpha", "C") if not identified(params[name])]
    sentence = f"law fitted to {curve['n_used']} sizes; {', '.join(estimates)}, with 95 % intervals."
    if not loose:
        return sentence + " All parameters are identified by these points."
    return sentence + (
        f" Not identified by these points: {', '.join(loose)}; do not quote them. The curve can be "
        "used inside the measured range."
    )


def _repetitions(points: pd.DataFrame) -> str:
    """Return what the spread between seeds does and does not contain."""
    seeds = points["seed"].nunique()
    return (
        f"Each size was run with {seeds} seed{'s' if seeds > 1 else ''}. Seeds vary the initialisation, "
        "the order and the labelled subset; the rendered images are the same, so the intervals "
        "contain no spread between renders."
    )


def _rates(points: pd.DataFrame) -> str:
    """Return what one learning rate for all means for the comparison with n = 0."""
    trained_here, compared = "recipe" in points, (points["n"] == 0).any()
    if not (trained_here and compared) or ("rate" in points and points["rate"].nunique() > 1):
        return ""
    return (
        "All were fine-tuned at the recipe's learning rate. At n = 0 another may be better, so that renders "
        "gain less: `pilot: {rates: [0.3, 1, 3]}` in the experiment and `snakemake pilot` try others."
    )
