"""The page answers as the command does, offline, for mouse and keyboard, on a screen of any size."""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fixtures.browser import CHROMIUM, Browser
from syn2real.cli import main
from syn2real.commands.base import count, number, target
from syn2real.errors import InputError
from syn2real.laws.advice import Forecasts, advise_of, check_goal, forecast_table
from syn2real.laws.forecast import CurveForecast, Goal, can_reach, least_reached
from syn2real.laws.verdicts import RULES, say
from syn2real.report.answer import can_draw, page
from syn2real.report.wording import plain_text

draws = pytest.mark.skipif(not can_draw(), reason="vl-convert-python and jinja2 are not installed ([page])")
browses = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
SETTINGS = 50
TEXTS = (
    "0.3 .5 1. +2 1 1.5 -1 0 1e3 1e-3 1e999 9e15 1e16 1_000 1__0 0x10 1000.5 0,3 1,5 30% x% "
    "1M 64k 1.28M 0.5k 1k5"
)
CURVES, LARGEST = 50, 6e6  # bytes of a page of so many curves


def _points() -> pd.DataFrame:
    random, rows = np.random.default_rng(1), []
    for setting, gap in (("a", 0.30), ("b", 0.15)):
        for s in (500, 2000):
            for n in 1000 * 2 ** np.arange(7):
                error = (4 * n**-0.5 + gap) * (500 / s) ** 0.15
                rows.append((setting, n, s, error * np.exp(0.004 * random.standard_normal())))
    rows += [("few", 1000, 500, 0.4), ("few", 2000, 500, 0.3)]
    rows += [
        ("odd", n, 500, error)
        for n, error in ((1000, 0.5), (2000, 0.2), (4000, 0.44), (8000, 0.41), (16000, 0.4))
    ]
    return pd.DataFrame(rows, columns=["setting", "n", "s", "error"])


@pytest.fixture(scope="module")
def table() -> Forecasts:
    return forecast_table(_points(), Goal(0.28), allow_unfitted=True, test_size=3000)


