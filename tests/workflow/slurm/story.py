"""A run through Slurm: what is done to it, and what is seen of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from checkout import Checkout, failed_logs
from slurm.cluster import Cluster, environment_of, processes

Job = dict[str, str]
PATIENCE = 1200
"""Seconds after which a wait has failed, so that the logs are shown."""
COMMAND = ["snakemake", "--profile", "slurm", "--config", "experiment=config/experiments/smoke.yaml"]
# Jobs of seconds are looked at every second; the number of a profile is for jobs of hours.
QUICK = ["--slurm-init-seconds-before-status-checks", "1"]


@dataclass
class Story:
    """The smoke experiment in a checkout, run by a cluster.

    Attributes
    ----------
    cluster : Cluster
    checkout : Checkout
        Where it runs.
    disturbed : dict of str to str
        The Slurm job that each disturbance hit.
    side_by_side : list of dict of str to str
        The GPU that CUDA_VISIBLE_DEVICES names in each Slurm job, whenever several computed.
    orphans : list of str
        The Slurm jobs that a killed Snakemake left.
    """

    cluster: Cluster
    checkout: Checkout
    disturbed: dict[str, str] = field(default_factory=dict)
    side_by_side: list[dict[str, str]] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell has: the programs, Slurm's address, a home of its own for named profiles."""
        ours, theirs = self.checkout.environment, self.cluster.environment
        path = f"{self.cluster.folder / 'bin'}{os.pathsep}{ours['PATH']}{os.pathsep}{theirs['PATH']}"
        return theirs | ours | {"PATH": path, "XDG_CONFIG_HOME": str(self.cluster.folder / "home")}

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake by the name of its profile."""
        command = [f"{Path(sys.executable).parent}/{COMMAND[0]}", *COMMAND[1:], *QUICK, *arguments]
        with (self.checkout.folder / "run.log").open("a") as log:
            return subprocess.Popen(
                command, cwd=self.checkout.folder, env=self.environment, stdout=log, stderr=log
            )

    def watch(self, run: subprocess.Popen, until: Callable[[list[Job]], bool]) -> None:
        """Look at the running jobs again and again until they are as wanted."""
        end = time.monotonic() + PATIENCE
        while True:
            ended = run.poll() is not None
            running = self.running()
            gpus = {job["JobId"]: self._gpu(job) for job in running if job["Partition"] == "accelerated"}
            if len(gpus) > 1 and all(gpus.values()):
                self.side_by_side.append(gpus)
            if until(running):
                return
            assert not ended, self.report()
            assert time.monotonic() < end, f"nothing more for {PATIENCE} s\n{self.report()}"
            time.sleep(0.5)

    def finish(self, run: subprocess.Popen) -> None:
        """Watch Snakemake until it has ended well."""
        self.watch(run, lambda running: run.poll() is not None)
        assert run.returncode == 0, self.report()

    def running(self) -> list[Job]:
        """Return the jobs that run."""
        return [job for job in self.cluster.jobs() if job["JobState"] == "RUNNING"]

    def launched(self, job: Job) -> bool:
        """Return whether a job's processes are there: Slurm calls it running a moment before."""
        return bool(processes("SLURM_JOB_ID", job["JobId"]))

    def computing(self, job: Job) -> list[int]:
        """Return the processes of a job that run a script of the workflow."""
        found = {p: Path(f"/proc/{p}/cmdline") for p in processes("SLURM_JOB_ID", job["JobId"])}
        return [p for p, line in found.items() if line.exists() and b"/scripts/tmp" in line.read_bytes()]

    def cancel(self, job: Job) -> None:
        """Cancel a job, as a user or an administrator does."""
        self.cluster.run("scancel", job["JobId"])

    def kill(self, job: Job) -> None:
        """Kill what a job computes, as the system does where memory runs out."""
        for process in self.computing(job):
            os.kill(process, signal.SIGKILL)

    def run_out_of_time(self, job: Job) -> None:
        """Have a job hang, and move its time limit near: Slurm ends it when it looks next."""
        for process in self.computing(job):
            os.kill(process, signal.SIGSTOP)
        soon = datetime.now() + timedelta(seconds=2)
        self.cluster.run("scontrol", "update", f"JobId={job['JobId']}", f"EndTime={soon:%Y-%m-%dT%H:%M:%S}")

    def done(self, pattern: str) -> int:
        """Return how many files of a pattern are there."""
        return sum(1 for _ in self.checkout.folder.glob(pattern))

    def report(self) -> str:
        """Return the ends of all logs."""
        log = (self.checkout.folder / "run.log").read_text()[-6000:]
        return f"{log}\n{self.cluster.run('squeue', '--states=all')}\n{failed_logs(self.checkout.folder)}"

    def _gpu(self, job: Job) -> str:
        """Return the GPU that a job was started with; nothing before it computes."""
        seen = {environment_of(p).get("CUDA_VISIBLE_DEVICES", "") for p in self.computing(job)}
        return ",".join(sorted(seen))
