"""Say for every curve whether more images will reach a target error: with which probability, and what to
do: render more, change the rendering, take a bigger model, start from other weights, use renders another way,
label more, or which size to measure next.
"""

import argparse
from pathlib import Path

from syn2real.commands.base import (
    add_table_options,
    check_json,
    count,
    number,
    print_or_write,
    table_options,
    target,
)

HELP = "say whether more synthetic images will reach a target error, and what to do otherwise"
EXAMPLE = "syn2real advise points.csv --target-error 0.2 --max-images 1000000"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target and the costs."""
    parser.add_argument(
        "--target-error", type=target, required=True, metavar="E", help="the test error to reach, in --unit"
    )
    parser.add_argument(
        "--max-images", type=count, metavar="N",
        help="the most images that can be made (default: 100 times the largest n of a curve)",
    )  # fmt: skip
    parser.add_argument(
        "--cost-per-image", type=number, default=1.0, metavar="X",
        help="the cost of rendering one image, in any unit (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--cost-per-run", type=number, metavar="X",
        help="the cost of one pre-training with its fine-tuning, in the same unit (default: as much as "
        "rendering the largest measured set)",
    )  # fmt: skip
    parser.add_argument(
        "--html", type=Path, metavar="OUT",
        help="write the answer to OUT as a page for other targets and costs too (needs '.[page]')",
    )  # fmt: skip
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="OUT.svg",
        help="draw the curves with their verdicts to OUT.svg (needs '.[page]')",
    )
    add_table_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the advice, and write it as a page or a figure where that is asked for."""
    from syn2real.files import check_output, write_text
    from syn2real.laws.advice import advise_of, forecast_table
    from syn2real.laws.forecast import Goal
    from syn2real.laws.reading import read_csv
    from syn2real.report.wording import advice_text

    pictures = {key: out for key in ("html", "plot") if (out := getattr(arguments, key)) is not None}
    check_json(arguments.json, arguments.file)
    _check_kinds(arguments)
    if pictures:
        from syn2real.report.answer import figure, page, require_page
    for key, out in pictures.items():
        require_page(f"--{key}")
        check_output(out, arguments.file, key=f"--{key}")
    given, options = arguments, table_options(arguments)
    goal = Goal(
        given.target_error, given.max_images, given.cost_per_image, given.cost_per_run, options.pop("level")
    )
    table = forecast_table(read_csv(given.file), goal, **options)
    result = advise_of(table)
    for key, out in pictures.items():
        write_text(out, page(table, result) if key == "html" else figure(table, result))
    print_or_write(result, arguments.json, advice_text)
    return 0


def _check_kinds(given: argparse.Namespace) -> None:
    """Refuse a file name of another kind than what is written, and one file for two outputs."""
    from syn2real.errors import InputError

    written: dict[Path, str] = {}
    for key, kinds in (("--json", ()), ("--html", ("", ".html", ".htm")), ("--plot", ("", ".svg"))):
        out = getattr(given, key[2:])
        if out in (None, "-"):
            continue
        if kinds and Path(out).suffix.lower() not in kinds:
            raise InputError(f"is written as {kinds[1]}; give the file that suffix", file=out, key=key)
        other = written.setdefault(Path(out).resolve(), key)
        if other != key:
            raise InputError(f"is the file of {other} too; name another", file=out, key=key)
