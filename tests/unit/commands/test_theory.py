"""`syn2real theory`: what it prints, and its JSON."""

import json
from pathlib import Path

import pytest

from syn2real.cli import main

ROW = ["--r0", "1", "--r1", ".5", "--xi", "2", "--zeta"]


def test_it_prints_conditions_exponents_and_where_they_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theory", *ROW, "0"]) == 0
    shown = capsys.readouterr().out
    assert "case II-A (large learning rate, s λ1 η1² ≫ 1; (a1) = (b)): holds" in shown
    assert "no   r1 / (2 r1 + 1) <= zeta: 0.2500 <= 0.0000 (22)" in shown
    assert "ν = 0.5000, β = 0.5000 (18), (28)" in shown and "α = ν α0 = 0.4000 (19)" in shown
    assert "s^-0.5000 R0^0.5000 (27)" in shown and "n ≪ s^0.417" in shown and "s^-0.6667" in shown


def test_where_two_cases_or_none_hold_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theory", *ROW, ".25"]) == 0
    assert "Both cases hold" in capsys.readouterr().out
    assert main(["theory", "--r0", ".5", "--r1", "1", "--xi", "1.2", "--zeta", ".1"]) == 0
    shown = capsys.readouterr().out
    assert "No printed case holds" in shown and "goes as case II-B says" in shown


def test_at_a_size_it_gives_the_local_exponents_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "theory.json"
    assert main(["theory", *ROW, "0", "--n", "1000", "--s", "10000", "--json", str(file)]) == 0
    assert "These are not the asymptotic exponents (α = 0.400, β = 0.500)" in capsys.readouterr().out
    result = json.loads(file.read_text(encoding="utf-8"))
    assert 0 < result["local"]["alpha"] < 0.1 and 0.6 < result["local"]["beta"] < 0.7
    assert result["cases"][1]["holds"] and not result["cases"][0]["conditions"][1]["holds"]
    assert main(["theory", *ROW, "0", "--n", "10", "--s", "1e40"]) == 0
    assert "not the asymptotic" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*ROW, "1"], "--zeta: 1 lies outside [0, 1)"),
        ([*ROW, "0", "--n", "1000"], "--s: --n and --s go together; give both"),
        ([*ROW, "0", "--n", "0", "--s", "9"], "--n: 0 is not a number of samples"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["theory", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
