"""Before the configuration is read: where the library lies, and what Snakemake would end with a traceback on."""

import shlex
import sys
from pathlib import Path

# The library beside this Snakefile, whatever environment a job runs in: it is what the fingerprints are of.
LIBRARY = str(Path(workflow.basedir) / "workflow")
sys.path.insert(0, LIBRARY)

from snakemake.common.configfile import load_configfile

from syn2real.config.loading import read_yaml
from syn2real.errors import InputError


def refuse(problems):
    """End with a line for each problem and exit code 2, which says: fix the input."""
    print(*(f"error: {problem}" for problem in problems), sep="\n", file=sys.stderr)
    sys.exit(2)


if {*"{}"} & {*LIBRARY}:
    refuse([f"{LIBRARY}: Snakemake takes braces in a path for wildcards; move the checkout"])

shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(LIBRARY)}; ")


def check_file(path):
    """Refuse a configuration file that has no certain meaning, or another one for Snakemake."""
    try:
        certain = read_yaml(path)
    except InputError as error:
        refuse([error])
    try:
        value = load_configfile(path)
    except Exception as error:  # such as the text 2024-99-99, which is no date
        refuse([f"{path}: Snakemake cannot read it ({error}); put the value in quotes"])
    for key in certain:
        if certain[key] != value.get(key):
            refuse([f"{path}: {key}: {value.get(key)!r} is what Snakemake reads here; put it in quotes"])


if workflow.is_main_process:
    for file in [*workflow.configfiles, "config/config.yaml"]:
        check_file(file)
