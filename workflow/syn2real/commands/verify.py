"""Check every file of a bundle against the size and SHA-256 that the bundle records. The exit code is 1 if
a file is missing, changed or not described.
"""

import argparse
import sys

HELP = "check a bundle against its checksums"
EXAMPLE = "syn2real verify results/bundles/smoke.zip"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the zip."""
    parser.add_argument("bundle", help="a zip that `syn2real bundle` wrote")


def run(arguments: argparse.Namespace) -> int:
    """Print each problem and how many there are; return 1 if there are any."""
    from syn2real.report.verify import verify_bundle

    count, problems = verify_bundle(arguments.bundle)
    for problem in problems:
        print(f"{arguments.bundle}: {problem}", file=sys.stderr)
    print(f"{arguments.bundle}: {count} files described, {len(problems)} problems")
    return 1 if problems else 0
