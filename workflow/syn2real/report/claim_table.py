"""The table that a report opens with: each claim, what the paper saw, what was seen here, a verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from syn2real.files import read_json, write_json, write_text
from syn2real.laws.arms import ARM, BACKBONE, has_arms
from syn2real.laws.posteriors import draw_curves
from syn2real.laws.reading import read_own_csv
from syn2real.laws.results import VERSION
from syn2real.plugins import load
from syn2real.report.claims.base import AGREES, DISAGREES, UNDECIDED
from syn2real.report.markdown import markdown_table
from syn2real.report.page import page_of

TABLE = ["claim", "source", "experiment", "verdict", "estimate", "lower", "upper", "of", "seen", "paper"]
"""Columns of the CSV files."""
HEADER = ("claim", "the paper saw", "experiment", "seen, with 95 % interval", "verdict")
GIVEN = " (given measurements)"
GENERAL = (
    "By one number with its 95 % interval and a border: *agrees* where the whole interval lies on the "
    "claim's side of it, *disagrees* where it lies on the other, else *cannot tell*. These rules are part of "
    "the code and the same for any results. Of twenty intervals one misses by chance."
)


def read_needs(files: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read what claims are judged by.

    Parameters
    ----------
    files : mapping of str to sequence of str
        By what claims need: points and draws from the points table, complexity from a file a setting, any
        other need from its one JSON file.
    """
    found: dict[str, Any] = {}
    for need, paths in files.items():
        if need == "complexity":
            found[need] = {result["setting"]: result for result in map(read_json, paths)}
        elif need in ("points", "draws"):
            points = _paper_arm(read_own_csv(paths[0]))
            found[need] = points if need == "points" else draw_curves(points)
        else:
            found[need] = read_json(paths[0])
    return found


def _paper_arm(points: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that fine-tune a pre-trained backbone, as the paper's do, where there are any."""
    mine = points[ARM] == BACKBONE if has_arms(points) else pd.Series(False, points.index)
    return points[mine] if mine.any() else points


def judge_claims(names: Sequence[str], inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge claims by the results of one experiment.

    Parameters
    ----------
    names : sequence of str
        Modules of `report.claims`.
    inputs : mapping
        What any of them needs, by name.

    Returns
    -------
    list of dict
        Of each claim: claim (its name), title, source, paper, rule, of (what the estimate is), estimate,
        lower, upper (None where there is no estimate), seen (in words) and verdict.
    """
    found = []
    for name in names:
        module = load("report.claims", name)
        finding = module.judge(**{need: inputs[need] for need in module.NEEDS})
        number = finding.estimate
        found.append(
            {
                "claim": name, "title": module.TITLE, "source": module.SOURCE, "paper": module.PAPER,
                "rule": module.RULE, "of": module.UNIT, "estimate": number.value if number else None,
                "lower": number.lower if number else None, "upper": number.upper if number else None,
                "seen": finding.text, "verdict": finding.verdict,
            }
        )  # fmt: skip
    return found


def write_judged(
    experiment: str, found: Sequence[dict[str, Any]], *, given: bool, json: str | Path, csv: str | Path
) -> None:
    """Write the claims of one experiment as JSON and as a table.

    Parameters
    ----------
    experiment : str
    found : sequence of dict
        What `judge_claims` returned.
    given : bool
        The measurements existed already.
    json, csv : str or Path
        The files to write.
    """
    write_json(json, {"version": VERSION, "experiment": experiment, "given": given, "claims": [*found]})
    rows = pd.DataFrame(found).assign(experiment=experiment)
    write_text(csv, rows[TABLE].to_csv(index=False))


def write_claims(
    judged: Sequence[str | Path], *, markdown: str | Path, html: str | Path, csv: str | Path
) -> None:
    """Join the claims of several experiments to one table: a claim's experiments stand below each other.

    Parameters
    ----------
    judged : sequence of str or Path
        The JSON files of the experiments, in their order.
    markdown, html, csv : str or Path
        The files to write.
    """
    results = [read_json(file) for file in judged]
    found = [
        {**claim, "experiment": one["experiment"], "given": one["given"]}
        for one in results
        for claim in one["claims"]
    ]
    order = [*dict.fromkeys(claim["claim"] for claim in found)]
    found.sort(key=lambda claim: order.index(claim["claim"]))
    text = claims_text(found)
    write_text(markdown, text)
    write_text(html, page_of("The paper's claims", text))
    write_text(csv, pd.DataFrame(found)[TABLE].to_csv(index=False))


def claims_text(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of claims as Markdown, with the rule by which each is judged.

    Parameters
    ----------
    found : sequence of mapping
        As `judge_claims` returns them, with experiment and given; those of one claim together.
    """
    rows, last = [], None
    for claim in found:
        is_new, last = claim["claim"] != last, claim["claim"]
        head = (f"**{claim['title']}** ({claim['source']})", claim["paper"]) if is_new else ("", "")
        where = claim["experiment"] + (GIVEN if claim["given"] else "")
        rows.append((*head, where, f"{_estimate(claim)}{claim['seen']}", f"**{claim['verdict']}**"))
    rules = {claim["title"]: claim["rule"] for claim in found}
    counts = Counter(claim["verdict"] for claim in found)
    parts = [
        "# The paper's claims",
        ", ".join(f"{verdict} {counts[verdict]}" for verdict in (AGREES, DISAGREES, UNDECIDED)) + ".",
        markdown_table(HEADER, rows).replace(" ---: |", " --- |"),  # words, not numbers: aligned left
        "## How each is judged",
        GENERAL,
        "\n".join(f"- **{title}**: {rule}." for title, rule in rules.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _estimate(claim: Mapping[str, Any]) -> str:
    """Return the number that decides, with its interval."""
    if claim["estimate"] is None:
        return ""
    return "{estimate:.2g} [{lower:.2g}, {upper:.2g}] {of}. ".format(**claim)
