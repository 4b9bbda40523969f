"""Whether entropies follow the settings' partial ordering is reported with its sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from syn2real.complexity.ordering import compare


def setting(appearance, light, entropy, error=1.0):
    return {"entropy": entropy, "standard_error": error}, {"appearance": appearance, "light": light}


def compared(**settings):
    return compare({k: v[0] for k, v in settings.items()}, {k: v[1] for k, v in settings.items()})


def test_an_entropy_that_rises_with_complexity_agrees_and_one_that_falls_disagrees() -> None:
    rising = compared(
        plain=setting(1, 0, 10), lit=setting(1, 1, 12), many=setting(10, 0, 15), both=setting(10, 1, 20)
    )
    assert (rising["pairs"], rising["agreement"]) == (5, 1.0)  # lit and many are not ordered
    assert rising["order"] == ["plain", "lit", "many", "both"]
    assert rising["spearman"] > 0.9 and rising["kendall"] > 0.9
    falling = compared(plain=setting(1, 0, 20), lit=setting(1, 1, 15), both=setting(10, 1, 10))
    assert falling["agreement"] == falling["spearman"] == falling["kendall"] == -1


def test_the_effect_of_an_attribute_is_over_pairs_that_differ_in_it_alone() -> None:
    result = compared(
        plain=setting(1, 0, 10), lit=setting(1, 1, 12), many=setting(10, 0, 15), both=setting(10, 1, 20)
    )
    light = result["attributes"]["light"]
    assert light == {"change": pytest.approx((2 + 5) / 2), "standard_error": pytest.approx(1), "pairs": 2}
    chain = compared(a=setting(1, 0, 10), b=setting(2, 0, 12), c=setting(3, 0, 17))["attributes"][
        "appearance"
    ]
    assert chain["pairs"] == 3 and chain["change"] == pytest.approx((2 + 5 + 7) / 3)
    assert chain["standard_error"] == pytest.approx(np.sqrt(4 + 0 + 4) / 3)  # b cancels


def test_settings_without_attributes_are_ordered_but_not_compared() -> None:
    measured = {"a": {"entropy": 2.0, "standard_error": None}, "b": {"entropy": 1.0, "standard_error": 0.1}}
    result = compare(measured, {})
    assert result["order"] == ["b", "a"]
    assert (result["pairs"], result["agreement"], result["spearman"]) == (0, None, None)
    assert result["attributes"] == {}
    known = compare(measured, {"a": {"light": 1.0}, "b": {"light": 0.0}})
    assert known["attributes"]["light"] == {"change": 1.0, "standard_error": None, "pairs": 1}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12))
def test_rank_correlations_are_scipys_and_none_where_nothing_varies(pairs) -> None:
    x, y = np.array(pairs, dtype=float).T
    result = compared(**{f"s{k}": setting(level, 0, entropy) for k, (level, entropy) in enumerate(pairs)})
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert result["spearman"] is None and result["kendall"] is None
    else:
        assert result["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic)
        assert result["kendall"] == pytest.approx(stats.kendalltau(x, y).statistic)
