"""The `syn2real` command: it finds the commands by name and runs one.

Only the chosen command's module is imported, so that `syn2real --help` is fast and needs no extra.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

from syn2real.errors import InputError, one_line
from syn2real.near import near_name
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal cannot show
    arguments = _parser(words).parse_args(words)
    command = load("commands", arguments.command)
    try:
        _require(arguments.command, command.EXTRA)
        code: int = command.run(arguments)
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`| head`) has closed the pipe; stop quietly, without a second error at exit.
        sys.stderr.close()
        return 0
    except OSError as error:
        place = error.filename if error.filename is not None else "the output cannot be written"
        print(f"error: {one_line(f'{place}: {error.strerror or error}')}", file=sys.stderr)
        if error.filename is None:
            with suppress(OSError):
                sys.stdout.close()  # what it still holds would be tried again, and fail again, at exit
        return 2


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as those of the commands are."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, with the nearest option there is, and end with exit code 2."""
        unknown = re.match(r"unrecognized arguments: (--?[a-z][\w-]*)", message)
        near = near_name(unknown[1], self.options) if unknown else None
        hint = f"; did you mean {near}?" if near else f"; see {self.prog} --help"
        self.exit(2, f"error: {one_line(message)}{hint}\n")

    @property
    def options(self) -> list[str]:
        """The options of the command that was chosen, and of the program."""
        return re.findall(
            r"--[a-z][\w-]*", self.format_usage() + (self.get_default("usage_of_command") or "")
        )


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser: every command with its help, and the arguments of the one that is chosen."""
    parser = Parser(
        prog="syn2real",
        description="Will more synthetic images help? Fit scaling laws to measurements, get advice, and "
        "check, inspect and gather the workflow's results.",
        epilog="Options of a command: syn2real COMMAND --help",
    )
    parser.set_defaults(usage_of_command="")
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
            parser.set_defaults(usage_of_command=added.format_usage())
    return parser


def _require(command: str, extra: Mapping[str, Sequence[str]]) -> None:
    """Raise InputError when a command needs packages of an optional dependency group that are missing."""
    from importlib.util import find_spec

    for group, modules in extra.items():
        if missing := [module for module in modules if find_spec(module) is None]:
            message = f"this command needs {', '.join(missing)}: pip install '.[{group}]'"
            raise InputError(message, key=f"syn2real {command}")


if __name__ == "__main__":
    sys.exit(main())
