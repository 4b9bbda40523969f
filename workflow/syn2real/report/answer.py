"""The answer as a page that answers again as its controls are moved, and as a figure."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from syn2real.errors import InputError
from syn2real.laws.advice import Forecasts, next_size, open_size
from syn2real.laws.bayes.batch import WALKS
from syn2real.laws.bayes.draws import Draws, Mixture
from syn2real.laws.forecast import CurveForecast, least_reached
from syn2real.laws.levers import change_text, change_to, rank, single_factor
from syn2real.laws.results import Rows, ceiling, number
from syn2real.laws.verdicts import FARTHEST, LIMIT, RULES, say
from syn2real.report.wording import (
    ARMS,
    NUMBERS,
    advice_notes,
    arm_rows,
    curve_names,
    first_words,
    law_text,
    number_rows,
    plain_text,
    verdict_text,
)

HERE = Path(__file__).parent
CHART, TEMPLATE, SCRIPTS = "answer.chart.json", "answer.html", ("forecast.js", "answer.js")
NEEDS = ("jinja2", "vl_convert")
SIZES = 48  # at which a curve is drawn
COLUMNS = 2  # of the figure's panels
WIDTH = 420  # pixels of a panel
LINE = 68  # characters of a line of its subtitle
LAST = (-1.0, 0.0)  # the rank of a curve without a forecast
NAME = 56  # characters of a line of its title
KEY = (
    "Dots: measured errors. Line and band: the forecast (median, {level:g} % interval). Red: the target. "
    "Dashed: the images available.{start}{others}"
)


def can_draw() -> bool:
    """Say whether the packages that draw a page are there."""
    return all(find_spec(name) is not None for name in NEEDS)


def require_page(option: str) -> None:
    """Refuse an option where they are not."""
    if not can_draw():
        raise InputError(f"needs {' and '.join(NEEDS)}; pip install '.[page]' installs them", key=option)


def page(
    table: Forecasts, result: dict[str, Any], title: str | None = None, *, note: str = "", more: str = ""
) -> str:
    """Return the answer as a page of HTML.

    Parameters
    ----------
    table : Forecasts
    result : dict
        What `advise_of` returned of it.
    title : str, optional
        Of the page; by default the question, with the target that the controls say.
    note, more : str
        HTML that stands above the answer, and below it.
    """
    import jinja2
    import vl_convert

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((HERE / TEMPLATE).read_text(encoding="utf-8"))
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")
    data = page_data(table, result) | {"asks": title is None}
    curves = result["curves"]
    ranks = [rank(one) if one.fit else LAST for one in table.curves]
    order = sorted(range(len(curves)), key=ranks.__getitem__, reverse=True)
    said = [
        {
            "place": place, "name": data["curves"][place]["name"],
            "plain": plain_text(curves[place], result), "verdict": verdict_text(curves[place]),
        }
        for place in order
    ]  # fmt: skip
    return template.render(
        title=title or say("question", target=result["target"]), target=result["target"], note=note,
        more=more, data=data, said=said, vega=vega, key=_key(data, len(curves) > 1),
        tables=_tables(result, order), notes=advice_notes(result),
        scripts=[(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS],
    )  # fmt: skip


def _tables(result: dict[str, Any], order: Sequence[int]) -> list[tuple[str, Sequence[str], list[list[str]]]]:
    """Return the name, header and rows of each table of a page, its curves in an order."""
    tables = [("Numbers of all curves", NUMBERS, number_rows(result)), ("Arms", ARMS, arm_rows(result))]
    return [(name, header, [rows[k] for k in order]) for name, header, rows in tables if rows]


def figure(table: Forecasts, result: dict[str, Any]) -> str:
    """Return the curves as an SVG, a panel each with its verdict."""
    import vl_convert

    data = page_data(table, result, draws=False)
    panels = []
    for place, (curve, answer) in enumerate(zip(data["curves"], result["curves"], strict=True)):
        spec = _chart()
        axis = spec["encoding"]["y"]["axis"]
        axis["labelExpr"] = axis["labelExpr"].replace("'y'", f"'concat_{place}_y'")  # the panel's scale
        limit = answer.get("limit_n")
        shown = {
            **curve["drawn"],
            "others": [], "lever": [], "lever_end": [],
            "marks": [{"target": result["target_error"], "limit": limit}],
        }  # fmt: skip
        for layer in spec["layer"]:
            layer["data"] = {"values": shown[layer["data"]["name"]]}
        lines = textwrap.wrap(plain_text(answer, result), LINE)
        title = {"text": textwrap.wrap(curve["name"], NAME), "subtitle": lines, "anchor": "start"}
        panels.append(spec | {"width": WIDTH, "height": 260, "title": title})
    question, key = say("question", target=result["target"]), _key(data)
    heading = {"text": question, "subtitle": textwrap.wrap(key, LINE), "anchor": "start", "offset": 16}
    whole = {"title": heading, "concat": panels, "columns": COLUMNS, "config": {"background": "white"}}
    return str(vl_convert.vegalite_to_svg(whole))


def _key(data: dict[str, Any], others: bool = False) -> str:
    """Return what the marks of a chart mean."""
    start = any(curve["drawn"]["start"] for curve in data["curves"])
    return KEY.format(
        level=100 * data["level"],
        start=" Dotted: without renders (n = 0)." if start else "",
        others=" Grey: the other curves." if others else "",
    )


def page_data(table: Forecasts, result: dict[str, Any], *, draws: bool = True) -> dict[str, Any]:
    """Return all that the page's script answers from.

    Parameters
    ----------
    draws : bool
        With the draws of each curve; a figure needs none.
    """
    names, shared = curve_names([curve["curve"] for curve in result["curves"]])
    curves = [
        {"name": name, **_known(one, answer), **(_draws(table, place) if draws else {})}
        for place, (name, one, answer) in enumerate(zip(names, table.curves, result["curves"], strict=True))
    ]
    goal = table.goal
    return {
        "rules": RULES, "walks": WALKS.tolist(), "level": goal.level, "shared": shared, "chart": _chart(),
        "percent": table.unit == "percent", "highest": None if table.unit == "loss" else 1,
        "goal": {
            "target_error": goal.target_error, "max_images": goal.max_images,
            "cost_per_image": goal.cost_per_image, "cost_per_run": goal.cost_per_run,
        },
        "ends": _ends(table), "curves": curves,
    }  # fmt: skip


def _chart() -> dict[str, Any]:
    """Return the Vega-Lite specification that page and figure share."""
    spec: dict[str, Any] = json.loads((HERE / CHART).read_text(encoding="utf-8"))
    return spec


def _ends(table: Forecasts) -> dict[str, list[float]]:
    """Return the least and the most that each control takes."""
    errors = np.concatenate([one.curve.error for one in table.curves])
    least, most = min(float(one.curve.n.min()) for one in table.curves), max(o.most for o in table.curves)
    run = table.goal.cost_per_image * most
    return {
        "target_error": [
            float(errors.min()) / 4,
            min(float(errors.max()) * 1.5, ceiling(errors, table.unit)),
        ],
        "max_images": [least, FARTHEST * most],
        "cost_per_image": [table.goal.cost_per_image / 1000, table.goal.cost_per_image * 1000],
        "cost_per_run": [run / 1000, run * 1000],
    }


def _known(one: CurveForecast, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what holds for a curve whatever the goal."""
    curve, fit = one.curve, one.fit
    effect = answer["effect"]
    start = effect["start"] if effect else None
    known = {
        "effect": first_words(answer), "start": start,
        "n": curve.n.tolist(), "error": curve.error.tolist(), "shape": answer["shape"],
        "reason": answer["reason"], "next_n": next_size(curve), "law": None,
        "drawn": {"points": [{"n": n, "error": e} for n, e in zip(curve.n, curve.error, strict=True)]},
    }  # fmt: skip
    known["drawn"] |= {"lines": [], "start": [] if start is None else [{"error": start}]}
    if fit is None:
        return known
    top = ceiling(curve.error, curve.unit)
    sizes = np.geomspace(curve.n.min(), LIMIT * one.most, SIZES)
    said = fit.predict(Rows.at(sizes), one.goal.level)
    values = {"n": sizes, "median": said.error, "lower": said.lower, "upper": said.upper}
    rows = np.minimum(np.stack([*values.values()], axis=1)[:, 1:], top)
    known["drawn"]["lines"] = [
        {name: float(f"{x:.6g}") for name, x in zip(values, (n, *row), strict=True)}
        for n, row in zip(sizes, rows, strict=True)
    ]
    estimates = {name: param.as_json() for name, param in fit.params.items()}
    known["law"] = law_text(fit.draws.law.equation, estimates, one.goal.level)
    return known | {"ceiling": number(top)}


