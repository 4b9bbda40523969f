"""Every command: one line of help, a description with an example, and one line where an extra is missing."""

import argparse
import shlex
from importlib.util import find_spec

import pytest

from syn2real.cli import main
from syn2real.plugins import constant, load, names

COMMANDS = names("commands")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = constant("commands", name, "HELP")
    assert line and "\n" not in line and not line.endswith(".")
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert line in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_does_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    shown, module = capsys.readouterr().out, load("commands", name)
    assert module.__doc__.strip() in shown and f"example: {module.EXAMPLE}" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_is_explained_and_the_example_is_valid(name: str) -> None:
    module = load("commands", name)
    parser = argparse.ArgumentParser(exit_on_error=False)
    module.add_arguments(parser)
    assert all(action.help for action in parser._actions)
    program, command, *arguments = shlex.split(module.EXAMPLE)
    assert (program, command) == ("syn2real", name)
    parser.parse_args(arguments)


@pytest.mark.parametrize("name", [name for name in COMMANDS if load("commands", name).EXTRA])
def test_a_missing_extra_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load("commands", name)
    arguments = shlex.split(module.EXAMPLE)[1:]
    ((group, modules),) = module.EXTRA.items()
    assert all(find_spec(needed) for needed in modules), "these are the names that Python imports"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: syn2real {name}: this command needs ") and error.count("\n") == 1
    assert error.endswith(f": pip install '.[{group}]'\n")
