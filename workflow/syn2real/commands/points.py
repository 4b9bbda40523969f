"""Gather every finished fine-tuning run below results folders into one CSV, whatever experiment it belongs
to. Runs in progress or failed are left out. A run found twice counts once; two different results of one run
are an error.
"""

import argparse
import sys

HELP = "gather every finished run below results folders into a CSV"
EXAMPLE = "syn2real points results -o points.csv"
EXTRA = {"workflow": ("pydantic",)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders and the table."""
    parser.add_argument("results", nargs="+", help="a results folder")
    parser.add_argument("-o", "--output", help="the CSV to write (default: standard output)")


def run(arguments: argparse.Namespace) -> int:
    """Write the table of points."""
    from syn2real.files import check_output
    from syn2real.training.points import find_finished, read_points, write_points

    found = [path for folder in arguments.results for path in find_finished(folder)]
    if arguments.output is not None:
        check_output(arguments.output, *found, key="--output")
    frame = read_points(found)
    if frame.empty:
        print("no finished run yet", file=sys.stderr)
    if arguments.output is not None:
        write_points(frame, arguments.output)
        print(f"{len(frame)} runs written to {arguments.output}")
    else:
        frame.to_csv(sys.stdout, index=False)
    return 0
