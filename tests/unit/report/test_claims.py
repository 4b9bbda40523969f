"""The paper's claims, judged by errors of known laws: each may hold, fail, or stay open."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from syn2real.config.needs import POSITION
from syn2real.files import read_json
from syn2real.laws.extrapolation import extrapolate
from syn2real.laws.posteriors import NOTHING_FALLS, draw_curves
from syn2real.plugins import load
from syn2real.report.claim_table import judge_claims, read_needs, write_claims, write_judged
from syn2real.report.claims.base import AGREES, DISAGREES, UNDECIDED

SIZES = tuple(250 * 2**i for i in range(8))
PTASKS, FTASKS = ("mulclass", "objdet", "semseg", "normal"), ("sinclass", "objdet", "semseg")
MODELS = {
    "resnet18": 11.4e6,
    "resnet34": 21.5e6,
    "resnet50": 23.9e6,
    "resnet101": 42.8e6,
    "resnet152": 58.5e6,
}
LEVELS = {
    f"{a}-{b}-{c}-{t}": {"appearance": a, "light": b, "background": c, "texture": t}
    for a, b, c in ((1.0, 0.0, 0.0), (10.0, 0.0, 0.0), (10.0, 1.0, 0.0), (10.0, 1.0, 1.0))
    for t in (0.0, 1.0)
}
ORDER = {setting: place for place, setting in enumerate(LEVELS)}
Law = Callable[..., Any]


def table(
    law: Law, noise: float = 0.002, sizes: tuple[int, ...] = SIZES, seeds: int = 1, **grid: Any
) -> pd.DataFrame:
    """Return the errors of a law of what `grid` varies and n, each with its noise."""
    given = {"setting": ["room"], "ptask": ["normal"], "ftask": ["semseg"], "model": ["resnet18"], "s": [500]}
    random = np.random.default_rng(0)
    rows = []
    for values in product(*(given | grid).values()):
        row = dict(zip(given, values, strict=True))
        for n, seed in product(sizes, range(seeds)):
            error = law(n=n, **row) * np.exp(noise * random.standard_normal())
            rows.append(
                {"recipe": "r", **row, "n_params": MODELS[row["model"]], "n": n, "seed": seed, "error": error}
            )
    return pd.DataFrame(rows)


def simple(alpha: Law = lambda **_: 0.5, gap: Law = lambda **_: 0.3) -> Law:
    """Return a simple law whose α and C depend on the rest; D keeps the fall at the smallest n."""
    return lambda n, **row: 0.4 * (n / SIZES[0]) ** -alpha(**row) + gap(**row)


def fan(values: Any) -> Law:
    """Return a parameter by pre-training task."""
    by_task = dict(zip(PTASKS, values, strict=True))
    return lambda ptask, **_: by_task[ptask]


def by_size(power: float) -> Law:
    """Return a parameter that is a power of the model's size."""
    return lambda model, **_: 0.3 * (MODELS[model] / MODELS["resnet18"]) ** power


def by_order(first: float, factor: float) -> Law:
    """Return a parameter that changes from setting to setting by a factor."""
    return lambda setting, **_: first * factor ** ORDER[setting]


def by_texture(change: float) -> Law:
    """Return a parameter that textured objects change."""
    return lambda setting, **_: 0.3 + change * LEVELS[setting]["texture"]


def up_and_down(n: float, **_: Any) -> float:
    """Return an error that falls and then rises."""
    return 0.3 + 0.05 * float(np.log(n / 2000)) ** 2


def late(n: float, **_: Any) -> float:
    """Return an error that falls at some n and nowhere else."""
    return 0.3 + 0.4 / (1 + (n / 2000) ** 4)


def additive(n: float, s: float, **_: Any) -> float:
    """Return an error to which n and s add up."""
    return 8 * n**-0.6 + 3 * s**-0.5


def full(n: float, s: float, **_: Any) -> float:
    """Return an error that n and s multiply to."""
    return 6 * (0.05 + n**-0.5) * s**-0.3


