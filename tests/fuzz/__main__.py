"""Read damaged files with every reader and print what came of it: `make fuzz`."""

import argparse
import sys
from pathlib import Path

from fuzz.readers import READERS
from fuzz.run import fuzz

parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
parser.add_argument("readers", nargs="*", metavar="READER", help=f"default: all of {', '.join(READERS)}")
parser.add_argument("--minutes", type=float, default=10, help="of all readers together")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--finds", type=Path, default=Path("results/fuzz"), help="where files that show finds go")
arguments = parser.parse_args()
names = arguments.readers or list(READERS)
failed = False
for name in names:
    result = fuzz(name, 60 * arguments.minutes / len(names), arguments.finds.absolute(), arguments.seed)
    print(
        f"{name:12} {result.seconds / 60:5.1f} min {result.inputs:7,} inputs {len(result.finds):3} finds",
        flush=True,
    )
    for problem, file in result.finds.items():
        print(f"  {problem}: {file}", flush=True)
    failed |= bool(result.finds)
sys.exit(failed)
