"""Validate a configuration and print its plan: runs, images and hours, for each experiment and for all of
them together. Hours come from finished runs and shards in results/, else from steps and views measured here,
else from the recipe's assumption. Wrong data are errors (exit code 2), and data that are not there yet are
warnings. Starts no run.
"""

import argparse
import math

from syn2real.commands.base import add_configuration, number

HELP = "validate a configuration and print its plan and cost; starts nothing"
EXAMPLE = "syn2real check config/experiments/smoke.yaml"
EXTRA = {"workflow": ("pydantic", "yaml")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    add_configuration(parser)
    parser.add_argument(
        "--recipe", action="store_true", help="print all numbers of the recipes, and the file of each"
    )
    parser.add_argument(
        "--price", type=number, help="the price of an hour of a device: print the cost in money, too"
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="time a few training steps of each task, backbone and size of images, and a few views of each "
        "setting, on this machine (minutes), and keep them in results/measured/ for later estimates",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    from syn2real.errors import InputError
    from syn2real.plan.costs import check_configuration

    if arguments.price is not None and not 0 <= arguments.price < math.inf:
        raise InputError(f"{arguments.price:g} is no price; give a number of at least 0", key="--price")

    return check_configuration(
        arguments.config,
        arguments.experiments,
        recipe=arguments.recipe,
        price=arguments.price,
        measuring=arguments.measure,
    )
