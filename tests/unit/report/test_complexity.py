"""The words say what the numbers say, and not more."""

import pytest

from syn2real.complexity.ordering import compare
from syn2real.report.complexity import compared_text, measured_text

RESULT = {
    "entropy": -12.34, "negative_entropy": 12.34, "standard_error": 1.5,
    "half": {"entropy": -10.0, "vectors": 50},
    "scenes": 50, "vectors": 100, "dimensions": 8, "floor": 0.001, "effective_rank": 3.21, "rank": 8,
    "above_floor": 7, "dead_channels": 1, "mean_variance": 0.25, "empirical_entropy": -13.0, "groups": 20,
    "images": 100, "activation": "pooled", "image_size": 48, "model": "resnet18",
}  # fmt: skip


def test_one_set_of_images() -> None:
    text = measured_text(RESULT)
    for part in (
        "H = -12.3 nats, -H = 12.3, standard error 1.5",
        "half of the scenes: H = -10.0",
        "effective rank 3.2; 7 directions above the floor 0.001; 1 dead",
        "without a floor: H = -13.0",
    ):
        assert part in text
    few = measured_text(
        RESULT | {"vectors": 8, "standard_error": None, "half": None, "empirical_entropy": None}
    )
    for part in (
        "standard error unknown",
        "not known",
        "-∞, as the covariance has rank 8 of 8",
        "compare only with",
    ):
        assert part in few


@pytest.mark.parametrize(("sign", "larger"), [(1, "larger H in 3 of them"), (-1, "larger H in 0 of them")])
def test_the_sign_of_the_ordering_is_told(sign: int, larger: str) -> None:
    entropies = {"plain": 0.0, "lit": 10.0, "busy": 25.0}
    measured = {
        name: RESULT | {"entropy": sign * h, "negative_entropy": -sign * h} for name, h in entropies.items()
    }
    levels = {"plain": {"a": 1.0, "b": 0.0}, "lit": {"a": 1.0, "b": 1.0}, "busy": {"a": 10.0, "b": 1.0}}
    text = compared_text(measured, compare(measured, levels))
    assert larger in text and f"Somers' D {sign:+.2f} for H, {-sign:+.2f} for -H" in text
    assert f"correlates by {sign:+.2f} (Spearman)" in text
    assert f"- a: {15 * sign:+.1f} ± 2.1 (1 pair)" in text
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")][2:]
    assert rows == sorted(entropies, key=lambda name: sign * entropies[name])


def test_settings_without_an_order_are_said_to_have_none() -> None:
    text = compared_text({"mine": RESULT}, compare({"mine": RESULT}, {}))
    assert "No two of these settings are ordered" in text and "| mine | -12.3 | 12.3 | 1.5 |" in text