@pytest.fixture(scope="module")
def file(table: Forecasts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "answer.html"
    path.write_text(page(table, advise_of(table), "Will <more> images do?", more="<p>below</p>"), "utf-8")
    return path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Any:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(started: Browser, file: Path) -> Browser:
    started.open(file, 1200, ready="view !== null")
    return started


def _verdict(browser: Browser) -> str:
    return str(browser.run("document.getElementById('verdict').textContent"))


def _differences(wanted: Any, shown: Any, place: str = "") -> list[str]:
    """Return where numbers differ by more than 1 %, or anything else at all; keys of both are compared."""
    if isinstance(wanted, dict) and isinstance(shown, dict):
        both = [key for key in wanted if key in shown]
        return [d for key in both for d in _differences(wanted[key], shown[key], f"{place}.{key}")]
    if isinstance(wanted, float) and isinstance(shown, int | float):
        return [] if shown == pytest.approx(wanted, rel=0.01, abs=1e-9) else [f"{place}: {wanted} {shown}"]
    return [] if wanted == shown else [f"{place}: {wanted} {shown}"]


@draws
@browses
def test_every_number_and_verdict_is_that_of_the_command(browser: Browser, table: Forecasts) -> None:
    random = np.random.default_rng(20)
    errors = np.concatenate([one.curve.error for one in table.curves])
    least, most = np.log(errors.min() / 1.5), np.log(errors.max())
    kinds, found = set(), []
    for _ in range(SETTINGS):
        goal = Goal(
            float(np.exp(random.uniform(least, most))),
            None if random.random() < 0.2 else float(np.floor(np.exp(random.uniform(10, 18)))),
            float(np.exp(random.normal())),
            None if random.random() < 0.3 else float(np.exp(random.uniform(0, 12))),
        )
        curves = [CurveForecast(one.curve, goal, one.fit) for one in table.curves]
        result = advise_of(replace(table, goal=goal, curves=curves))
        asked = json.dumps(asdict(goal))
        shown = json.loads(browser.run(f"JSON.stringify(DATA.curves.map((_, i) => advise(i, {asked})))"))
        for curve, answer in zip(result["curves"], shown, strict=True):
            assert {"probabilities", "verdict", "lever", "next_n"} <= {*answer}
            assert answer["probabilities"] is None or {"required_n", "cost", "error_at_limit"} <= {*answer}
            kinds.add(answer["kind"])
            words = {"plain": plain_text(curve, result)}
            found += [f"{asked}{text}" for text in _differences(curve | words, answer)]
    assert not found
    assert kinds == {*RULES["plain"]}, "the settings try every verdict"


@draws
@browses
def test_it_opens_on_the_curve_most_likely_to_reach_the_target(browser: Browser, table: Forecasts) -> None:
    result = advise_of(table)
    best = max(
        (curve for curve in result["curves"] if curve["probabilities"]),
        key=lambda curve: (round(1 - curve["probabilities"]["beyond"], 2), -curve["error_at_limit"]),
    )
    name = ", ".join(f"{column} {value}" for column, value in best["curve"].items())
    assert _verdict(browser) == f"{name}: {plain_text(best, result)}"
    assert f"{len(table.curves)} curves; the page opens with" in browser.run("document.body.textContent")


@draws
@browses
def test_it_loads_offline_and_asks_for_nothing_else(browser: Browser, file: Path) -> None:
    assert browser.said == []
    assert {address.partition(":")[0] for address in browser.asked} <= {"file", "data", "blob"}
    assert sum(address.startswith("file:") for address in browser.asked) == 1
    assert browser.run("document.querySelectorAll('#chart svg path').length") > 10
    assert "Will <more> images do?" in browser.run("document.querySelector('h1').textContent")


@draws
@browses
def test_a_drag_and_another_curve_change_the_verdict(browser: Browser) -> None:
    before = _verdict(browser)
    box = "target_error_slide.getBoundingClientRect()"
    x, y, width, height = (browser.run(f"{box}.{name}") for name in ("x", "y", "width", "height"))
    at = browser.run("target_error_slide.value / 1000")
    browser.drag(x + 10 + (width - 20) * at, y + height / 2, x + width - 3)
    browser.wait(f"document.getElementById('verdict').textContent !== {json.dumps(before)}")
    dragged = _verdict(browser)
    assert float(browser.run("target_error.value")) > 0.4 and "reach an error of" in dragged
    few = "DATA.curves.findIndex((one) => one.reason !== null)"
    browser.run(f"curve.value = {few}; curve.dispatchEvent(new Event('change'))")
    browser.wait(f"document.getElementById('verdict').textContent !== {json.dumps(dragged)}")
    assert _verdict(browser).startswith("setting few, s 500: These measurements allow no answer yet")


def _type(browser: Browser, field: str, text: str) -> None:
    """Write into a field and wait until the page has answered."""
    browser.run(f"{field}.value = {json.dumps(text)}; {field}.dispatchEvent(new Event('input'))")
    browser.wait("!waiting")


@draws
@browses
def test_the_first_words_are_that_renders_do_not_help_and_the_heading_follows(
    started: Browser, tmp_path: Path
) -> None:
    rising = pd.DataFrame(
        {"n": [0, 1000, 2000, 4000, 8000, 16000], "error": [0.3, 0.3, 0.32, 0.35, 0.4, 0.45]}
    )
    table = forecast_table(rising * [1, 100], Goal(20), unit="percent")
    result = advise_of(table)
    (tmp_path / "rising.html").write_text(page(table, result), "utf-8")
    started.open(tmp_path / "rising.html", 1200, ready="view !== null")
    words = "Pre-training hurts so far: with n = 16,000 the error is 0.45, without pre-training 0.3. "
    assert _verdict(started) == plain_text(result["curves"][0], result)
    assert _verdict(started).startswith(
        words + "More of these images are unlikely to reach an error of 0.2 (20 %)"
    )
    assert "without renders" in started.run("chart.textContent")
    for text, shown in (("0.25", "0.25 (25 %)"), ("2", "…"), ("0.5", "0.5 (50 %)")):
        _type(started, "target_error", text)
        assert started.run("[question.textContent, document.title]") == [say("question", target=shown)] * 2
    assert _verdict(started).startswith(words + "You have enough images")


def _read(name: str, text: str) -> str:
    """Return the number that the command reads, or what it says of a text that holds none."""
    try:
        value = {"target_error": target, "max_images": count}.get(name, number)(text)
        check_goal(replace(Goal(0.5), **{name: value}), "rate")
    except argparse.ArgumentTypeError as wrong:
        return str(wrong).partition(", or with --unit")[0]
    except InputError as wrong:
        return wrong.problem.partition("; give --unit")[0]
    return f"{value:g}"


@draws
@browses
def test_a_field_takes_what_the_command_takes_and_says_what_to_write(browser: Browser) -> None:
    texts = ["30 %", "5 k", "1 000", *TEXTS.split()]
    for name in ("target_error", "max_images", "cost_per_image", "cost_per_run"):
        for text in texts:
            asked = f"READ.{name}({json.dumps(text)})"
            shown = browser.run(f"(() => {{ try {{ return {asked} }} catch (e) {{ return e.message }} }})()")
            assert (shown if isinstance(shown, str) else f"{shown:g}") == _read(name, text), (name, text)
    _type(browser, "max_images", "1,5M")
    assert _verdict(browser).startswith(
        "Images available: '1,5M' is not a number such as 64000, 64k or 1.28M; write a point"
    )
    assert browser.run("[getComputedStyle(chart).visibility, max_images.ariaInvalid]") == ["hidden", "true"]
    _type(browser, "max_images", "1M")
    assert browser.run("[getComputedStyle(chart).visibility, max_images.ariaInvalid]") == ["visible", None]


@draws
@browses
def test_the_keyboard_reaches_every_control(browser: Browser) -> None:
    before, reached = _verdict(browser), []
    for _ in range(10):
        browser.key("Tab", 9)
        reached.append(browser.run("document.activeElement.id"))
    names = ("target_error", "max_images", "cost_per_image", "cost_per_run")
    assert reached == ["", "curve", *(part for name in names for part in (name, f"{name}_slide"))]
    browser.run("target_error_slide.focus()")
    browser.key("End", 35)
    browser.wait(f"document.getElementById('verdict').textContent !== {json.dumps(before)}")


@draws
@browses
def test_it_is_legible_on_a_phone_with_the_controls_above_the_chart(browser: Browser, file: Path) -> None:
    browser.open(file, 390, 844, ready="view !== null")
    assert browser.run("document.documentElement.scrollWidth") <= 390
    assert browser.run("controls.getBoundingClientRect().bottom <= chart.getBoundingClientRect().top")
    texts = "[...document.querySelectorAll('p, dd, dt, label, input')]"
    assert min(browser.run(f"{texts}.map((e) => parseFloat(getComputedStyle(e).fontSize))")) >= 15


@draws
@browses
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, colours: str) -> None:
    axe = pytest.importorskip("axe_core_python")
    feature = [{"name": "prefers-color-scheme", "value": colours}]
    browser.call("Emulation.setEmulatedMedia", features=feature)
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (colours == "light")
    browser.run((Path(axe.__file__).parent / "axe.min.js").read_text("utf-8") + "; 0")
    each = "(v) => `${v.impact} ${v.id}: ${v.nodes[0].html}`"
    wrong = browser.run(f"axe.run().then((found) => found.violations.map({each}))")
    browser.call("Emulation.setEmulatedMedia", features=[])
    assert wrong == []


