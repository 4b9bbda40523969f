"""The `syn2real` command."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from syn2real.commands.complexity import add_commands as add_training_commands
from syn2real.commands.laws import add_commands
from syn2real.errors import InputError
from syn2real.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 2 bad input).

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    """
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.func(arguments)
        return code
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; stop quietly, without a second error at exit.
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="syn2real",
        description="Will more synthetic images help? Fit scaling laws to measurements and advise; "
        "check, inspect and gather what the workflow makes.",
    )
    parser.add_argument("--version", action="version", version=f"syn2real {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_commands(commands)
    _add_check(commands)
    _add_points(commands)
    _add_show(commands)
    _add_bundle(commands)
    _add_verify(commands)
    add_training_commands(commands)
    return parser


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check",
        help="validate a configuration and print its plan and cost; starts nothing",
        description="Validate a configuration and print the plan: runs, images, hours by the recipe's "
        "estimates, for each experiment and for all of them together. Missing data is a warning here. "
        "Starts nothing.",
    )
    check.add_argument("experiments", nargs="*", help="experiment files (default: those of config.yaml)")
    check.add_argument("--config", default="config/config.yaml", help="default: %(default)s")
    check.set_defaults(func=_check)


def _check(arguments: argparse.Namespace) -> int:
    _require("check", "workflow", "pydantic", "yaml")
    from syn2real.plan.costs import check_configuration

    return check_configuration(arguments.config, arguments.experiments)


def _add_points(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    points = commands.add_parser(
        "points",
        help="gather every finished run below results folders into a CSV",
        description="Gather every finished fine-tuning run below results folders into one CSV, whatever "
        "experiment it belongs to. Runs in progress or failed are left out. A run found twice counts once; "
        "two different results of one run are an error.",
    )
    points.add_argument("results", nargs="+", help="a results folder")
    points.add_argument("-o", "--output", help="the CSV to write (default: standard output)")
    points.set_defaults(func=_points)


def _points(arguments: argparse.Namespace) -> int:
    _require("points", "workflow", "pydantic")
    from syn2real.training.points import find_finished, read_points, write_points

    frame = read_points(path for folder in arguments.results for path in find_finished(folder))
    if frame.empty:
        print("no finished run yet", file=sys.stderr)
    if arguments.output:
        write_points(frame, arguments.output)
        print(f"{len(frame)} runs written to {arguments.output}")
    else:
        frame.to_csv(sys.stdout, index=False)
    return 0


def _add_show(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    show = commands.add_parser(
        "show",
        help="write a contact sheet of a shard: image, boxes, masks, normals",
        description="Write a contact sheet of a shard's first views: image, boxes, masks and normals.",
    )
    show.add_argument("shard", help="a shard (.tar)")
    show.add_argument("-o", "--output", help="the picture to write (default: the shard's name with .png)")
    show.add_argument("--views", type=int, default=8, help="how many views (default: %(default)s)")
    show.set_defaults(func=_show)


def _show(arguments: argparse.Namespace) -> int:
    _require("show", "workflow", "PIL", "pycocotools")
    from syn2real.report.contact_sheet import contact_sheet

    if arguments.views < 1:
        raise InputError(f"at least 1 view is needed, not {arguments.views}", key="--views")
    output = Path(arguments.output or Path(arguments.shard).with_suffix(".png").name)
    print(contact_sheet(Path(arguments.shard), output, views=arguments.views))
    print(f"written to {output}")
    return 0


def _add_bundle(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    bundle = commands.add_parser(
        "bundle",
        help="pack an experiment's configuration, lock, points, fits, figures and report",
        description="Pack a finished experiment as an RO-Crate: configuration, lock, points, fits, figures, "
        "report and every run's metrics, each with its SHA-256. Images and weights are left out. "
        "`make bundle` makes the report first.",
    )
    bundle.add_argument("experiment", help="an experiment file")
    bundle.add_argument("--config", default="config/config.yaml", help="default: %(default)s")
    bundle.add_argument("-o", "--output", help="the zip to write (default: results/bundles/<name>.zip)")
    bundle.set_defaults(func=_bundle)


def _bundle(arguments: argparse.Namespace) -> int:
    _require("bundle", "workflow", "pydantic", "yaml", "rocrate")
    from syn2real.config.loading import read_yaml
    from syn2real.plan.plan import load_plan
    from syn2real.report.bundle import write_bundle

    plan = load_plan(read_yaml(arguments.config) | {"experiment": arguments.experiment}, arguments.config)
    (name,) = plan.questions()
    output = Path(arguments.output or f"results/bundles/{name}.zip")
    count = write_bundle(plan, name, output, arguments.config)
    print(f"{count} files packed into {output}")
    return 0


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verify = commands.add_parser(
        "verify",
        help="check a bundle against its digests",
        description="Check every file of a bundle against the size and SHA-256 that the bundle records. "
        "Exit code 1 if anything is missing, changed or undescribed.",
    )
    verify.add_argument("bundle", help="a zip that `syn2real bundle` wrote")
    verify.set_defaults(func=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    _require("verify", "workflow", "pydantic", "rocrate")
    from syn2real.report.bundle import verify_bundle

    count, problems = verify_bundle(arguments.bundle)
    for problem in problems:
        print(f"{arguments.bundle}: {problem}", file=sys.stderr)
    print(f"{arguments.bundle}: {count} files described, {len(problems)} problems")
    return 1 if problems else 0


def _require(command: str, extra: str, *modules: str) -> None:
    """Raise InputError when a command needs an extra that is not installed."""
    from importlib.util import find_spec

    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise InputError(
            f"this command needs {', '.join(missing)}; install syn2real[{extra}]", key=f"syn2real {command}"
        )


if __name__ == "__main__":
    sys.exit(main())
