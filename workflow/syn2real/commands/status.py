"""Print how far the runs of an experiment are (done, running, waiting, interrupted, failed with the log's
last line), the errors measured so far, the hours left and where they come from, and the disk. Only reads
files, beside a running Snakemake or without one. A run counts as running until five minutes after its log's
last line.
"""

import argparse

from syn2real.commands.base import add_configuration

HELP = "print how far an experiment's runs are, its errors so far and the hours left"
EXAMPLE = "syn2real status config/experiments/demo.yaml"
EXTRA = {"workflow": ("pydantic", "yaml")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the status."""
    from syn2real.plan.read import load_named
    from syn2real.plan.status import status_lines

    for line in status_lines(load_named(arguments.config, arguments.experiments)):
        print(line)
    return 0