@draws
def test_a_page_of_many_curves_is_small(table: Forecasts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syn2real.report.answer.least_reached", lambda curve: 0.1)
    places = [place for place, one in enumerate(table.curves) if one.fit] * CURVES
    lists = ("curves", "reasons", "shapes", "tested")
    many = {name: [getattr(table, name)[place] for place in places[:CURVES]] for name in lists}
    result = advise_of(table)
    result["curves"] = [result["curves"][place] for place in places[:CURVES]]
    assert len(page(replace(table, **many), result, "Will more images do?").encode()) < LARGEST


@draws
def test_the_command_writes_page_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points, out = tmp_path / "points.csv", tmp_path / "out"
    _points().query("setting == 'a'").to_csv(points, index=False)
    words = ["advise", str(points), "--target-error", "0.28", "--html", f"{out}.html", "--plot", f"{out}.svg"]
    assert main(words) == 0
    assert "Will more synthetic images reach an error of 0.28?" in capsys.readouterr().out
    assert Path(f"{out}.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    figure = Path(f"{out}.svg").read_text("utf-8")
    assert figure.startswith("<svg") and "s 500" in figure and "s 2000" in figure
    assert ">0.36<" in figure, "the error axis of a panel has labels"


@pytest.mark.parametrize("option", ["--html", "--plot"])
def test_without_the_packages_the_options_stop_in_one_line(
    option, monkeypatch, capsys, tmp_path: Path
) -> None:
    monkeypatch.setattr("syn2real.report.answer.can_draw", lambda: False)
    points = tmp_path / "points.csv"
    _points().to_csv(points, index=False)
    assert main(["advise", str(points), "--target-error", "0.2", option, str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error == f"error: {option}: needs jinja2 and vl_convert; pip install '.[page]' installs them\n"


def test_the_least_target_that_a_law_reaches_is_where_laws_begin_to(table: Forecasts) -> None:
    for one in table.curves:
        if one.fit and (least := least_reached(one.curve)):
            assert can_reach(one.curve, least * 1.001) and not can_reach(one.curve, least * 0.999)
