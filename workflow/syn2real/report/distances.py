"""How far renders are from photographs, in words and tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from syn2real.report.markdown import markdown_table

Row = Mapping[str, Any]
"""A distance, as `syn2real.complexity.against.measure_distances` gives it."""


FEW = 20
"""Scenes, or photographs, below which a standard error is itself more than a sixth off."""
FAR = 4
"""Standard errors below 0 that are no chance."""


def doubts(rows: Iterable[Row]) -> Iterator[str]:
    """Yield warnings: of a set so small that standard errors say little, and of sets that share images."""
    for row in rows:
        if (least := min(row["scenes"], row["photographs"])) < FEW:
            yield (
                f"{row['setting']} or {row['target']} is of {least} scenes or photographs, too few to know "
                f"how far the distance may be off; give {FEW} or more, better 100"
            )
        elif row["distance"] < -FAR * (row["standard_error"] or np.inf):
            yield (
                f"the distance of {row['setting']} from {row['target']} is further below 0 than chance takes "
                "it; do they share images?"
            )


def distance_line(row: Row) -> str:
    """Return how far one set of images is from photographs, as a line of text."""
    return (
        f"distance from {row['target']}: {_digits(row['distance'], 3)}, standard error {_error(row)} (kernel "
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
        numbers = [text for row in ours for text in (_digits(row["distance"], 3), _error(row))]
        cells.append([name, f"{measured[name]['negative_entropy']:.1f}", *numbers])
    counts = ", ".join(f"{rows[order[0], target]['photographs']:,} of {target}" for target in targets)
    images = rows[order[0], targets[0]]["images"]
    head = (
        f"Kernel distance (KID) of the pooled features of the {found['model']} at {found['image_size']} "
        f"pixels, the nearest settings first: {images:,} images of each setting "
        f"against {counts}. 0: the backbone cannot tell them apart; below 0 by chance. Compare within this "
        "table alone."
    )
    warned = [f"Warning: {warning}." for warning in doubts(found["distances"])]
    return "\n\n".join([head, *warned, markdown_table(header, cells)]) + "\n"


def _error(row: Row) -> str:
    """Return a distance's standard error in words."""
    error = row["standard_error"]
    return "unknown" if error is None else _digits(error, 2)


def _digits(value: float, count: int) -> str:
    """Return a number to so many digits, without an exponent."""
    return np.format_float_positional(value, count, unique=False, fractional=False, trim="-")
