"""Jobs that start from one process run, fail and die as those that start alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="on Linux alone")

HEAD = """
import os, sys
from types import SimpleNamespace
from syn2real.jobs import shared
shared.PACKAGES, shared.IDLE = ("json.tool",), {idle}
snakemake = SimpleNamespace(resources={{"shared_start": {shared}}})
shared.hand_over(snakemake)
from pathlib import Path
from syn2real.errors import InputError
from syn2real.jobs.child import leave
from syn2real.jobs.log import job_log
with job_log("job.log"):
    {body}
leave()
"""
ALONE, SHARED = 0, 1


class Jobs:
    """Scripts of a folder, whose server holds a light module in place of PyTorch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}

    def start(self, body: str, shared: int = SHARED, idle: float = 1.0) -> subprocess.Popen[str]:
        path = self.folder / f"job-{time.monotonic_ns()}.py"
        path.write_text(HEAD.format(shared=shared, body=body, idle=idle))
        command = [sys.executable, str(path)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, body: str, shared: int = SHARED) -> tuple[int, str, str]:
        """Return a job's exit code, what it left on the terminal, and its log."""
        job = self.start(body, shared)
        _, terminal = job.communicate(timeout=30)
        return job.returncode, terminal, (self.folder / "job.log").read_text()

    def child(self) -> int:
        """Wait for the child that wrote its number; return it."""
        _soon((self.folder / "pid").is_file)
        return int((self.folder / "pid").read_text())


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    yield Jobs(tmp_path)


def _soon(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def _gone(pid: int) -> bool:
    """Whether a process has ended; one whose parent has not looked yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


WAIT = (
    "Path('pid.new').write_text(str(os.getpid())); os.rename('pid.new', 'pid'); import time; time.sleep(60)"
)


@pytest.mark.parametrize(
    "body",
    [
        "print('one'); os.system('echo two')",
        "raise InputError('no such thing', file='a.yaml')",
        "sys.exit(7)",
        "import signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import gc; print(gc.isenabled(), sys.argv[1:], __name__, os.environ['TMPDIR'], sys.stdin.fileno())",
    ],
)
def test_a_job_ends_as_it_would_alone(jobs: Jobs, body: str) -> None:
    assert jobs.run(body, SHARED) == jobs.run(body, ALONE)


def test_a_defect_leaves_its_traceback_in_the_log(jobs: Jobs) -> None:
    code, terminal, log = jobs.run("1 / 0")
    assert code == 1 and terminal == "error: ZeroDivisionError: division by zero (log: job.log)\n"
    assert "Traceback" in log and "job-" in log


def test_jobs_start_from_one_process_that_ends_when_there_are_none(jobs: Jobs) -> None:
    parent = "print(os.getppid(), 'json.tool' in sys.modules)"
    logs = [jobs.run(parent)[2].split() for _ in range(2)]
    assert logs[0] == logs[1] and logs[0][1] == "True"
    assert jobs.run("print('json.tool' in sys.modules)", ALONE)[2] == "False\n"
    _soon(lambda: _gone(int(logs[0][0])))
    assert not list(jobs.folder.glob("syn2real-start-*/*"))


def test_a_failing_job_fails_alone(jobs: Jobs) -> None:
    other = jobs.start(WAIT)
    child = jobs.child()
    assert jobs.run("raise InputError('no such thing')")[0] == 2
    assert other.poll() is None and not _gone(child)
    other.kill()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_job_takes_its_child_with_it(jobs: Jobs, sent: signal.Signals) -> None:
    job = jobs.start(WAIT)
    child = jobs.child()
    job.send_signal(sent)
    assert job.communicate()[1] == "" and job.returncode == -sent
    _soon(lambda: _gone(child))


def test_a_killed_server_fails_its_jobs_with_one_line_and_the_next_ones_start_another(jobs: Jobs) -> None:
    job = jobs.start(WAIT)
    child = jobs.child()
    server = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    _, terminal = job.communicate(timeout=10)
    assert job.returncode == 1
    assert terminal == "error: the process that jobs start from was killed; run the same command again\n"
    _soon(lambda: _gone(child))
    assert jobs.run("print('json.tool' in sys.modules)")[2] == "True\n"


def test_without_a_server_a_job_runs_in_its_own_process(jobs: Jobs) -> None:
    (jobs.folder / f"syn2real-start-{os.getuid()}").write_text("in the way")
    assert jobs.run("print('json.tool' in sys.modules)") == (0, "", "False\n")
