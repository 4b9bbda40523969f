"""What holds of every law, found by name."""

import numpy as np
import pytest

from syn2real.errors import InputError
from syn2real.laws.forms.base import Law, find_law
from syn2real.laws.results import Rows
from syn2real.laws.table import fewest
from syn2real.plugins import load, names

MODULES = [load("laws.forms", name) for name in names("laws.forms")]
WITH_LOSS = [module.WITH_LOSS for module in MODULES if hasattr(module, "WITH_LOSS")]
LAWS = [module.LAW for module in MODULES] + WITH_LOSS
GRID = np.meshgrid(1000.0 * 2 ** np.arange(0, 9, 2), [200.0, 800.0, 3200.0], [1e7, 2e7, 4e7])
ROWS = Rows(*(axis.ravel() for axis in GRID))
UNIT = Rows.at(16_000.0, 800.0, 2e7)

every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: name_of(law))


def name_of(law: Law) -> str:
    """The law's name, as `-k` takes it."""
    return f"{law.name}-loss" if law in WITH_LOSS else law.name


def exponents_of(law: Law) -> np.ndarray:
    """Exponents at which every term matters, shape (q,)."""
    return np.linspace(0.5, 0.3, len(law.exponents))


def params_of(law: Law) -> dict[str, float]:
    """Parameters whose terms have about equal shares of the error."""
    coefficients = 0.4 / law.columns(exponents_of(law), ROWS).mean(axis=0)
    return {name: float(value) for name, value in law.named(exponents_of(law), coefficients).items()}


@every_law
def test_it_says_what_it_is(law: Law) -> None:
    assert law.name in names("laws.forms")
    assert law.equation and law.source
    assert len(set(law.exponents + law.coefficients)) == len(law.exponents) + len(law.coefficients)
    assert set(law.varies) <= {"s", "n_params"}
    assert find_law(law.name, loss=law in WITH_LOSS) is law


@every_law
def test_its_columns_are_one_whether_in_logs_or_over_a_unit(law: Law) -> None:
    exponents = np.array([0.2, 0.7, 1.3])[:, None] * exponents_of(law)
    columns = law.columns(exponents, ROWS)
    assert columns.shape == (3, len(ROWS.n), len(law.coefficients))
    np.testing.assert_allclose(np.exp(law.log_columns(exponents, ROWS)), columns, rtol=1e-12)
    over = columns / law.columns(exponents, UNIT)
    np.testing.assert_allclose(law.columns(exponents, ROWS, UNIT), over, rtol=1e-12)
    np.testing.assert_allclose(np.exp(law.log_ratio(exponents, ROWS, UNIT)), over, rtol=1e-12)


@every_law
def test_it_falls_with_each_of_its_columns(law: Law) -> None:
    error = law.predict(params_of(law), ROWS)
    for column in ("n", *law.varies) if law.describes == "error" else law.varies:
        larger = Rows(**{**vars(ROWS), column: 2 * getattr(ROWS, column)})
        assert (law.predict(params_of(law), larger) < error).all()


@every_law
def test_parameters_and_coefficients_convert_both_ways(law: Law) -> None:
    coefficients = 0.4 / law.columns(exponents_of(law), ROWS).mean(axis=0)
    named = law.named(exponents_of(law), coefficients)
    np.testing.assert_allclose(law.coefficients_of(named), coefficients, rtol=1e-14)
    many = {name: np.full((4,), value) for name, value in named.items()}
    assert law.predict(many, ROWS).shape == (4, len(ROWS.n))
    np.testing.assert_array_equal(law.predict(many, ROWS)[0], law.predict(params_of(law), ROWS))


@pytest.mark.parametrize("law", [law for law in LAWS if law.describes == "error"], ids=name_of)
def test_the_required_n_inverts_the_prediction(law: Law) -> None:
    params, n = params_of(law), np.array([2.0, 300.0, 5e4, 1e9])
    error = law.predict(params, Rows.at(n, 800.0, 2e7))
    np.testing.assert_allclose(law.required_n(params, error, s=800.0, n_params=2e7), n, rtol=1e-6)
    limit = law.predict(params, Rows.at(np.inf, 800.0, 2e7))
    assert np.isinf(law.required_n(params, 0.999 * limit, s=800.0, n_params=2e7)).all()


@every_law
def test_a_curve_too_short_for_it_has_a_reason(law: Law, make_curve) -> None:  # type: ignore[no-untyped-def]
    need = fewest(law.varies)
    sizes = 1000.0 * np.arange(1, need)
    assert law.why_not(make_curve(sizes, sizes**-0.5)) == f"{need - 1} distinct n above 0; a fit needs {need}"
    short = make_curve([1000, 2000, 4000], [0.5, 0.4, 0.35])
    parameters = len(law.exponents) + len(law.coefficients)
    assert bool(law.why_not(short)) == (bool(law.varies) or parameters > 3)


def test_a_name_that_is_no_law_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'simpel' is not defined; did you mean 'simple'"):
        find_law("simpel")
    with pytest.raises(InputError, match="--loss: the power law has no irreducible loss; leave out --loss"):
        find_law("power", loss=True)
