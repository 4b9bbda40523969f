"""Draw each figure that a table of measurements supports, and say why the others are left out."""

import argparse
from pathlib import Path
from typing import Any

from syn2real.commands.base import COLUMNS, number

HELP = "draw each figure that a table of measurements supports"
EXAMPLE = "syn2real figures points.csv -o figures"
EXTRA = {"page": ("matplotlib",)}
NAMED = {"recipe": "one", "setting": "all", "ptask": "one", "ftask": "error", "model": "one"}
"""What stands in a column that a table lacks."""
OF_LABELS = ("equal-loss", "landscapes")
"""Figures over n and s."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the table and where the figures go."""
    table = parser.add_argument_group("measurements", COLUMNS)
    table.add_argument("file", type=Path, metavar="FILE", help="the measurements (CSV)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="the folder of the SVGs"
    )
    parser.add_argument(
        "--target-error", type=number, metavar="E", help="the test error to reach, for what shows advice"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write a figure a name."""
    from syn2real.errors import InputError
    from syn2real.files import check_output
    from syn2real.laws.reading import check_frame, read_csv
    from syn2real.plugins import load, names
    from syn2real.report.figures.base import save

    points = check_frame(read_csv(arguments.file), arguments.file)
    whole = [name for name in ("s", "seed") if name in points and (points[name] % 1 == 0).all()]
    points = points.astype(dict.fromkeys(whole, int))  # a curve's rows are found by their columns as text
    points = points.assign(**{k: v for k, v in NAMED.items() if k not in points})
    if "target" not in points:
        points["target"] = arguments.file.stem
    found: dict[str, Any] = {"points": points, "stand_ins": [], "settings": [*points["setting"].unique()]}
    drawn = 0
    for name in names("report.figures"):
        out = arguments.output / f"{name}.svg"
        check_output(out, arguments.file, key="--output")
        figure = load("report.figures", name)
        try:
            if name in OF_LABELS and ("s" not in points or points["s"].nunique() < 2):
                raise InputError("it needs several s, numbers of labels")
            for need in figure.NEEDS:
                if need not in found:
                    found[need] = _needed(need, points, arguments.target_error)
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
        raise InputError("no figure can be drawn of this table", file=arguments.file)
    return 0


def _needed(need: str, points: Any, target_error: float | None) -> Any:
    """Return what a figure is drawn from, made of a table; InputError where the table does not support it."""
    from syn2real.errors import InputError
    from syn2real.laws.advice import advise_table
    from syn2real.laws.api import fit_table
    from syn2real.laws.extrapolation import extrapolate
    from syn2real.laws.forms.schema import law_names
    from syn2real.laws.rows import prediction_grid

    if need == "advice":
        if target_error is None:
            raise InputError("give the test error to reach", key="--target-error")
        return advise_table(points, target_error)
    if need == "extrapolation":
        return extrapolate(points, _half(points))
    if need == "fits":
        return fit_table(points, predict_at=prediction_grid(points))
    if need in law_names():
        return fit_table(points, law=need)
    raise InputError(f"it needs {need}, which no table of measurements holds")


def _half(points: Any) -> float:
    """Return the size below which the smaller half of the sizes lies."""
    sizes = sorted(points.loc[points["n"] > 0, "n"].unique())
    return float(sizes[len(sizes) // 2])
