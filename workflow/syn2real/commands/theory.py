"""Print what the bound of §3.2 and Appendix E says: the case of Table 1 with its conditions, the exponents α
and β, λ1, and where they end. With --n and --s also the exponents that the bound has at that size. It is an
upper bound, for noiseless data and a wide network.
"""

import argparse

from syn2real.commands.base import check_json, number, print_or_write
from syn2real.errors import InputError

HELP = "print the exponents of the theory's bound, its conditions and where they end"
EXAMPLE = "syn2real theory --r0 1 --r1 0.5 --xi 2 --zeta 0 --n 1000 --s 10000"
EXTRA: dict[str, tuple[str, ...]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the four numbers, a size, and the JSON file."""
    numbers = {
        "--r0": "smoothness of the pre-training target φ0, in [1/2, 1] (A3)",
        "--r1": "smoothness of φ1, which fine-tuning adds, in [1/2, 1] (A3)",
        "--xi": "decay of the kernel's spectrum, l^-ξ, above 1 (A4)",
        "--zeta": "learning rate of fine-tuning, s^-ζ, in [0, 1)",
    }
    for name, words in numbers.items():
        parser.add_argument(name, type=number, required=True, metavar="X", help=words)
    parser.add_argument("--n", type=number, metavar="N", help="pre-training samples, for local exponents")
    parser.add_argument("--s", type=number, metavar="S", help="fine-tuning samples, for local exponents")
    parser.add_argument(
        "--json", metavar="OUT", help="write the result as JSON to OUT (- for standard output)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the exponents."""
    from syn2real.theory.exponents import exponents
    from syn2real.theory.wording import exponents_text, local_exponents

    check_json(arguments.json)
    found = exponents(arguments.r0, arguments.r1, arguments.xi, arguments.zeta)
    n, s = arguments.n, arguments.s
    if (n is None) != (s is None):
        raise InputError("--n and --s go together; give both", key="--n" if n is None else "--s")
    local = None if n is None else local_exponents(found, n, s)
    result = {**found.as_json(), "local": local}
    print_or_write(result, arguments.json, lambda result: exponents_text(result, found))
    return 0