def _draws(table: Forecasts, place: int) -> dict[str, Any]:
    """Return what the page's script needs to answer for any goal; nothing of a curve without a fit."""
    one, tested = table.curves[place], table.tested[place]
    if one.fit is None:
        return {}
    forecast = one.fit.forecast
    parts = forecast.parts if isinstance(forecast, Mixture) else [forecast]
    known: dict[str, Any] = {
        "parts": [_part(part) for part in parts], "least_reached": least_reached(one.curve),
        "levers": _levers(table, place), "open_n": open_size(one.curve, table.shapes[place]),
        "photographs": None,
    }  # fmt: skip
    if tested is not None:
        some = tested.photographs
        known["photographs"] = {
            "count": some.count, "variance": some.variance, "bounded": some.bounded, "bias": some.bias,
            "student": _packed(some.steps(sum(len(part.alpha) for part in parts))),
        }  # fmt: skip
    return known


def _levers(table: Forecasts, place: int) -> list[tuple[str, int, str]]:
    """Return the levers that lead from a curve to others of the file: (lever, place of the other, change)."""
    here, found = table.curves[place].curve, []
    for index, other in enumerate(table.curves):
        name = single_factor(here, other.curve) if other.fit and index != place else None
        if name:
            found.append((name, index, change_text(change_to(here, other.curve))))
    return found


def _part(part: Draws) -> dict[str, Any]:
    """Return draws of one curve; the residuals follow from the rest."""
    columns = {"alpha": part.alpha, "share": part.decline_share, "level": part.level, "sigma": part.sigma}
    columns |= {"first": part.normal[0], "second": part.normal[1], "inverse": part.inverse}
    return {
        "n": part.n.tolist(), "y": part.y.tolist(), "n0": part.n0, "shift": part.shift,
        "test_size": number(part.test_size),
        "pick": base64.b64encode(part.pick.astype(np.uint8).tobytes()).decode(),
        **{name: _packed(values) for name, values in columns.items()},
    }  # fmt: skip


def _packed(values: np.ndarray) -> str:
    """Return numbers as little-endian float32 in base64: half the length of their digits."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