PAIRS: dict[str, Any] = {"ptask": PTASKS, "ftask": FTASKS}
LABELS: dict[str, Any] = {"s": [100, 400, 1600], "sizes": SIZES[:6]}
SETTINGS = {"setting": [*LEVELS]}
BY_FTASK = dict(zip(FTASKS, (0.15, 0.5, 1.6), strict=True))
CASES: list[tuple[str, pd.DataFrame, str]] = [
    ("law-holds", table(simple(), **PAIRS), AGREES),
    ("law-holds", table(up_and_down, **PAIRS), DISAGREES),
    ("law-holds", table(lambda **_: 0.5, noise=0.02, **PAIRS), UNDECIDED),
    ("law-holds", table(late, seeds=2, **PAIRS), DISAGREES),
    ("law-holds", table(simple(), 0.05, seeds=2, **PAIRS), AGREES),
    ("rates-by-pretraining", table(simple(fan([0.15, 0.4, 0.8, 1.8])), 1e-4, **PAIRS), AGREES),
    ("rates-by-pretraining", table(simple(lambda ftask, **_: BY_FTASK[ftask]), 1e-4, **PAIRS), DISAGREES),
    ("rates-by-pretraining", table(simple(fan([0.4, 0.5, 0.6, 0.7])), 0.03, **PAIRS), UNDECIDED),
    ("rates-by-pretraining", table(simple(), ftask=FTASKS), UNDECIDED),
    ("gaps-by-pair", table(simple(gap=fan([0.2, 0.3, 0.4, 0.5])), **PAIRS), AGREES),
    ("gaps-by-pair", table(simple(), 5e-4, **PAIRS), DISAGREES),
    ("gaps-by-pair", table(simple(), 0.15, **PAIRS), UNDECIDED),
    ("gaps-by-pair", table(simple(fan([0.15, 0.4, 0.8, 1.8])), 0.02, **PAIRS), UNDECIDED),
    ("gaps-by-pair", table(simple(gap=fan([0.3, 0.31, 0.32, 0.33])), 0.05, **PAIRS), UNDECIDED),
    ("full-beats-additive", table(full, **LABELS), AGREES),
    ("full-beats-additive", table(additive, **LABELS), DISAGREES),
    ("full-beats-additive", table(full, 0.2, **LABELS), UNDECIDED),
    ("full-beats-additive", table(full, s=[100]), UNDECIDED),
    ("full-beats-additive", table(lambda s, **_: s**-0.2, 0.03, **LABELS), UNDECIDED),
    ("full-beats-additive", table(lambda n, **_: 0.3 + n**-0.5, 0.02, **LABELS), UNDECIDED),
    ("gaps-by-model-size", table(simple(gap=by_size(-0.3)), model=MODELS), AGREES),
    ("gaps-by-model-size", table(simple(gap=by_size(0.3)), model=MODELS), DISAGREES),
    ("gaps-by-model-size", table(simple(), model=MODELS), UNDECIDED),
    ("gaps-by-model-size", table(simple(), model=["resnet18", "resnet50"]), UNDECIDED),
    ("gap-extrapolates", table(simple(), model=MODELS), AGREES),
    ("gap-extrapolates", table(simple(gap=lambda **_: 0.0), 0.01, model=MODELS), UNDECIDED),
    ("rates-by-complexity", table(simple(by_order(1.6, 0.7)), 1e-4, **SETTINGS), AGREES),
    ("rates-by-complexity", table(simple(by_order(0.15, 1 / 0.7)), 1e-4, **SETTINGS), DISAGREES),
    ("rates-by-complexity", table(simple(), **SETTINGS), UNDECIDED),
    ("gaps-by-complexity", table(simple(gap=by_order(0.5, 0.8)), **SETTINGS), AGREES),
    ("gaps-by-complexity", table(simple(gap=by_order(0.1, 1.25)), **SETTINGS), DISAGREES),
    ("gaps-by-complexity", table(simple(), **SETTINGS), UNDECIDED),
    ("gaps-by-texture", table(simple(gap=by_texture(0.1)), **SETTINGS), AGREES),
    ("gaps-by-texture", table(simple(gap=by_texture(-0.1)), **SETTINGS), DISAGREES),
    ("gaps-by-texture", table(simple(), **SETTINGS), UNDECIDED),
    ("rates-with-coefficients", table(simple(), 0.01, sizes=SIZES[:6], **PAIRS), AGREES),
    ("rates-with-coefficients", table(simple(), 1e-4, **PAIRS), DISAGREES),
    ("rates-with-coefficients", table(simple(), 0.15, seeds=2, **PAIRS), AGREES),
]  # fmt: skip


