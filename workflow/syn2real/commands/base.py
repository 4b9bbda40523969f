"""What the commands on tables of measurements share: their options, and how a result is shown."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syn2real.laws.verdicts import say

MOST = 2**53  # whole numbers up to here are exact

COLUMNS = """\
FILE is a CSV with the columns n (pre-training images) and error (test error, above 0).
Rows that agree in all other columns form a curve; rows that differ in seed and error alone are replicates.
Some columns never separate curves: seed, weight, what restates the error (1 - error), and names and times of
runs; nor do metric, s_percent and n_params that are the same within each curve, s for laws in s, or model for
laws in the model's size. Name the columns that do with --by to ignore the others. The column weight is
a relative inverse variance of the log error.
The column per_image may name each run's file of per-image results (`syn2real points` writes it).
The column initial names the weights that a run started from; blank, or without the column, they are random.
The column arm names how renders are used: backbone (pre-trained, then fine-tuned; blank is the same), whole,
mixed-0.5 or renders-only; photographs-longer, with n = 0, is photographs alone for as many updates. Beside it
the column rate, of learning rates, separates curves only where one would have several.
Rows with n = 0 (no pre-training) are not fitted but compared with the largest n, from the same weights.
"""

PRIORS = """\
What the default method (posterior) assumes before it sees a curve. Forecasts, probabilities and intervals use
it; the status of a parameter and "never" are read from the likelihood alone.
Exponent: log-normal around 0.45, from 0.1 to 2 with 95 %; the curves of one file inform each other.
Decline: any part of the error may fall with n, evenly over what falls within the measured sizes; C >= 0.
Noise of one measurement: about 0.3 % or 4 %, equally likely; of several curves, what the others show.
Drift: the error may leave its law as n doubles, by steps or by its slope; not at all with probability 0.36.
Bend: n + kappa in place of n, kappa up to 120 times the smallest n; none with probability 0.7.
"""


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add the files of a configuration."""
    parser.add_argument("experiments", nargs="*", help="experiment files (default: those of config.yaml)")
    parser.add_argument(
        "--config", default="config/config.yaml", help="the configuration (default: %(default)s)"
    )


def add_measurements(parser: argparse.ArgumentParser) -> None:
    """Add the table of measurements, and how it is read."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the measurements (CSV)")
    table = parser.add_argument_group("measurements", COLUMNS)
    table.add_argument(
        "--by", type=_columns, metavar="COL,COL", help="the columns that separate curves; ignore the others"
    )
    table.add_argument(
        "--test-size",
        type=count,
        metavar="N",
        help="weight error rates by their variance on N test examples, and bound what others like them would "
        "show; an error of 0 counts as 1/(2N)",
    )
    table.add_argument(
        "--unit",
        choices=("rate", "percent", "loss"),
        default="rate",
        help="the unit of the errors: rates from 0 to 1, percentages (which become rates), or losses, which "
        "have no largest value (default: %(default)s)",
    )


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add the table of measurements, and the options that every fit has."""
    add_measurements(parser)
    parser.add_argument(
        "--level", type=number, default=0.95, help="the level of all intervals (default: %(default)s)"
    )
    parser.add_argument_group("priors", PRIORS)
    parser.add_argument("--no-pool", dest="pool", action="store_false", help="fit every curve on its own")
    parser.add_argument(
        "--json", metavar="OUT", help="write the result as JSON to OUT (- for standard output)"
    )


def table_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what `add_table_options` added, as the keywords of `fit_table` and `advise_table`."""
    return {key: getattr(arguments, key) for key in ("by", "level", "pool", "test_size", "unit", "file")}


def check_json(output: str | None, *inputs: Path | None) -> None:
    """Refuse a file for --json that cannot be written or that the command reads, before any work is done."""
    if output not in (None, "-"):
        from syn2real.files import check_output

        check_output(str(output), *inputs, key="--json")


def print_or_write(result: dict[str, Any], output: str | None, text: Callable[[dict[str, Any]], str]) -> None:
    """Print a result as text, and write it as JSON where `output` asks for it.

    Parameters
    ----------
    result : dict
        What JSON can hold.
    output : str or None
        The JSON file to write; `-` prints the JSON in place of the text.
    text : callable
        Returns the result as text.

    Raises
    ------
    InputError
        `output` cannot be written.
    """
    if output == "-":
        escape = (sys.stdout.encoding or "utf-8").lower() != "utf-8"  # a pipe on Windows: no name is lost
        json.dump(result, sys.stdout, indent=2, allow_nan=False, ensure_ascii=escape)
        print()
        return
    if output is not None:
        from syn2real.files import write_json

        write_json(output, result)
    print(text(result), end="")


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise _refused("not_number", text) from None


def target(text: str) -> float:
    """Read a target error; one with a percent sign is refused with the number to write."""
    try:
        return number(text)
    except argparse.ArgumentTypeError as wrong:
        try:
            percent = float(text.strip().removesuffix("%"))
        except ValueError:
            raise wrong from None
        hint = say("hint_percent", value=percent / 100)
        raise argparse.ArgumentTypeError(f"{wrong}{hint}, or with --unit percent {percent:g}") from None


def _refused(why: str, text: str) -> argparse.ArgumentTypeError:
    """Return why a text is no number."""
    hint = say("hint_comma") if "," in text else ""
    return argparse.ArgumentTypeError(say(why, text=repr(text), hint=hint))


def _columns(text: str) -> list[str]:
    """Split a list of columns."""
    return [part.strip() for part in text.split(",") if part.strip()]


def count(text: str) -> float:
    """Read how many images or examples there are: 64000, 64k or 1.28M."""
    text, scale = text.strip(), {"k": 1e3, "M": 1e6}
    digits, unit = (text[:-1], text[-1]) if text[-1:] in scale else (text, "")
    try:
        number = round(float(digits) * scale.get(unit, 1), 6)
    except ValueError:
        raise _refused("not_count", text) from None
    if not (1 <= number <= MOST and number.is_integer()):
        hint = say("hint_share") if 0 < number < 1 else ""
        raise argparse.ArgumentTypeError(say("not_whole", text=text, hint=hint))
    return number
