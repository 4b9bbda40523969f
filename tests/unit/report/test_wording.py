"""Numbers in words: an open end is called open, and curves are named by what sets them apart."""

import pytest

from syn2real.report.wording import curve_names, estimate_text


@pytest.mark.parametrize(
    ("lower", "upper", "status", "text"),
    [
        (0.43, 0.612345, "ok", "0.5 [0.43, 0.6123] (ok)"),
        (None, 0.6, "unidentified", "0.5 [open, 0.6] (unidentified)"),
        (0, None, "at-bound", "0.5 [0, open] (at-bound)"),
    ],
)
def test_an_estimate_has_its_interval_and_status(
    lower: float | None, upper: float | None, status: str, text: str
) -> None:
    assert estimate_text({"value": 0.5, "lower": lower, "upper": upper, "status": status}) == text


def test_curves_are_named_by_what_differs_and_share_the_rest() -> None:
    both = [{"setting": "a", "model": "m"}, {"setting": "b", "model": "m"}]
    assert curve_names(both) == (["setting a", "setting b"], "model m")
    assert curve_names(both[:1]) == (["setting a, model m"], "")
    assert curve_names([{}]) == (["the curve"], "")
