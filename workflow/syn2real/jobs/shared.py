"""Jobs that start from one process which has imported PyTorch, where a profile sets `shared_start: 1`.

The import takes seconds of CPU time, a fork hundredths of one. The first such job starts a server, which
imports packages, none of this library's modules, and computes nothing. For every job it forks a child that
runs the job's script with the job's own streams; the job's process waits, and ends as the child does. So a
job's log, exit code, attempts and results are those of a process of its own.

A job's process that is killed takes its child with it, and the server its children. Without a job for `IDLE`
seconds the server ends. Where none can be started, a job runs in its own process.
"""

import atexit
import gc
import hashlib
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from syn2real.jobs.child import die_with_parent
from syn2real.jobs.locks import exclusive

PACKAGES = (
    "torch.utils.data", "torchvision.models.detection", "torchvision.transforms.v2", "safetensors.torch",
    "cv2", "PIL.Image", "pycocotools.coco", "pydantic", "tensorboard.summary.writer.event_file_writer",
)  # fmt: skip
"""What the server imports; a training job needs nearly all of it."""
IDLE = 10.0
"""Seconds without a job after which the server ends."""
LOOK = 0.05
"""Seconds between two looks for children that ended."""
STARTED = b"+"
PROGRAM = """
import sys
sys.path[:] = {path!r}
from syn2real.jobs.shared import serve
script = serve({listener}, {modules!r}, {idle})
sys.argv[:] = [__file__ := script]
exec(compile(open(script, encoding="utf-8").read(), script, "exec"))
"""
"""What the server runs; a child goes on with the script."""
_in_child = False


def hand_over(job: Any) -> None:
    """Run this process's script in a child of the server, and end as it ends; return where it is to run here.

    Must be called before the script imports anything that takes long.

    Parameters
    ----------
    job : snakemake.iocontainers.Snakemake
        The job; its resource `shared_start` says whether it shares its start.
    """
    if _in_child or sys.platform != "linux" or not job.resources.get("shared_start"):
        return
    try:
        connection = _connect((type(job).__module__, *PACKAGES))
        socket.send_fds(connection, [os.fsencode(Path(sys.argv[0]).absolute())], [0, 1, 2])
        if not connection.recv(len(STARTED)):
            return
    except OSError:
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of this wait
    with suppress(OSError):
        if answer := connection.recv(64):
            _end(int(answer))
    print("error: the process that jobs start from was killed; run the same command again", file=sys.stderr)
    sys.exit(1)


def _end(status: int) -> None:
    """End this process as a child did: with its exit code, or by the same signal."""
    if status < 0:
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _connect(modules: Sequence[str]) -> socket.socket:
    """Return a connection to the server of jobs like this one, which is started where there is none.

    Jobs share one if their Python, folder and environment are the same, as those of one call are.
    """
    folder = Path(tempfile.gettempdir()) / f"syn2real-start-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    alike = repr([sys.executable, Path.cwd(), sys.path, sorted(os.environ.items())])
    path = folder / hashlib.sha256(alike.encode()).hexdigest()[:16]
    connection = socket.socket(socket.AF_UNIX)
    with exclusive(path.with_suffix(".lock")):
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            path.unlink(missing_ok=True)
            _start(path, modules)
            connection.connect(str(path))
    return connection


def _start(path: Path, modules: Sequence[str]) -> None:
    """Start the server; a job may connect at once, and waits until the packages are imported."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        program = PROGRAM.format(path=sys.path, listener=listener.fileno(), modules=modules, idle=IDLE)
        nowhere = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, "-c", program], pass_fds=[listener.fileno()], start_new_session=True,
            stdin=nowhere, stdout=nowhere, stderr=nowhere,
        )  # fmt: skip


def serve(listener: int, modules: Sequence[str], idle: float) -> str:
    """Import packages, and fork a child for every job; return in a child alone, with the path of its script.

    Parameters
    ----------
    listener : int
        File descriptor of the socket that jobs connect to.
    modules : sequence of str
        What to import.
    idle : float
        Seconds without a job after which this process ends.
    """
    gc.disable()  # it finds nothing among modules, and takes a sixth of their import
    for name in modules:
        with suppress(ImportError):  # a job that needs it says so
            importlib.import_module(name)
    gc.freeze()  # so that children share the memory
    atexit.register(gc.unfreeze)  # what is not collected at the end, extension modules print as leaks
    gc.enable()
    children: dict[socket.socket, int] = {}
    with socket.socket(fileno=listener) as jobs:
        while True:
            ready = select.select([jobs, *children], [], [], LOOK if children else idle)[0]
            if not (ready or children):
                Path(jobs.getsockname()).unlink(missing_ok=True)
                sys.exit()
            for connection in ready:
                if connection is not jobs:
                    os.kill(children[connection], signal.SIGKILL)  # its job has gone
                elif script := _fork(jobs, children):
                    return script
            _report(children)


def _fork(jobs: socket.socket, children: dict[socket.socket, int]) -> str | None:
    """Fork a child for the next job; return its script in the child, None in the server."""
    global _in_child
    connection, _ = jobs.accept()
    message, streams, _, _ = socket.recv_fds(connection, 4096, 3)
    if not message:  # the job has gone already
        connection.close()
        return None
    server, pid = os.getpid(), os.fork()
    if pid == 0:
        die_with_parent()
        if os.getppid() != server:
            os._exit(1)
        _in_child = True
        for other in (connection, *children):
            other.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    if pid == 0:
        return os.fsdecode(message)
    with suppress(OSError):
        connection.send(STARTED)
    children[connection] = pid
    return None


def _report(children: dict[socket.socket, int]) -> None:
    """Send the jobs of children that ended how these ended."""
    for connection, child in list(children.items()):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            with suppress(OSError):
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()
            del children[connection]
