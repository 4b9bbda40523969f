"""Files of config/theory: what they may say, and what is refused."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from syn2real.config.theory import Network, read_theories
from syn2real.errors import InputError
from syn2real.theory.circle import ACTIVATIONS

SHIPPED = Path(__file__).parents[3] / "config/theory"
TEXT = (SHIPPED / "paper.yaml").read_text(encoding="utf-8")


def test_the_shipped_file_asks_for_every_case_penalty_and_control() -> None:
    paper = read_theories(SHIPPED)["paper"]
    assert len(paper.bounds) >= 11 and paper.laws.phi1 == (0.1, 0.3, 1)
    for key, values in {
        "update": {"all", "head"},
        "penalty": {"start", "origin"},
        "lambda1": {"s", 0.0},
    }.items():
        assert values <= {getattr(setting, key) for setting in paper.laws.settings}


def test_words_are_no_part_of_what_is_run() -> None:
    params = read_theories(SHIPPED)["paper"].params()
    assert set(params) == {"bounds", "local", "rates", "laws", "network", "seed"}


def test_activations_are_those_there_are() -> None:
    assert set(get_args(Network.model_fields["activation"].annotation)) == {*ACTIVATIONS}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{r0: 1, r1: 0.5, xi: 2, zeta: 0}", "{r0: 2, r1: 0.5, xi: 2, zeta: 0}", "r0: must be at most 1"),
        ("seed: 0\n", "sede: 0\n", "sede: unknown key; did you mean 'seed'?"),
        ("n: [4, 8, 16, 32,", "n: [8, 4, 16, 32,", "laws.n: the sizes must rise"),
        ("16384, 32768]", "16384]", None),
        ("4096, 8192, 16384, 32768]", "4096]", "rates: s: name two sizes of 4,096 or more"),
        ("modes: shared", "modes: shared, update: head", "update: head needs modes: apart"),
        ("name: b-head,", "name: head,", "the name 'head' is taken"),
        ("name: rate-1a, ", "lambda1: 0, name: rate-1a, ", "is given twice"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != TEXT
    if message is None:
        assert read_theories(tmp_path)
        return
    with pytest.raises(InputError) as caught:
        read_theories(tmp_path)
    assert str(caught.value).startswith(str(file)) and message in str(caught.value)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(yaml.safe_load(TEXT)), encoding="utf-8")
    with pytest.raises(InputError, match=r"two\.yaml: name: another file"):
        read_theories(tmp_path)
