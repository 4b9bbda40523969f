"""Whether the distances from photographs order the transfer gaps."""

import numpy as np

from syn2real.laws.posteriors import DESCRIBED, TOO_FEW, CurveDraws
from syn2real.report.gaps import gaps_text


def curves(order: int, count: int = 8, state: str = DESCRIBED) -> list[CurveDraws]:
    """Return curves of settings whose C rises (1) or falls (-1) with their number."""
    noise = 1e-3 * np.random.default_rng(0).standard_normal((count, 500))
    return [
        CurveDraws(
            {"setting": f"s{k}", "target": "mine"}, state, None, {"C": 0.5 + order * 0.01 * k + c}, 0.5, 0
        )
        for k, c in enumerate(noise)
    ]


def test_whether_the_distance_orders_the_gap_is_reported_with_its_interval() -> None:
    rows = [{"setting": f"s{k}", "target": "mine", "distance": 0.1 * k} for k in range(8)]
    found: dict = {"distances": rows}
    for order, sign in ((1, "+"), (-1, "-")):
        text = gaps_text(found, curves(order))
        assert text.startswith("8 curves of 8 settings.") and f"photographs is {sign}1.00 [" in text
        assert "1: the nearer the renders, the smaller the gap" in text
    assert "Too few to say" in gaps_text(found, curves(1, count=5)), "of five, chance alone orders some"
    left_out = gaps_text(found, curves(1, state=TOO_FEW))
    assert left_out.startswith("0 curves of 8 settings. Left out: too few sizes") and "Too few" in left_out
    assert gaps_text({"distances": rows[:1]}, curves(1, count=1)).startswith("1 curve of 1 setting.")
