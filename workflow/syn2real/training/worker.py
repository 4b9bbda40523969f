"""One of the processes that train together, as torchrun starts them.

`syn2real.training.launch` starts it for a job of the workflow and logs the command. By hand, on two machines
of four GPUs that share the folder, the same on each:

    torchrun --nnodes=2 --nproc-per-node=4 --rdzv-backend=c10d --rdzv-endpoint=HOST:29500 \
        -m syn2real.training.worker REQUEST.json

REQUEST.json is {"module": "syn2real.training.pretrain", "function": "pretrain", "arguments": {…},
"failure": PATH} with the arguments of that function; the first process that fails says why in PATH.
"""

import importlib
import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from syn2real.errors import InputError
from syn2real.files import read_json
from syn2real.jobs.child import die_with_parent, exit_now
from syn2real.training.distributed import process_group


def work(request: dict[str, Any]) -> None:
    """Join the other processes and call the function that is asked for."""
    function = getattr(importlib.import_module(request["module"]), request["function"])
    with process_group():
        function(**request["arguments"])


def write_failure(path: Path, error: BaseException, rank: int) -> None:
    """Write why this process fails, unless another one did before, whose end may be the reason."""
    message = {"kind": type(error).__name__, "problem": str(error), "rank": rank, "file": None, "key": None}
    if isinstance(error, InputError):
        message |= {"problem": error.problem, "file": error.file and str(error.file), "key": error.key}
    try:
        with path.open("x", encoding="utf-8") as stream:
            json.dump(message, stream)
    except FileExistsError:
        pass


def main() -> int:
    """Do what the file named on the command line asks for; return the exit code."""
    die_with_parent()
    rank = int(os.environ.get("RANK", "0"))
    level = logging.WARNING if rank else logging.INFO
    logging.basicConfig(level=level, stream=sys.stderr, format=f"%(asctime)s [{rank}] %(message)s")
    request = read_json(sys.argv[1])
    try:
        work(request)
    except BaseException as error:
        write_failure(Path(request["failure"]), error, rank)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    # After an error, letting Python clean up would wait for the other processes.
    exit_now(main())
