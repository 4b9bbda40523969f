"""Pack a finished experiment as an RO-Crate: configuration, lock, points, fits, figures, report and every
run's metrics, each with its SHA-256. Images and weights are left out. `make bundle` makes the report first.
"""

import argparse
from pathlib import Path

HELP = "pack an experiment's configuration, lock, points, fits, figures and report"
EXAMPLE = "syn2real bundle config/experiments/smoke.yaml -o smoke.zip"
EXTRA = {"workflow": ("pydantic", "yaml", "rocrate")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the experiment and the zip."""
    parser.add_argument("experiment", help="an experiment file")
    parser.add_argument(
        "--config", default="config/config.yaml", help="the configuration (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", help="the zip to write (default: results/bundles/<name>.zip)")


def run(arguments: argparse.Namespace) -> int:
    """Write the bundle."""
    from syn2real.config.loading import read_yaml
    from syn2real.files import check_output
    from syn2real.plan.read import load_plan
    from syn2real.report.bundle import write_bundle

    if arguments.output is not None:
        check_output(arguments.output, arguments.experiment, arguments.config, key="--output")
    config = read_yaml(arguments.config) | {"experiment": arguments.experiment}
    plan = load_plan(config, arguments.config)
    (name,) = plan.experiments
    output = Path(arguments.output or f"results/bundles/{name}.zip")
    count = write_bundle(plan, name, output, arguments.config)
    print(f"{count} files packed into {output}")
    return 0
