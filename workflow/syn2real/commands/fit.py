"""Fit a scaling law to every curve of a table of measurements."""

import argparse
from pathlib import Path

from syn2real.commands.base import add_table_options, check_json, count, number, print_or_write, table_options
from syn2real.plugins import load, names

HELP = "fit a scaling law to measurements, with intervals and predictions"
EXAMPLE = "syn2real fit points.csv --predict-at 128k,256k --json fits.json"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a fit."""
    from syn2real.laws.forms.schema import method_of

    laws = {name: load("laws.forms", name).LAW for name in names("laws.forms")}
    parser.add_argument(
        "--law", choices=laws, default="simple",
        help="; ".join(f"{name}: {law.equation}" for name, law in laws.items())
        + "; s: fine-tuning images, P: the model's parameters (default: %(default)s)",
    )  # fmt: skip
    own = ", ".join(f"{name}: {method_of(name)}" for name in laws)
    parser.add_argument(
        "--method", choices=["default", *names("laws.methods")], default="default",
        help=f"default: the law's own ({own}); paper: the paper's procedure (Appendix D, C.2), to reproduce "
        "its numbers",
    )  # fmt: skip
    parser.add_argument(
        "--fix-D", dest="fix_d", type=number, metavar="D",
        help="with --method paper: hold this D for all curves (the paper: 0.48); by default the paper's "
        "medians find one, and the result says whether they settled",
    )  # fmt: skip
    parser.add_argument(
        "--residual", choices=("log", "linear", "huber"), default="log",
        help="what least squares minimises (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--loss", action="store_true", help="add the irreducible loss E to the full law (§3)")
    parser.add_argument(
        "--predict-at", type=_counts, default=(), metavar="N,N,…",
        help="predict the error at these n, such as 128000 or 1.28M",
    )  # fmt: skip
    parser.add_argument(
        "--predict-file", type=Path, metavar="FILE",
        help="predict at each row of a CSV: n (and s), and the columns that separate curves",
    )  # fmt: skip
    add_table_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fit the law, print the parameters and predictions."""
    from syn2real.laws.api import fit_table
    from syn2real.laws.labels import compare
    from syn2real.laws.reading import read_csv
    from syn2real.report.wording import fit_text

    check_json(arguments.json, arguments.file, arguments.predict_file)
    result = fit_table(
        read_csv(arguments.file),
        law=arguments.law,
        method=arguments.method,
        fix_d=arguments.fix_d,
        predict_at=arguments.predict_at,
        predict_frame=read_csv(arguments.predict_file) if arguments.predict_file else None,
        residual=arguments.residual,
        loss=arguments.loss,
        predict_file=arguments.predict_file,
        compare=compare,
        **table_options(arguments),
    )
    print_or_write(result, arguments.json, fit_text)
    return 0


def _counts(text: str) -> list[float]:
    """Split a list of numbers of images."""
    return [count(part.strip()) for part in text.split(",") if part.strip() or not text.strip()]
