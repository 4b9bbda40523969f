"""Complexities in words and tables."""

from collections.abc import Mapping
from typing import Any

from syn2real.report.markdown import markdown_table


def measured_text(told: Mapping[str, Any]) -> str:
    """Return what is known of one set of images.

    Parameters
    ----------
    told : dict
        What `syn2real.complexity.measure.measure_images` returned.

    Returns
    -------
    str
        Lines of plain text.
    """
    half, empirical = told["half"], told["empirical_entropy"]
    lines = [
        f"H = {_number(told['entropy'])} nats, -H = {_number(told['negative_entropy'])}, "
        f"standard error {_error(told['standard_error'])}",
        f"at half of the scenes: {'not known' if half is None else 'H = ' + _number(half['entropy'])}",
        f"images {told['images']:,}, scenes {told['scenes']:,}, vectors {told['vectors']:,} "
        f"({told['activation']}, {told['image_size']} pixels) of {told['dimensions']:,} dimensions",
        f"effective rank {told['effective_rank']:.1f}; {told['above_floor']} directions above the floor "
        f"{told['floor']:g}; {told['dead_channels']} dead channels",
        "without a floor: "
        + (f"H = {_number(empirical)}" if empirical is not None else _singular(told))
        + f"; mean variance of a channel {told['mean_variance']:.3g}",
    ]
    if told["vectors"] <= told["dimensions"]:
        lines.append("no more vectors than dimensions: compare with sets of as many images and scenes alone")
    return "\n".join(lines)


def compared_text(measured: Mapping[str, Mapping[str, Any]], comparison: Mapping[str, Any]) -> str:
    """Return the settings of an experiment in order, and whether that order is the paper's, as Markdown.

    Parameters
    ----------
    measured : mapping of str to dict
        What was measured, by setting.
    comparison : dict
        What `syn2real.complexity.ordering.compare` returned.
    """
    header = ("setting", "H", "-H", "s.e.", "H at half", "effective rank", "above floor", "H without floor")
    table = markdown_table(header, (_numbers(name, measured[name]) for name in comparison["order"]))
    any_told = measured[comparison["order"][0]]
    head = (
        f"Entropy H of a Gaussian fitted to the last activations ({any_told['activation']}) of a "
        f"{any_told['model']} at {any_told['image_size']} pixels, in nats, by falling -H. "
        f"{any_told['images']:,} images in {any_told['scenes']:,} scenes a setting, floor "
        f"{any_told['floor']:g}."
    )
    return "\n\n".join([head, table, *_ordering(comparison)]) + "\n"


def _numbers(name: str, told: Mapping[str, Any]) -> list[str]:
    """Return a setting's row of the table."""
    half, empirical = told["half"], told["empirical_entropy"]
    return [
        name,
        _number(told["entropy"]),
        _number(told["negative_entropy"]),
        _error(told["standard_error"]),
        "" if half is None else _number(half["entropy"]),
        f"{told['effective_rank']:.1f}",
        f"{told['above_floor']} of {told['dimensions']}",
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
        f"- {attribute}: {told['change']:+.1f} ± {_error(told['standard_error'])} "
        f"({told['pairs']} pair{'s' if told['pairs'] > 1 else ''})"
        for attribute, told in comparison["attributes"].items()
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


def _singular(told: Mapping[str, Any]) -> str:
    return f"-∞, as the covariance has rank {told['rank']} of {told['dimensions']}"
