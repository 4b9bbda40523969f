"""Validate a configuration and print its plan: runs, images, and hours by the recipe's estimates, for each
experiment and for all of them together. Data that are wrong are errors (exit code 2), and data that are not
there yet are warnings. Starts nothing.
"""

import argparse

HELP = "validate a configuration and print its plan and cost; starts nothing"
EXAMPLE = "syn2real check config/experiments/smoke.yaml"
EXTRA = {"workflow": ("pydantic", "yaml")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    parser.add_argument("experiments", nargs="*", help="experiment files (default: those of config.yaml)")
    parser.add_argument(
        "--config", default="config/config.yaml", help="the configuration (default: %(default)s)"
    )
    parser.add_argument(
        "--recipe", action="store_true", help="print all numbers of the recipes, and the file of each"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    from syn2real.plan.costs import check_configuration

    return check_configuration(arguments.config, arguments.experiments, recipe=arguments.recipe)
