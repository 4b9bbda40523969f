"""Complexity of images, and of the settings of an experiment, in words and tables."""

from collections.abc import Mapping
from typing import Any

from syn2real.report.markdown import markdown_table

DEAD = 0.01
"""Share of channels that may be dead before it is said."""

TRUST = (
    "The standard error (s.e.), from groups of scenes, may itself be a sixth off; in simulations of few "
    "images whose features have long tails it was a tenth too small on average."
)


def measured_text(result: Mapping[str, Any]) -> str:
    """Return the complexity of one set of images in words.

    Parameters
    ----------
    result : dict
        What `syn2real.complexity.measure.measure_images` returned.

    Returns
    -------
    str
        Lines of plain text.
    """
    half, empirical = result["half"], result["empirical_entropy"]
    lines = [
        f"H = {_number(result['entropy'])} nats, -H = {_number(result['negative_entropy'])}, "
        f"standard error {_error(result['standard_error'])}",
        f"at half of the scenes: {'not known' if half is None else 'H = ' + _number(half['entropy'])}",
        f"images {result['images']:,}, scenes {result['scenes']:,}, vectors {result['vectors']:,} "
        f"({result['activation']}, {result['image_size']} pixels) of {result['dimensions']:,} dimensions",
        f"effective rank {result['effective_rank']:.1f}; {result['above_floor']} directions above the floor "
        f"{result['floor']:g}; {result['dead_channels']} dead channels",
        "without a floor: "
        + (f"H = {_number(empirical)}" if empirical is not None else _singular(result))
        + f"; mean variance of a channel {result['mean_variance']:.3g}",
    ]
    if result["vectors"] <= result["dimensions"]:
        lines.append("no more vectors than dimensions: compare only with sets of as many images and scenes")
    return "\n".join(lines)


def dead_channels(result: Mapping[str, Any]) -> str | None:
    """Return a warning where more than `DEAD` of a backbone's channels are the same for all images.

    Each lowers H, whatever the images show; only sets with as many can be compared.
    """
    dead, all_ = result["dead_channels"], result["dimensions"]
    if dead <= DEAD * all_:
        return None
    share = f"{dead:,} of {all_:,} channels ({100 * dead / all_:.1f} %)"
    return f"{share} are the same for all images, which lowers H; compare only sets with as many"


def compared_text(measured: Mapping[str, Mapping[str, Any]], comparison: Mapping[str, Any]) -> str:
    """Return the settings of an experiment in order, and whether that order is the paper's, as Markdown.

    Parameters
    ----------
    measured : mapping of str to dict
        What was measured, by setting.
    comparison : dict
        What `syn2real.complexity.ordering.compare` returned.

    Returns
    -------
    str
        A table, then a paragraph on the order.
    """
    header = ("setting", "H", "-H", "s.e.", "H at half", "effective rank", "above floor", "H without floor")
    table = markdown_table(header, (_numbers(name, measured[name]) for name in comparison["order"]))
    any_result = measured[comparison["order"][0]]
    head = (
        f"Entropy H of a Gaussian fitted to the last activations ({any_result['activation']}) of a "
        f"{any_result['model']} at {any_result['image_size']} pixels, in nats, by falling -H. "
        f"{any_result['images']:,} images in {any_result['scenes']:,} scenes a setting, floor "
        f"{any_result['floor']:g}. {TRUST}"
    )
    dead = [f"- {name}: {text}." for name in comparison["order"] if (text := dead_channels(measured[name]))]
    warned = ["Dead channels:\n\n" + "\n".join(dead)] if dead else []
    return "\n\n".join([head, table, *warned, *_ordering(comparison)]) + "\n"


def _numbers(name: str, result: Mapping[str, Any]) -> list[str]:
    """Return a setting's row of the table."""
    half, empirical = result["half"], result["empirical_entropy"]
    return [
        name,
        _number(result["entropy"]),
        _number(result["negative_entropy"]),
        _error(result["standard_error"]),
        "" if half is None else _number(half["entropy"]),
        f"{result['effective_rank']:.1f}",
        f"{result['above_floor']} of {result['dimensions']}",
        "singular" if empirical is None else _number(empirical),
    ]


def _ordering(comparison: Mapping[str, Any]) -> list[str]:
    """Return the paragraphs on the paper's ordering."""
    if comparison["agreement"] is None:
        return ["No two of these settings are ordered by the paper's four attributes."]
    agreement, pairs = comparison["agreement"], comparison["pairs"]
    larger = round((agreement + 1) / 2 * pairs)
    parts = [
        f"The paper's ordering (single < multiple, fix < random, w/o < w/ texture) decides {pairs} pairs: "
        f"the more complex setting has the larger H in {larger} of them, the larger -H in {pairs - larger} "
        f"(Somers' D {agreement:+.2f} for H, {-agreement:+.2f} for -H)."
    ]
    if comparison["spearman"] is not None:
        parts[0] += (
            f" With the number of raised attributes H correlates by {comparison['spearman']:+.2f} (Spearman) "
            f"and {comparison['kendall']:+.2f} (Kendall's tau-b); -H by the same with the other sign."
        )
    effects = [
        f"- {attribute}: {result['change']:+.1f} ± {_error(result['standard_error'])} "
        f"({result['pairs']} pair{'s' if result['pairs'] > 1 else ''})"
        for attribute, result in comparison["attributes"].items()
    ]
    if effects:
        parts.append(
            "Change of H when one attribute is raised and all else is equal:\n\n" + "\n".join(effects)
        )
    return parts


def _number(value: float) -> str:
    return f"{value:.1f}"


def _error(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _singular(result: Mapping[str, Any]) -> str:
    return f"-∞, as the covariance has rank {result['rank']} of {result['dimensions']}"
