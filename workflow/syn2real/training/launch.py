"""Start a training job: in this process, or in a process for each of its GPUs."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syn2real.errors import Diverged, InputError, TrainingError
from syn2real.files import read_json, write_json
from syn2real.jobs.child import die_with_parent
from syn2real.jobs.gpus import use_gpus
from syn2real.jobs.locks import exclusive

logger = logging.getLogger(__name__)

WORKER = "syn2real.training.worker"


def launch(function: Callable[..., None], *, gpus: int, **arguments: Any) -> None:
    """Call a training function on the GPUs that the job was given.

    On one GPU, or the CPU, this process calls it. Otherwise torchrun starts a process for each GPU.
    Jobs of the same run (an orphan on a cluster and its resubmission) take turns: the one that waited
    finds the other's results, or continues from its checkpoint.

    Parameters
    ----------
    function : callable
        `pretrain`, `finetune` or `train_reference`, which every process calls with the same arguments.
    gpus : int
        GPUs of this machine that the job was given; 0 computes on the CPU.
    **arguments
        The function's: "outputs", "scratch" and "threads" among them. A run has its own
        scratch folder; the threads are shared among a machine's processes.

    Raises
    ------
    InputError
        As `function` does, and where fewer GPUs are visible.
    TrainingError
        As `function` does.
    ChildProcessError
        A process was killed, which another attempt may not be.
    """
    with exclusive(Path(arguments["scratch"]).with_suffix(".lock")) as waited:
        # Snakemake removes what is there before it starts a job: these files are of the job waited for.
        if waited and all(Path(path).exists() for path in arguments["outputs"].values()):
            logger.info("another job of this run has finished it meanwhile")
            return
        taken = use_gpus(gpus)
        if len(taken) <= 1:
            function(**arguments)
        else:
            run_processes(function, arguments, processes=len(taken))


def run_processes(function: Callable[..., None], arguments: dict[str, Any], processes: int) -> None:
    """Call a function in several processes that train together, and raise the first failure of any.

    Parameters
    ----------
    function : callable
        A function of a module, which every process calls.
    arguments : dict
        Its arguments: plain data and paths.
    processes : int
        How many, all on this machine.
    """
    scratch = Path(arguments["scratch"]).absolute()
    request, failure = scratch / "request.json", scratch / "failure.json"
    failure.unlink(missing_ok=True)
    threads = max(1, arguments["threads"] // processes)
    call = {key: to_json(value) for key, value in arguments.items()} | {"threads": threads}
    place = {"module": function.__module__, "function": function.__name__}
    write_json(request, place | {"arguments": call, "failure": str(failure)})
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"]
    command += ["-m", WORKER, str(request)]
    logger.info("starting %s", " ".join(command))
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    # The GPUs must be free again when this process is killed.
    done = subprocess.run(command, env=environment, check=False, preexec_fn=die_with_parent)
    if done.returncode:
        raise _error(failure, done.returncode)


def to_json(value: Any) -> Any:
    """Return an argument as JSON has it."""
    return json.loads(json.dumps(value, default=str))


def _error(failure: Path, code: int) -> Exception:
    """Return the error that the first failing process wrote, or what its death looks like."""
    try:
        message = read_json(failure)
    except FileNotFoundError:
        return ChildProcessError(
            f"a training process was killed (torchrun's exit code {code}); SIGKILL often means: out of memory"
        )
    if message["kind"] == "InputError":
        return InputError(message["problem"], file=message["file"], key=message["key"])
    for kind in (TrainingError, Diverged):
        if message["kind"] == kind.__name__:
            return kind(message["problem"])
    return RuntimeError(f"{message['kind']}: {message['problem']} (process {message['rank']})")
