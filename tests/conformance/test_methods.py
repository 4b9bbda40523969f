"""What holds of every method with every law that it does not refuse; both are found by name."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from syn2real.cli import main
from syn2real.errors import InputError
from syn2real.laws.api import fit_table
from syn2real.laws.forms import simple
from syn2real.laws.forms.base import find_law
from syn2real.laws.forms.schema import method_of
from syn2real.laws.methods.base import find_method
from syn2real.laws.results import Rows
from syn2real.plugins import load, names

METHODS, LAWS = names("laws.methods"), names("laws.forms")
N, S, SIZES = 1000.0 * 2 ** np.arange(8), (200.0, 800.0, 3200.0), (1e7, 2e7, 4e7)
PAIRS = [
    (law, method)
    for law in LAWS
    for method in METHODS
    if load("laws.methods", method).refuses(load("laws.forms", law).LAW) is None
]


def frame_of(name: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """A noise-free table of a law, and the parameters it was made from."""
    law = find_law(name)
    axes = [N, S if "s" in law.varies else (800.0,), SIZES if "n_params" in law.varies else (2e7,)]
    rows = Rows(*(axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")))
    exponents = np.linspace(0.5, 0.3, len(law.exponents))
    coefficients = 0.15 / law.columns(exponents, rows).mean(axis=0)
    if name == "simple":
        coefficients[0] = 0.5  # where the paper's search of a common D starts
    params = {key: float(value) for key, value in law.named(exponents, coefficients).items()}
    error = law.predict(params, rows)
    if law.describes == "transfer gap":
        error = simple.LAW.predict({"D": 0.5, "alpha": 0.5, "C": 0.0}, rows) + error  # the paper's start
    models = [f"m{size:.0f}" for size in rows.n_params]
    frame = pd.DataFrame(
        {"n": rows.n, "s": rows.s, "model": models, "n_params": rows.n_params, "error": error}
    )
    return frame, params


def fitted(name: str, method: str, frame: pd.DataFrame) -> dict[str, Any]:
    """The one curve's object of the JSON contract, after a round trip, with every row predicted."""
    result = fit_table(frame, law=name, method=method, predict_frame=frame.drop(columns="error"))
    (curve,) = json.loads(json.dumps(result, allow_nan=False))["curves"]
    return curve


@pytest.mark.parametrize(("law", "method"), PAIRS)
def test_a_law_recovers_itself_and_its_json_predicts_it(law: str, method: str) -> None:
    frame, params = frame_of(law)
    curve = fitted(law, method, frame)
    predicted = np.array([row["error"] for row in curve["predictions"]])
    np.testing.assert_allclose(predicted, frame["error"], rtol=0.02)
    values = {name: estimate["value"] for name, estimate in curve["fit"]["params"].items()}
    assert set(values) == set(params)
    if find_law(law).describes == "error":
        rows = Rows(*(frame[column].to_numpy(float) for column in ("n", "s", "n_params")))
        np.testing.assert_allclose(find_law(law).predict(values, rows), predicted, rtol=0.01)
    else:
        assert values == pytest.approx(params, rel=0.2)


@pytest.mark.parametrize("law", [law for law, method in PAIRS if method == "least-squares"])
def test_least_squares_recovers_the_parameters(law: str) -> None:
    frame, params = frame_of(law)
    curve = fitted(law, "least-squares", frame)
    for name, value in params.items():
        assert curve["fit"]["params"][name]["value"] == pytest.approx(value, rel=2e-3), name


@pytest.mark.parametrize("law", LAWS)
def test_the_default_method_takes_the_law_and_the_command_knows_it(law, tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert (law, method_of(law)) in PAIRS
    frame_of(law)[0].to_csv(tmp_path / "points.csv", index=False)
    out = tmp_path / "fits.json"
    assert main(["fit", str(tmp_path / "points.csv"), "--law", law, "--json", str(out)]) == 0
    (curve,) = json.loads(out.read_text())["curves"]
    assert (curve["law"], curve["method"]) == (law, method_of(law)) and curve["fit"]


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_one_line_that_names_the_method(method: str) -> None:
    refused = [law for law in LAWS if (law, method) not in PAIRS]
    assert len(refused) < len(LAWS), "it fits no law"
    for law in refused:
        with pytest.raises(InputError, match=f"--method {method}: ") as caught:
            find_method(method, find_law(law))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("law", "method"), PAIRS)
def test_the_same_table_gives_the_same_digits(law: str, method: str) -> None:
    frame, _ = frame_of(law)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(len(frame)))
    frame = frame.assign(error=frame["error"] * noise)
    assert fitted(law, method, frame) == fitted(law, method, frame)


def test_a_name_that_is_no_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'posteriori' is not defined; did you mean 'posterior'"):
        find_method("posteriori", simple.LAW)