def inputs(points: pd.DataFrame, needs: tuple[str, ...]) -> dict[str, Any]:
    """Return what a claim needs of a table."""
    made: dict[str, Callable[[], Any]] = {
        "points": lambda: points,
        "draws": lambda: draw_curves(points),
        "extrapolation": lambda: extrapolate(points, 4000),
        "levels": lambda: LEVELS,
    }
    return {need: made[need]() for need in needs}


@pytest.mark.parametrize(
    ("name", "points", "verdict"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_claim_is_judged_by_known_laws(name: str, points: pd.DataFrame, verdict: str) -> None:
    [found] = judge_claims([name], inputs(points, load("report.claims", name).NEEDS))
    assert found["verdict"] == verdict, found
    assert found["seen"].endswith(".")


@pytest.mark.parametrize(("sign", "verdict"), [(1, AGREES), (-1, DISAGREES)])
def test_the_entropys_sign_is_judged(sign: int, verdict: str) -> None:
    measured = {
        name: {"negative_entropy": sign * value, "entropy": -sign * value, "standard_error": 0.5}
        for name, value in zip(LEVELS, range(0, 80, 10), strict=True)
    }
    [found] = judge_claims(["entropy-by-complexity"], {"complexity": measured, "levels": LEVELS})
    assert found["verdict"] == verdict
    wide = {name: {**one, "standard_error": 500.0} for name, one in measured.items()}
    [found] = judge_claims(["entropy-by-complexity"], {"complexity": wide, "levels": LEVELS})
    assert found["verdict"] == UNDECIDED


def test_a_curve_that_does_not_fall_is_named() -> None:
    points = table(lambda ptask, n, **_: 0.5 if ptask == "normal" else simple()(n), 0.01, ptask=PTASKS)
    draws = draw_curves(points)
    assert [curve.identity["ptask"] for curve in draws if curve.state == NOTHING_FALLS] == ["normal"]
    [found] = judge_claims(["law-holds"], {"draws": draws})
    assert "Nothing falls beyond the noise: normal." in found["seen"]


def test_the_tables_of_experiments_are_joined(tmp_path: Path) -> None:
    claims = ["law-holds", "rates-by-pretraining"]
    for name, given in (("small-one", False), ("published-two", True)):
        table(simple(), ptask=PTASKS[:2]).to_csv(tmp_path / "points.csv", index=False)
        found = judge_claims(claims, read_needs({"draws": [str(tmp_path / "points.csv")]}))
        files = {"json": tmp_path / f"{name}.json", "csv": tmp_path / f"{name}.csv"}
        write_judged(name, found, given=given, **files)
    judged = [tmp_path / "small-one.json", tmp_path / "published-two.json"]
    assert [claim["claim"] for claim in read_json(judged[0])["claims"]] == claims
    out = {kind: tmp_path / f"claims.{kind}" for kind in ("markdown", "html", "csv")}
    write_claims(judged, **out)
    rows = pd.read_csv(out["csv"])
    assert [*rows["claim"]] == ["law-holds"] * 2 + ["rates-by-pretraining"] * 2
    assert [*rows["experiment"]] == ["small-one", "published-two"] * 2
    text = out["markdown"].read_text(encoding="utf-8")
    assert text.count("The error follows the simple law") == 2, "in the table once, and with its rule"
    assert "published-two (given measurements)" in text
    assert "<table>" in out["html"].read_text(encoding="utf-8")


def test_curves_are_left_out_for_their_own_reasons() -> None:
    points = table(lambda ptask, n, **_: 0.5 if ptask == "normal" else simple()(n), 0.01, ptask=PTASKS)
    short = points["ptask"].eq("objdet") & (points["n"] > SIZES[1])
    [found] = judge_claims(["rates-by-pretraining"], {"draws": draw_curves(points[~short])})
    assert "Left out: nothing falls beyond the noise (normal); too few sizes (objdet)." in found["seen"]


def test_settings_of_given_measurements_have_an_order_and_no_attributes() -> None:
    draws = draw_curves(table(simple(by_order(1.6, 0.7)), 1e-4, **SETTINGS))
    order = {setting: {POSITION: float(position)} for setting, position in ORDER.items()}
    few = dict([*order.items()][:3])
    [found] = judge_claims(["rates-by-complexity"], {"draws": draws, "levels": order})
    assert found["verdict"] == AGREES and POSITION not in found["seen"]
    [found] = judge_claims(["rates-by-complexity"], {"draws": draws, "levels": few})
    assert found["verdict"] == UNDECIDED and found["seen"].endswith("Too few of them to judge.")
