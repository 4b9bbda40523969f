"""Which law of n and s forecasts: judged by what it does not see."""

import numpy as np
import pandas as pd
import pytest

from syn2real.laws.forms.full import LAW as FULL
from syn2real.laws.labels import label_forecast
from syn2real.laws.results import Rows

LABELS = np.array([641.0, 2985.0, 13_800.0, 64_115.0])


def _measured(law, sizes, noise=0.005) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    """Errors at every size and number of labels."""
    rows = pd.DataFrame([(n, s) for n in sizes for s in LABELS], columns=["n", "s"])
    random = np.random.default_rng(2)
    return rows.assign(error=law(rows["n"], rows["s"]) * np.exp(noise * random.standard_normal(len(rows))))


def _effective(n, s):  # type: ignore[no-untyped-def]
    """Pre-training on 1.28 million takes .750 to .540 at 641 labels, and .380 to .376 at 64,115."""
    return 1.948 * (s + 5285 * (n / 1.28e6) ** 0.6) ** -0.1477


def _full(n, s):  # type: ignore[no-untyped-def]
    """Pre-training helps by the same factor at every number of labels."""
    return FULL.predict({"delta": 10.0, "gamma": 0.15, "alpha": 0.25, "beta": 0.15}, Rows.at(n, s))


@pytest.mark.parametrize("sizes", [(0, 1e5, 1.28e6), (1e4, 1e5, 1.28e6)], ids=["from-nothing", "without"])
def test_effective_labels_forecast_where_pretraining_helps_less_with_more_labels(sizes) -> None:  # type: ignore[no-untyped-def]
    forecast = label_forecast(_measured(_effective, sizes))
    assert forecast is not None and forecast.law == "effective"
    assert forecast.scores["effective"]["largest s"] < 0.03 < forecast.scores["full"]["largest s"]
    ahead = forecast.predict(1.28e6, 10 * LABELS)
    np.testing.assert_allclose(ahead, _effective(1.28e6, 10 * LABELS), rtol=0.02)


def test_the_full_law_forecasts_where_pretraining_helps_by_one_factor() -> None:
    forecast = label_forecast(_measured(_full, (4e3, 2e4, 1e5, 5e5), 0.002))
    assert forecast is not None and forecast.law == "full"
    np.testing.assert_allclose(forecast.predict(5e5, 1e6), _full(5e5, 1e6), rtol=0.03)


def test_laws_are_judged_on_the_same_rows_and_only_where_each_can_be_fitted() -> None:
    forecast = label_forecast(_measured(_effective, (0, 1e5, 1.28e6)))
    assert forecast is not None
    # Without the largest n a single n above 0 is left, which the full law cannot be fitted to.
    assert {name: set(scores) for name, scores in forecast.scores.items()} == {
        "full": {"largest s"},
        "effective": {"largest s"},
    }


def test_a_group_too_small_for_either_law_has_no_forecast() -> None:
    table = _measured(_effective, (1e5, 1.28e6))
    assert label_forecast(table[table["s"] == LABELS[0]]) is None
    assert label_forecast(table[table["n"] == 1e5]) is None
