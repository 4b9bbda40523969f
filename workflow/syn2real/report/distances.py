"""How far renders are from photographs, in words and tables, and whether that orders the transfer gaps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from syn2real.laws.intervals import FEWEST_RANKED, rank_correlation
from syn2real.laws.posteriors import CurveDraws
from syn2real.report.claims.base import group_by, quotable
from syn2real.report.markdown import markdown_table

Row = Mapping[str, Any]
"""A distance, as `syn2real.complexity.against.measure_distances` gives it."""


def distance_line(row: Row) -> str:
    """Return how far one set of images is from photographs, as a line of text."""
    return (
        f"distance from {row['target']}: {row['distance']:.3g}, standard error {_error(row)} (kernel "
        f"distance of pooled features, {row['images']:,} images of {row['scenes']:,} scenes, "
        f"{row['photographs']:,} photographs)"
    )


def distances_text(
    found: Mapping[str, Any], measured: Mapping[str, Mapping[str, Any]], stand_ins: Sequence[str]
) -> str:
    """Return the settings of an experiment from the nearest to the photographs on, as Markdown.

    Parameters
    ----------
    found : dict
        What `measure_distances` returned.
    measured : mapping of str to dict
        The settings' complexities, of `syn2real.complexity.measure.measure_images`.
    stand_ins : sequence of str
        The targets that hold no photographs.

    Returns
    -------
    str
        A paragraph and a table.
    """
    rows = {(row["setting"], row["target"]): row for row in found["distances"]}
    targets = list(dict.fromkeys(target for _, target in rows))
    header = ["setting", "-H"]
    for target in targets:
        header += [f"distance from {target}{' (rendered stand-in)' * (target in stand_ins)}", "s.e."]
    order = sorted(measured, key=lambda name: rows[name, targets[0]]["distance"])
    cells = []
    for name in order:
        ours = [rows[name, target] for target in targets]
        numbers = [text for row in ours for text in (f"{row['distance']:.3g}", _error(row))]
        cells.append([name, f"{measured[name]['negative_entropy']:.1f}", *numbers])
    counts = ", ".join(f"{rows[order[0], target]['photographs']:,} of {target}" for target in targets)
    images = rows[order[0], targets[0]]["images"]
    head = (
        f"Kernel distance (KID) of the pooled features of the {found['model']} at {found['image_size']} "
        f"pixels, the nearest settings first: {images:,} images of each setting "
        f"against {counts}. 0: the backbone cannot tell them apart; below 0 by chance. Compare within this "
        "table alone."
    )
    return f"{head}\n\n{markdown_table(header, cells)}\n"


def gaps_text(found: Mapping[str, Any], draws: Sequence[CurveDraws]) -> str:
    """Return whether the distances order the transfer gaps C, as a paragraph.

    Parameters
    ----------
    found : dict
        What `measure_distances` returned.
    draws : sequence of CurveDraws
        The experiment's curves.
    """
    rows = {(row["setting"], row["target"]): row["distance"] for row in found["distances"]}
    known = [c for c in draws if (c.identity.get("setting"), c.identity.get("target")) in rows]
    curves, left = quotable(known)
    groups = [
        (
            np.array([c.params["C"] for c in group]),
            [rows[c.identity["setting"], c.identity["target"]] for c in group],
        )
        for group in group_by(curves, lambda column: column != "setting")
    ]
    estimate = rank_correlation(groups)
    head = f"{len(curves)} curves of {len({setting for setting, _ in rows})} settings.{left}"
    if estimate is None:
        return f"{head} Too few to say whether the distance orders C: {FEWEST_RANKED} settings are needed.\n"
    return (
        f"{head} Spearman's correlation of the transfer gap C with the kernel distance from the photographs "
        f"is {estimate.value:+.2f} [{estimate.lower:+.2f}, {estimate.upper:+.2f}] (95 %; the distances as "
        "measured). 1: the nearer the renders, the smaller the gap.\n"
    )


def _error(row: Row) -> str:
    """Return a distance's standard error in words."""
    error = row["standard_error"]
    return "unknown" if error is None else f"{error:.2g}"
