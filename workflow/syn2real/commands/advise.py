"""Say for every curve whether more images will reach a target error: with which probability, and what to
do: render more, change the rendering, take a bigger model, label more, or which size to measure next.
"""

import argparse

from syn2real.commands.base import add_table_options, check_json, count, number, print_or_write, table_options

HELP = "say whether more synthetic images will reach a target error, and what to do otherwise"
EXAMPLE = "syn2real advise points.csv --target-error 0.2 --max-images 1000000"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target and the costs."""
    add_table_options(parser)
    parser.add_argument(
        "--target-error", type=number, required=True, metavar="E", help="the test error to reach, in --unit"
    )
    parser.add_argument(
        "--max-images", type=count, metavar="N",
        help="the most images that can be made (default: 100 times the largest n of a curve)",
    )  # fmt: skip
    parser.add_argument(
        "--cost-per-image", type=number, default=1.0, metavar="X",
        help="of rendering one, in any unit (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--cost-per-run", type=number, metavar="X",
        help="of one pre-training with its fine-tuning, in the same unit (default: as much as rendering the "
        "largest measured set)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Print the advice."""
    from syn2real.laws.advice import advise_table
    from syn2real.laws.reading import read_csv
    from syn2real.report.wording import advice_text

    check_json(arguments.json, arguments.file)
    result = advise_table(
        read_csv(arguments.file),
        arguments.target_error,
        max_images=arguments.max_images,
        cost_per_image=arguments.cost_per_image,
        cost_per_run=arguments.cost_per_run,
        **table_options(arguments),
    )
    print_or_write(result, arguments.json, advice_text)
    return 0
