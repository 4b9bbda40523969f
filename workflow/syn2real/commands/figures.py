"""Draw each figure that a table of measurements supports, and say why the others are left out."""

import argparse
from pathlib import Path
from typing import Any

from syn2real.commands.base import add_measurements, number

HELP = "draw each figure that a table of measurements supports"
EXAMPLE = "syn2real figures points.csv -o figures"
EXTRA = {"page": ("matplotlib",)}
OF_LABELS = ("equal-loss", "landscapes")
"""Figures over n and s."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the table and where the figures go."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="the folder of the SVGs"
    )
    parser.add_argument(
        "--target-error", type=number, metavar="E",
        help="the test error to reach, in --unit, for the figure that shows advice",
    )  # fmt: skip
    add_measurements(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write a figure a name."""
    from syn2real.errors import InputError
    from syn2real.files import check_output
    from syn2real.laws.results import unit_of_result
    from syn2real.plugins import load, names
    from syn2real.report.figures.base import save

    given, output = arguments, arguments.output
    if output.exists() and not output.is_dir():
        raise InputError("is a file; name a folder", file=output, key="--output")
    points = _points(given)
    target = given.target_error
    if target is not None and given.unit == "percent":
        target /= 100
    options = {"unit": unit_of_result(given.unit), "test_size": given.test_size}
    found: dict[str, Any] = {"points": points, "stand_ins": [], "settings": [*points["setting"].unique()]}
    drawn = 0
    for name in names("report.figures"):
        out = output / f"{name}.svg"
        check_output(out, given.file, key="--output")
        figure = load("report.figures", name)
        try:
            if name in OF_LABELS and ("s" not in points or points["s"].nunique() < 2):
                raise InputError("it needs several s, numbers of labels")
            for need in figure.NEEDS:
                if need not in found:
                    found[need] = _needed(need, points, target, options)
            drawing = figure.draw(**{need: found[need] for need in figure.NEEDS})
            if not any(ax.has_data() for ax in drawing.axes):
                raise InputError("nothing in this table is drawn on it")
            save(drawing, {"svg": str(out)})
        except InputError as error:
            print(f"{name}: left out, {error}")
            continue
        print(f"{name}: {out}")
        drawn += 1
    if not drawn:
        raise InputError("no figure can be drawn of this table", file=given.file)
    return 0


def _points(given: argparse.Namespace) -> Any:
    """Return the table as figures take it: errors above 0, rates or losses, and every column of a curve."""
    from syn2real.laws.columns import MEASURED
    from syn2real.laws.reading import check_frame, read_csv, weigh_by_test_size
    from syn2real.laws.table import read_curves
    from syn2real.report.figures.base import UNNAMED

    file, by, unit, size = given.file, given.by, given.unit, given.test_size
    table = read_csv(file)
    read_curves(
        table, by=by, file=file, allow_unfitted=True, test_size=size, unit=unit
    )  # refuses what fit does
    points = check_frame(table, file, zero_error=size is not None, unit=unit)
    if size is not None:
        points["error"] = weigh_by_test_size(points, size, file, unit)["error"]
    if by is not None:
        kept = {*by, *MEASURED, "metric", *(["n_params"] if "model" in by else [])}
        points = points[[column for column in points if column in kept]]
    whole = [name for name in ("s", "seed") if name in points and (points[name] % 1 == 0).all()]
    points = points.astype(dict.fromkeys(whole, int))  # a curve's rows are found by their columns as text
    names = dict.fromkeys(("recipe", "ptask", "ftask", "target", "model"), UNNAMED) | {"setting": "measured"}
    return points.assign(**{column: name for column, name in names.items() if column not in points})


def _needed(need: str, points: Any, target_error: float | None, options: dict[str, Any]) -> Any:
    """Return what a figure is drawn from, made of a table; InputError where the table does not support it."""
    from syn2real.errors import InputError
    from syn2real.laws.advice import advise_table
    from syn2real.laws.api import fit_table
    from syn2real.laws.extrapolation import extrapolate
    from syn2real.laws.forms.base import find_law
    from syn2real.laws.forms.schema import law_names
    from syn2real.laws.rows import prediction_grid

    if need == "advice":
        if target_error is None:
            raise InputError("give the test error to reach", key="--target-error")
        return advise_table(points, target_error, **options)
    if need == "extrapolation":
        return extrapolate(points, _half(points), **options)
    if need == "fits":
        return fit_table(points, predict_at=prediction_grid(points), **options)
    if need in law_names():
        missing = [column for column in find_law(need).varies if column not in points]
        if missing:
            raise InputError(f"it needs the column {' and '.join(missing)}")
        return fit_table(points, law=need, **options)
    raise InputError(f"it needs {need}, which no table of measurements holds")


def _half(points: Any) -> float:
    """Return the size below which the smaller half of the sizes lies."""
    sizes = sorted(points.loc[points["n"] > 0, "n"].unique())
    return float(sizes[len(sizes) // 2])
