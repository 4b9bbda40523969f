"""The commands of the laws: ``syn2real fit``, ``syn2real advise`` and ``syn2real convert``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syn2real.errors import InputError

COLUMNS = """\
FILE is a CSV with the columns n (pre-training images) and error (test error, above 0).
These never set curves apart: n, error, value, metric, n_params, seed, weight, s_percent. Every other column
does (s too, except for laws in s; model too, except for laws in size), unless --by names the ones that do.
weight is a relative inverse variance of the log error; rows with n = 0 are kept for reference and not fitted.
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register fit, advise and convert; each sets ``func``, which takes the arguments and returns a code."""
    _add_fit(subparsers)
    _add_advise(subparsers)
    _add_convert(subparsers)


def _add_fit(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "fit",
        help="fit a scaling law to measurements, with intervals and predictions",
        description="Fit a scaling law to every curve of a table of measurements.\n\n" + COLUMNS,
        epilog="example: syn2real fit points.csv --predict-at 128000,256000 --json fits.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(parser)
    laws = ("simple", "full", "power", "additive", "size", "joint")
    parser.add_argument(
        "--law", choices=laws, default="simple",
        help="simple: D n^-alpha + C; full: delta (gamma + n^-alpha) s^-beta; power: C = 0; additive: "
        "A n^-alpha + B s^-beta + C; size: C against model size; joint: n and size (default: simple)",
    )  # fmt: skip
    parser.add_argument(
        "--method", choices=("default", "paper", "least-squares"), default="default",
        help="default: a posterior pooled over the curves (simple law) or least squares (the others); paper: "
        "the paper's own procedure (Appendix D, C.2), to reproduce its numbers",
    )  # fmt: skip
    parser.add_argument(
        "--residual", choices=("log", "linear", "huber"), default="log",
        help="of least squares (default: log)",
    )  # fmt: skip
    parser.add_argument(
        "--bootstrap", type=int, default=0, metavar="N",
        help="intervals of the simple law's least squares from N replicates instead of profiles",
    )  # fmt: skip
    parser.add_argument("--loss", action="store_true", help="add the irreducible loss E to the full law (§3)")
    parser.add_argument("--predict-at", type=_numbers, default=(), metavar="N,N,…", help="predict at these n")
    parser.add_argument(
        "--predict-file", type=Path, metavar="FILE",
        help="a CSV whose rows are wanted predictions: n (and s) and the columns that set curves apart",
    )  # fmt: skip
    parser.set_defaults(func=_fit)


def _add_advise(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "advise",
        help="say whether more synthetic images will reach a target error, and what to do otherwise",
        description="Say for every curve whether more images will reach a target error: probabilities, the\n"
        "lever to pull (render more, change the rendering, bigger model, label more), or what to measure "
        "next.\n\n" + COLUMNS,
        epilog="example: syn2real advise points.csv --target-error 0.2 --max-images 1000000",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(parser)
    parser.add_argument(
        "--target-error", type=float, required=True, metavar="E", help="the test error to reach"
    )
    parser.add_argument(
        "--max-images", type=float, metavar="N",
        help="the most images that can be made (default: 100 times the most a curve was measured at)",
    )  # fmt: skip
    parser.add_argument(
        "--cost-per-image",
        type=float,
        default=1.0,
        metavar="X",
        help="of rendering one, in any unit (default: 1)",
    )
    parser.add_argument(
        "--cost-per-run", type=float, metavar="X",
        help="of one pre-training with its fine-tuning, in the same unit (default: as much as rendering the "
        "largest measured set)",
    )  # fmt: skip
    parser.set_defaults(func=_advise)


def _add_convert(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "convert",
        help="the authors' published table to points, and back",
        description="Convert the authors' published table (11 columns, a row an evaluation) to points (a\n"
        "row a run), or points to that table; which way is told by the columns of SOURCE.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the CSV to convert")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the CSV to write")
    parser.set_defaults(func=_convert)


def _common(parser: argparse.ArgumentParser) -> None:
    """Options that fit and advise share."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the measurements (CSV)")
    parser.add_argument("--by", type=_names, metavar="COL,COL", help="what sets curves apart; drop the rest")
    parser.add_argument("--level", type=float, default=0.95, help="of all intervals (default: 0.95)")
    parser.add_argument("--no-pool", dest="pool", action="store_false", help="fit every curve on its own")
    parser.add_argument(
        "--test-size",
        type=_positive,
        metavar="N",
        help="weigh error rates by their variance on N test examples",
    )
    parser.add_argument(
        "--json", metavar="OUT", help="write the result as JSON to OUT (- for standard output)"
    )


def _fit(args: argparse.Namespace) -> int:
    from syn2real.laws.api import fit_table
    from syn2real.laws.table import read_csv
    from syn2real.report.wording import fit_text

    wish = read_csv(args.predict_file) if args.predict_file else None
    result = fit_table(
        read_csv(args.file), law=args.law, method=args.method, by=args.by, predict_at=args.predict_at,
        predict_frame=wish, level=args.level, pool=args.pool, residual=args.residual,
        loss=args.loss, bootstrap=args.bootstrap, test_size=args.test_size, file=args.file,
        predict_file=args.predict_file,
    )  # fmt: skip
    return _tell(result, args.json, fit_text)


def _advise(args: argparse.Namespace) -> int:
    from syn2real.laws.advice import advise_table
    from syn2real.laws.table import read_csv
    from syn2real.report.wording import advice_text

    result = advise_table(
        read_csv(args.file), args.target_error, max_images=args.max_images, by=args.by, level=args.level,
        cost_per_image=args.cost_per_image, cost_per_run=args.cost_per_run, pool=args.pool,
        test_size=args.test_size, file=args.file,
    )  # fmt: skip
    return _tell(result, args.json, advice_text)


def _convert(args: argparse.Namespace) -> int:
    from syn2real.files import atomic
    from syn2real.laws.convert import convert_table
    from syn2real.laws.table import read_csv

    table, notes = convert_table(read_csv(args.source), args.source)
    with atomic(args.output) as temporary:
        table.to_csv(temporary, index=False)
    print(f"{args.output}: {'; '.join(notes) or f'{len(table)} rows'}")
    return 0


def _tell(result: dict[str, Any], out: str | None, words: Callable[[dict[str, Any]], str]) -> int:
    """Print the words, and write the JSON where it is wanted."""
    if out == "-":
        json.dump(result, sys.stdout, indent=2, allow_nan=False, ensure_ascii=False)
        print()
        return 0
    if out:
        from syn2real.files import write_json

        if Path(out).is_dir():
            raise InputError("is a directory; name a file to write", file=out, key="--json")
        write_json(out, result)
    print(words(result), end="")
    return 0


def _positive(text: str) -> float:
    """Read a number above 0."""
    if not float(text) > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return float(text)


def _names(text: str) -> list[str]:
    """Split a list of columns."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[float]:
    """Split a list of numbers; 64k and 1.28M are understood."""
    scale = {"k": 1e3, "M": 1e6}
    try:
        return [
            float(part[:-1]) * scale[part[-1]] if part[-1] in scale else float(part)
            for part in (piece.strip() for piece in text.split(","))
            if part
        ]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers such as 64000,128000") from None
