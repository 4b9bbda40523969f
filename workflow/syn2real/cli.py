"""The `syn2real` command: it finds the commands by name and runs one.

Only the chosen command's module is imported, so that `syn2real --help` is fast and needs no extra.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

from syn2real.errors import InputError
from syn2real.plugins import constant, load, names
from syn2real.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 2 bad input).

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    """
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words).parse_args(words)
    command = load("commands", arguments.command)
    try:
        _require(arguments.command, command.EXTRA)
        code: int = command.run(arguments)
        return code
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`| head`) has closed the pipe; stop quietly, without a second error at exit.
        sys.stderr.close()
        return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser: every command with its help, and the arguments of the one that is chosen."""
    parser = argparse.ArgumentParser(
        prog="syn2real",
        description="Will more synthetic images help? Fit scaling laws to measurements, get advice, and "
        "check, inspect and gather the workflow's results.",
        epilog="Options of a command: syn2real COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"syn2real {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name in names("commands"):
        added = commands.add_parser(name, help=constant("commands", name, "HELP"))
        if name == chosen:
            module = load("commands", name)
            added.description = module.__doc__
            added.epilog = f"example: {module.EXAMPLE}"
            added.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(added)
    return parser


def _require(command: str, extra: Mapping[str, Sequence[str]]) -> None:
    """Raise InputError when a command needs packages of an optional dependency group that are missing."""
    from importlib.util import find_spec

    for group, modules in extra.items():
        if missing := [module for module in modules if find_spec(module) is None]:
            message = f"this command needs {', '.join(missing)}; install syn2real[{group}]"
            raise InputError(message, key=f"syn2real {command}")


if __name__ == "__main__":
    sys.exit(main())
