"""Convert the authors' published table (11 columns, a row an evaluation) to points (a row a run), or points
to that table. The columns of SOURCE decide which.
"""

import argparse
from pathlib import Path

HELP = "convert the authors' published table to points, or back"
EXAMPLE = "syn2real convert results_finetune.csv points.csv"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two tables."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the CSV to convert")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the CSV to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the converted table."""
    from syn2real.files import atomic, check_output
    from syn2real.laws.convert import convert_table
    from syn2real.laws.reading import read_csv

    check_output(arguments.output, arguments.source, key="OUTPUT")
    table, notes = convert_table(read_csv(arguments.source), arguments.source)
    with atomic(arguments.output) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    print(f"{arguments.output}: {'; '.join(notes)}")
    return 0
